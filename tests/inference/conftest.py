"""A predictor without a model, and rasters to try it on."""

import warnings

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import from_origin


class PixelPredictor:
    """Answers pixel by pixel: by default every expression finds red, the probability is the red band."""

    gsd = None
    tile = 128
    batch_size = 3

    def __init__(self):
        self.chips = 0
        self.answer = lambda chips: chips[:, :1]

    def __call__(self, chips, expressions):
        self.chips += len(chips)
        assert chips.dtype == np.float32 and chips.shape[1] == 3
        assert chips.min() >= 0 and chips.max() <= 1
        return np.repeat(self.answer(chips), len(expressions), axis=1)


@pytest.fixture
def predictor():
    return PixelPredictor()


@pytest.fixture
def write_raster(tmp_path):
    """Write an array (bands, rows, columns) as a GeoTIFF in a UTM zone at 0.5 m."""

    def write(pixels, name="scene.tif", crs="EPSG:32645", transform=None, **profile):
        count, height, width = pixels.shape
        transform = transform or from_origin(500000, 3060000, 0.5, 0.5)
        path = tmp_path / name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(
                path, "w", "GTiff", width, height, count, crs, transform, pixels.dtype, **profile
            ) as new:
                new.write(pixels)
        return path

    return write


@pytest.fixture
def blobs():
    """Three bands of uint8 whose red is 255 inside some rectangles: (pixels, mask)."""
    rng = np.random.default_rng(4)
    mask = np.zeros((300, 420), bool)
    for _ in range(25):
        top, left = rng.integers(0, 270), rng.integers(0, 380)
        mask[top : top + rng.integers(3, 40), left : left + rng.integers(3, 60)] = True
    pixels = rng.integers(0, 90, (3, 300, 420)).astype(np.uint8)
    pixels[0][mask] = 255
    return pixels, mask
