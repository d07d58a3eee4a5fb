#!/usr/bin/env bash
# Find phrases in many rasters as a SLURM array: sbatch --array=1-64%16 training/launch/batch_slurm.sh INPUTS... -p PHRASE -o FOLDER
# Each task does its share. What was killed or ran out of time goes on when the same line is given again; two minutes
# before its time is up a task gives back the unit in hand and queues itself again. Adapt the lines below.
#SBATCH --job-name=rrsis-batch
#SBATCH --ntasks=1
#SBATCH --gpus=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=rrsis-batch-%A-%a.log
set -euo pipefail
rrsis batch "$@" --threads "${SLURM_CPUS_PER_TASK:-8}" --shard "${SLURM_ARRAY_TASK_ID}/${SLURM_ARRAY_TASK_MAX}" &
job=$!
trap 'kill -TERM $job; wait $job || true; scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"' TERM
wait $job
