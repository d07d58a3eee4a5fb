"""The demo over twenty further scenes: `python benchmarks/demo_seeds.py` prints the table of docs/benchmarks.md.

With a file it also draws the worst answer to each phrase, docs/failures.png.
"""

import statistics
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import rasterio

from rrsis_core.cli.demo import PHRASES, meant, run
from rrsis_core.data.drawing import row_sheet, truth_and_answer
from rrsis_core.data.rendered import demo_scene

SEEDS = range(101, 121)  # training scenes begin at 1,000,000


def draw(folder: Path, seed: int, index: int, iou: float) -> tuple[str, np.ndarray]:
    """Return a caption and a picture of one answer."""
    phrase, what = list(PHRASES.items())[index]
    with rasterio.open(folder / "scene.tif") as source:
        image = source.read().transpose(1, 2, 0)
    with rasterio.open(folder / "mask.tif") as source:
        answer = source.read(index + 1).astype(bool)
    truth, _ = meant(demo_scene(seed), answer.shape, *what)
    return f"{phrase}, scene {seed}: IoU {iou:.2f}", truth_and_answer(image, truth, answer)


def main() -> None:
    """Print the IoU of each phrase and scene, and the median."""
    columns: list[list[float]] = []
    worst: dict[int, tuple[float, tuple[str, np.ndarray]]] = {}
    print("| seed | " + " | ".join(PHRASES) + " |\n|" + " ---: |" * (len(PHRASES) + 1))
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            columns.append([row["iou"] for row in run(Path(folder), seed)])
            for index, iou in enumerate(columns[-1]):
                if sys.argv[1:] and (index not in worst or iou < worst[index][0]):
                    worst[index] = iou, draw(Path(folder), seed, index, iou)
        print(f"| {seed} | " + " | ".join(f"{iou:.2f}" for iou in columns[-1]) + " |", flush=True)
    medians = [statistics.median(values) for values in zip(*columns, strict=True)]
    print("| median | " + " | ".join(f"{iou:.2f}" for iou in medians) + " |")
    passed = sum(sum(iou >= 0.5 for iou in ious) >= 3 for ious in columns)
    print(f"\nAt least three of four phrases reach 0.5 in {passed} of {len(columns)} scenes.")
    if worst:
        row_sheet([("", [picture for _, (_, picture) in sorted(worst.items())])], 420).quantize(256).save(sys.argv[1])


if __name__ == "__main__":
    main()
