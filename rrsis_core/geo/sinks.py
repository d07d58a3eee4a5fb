"""A raster sink takes rows of pixels from top to bottom and leaves one finished GeoTIFF.

The files it makes are tiled and compressed, lie on the pixels of the input raster, and name each band by its phrase.
"""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from rrsis_core.geo.raster_info import Frame
from rrsis_core.geo.staging import check_output, staged, write_errors
from rrsis_core.geo.vector_sinks import VECTOR_SUFFIXES, VectorSink, vector_sink

__all__ = [
    "RASTER_SUFFIXES",
    "VECTOR_SUFFIXES",
    "RasterSink",
    "VectorSink",
    "check_output",
    "mask_sink",
    "probability_sink",
    "vector_sink",
    "write_geotiff",
]

RASTER_SUFFIXES = (".tif", ".tiff")
BLOCK = 256
GEOTIFF = {
    "driver": "GTiff",
    "tiled": True,
    "blockxsize": BLOCK,
    "blockysize": BLOCK,
    "compress": "deflate",
    "bigtiff": "IF_SAFER",
    "interleave": "band",
    "photometric": "MINISBLACK",
}


class RasterSink:
    """Takes rows; made by `mask_sink` and `probability_sink`."""

    def __init__(self, dataset: rasterio.io.DatasetWriter, path: Path) -> None:
        self._dataset = dataset
        self._path = path
        self._row = 0
        self._waiting: list[NDArray[np.generic]] = []

    def write(self, rows: NDArray[np.generic]) -> None:
        """Take the next rows: (bands, any number of rows, width). They are copied."""
        self._waiting.append(rows.astype(self._dataset.dtypes[0]))
        ready = sum(band.shape[1] for band in self._waiting)
        if ready >= BLOCK:
            self._flush(ready - ready % BLOCK)

    def finish(self) -> None:
        """Write what is left. Raises ValueError when rows are missing."""
        self._flush(sum(band.shape[1] for band in self._waiting))
        if self._row != self._dataset.height:
            raise ValueError(f"{self._row} of {self._dataset.height} rows were written to {self._path}")

    def _flush(self, count: int) -> None:
        """Write whole blocks, each once: of a block that is written twice, the first copy stays in the file."""
        if not count:
            return
        rows = np.concatenate(self._waiting, axis=1)
        with write_errors(self._path, RasterioError):
            self._dataset.write(rows[:, :count], window=Window(0, self._row, rows.shape[2], count))
        self._waiting = [rows[:, count:].copy()]  # a view would keep all of them
        self._row += count


@contextmanager
def mask_sink(path: str | os.PathLike[str], frame: Frame, phrases: Sequence[str]) -> Iterator[RasterSink]:
    """Open a GeoTIFF of masks: uint8, 1 where a pixel belongs to the answer, a band a phrase.

    There is no nodata value: a pixel that holds nothing is not part of any answer, and 0 says so.
    Raises SinkError output.folder and output.write.
    """
    with _raster_sink(Path(path), frame, "uint8", phrases) as sink:
        yield sink


@contextmanager
def probability_sink(path: str | os.PathLike[str], frame: Frame, phrases: Sequence[str]) -> Iterator[RasterSink]:
    """Open a GeoTIFF of probabilities: uint16, a band a phrase, with the band scale 1 / 65535.

    GDAL and QGIS show the values as 0 to 1. These are the very integers that the mosaic computes, at half the size of
    floats. Raises SinkError output.folder and output.write.
    """
    with _raster_sink(Path(path), frame, "uint16", phrases) as sink:
        yield sink


def write_geotiff(
    path: str | os.PathLike[str], array: NDArray[np.generic], transform: Affine, crs: CRS | str | None
) -> None:
    """Write an array (bands, height, width) or (height, width) as a GeoTIFF. Three or four uint8 bands are RGB(A).

    Raises SinkError output.folder and output.write.
    """
    bands = array[None] if array.ndim == 2 else array
    count, height, width = bands.shape
    profile = {**GEOTIFF, "count": count, "height": height, "width": width, "dtype": bands.dtype}
    if bands.dtype == np.uint8 and count in (3, 4):
        profile |= {"photometric": "RGB", "interleave": "pixel"}
    with staged(path) as part, write_errors(Path(path), RasterioError):
        dataset = _create(part, transform=transform, crs=crs, **profile)
        with dataset:
            dataset.write(bands)
        _check_stored(part)


@contextmanager
def _raster_sink(path: Path, frame: Frame, dtype: str, phrases: Sequence[str]) -> Iterator[RasterSink]:
    profile = {**GEOTIFF, "count": len(phrases), "dtype": dtype, "width": frame.width, "height": frame.height}
    if dtype == "uint16":
        profile |= {"predictor": 2, "zlevel": 1}  # smaller than level 6 without predictor, in half the time
    with staged(path) as part:
        with write_errors(path, RasterioError):
            dataset = _create(part, transform=frame.transform, crs=frame.crs, **profile)
        try:
            dataset.descriptions = tuple(phrases)
            if dtype == "uint16":
                dataset.scales = (1 / 65535,) * len(phrases)
            sink = RasterSink(dataset, path)
            yield sink
            sink.finish()
        finally:
            dataset.close()
        with write_errors(path, RasterioError):
            _check_stored(part)


def _create(path: Path, **profile: Any) -> rasterio.io.DatasetWriter:
    with warnings.catch_warnings():
        # The transform of a raster without georeference may go unsaved; it is the one assumed where there is none.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(path, "w", **profile)


def _check_stored(path: Path) -> None:
    """Raise OSError if blocks of a GeoTIFF are missing: GDAL closes a file in silence when the disk is full."""
    size = path.stat().st_size
    with rasterio.open(path) as dataset:
        for band in dataset.indexes:
            for (row, column), _ in dataset.block_windows(band):
                offset = dataset.get_tag_item(f"BLOCK_OFFSET_{column}_{row}", "TIFF", bidx=band)
                length = dataset.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=band)
                if offset is None or int(offset) + int(length) > size:
                    raise OSError(errno.ENOSPC, f"only {size:,} bytes could be stored")
