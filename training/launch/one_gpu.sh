#!/usr/bin/env bash
# Train on one GPU (or on the CPU, where there is none): one_gpu.sh RECIPE [rrsis train's options]
# A run that was stopped or killed goes on when the same line is given again.
set -euo pipefail
export CUDA_VISIBLE_DEVICES="${CUDA_VISIBLE_DEVICES:-0}"
exec rrsis train "$@"
