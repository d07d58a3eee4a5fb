"""What the packaged weights do in a second: `python benchmarks/model_speed.py [WEIGHTS]`.

One phrase, three, and one with a second look, on a raster of 2048 x 2048 pixels at the model's own ground resolution,
with all cores of the computer, from file to polygons; beside it, in the same round, the visual encoder alone on as many
tiles.
"""

import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import rasterio
import torch
from rasterio.transform import from_origin

from rrsis_core import SegmentOptions, load_predictor, segment_raster

SIDE, ROUNDS = 2048, 3
PHRASES = ("the buildings", "the roads", "the blue roofs")


def main() -> None:
    """Print megapixels of the raster a second."""
    predictor = load_predictor(sys.argv[1] if sys.argv[1:] else None, device="cpu")
    pixels = np.random.default_rng(0).integers(0, 255, (3, SIDE, SIDE), np.uint8)
    rows = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, "scene.tif")
        place = {"crs": "EPSG:32633", "transform": from_origin(500000, 5000000, predictor.gsd, predictor.gsd)}
        with rasterio.open(path, "w", "GTiff", SIDE, SIDE, 3, dtype="uint8", **place) as target:
            target.write(pixels)
        for _ in range(ROUNDS):
            row = []
            for count, looks in ((1, 1), (len(PHRASES), 1), (1, 2)):
                start = time.perf_counter()
                result = segment_raster(SegmentOptions(str(path), PHRASES[:count], looks=looks), predictor)
                row.append(time.perf_counter() - start)
            row.append(encoder_alone(predictor, result.tiles))
            rows.append(row)
    one, three, closer, floor = (statistics.median(column) for column in zip(*rows, strict=True))
    megapixels = SIDE * SIDE / 1e6
    print(f"{torch.get_num_threads()} threads, {result.tiles} tiles of {predictor.tile} pixels that share a quarter")
    for name, seconds in (
        ("one phrase", one),
        ("three phrases", three),
        ("one, looked at twice", closer),
        ("the visual encoder alone", floor),
    ):
        print(f"{name:26s} {megapixels / seconds:.2f} megapixels a second, {seconds / floor:.2f} times the encoder")


def encoder_alone(predictor, tiles: int) -> float:
    """Return the seconds of the visual encoder for so many tiles."""
    chips = torch.rand(predictor.batch_size, 3, predictor.tile, predictor.tile)
    start = time.perf_counter()
    with torch.inference_mode():
        for _ in range(-(-tiles // predictor.batch_size)):
            predictor.model.visual(chips)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
