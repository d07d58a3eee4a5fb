#!/usr/bin/env bash
# Train on several GPUs of this computer: GPUS=4 several_gpus.sh RECIPE [rrsis train's options]
# GPUS is 4 where it is not given. batch_size of the recipe counts all of them: it must be a multiple of GPUS.
set -euo pipefail
exec torchrun --standalone --nproc_per_node "${GPUS:-4}" -m rrsis_core train "$@"
