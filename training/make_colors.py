"""Fit what people call each colour to the objects of scenes: `python training/make_colors.py cache/train`.

A Gaussian in CIE Lab a name, over the mean colours of the real objects that have it, as written by people (chips) or
measured (dubai, banepa, harvey). Writes rrsis_core/inference/colors.json.
"""

import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from rrsis_core.data.scenes import read_scene
from rrsis_core.inference.coloring import lab

SOURCES = ("chips", "drawn", "dubai", "banepa", "harvey", "kit")
LEAST_PIXELS = 12  # of an object: below this nobody sees a colour
FEWEST = 20  # objects that make a table
SPREAD = np.diag([16.0, 4.0, 4.0])  # added to each covariance: light and haze differ from picture to picture
OUT = Path("rrsis_core/inference/colors.json")


def main(folder: Path) -> None:
    """Read, fit, write."""
    found: dict[str, list[np.ndarray]] = {}
    for path in tqdm([path for source in SOURCES for path in sorted((folder / source).glob("*.scene"))]):
        scene = read_scene(path)
        for item in scene.objects:
            if item.color and item.mask.sum() >= LEAST_PIXELS:
                height, width = item.mask.shape
                pixels = scene.image[item.top : item.top + height, item.left : item.left + width][item.mask]
                found.setdefault(item.color, []).append(lab(pixels.mean(axis=0)[None])[0])
    table = {
        name: {
            "objects": len(some),
            "mean": np.mean(some, axis=0).round(2).tolist(),
            "covariance": (np.cov(np.transpose(some)) + SPREAD).round(2).tolist(),
        }
        for name, some in sorted(found.items())
        if len(some) >= FEWEST
    }
    OUT.write_text(
        "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(item)}" for name, item in table.items()) + "\n}\n"
    )
    print({name: item["objects"] for name, item in table.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
