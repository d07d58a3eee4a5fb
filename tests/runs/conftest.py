"""A predictor without a model, small rasters to try it on, and runs of them."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from rrsis_core.contract import SegmentOptions
from rrsis_core.runs import Outputs, RunOptions, run_batch

PHRASES = ("the roofs", "the largest roof")


class RedPredictor:
    """The probability is the red band."""

    gsd = None
    tile = 64
    batch_size = 2
    chips = 0

    def __call__(self, chips, expressions):
        self.chips += len(chips)
        return np.repeat(chips[:, :1], len(expressions), axis=1)


@pytest.fixture
def predictor():
    return RedPredictor()


@pytest.fixture
def make_scene(tmp_path):
    """Write a raster of 0.5 m with red blocks."""

    def make(name="a.tif", seed=0, size=(90, 120), crs="EPSG:32645", left=500000):
        rng = np.random.default_rng(seed)
        pixels = rng.integers(0, 90, (3, *size)).astype(np.uint8)
        for _ in range(6):
            top, start = rng.integers(0, size[0] - 10), rng.integers(0, size[1] - 10)
            pixels[0, top : top + rng.integers(3, 20), start : start + rng.integers(3, 30)] = rng.integers(160, 255)
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        place = from_origin(left, 3060000, 0.5, 0.5) if crs and "32" in crs else from_origin(86, 27, 5e-6, 5e-6)
        with rasterio.open(path, "w", "GTiff", size[1], size[0], 3, crs, place, "uint8") as target:
            target.write(pixels)
        return path

    return make


@pytest.fixture
def go(predictor, tmp_path):
    """Run a batch into the folder "out"."""

    def run(*inputs, out="out", phrases=PHRASES, outputs=None, options=None, model=None, **run_options):
        settings = SegmentOptions("-", phrases, threads=1, **(options or {}))
        wanted = RunOptions(**{"retries": 0, **run_options})
        texts = [str(text) for text in inputs]
        return run_batch(texts, settings, tmp_path / out, outputs or Outputs(), wanted, predictor=model or predictor)

    return run
