"""Resident memory of the whole corridor on a large raster, with a predictor that looks at single pixels.

Makes a 20,000 x 20,000 x 3 raster, runs it with tiles of 256 and of 1024 pixels in processes of their own, prints the
peak memory of each, and whether the polygons are the same.
"""

import argparse
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyogrio
import rasterio
import shapely
from rasterio.transform import from_origin
from rasterio.windows import Window

from rrsis_core import SegmentOptions, segment_raster


class PixelPredictor:
    """The probability is the red band."""

    gsd = None
    tile = 512
    batch_size = 4

    def __call__(self, chips: np.ndarray, expressions: list[str]) -> np.ndarray:
        """Return probabilities (B, P, h, w)."""
        return np.repeat(chips[:, :1], len(expressions), axis=1)


def make(path: Path, size: int) -> None:
    """Write a raster of blobs, band by band of rows, from a seed."""
    profile = {"count": 3, "height": size, "width": size, "dtype": "uint8", "tiled": True, "compress": "deflate"}
    profile |= {"crs": "EPSG:32633", "transform": from_origin(500000, 5000000, 0.3, 0.3), "zlevel": 1}
    rng = np.random.default_rng(0)
    with rasterio.open(path, "w", driver="GTiff", **profile) as target:
        for top in range(0, size, 512):
            rows = min(512, size - top)
            pixels = np.full((3, rows, size), 40, np.uint8)
            for _ in range(size // 20):
                row, column = rng.integers(0, rows), rng.integers(0, size)
                height, width = rng.integers(2, 60, 2)
                pixels[0, row : row + height, column : column + width] = rng.integers(140, 255)
            target.write(pixels, window=Window(0, top, size, rows))


def run(raster: str, tile: int, out: str) -> None:
    """Segment in this process and print seconds and peak memory."""
    start = time.perf_counter()
    segment_raster(SegmentOptions(raster, ("the roofs",), output=out, tile=tile, overwrite=True), PixelPredictor())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    frame = pyogrio.read_dataframe(out)
    order = np.sort(shapely.to_wkb(shapely.normalize(frame.geometry.values)))
    digest = hashlib.sha256(b"".join(order)).hexdigest()[:16]
    print(
        f"tile {tile:5d}: {len(frame):,} polygons {digest}, {time.perf_counter() - start:.0f} s, peak {peak:,.0f} MiB"
    )


def main() -> None:
    """Make the raster once, run each tile size in a new process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--run", nargs=3)
    arguments = parser.parse_args()
    if arguments.run:
        run(arguments.run[0], int(arguments.run[1]), arguments.run[2])
        return
    with tempfile.TemporaryDirectory() as folder:
        raster = Path(folder, "large.tif")
        make(raster, arguments.size)
        print(f"{arguments.size:,} x {arguments.size:,} x 3 uint8, {raster.stat().st_size / 1e6:.0f} MB on disk")
        for tile in (256, 1024):
            command = [sys.executable, __file__, "--run", str(raster), str(tile), str(Path(folder, "out.gpkg"))]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
