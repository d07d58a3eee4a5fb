"""What the whole corridor costs on large rasters, with a predictor that looks at single pixels, beside its floor.

    python benchmarks/pipeline_speed.py

The floor is the processor time of reading the same windows with rasterio alone and of vectorising the same mask, which
nothing that reads tiles and finds polygons can go below. Memory is the peak of a process: at one width with twice the
height, and with twice both. At last, with the packaged weights, what the corridor adds to the model's own time. Every
measurement has a process of its own; `--rounds` says how often floor and corridor take turns.
"""

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.transform import from_origin
from rasterio.windows import Window

from rrsis_core import SegmentOptions, segment_raster
from rrsis_core.geo.polygons import Vectoriser
from rrsis_core.geo.raster import gdal_environment, open_raster
from rrsis_core.geo.speed import make_mask
from rrsis_core.geo.tiling import plan_tiles

TILE, OVERLAP, BAND_ROWS, THRESHOLD, MASK_SIDE = 512, 0.25, 512, 128, 5000


class PixelPredictor:
    """The probability is the red band."""

    gsd = None
    tile = TILE
    batch_size = 4

    def __call__(self, chips: np.ndarray, expressions: list[str]) -> np.ndarray:
        """Return probabilities (B, P, h, w)."""
        return np.repeat(chips[:, :1], len(expressions), axis=1)


def make(path: str, size: str) -> None:
    """Write a raster from a seed: red where the mask of `rrsis bench geo` is set, noise of four bits everywhere."""
    side = int(size)
    profile = {"count": 3, "height": side, "width": side, "dtype": "uint8", "tiled": True, "compress": "deflate"}
    profile |= {"crs": "EPSG:32633", "transform": from_origin(500000, 5000000, 0.3, 0.3), "zlevel": 1}
    rng = np.random.default_rng(0)
    mask = make_mask(min(side, MASK_SIDE)) * np.uint8(160)
    mask = np.tile(mask, (1, math.ceil(side / mask.shape[1])))[:, :side]
    with rasterio.open(path, "w", driver="GTiff", **profile) as target:
        for top in range(0, side, BAND_ROWS):
            rows = min(BAND_ROWS, side - top)
            pixels = rng.integers(40, 56, (3, rows, side), np.uint8)
            pixels[0] += mask.take(range(top, top + rows), axis=0, mode="wrap")
            target.write(pixels, window=Window(0, top, side, rows))


def repeat(raster: Path, size: int, columns: int, rows: int) -> Path:
    """Return a VRT of a raster beside and below itself."""
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{band}">'
        + "".join(
            f'<SimpleSource><SourceFilename relativeToVRT="1">{raster.name}</SourceFilename>'
            f'<SourceBand>{band}</SourceBand><SrcRect xOff="0" yOff="0" xSize="{size}" ySize="{size}"/>'
            f'<DstRect xOff="{column * size}" yOff="{row * size}" xSize="{size}" ySize="{size}"/></SimpleSource>'
            for row in range(rows)
            for column in range(columns)
        )
        + "</VRTRasterBand>"
        for band in (1, 2, 3)
    )
    path = raster.with_name(f"{columns}x{rows}.vrt")
    path.write_text(
        f'<VRTDataset rasterXSize="{columns * size}" rasterYSize="{rows * size}"><SRS>EPSG:32633</SRS>'
        f"<GeoTransform>500000, 0.3, 0, 5000000, 0, -0.3</GeoTransform>{bands}</VRTDataset>"
    )
    return path


