"""The demo over twenty further scenes: `python benchmarks/demo_seeds.py` prints the table of docs/benchmarks.md."""

import statistics
import tempfile
import warnings
from pathlib import Path

from rrsis_core.cli.demo import PHRASES, run

SEEDS = range(101, 121)  # training scenes begin at 1,000,000


def main() -> None:
    """Print the IoU of each phrase and scene, and the median."""
    columns: list[list[float]] = []
    print("| seed | " + " | ".join(PHRASES) + " |\n|" + " ---: |" * (len(PHRASES) + 1))
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            columns.append([row["iou"] for row in run(Path(folder), seed)])
        print(f"| {seed} | " + " | ".join(f"{iou:.2f}" for iou in columns[-1]) + " |", flush=True)
    medians = [statistics.median(values) for values in zip(*columns, strict=True)]
    print("| median | " + " | ".join(f"{iou:.2f}" for iou in medians) + " |")
    passed = sum(sum(iou >= 0.5 for iou in ious) >= 3 for ious in columns)
    print(f"\nAt least three of four phrases reach 0.5 in {passed} of {len(columns)} scenes.")


if __name__ == "__main__":
    main()
