"""Compare the streaming vectoriser with rasterio.features.shapes plus shapely on one large made-up mask.

    python benchmarks/geo_vectorise.py --size 10000

Each way runs in a process of its own, so that the peak memory printed is its own. The mask holds buildings, ellipses,
rings with islands, ragged blobs, roads that cross the whole scene, and single and diagonal pixels.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio.features
import shapely
from affine import Affine

from rrsis_core.geo.polygons import Vectoriser

TRANSFORM = Affine(0.3, 0, 500_000, 0, -0.3, 5_000_000)
SHAPES_A_MEGAPIXEL = 60
SPECKLED_A_MEGAPIXEL = 0.3
SCATTERED_A_MEGAPIXEL = 10


def make_mask(size: int, seed: int = 0) -> np.ndarray:
    """Draw a mask (size, size) of zeros and ones, the same for the same seed."""
    rng = np.random.default_rng(seed)
    count = int(SHAPES_A_MEGAPIXEL * size * size / 1e6)
    x, y = rng.uniform(0, size, (2, count))
    width, height = rng.uniform(8, 60, (2, count))
    boxes = shapely.box(-width / 2, -height / 2, width / 2, height / 2)
    boxes[1::3] = shapely.buffer(shapely.points(np.zeros((len(boxes[1::3]), 2))), width[1::3] / 2)
    boxes[2::9] = shapely.difference(boxes[2::9], shapely.buffer(boxes[2::9], -3))
    angle = rng.uniform(0, np.pi, count)
    turned = [
        shapely.affinity.affine_transform(box, (np.cos(a), -np.sin(a), np.sin(a), np.cos(a), left, top))
        for box, a, left, top in zip(boxes, angle, x, y, strict=True)
    ]
    roads = [
        shapely.LineString([(0, start), (size / 2, middle), (size, stop)]).buffer(half)
        for start, middle, stop, half in zip(*rng.uniform(0, size, (3, 30)), rng.uniform(2, 6, 30), strict=True)
    ]
    mask = rasterio.features.rasterize(
        turned + roads[: max(1, size * 30 // 20000)], out_shape=(size, size), dtype="uint8"
    )
    for left, top in rng.integers(0, size - 40, (int(SPECKLED_A_MEGAPIXEL * size * size / 1e6), 2)):
        mask[top : top + 40, left : left + 40] |= rng.random((40, 40)) < rng.choice([0.02, 0.6])
    scattered = rng.integers(0, size - 1, (int(SCATTERED_A_MEGAPIXEL * size * size / 1e6), 2))
    mask[scattered[:, 0], scattered[:, 1]] = 1
    mask[scattered[::2, 0] + 1, scattered[::2, 1] + 1] = 1
    return mask


def store_mask(path: str, size: int) -> None:
    """Make the mask and write its bytes to a file."""
    make_mask(size).tofile(path)


def stream(path: str, size: int, rows: int) -> dict[str, float]:
    """Vectorise the mask in bands of rows, with scores; only the bands are ever in memory."""
    vectoriser = Vectoriser(size, TRANSFORM)
    found = {"CPU s": 0.0, "polygons": 0, "vertices": 0, "area": 0.0}
    with open(path, "rb") as file:
        for start in range(0, size, rows):
            mask = np.frombuffer(file.read(rows * size), np.uint8).reshape(-1, size).astype(bool)
            probability = mask * np.uint16(60000)
            begin = time.process_time()
            batch = vectoriser.feed(mask, probability, last=start + rows >= size)
            found["CPU s"] += time.process_time() - begin
            _count(found, batch.polygons)
    return _with_memory(found)


def whole(path: str, size: int, rows: int) -> dict[str, float]:
    """Vectorise the mask at once, as everybody does."""
    mask = np.fromfile(path, np.uint8).reshape(size, size)
    found = {"CPU s": 0.0, "polygons": 0, "vertices": 0, "area": 0.0}
    begin = time.process_time()
    shapes = rasterio.features.shapes(mask, mask=mask.astype(bool), connectivity=4, transform=TRANSFORM)
    polygons = np.array([shapely.geometry.shape(shape) for shape, _ in shapes])
    found["CPU s"] = time.process_time() - begin
    _count(found, polygons)
    return _with_memory(found)


def _count(found: dict[str, float], polygons: np.ndarray) -> None:
    found["polygons"] += len(polygons)
    found["vertices"] += int(shapely.get_num_coordinates(polygons).sum())
    found["area"] += float(shapely.area(polygons).sum())


def _with_memory(found: dict[str, float]) -> dict[str, float]:
    return found | {"peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _alone(function: Callable[..., Any], *arguments: object) -> Any:
    """Run in a new process; the mask is made in one as well, for a process inherits its parent's peak memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main() -> None:
    """Make the mask, run both ways, print what each took and found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=10_000, help="side of the mask in pixels")
    parser.add_argument("--rows", type=int, default=512, help="rows a band of the streaming vectoriser")
    parser.add_argument("--repeat", type=int, default=1, help="times to run each way; the fastest counts")
    arguments = parser.parse_args()
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "mask.bin"))
        _alone(store_mask, path, arguments.size)
        for way in (stream, whole):
            runs = [_alone(way, path, arguments.size, arguments.rows) for _ in range(arguments.repeat)]
            best = min(runs, key=lambda run: run["CPU s"])
            seconds[way.__name__] = best["CPU s"]
            print(f"{way.__name__:7}", ", ".join(f"{name} {value:,.1f}" for name, value in best.items()))
    print(f"streaming is {seconds['whole'] / seconds['stream']:.2f} times as fast")


if __name__ == "__main__":
    main()