def floor(raster: str) -> dict[str, float]:
    """Read the windows of all tiles and vectorise the mask; return the processor time of each."""
    reading = vectorising = 0.0
    with open_raster(raster) as opened, gdal_environment(opened.info, TILE), rasterio.open(raster) as source:
        start = time.process_time()
        for row in plan_tiles(source.width, source.height, TILE, OVERLAP).rows():
            for tile in row:
                source.read((1, 2, 3), window=Window(tile.left, tile.top, tile.width, tile.height))
        reading = time.process_time() - start
        vectoriser = Vectoriser(source.width, Affine.identity())
        for top in range(0, source.height, BAND_ROWS):
            rows = min(BAND_ROWS, source.height - top)
            red = source.read(1, window=Window(0, top, source.width, rows))
            mask, scores = red >= THRESHOLD, red * np.uint16(257)
            start = time.process_time()
            vectoriser.feed(mask, scores, last=top + rows == source.height)
            vectorising += time.process_time() - start
    return {"reading": reading, "vectorising": vectorising}


def corridor(raster: str, out: str) -> dict[str, float]:
    """Segment in this process; return seconds of clock and processor, peak memory, and the number of polygons."""
    start, used = time.perf_counter(), time.process_time()
    result = segment_raster(SegmentOptions(raster, ("the roofs",), out, overwrite=True), PixelPredictor())
    return {
        "clock": time.perf_counter() - start,
        "processor": time.process_time() - used,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "polygons": result.found[0].polygons,
    }


class Timed:
    """A predictor that adds up the processor time of another."""

    def __init__(self, predictor: Any) -> None:
        self.gsd, self.tile, self.batch_size = predictor.gsd, predictor.tile, predictor.batch_size
        self.predictor, self.spent = predictor, 0.0

    def __call__(self, chips: np.ndarray, expressions: list[str]) -> np.ndarray:
        """Return probabilities (B, P, h, w)."""
        start = time.process_time()
        answer = self.predictor(chips, expressions)
        self.spent += time.process_time() - start
        return answer


def weights(raster: str, out: str) -> dict[str, float]:
    """Segment with the packaged weights; return the processor time of the run and of the model in it."""
    load = import_module("rrsis_core.inference.predictor").load_predictor  # with torch, which the others do without
    predictor = Timed(load(device="cpu"))
    start = time.process_time()
    segment_raster(SegmentOptions(raster, ("the roofs",), out, overwrite=True), predictor)
    return {"run": time.process_time() - start, "model": predictor.spent}


def alone(function: str, *arguments: object) -> dict[str, float]:
    """Run one of the functions above in a new process."""
    command = [sys.executable, __file__, "--run", function, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def measure(size: int, rounds: int) -> None:
    """Print all that this file measures."""
    with tempfile.TemporaryDirectory() as folder:
        raster, out = Path(folder, "large.tif"), Path(folder, "out.gpkg")
        alone("make", raster, size)
        turns = [(alone("floor", raster), alone("corridor", raster, out)) for _ in range(rounds)]
        for least, run in turns:
            print(f"floor: {least['reading']:.1f} s reading, {least['vectorising']:.1f} s vectorising; ", end="")
            print(f"corridor: {run['processor']:.1f} s of the processor, {run['clock']:.1f} s of the clock", flush=True)
        for what in ("processor", "clock"):
            ratio = statistics.median(run[what] / math.fsum(least.values()) for least, run in turns)
            print(f"corridor to floor, by {what}: {ratio:.2f}")
        first = turns[0][1]
        for columns, rows in ((1, 1), (1, 2), (2, 2)):
            run = alone("corridor", repeat(raster, size, columns, rows), out) if rows > 1 else first
            print(
                f"{columns * size:,} x {rows * size:,}: {run['polygons']:,} polygons, peak {run['peak']:,.0f} MiB, "
                f"{run['peak'] / first['peak']:.2f} times",
                flush=True,
            )
        alone("make", raster, size // 10)
        run = alone("weights", raster, out)
        added = run["run"] / run["model"] - 1
        print(f"packaged weights: {run['model']:.1f} s in the model, {added:.1%} on top, of the processor")


def main() -> None:
    """Measure, or do in this process what another one asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        name, *rest = arguments.run
        functions = {"make": make, "floor": floor, "corridor": corridor, "weights": weights}
        print(json.dumps(functions[name](*rest)))
        return
    measure(arguments.size, arguments.rounds)


if __name__ == "__main__":
    main()
