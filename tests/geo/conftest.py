"""Rasters for the tests, made on the spot."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

UTM = Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000)

RasterMaker = Callable[..., Path]


@pytest.fixture
def make_raster(tmp_path: Path) -> RasterMaker:
    """Write an array (bands, height, width) as a GeoTIFF: 0.5 m pixels in UTM 33 N unless told otherwise."""

    def make(
        array: np.ndarray,
        name: str = "raster.tif",
        *,
        colorinterp: list[str] | None = None,
        mask: np.ndarray | None = None,
        sidecar_mask: bool = False,
        colormap: dict[int, tuple[int, ...]] | None = None,
        overviews: list[int] | None = None,
        **profile: Any,
    ) -> Path:
        path = tmp_path / name
        count, height, width = array.shape
        defaults = {"driver": "GTiff", "crs": "EPSG:32633", "transform": UTM}
        shape = {"count": count, "height": height, "width": width, "dtype": array.dtype}
        options = {key: value for key, value in (defaults | shape | profile).items() if value is not None}
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=not sidecar_mask),
            rasterio.open(path, "w", **options) as dataset,
        ):
            dataset.write(array)
            if colorinterp is not None:
                dataset.colorinterp = [rasterio.enums.ColorInterp[name] for name in colorinterp]
            if colormap is not None:
                dataset.write_colormap(1, colormap)
            if mask is not None:
                dataset.write_mask(mask)
        if overviews:
            with rasterio.open(path, "r+") as dataset:
                dataset.build_overviews(overviews, rasterio.enums.Resampling.nearest)
        return path

    return make


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def full_disk() -> Callable[[int], AbstractContextManager[None]]:
    """Let no file grow beyond some bytes, as on a disk that is nearly full."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
