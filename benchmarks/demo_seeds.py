"""The demo over twenty further scenes: `python benchmarks/demo_seeds.py` prints the table of docs/benchmarks.md.

With a file it also draws the worst answer to each phrase, truth outlined in white: docs/failures.png.
"""

import statistics
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image, ImageDraw
from scipy.ndimage import binary_erosion

from rrsis_core.cli.demo import PHRASES, meant, run
from rrsis_core.data.rendered import demo_scene

SEEDS = range(101, 121)  # training scenes begin at 1,000,000


def draw(folder: Path, seed: int, index: int, iou: float) -> Image.Image:
    """Return a picture of one answer, in red."""
    phrase, what = list(PHRASES.items())[index]
    with rasterio.open(folder / "scene.tif") as source:
        image = source.read().transpose(1, 2, 0).astype(float)
    with rasterio.open(folder / "mask.tif") as source:
        answer = source.read(index + 1).astype(bool)
    truth, _ = meant(demo_scene(seed), answer.shape, *what)
    image[answer] = image[answer] * 0.5 + np.array([255, 0, 0]) * 0.5
    image[truth ^ binary_erosion(truth, iterations=2)] = 255
    picture = Image.fromarray(image.astype(np.uint8)).resize((420, 420))
    text = f"{phrase}, scene {seed}: IoU {iou:.2f}"
    ImageDraw.Draw(picture).text((8, 6), text, "white", stroke_width=2, stroke_fill="black", font_size=16)
    return picture


def main() -> None:
    """Print the IoU of each phrase and scene, and the median."""
    columns: list[list[float]] = []
    worst: dict[int, tuple[float, Image.Image]] = {}
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
        sheet = Image.new("RGB", (420 * len(worst), 420))
        for index, (_, picture) in worst.items():
            sheet.paste(picture, (420 * index, 0))
        sheet.quantize(256).save(sys.argv[1])


if __name__ == "__main__":
    main()
