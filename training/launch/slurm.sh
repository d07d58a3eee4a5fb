#!/usr/bin/env bash
# Train as a SLURM job: sbatch training/launch/slurm.sh RECIPE [rrsis train's options]
# Five minutes before its time is up the job saves the run's state and queues itself again. Adapt the lines below.
#SBATCH --job-name=rrsis
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --mem=96G
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=rrsis-%j.log
set -euo pipefail
port=$((20000 + SLURM_JOB_ID % 20000))
# Each process stops after its iteration and saves when TERM reaches it; torchrun hands it on.
srun --kill-on-bad-exit=0 torchrun --nnodes "$SLURM_NNODES" --nproc_per_node "${SLURM_GPUS_ON_NODE:-1}" \
  --rdzv_backend c10d --rdzv_endpoint "$(hostname):$port" --rdzv_id "$SLURM_JOB_ID" -m rrsis_core train "$@" &
job=$!
trap 'kill -TERM $job; wait $job || true; scontrol requeue "$SLURM_JOB_ID"' TERM
wait $job
