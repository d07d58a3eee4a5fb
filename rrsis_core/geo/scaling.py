"""A scaling turns band values into the 0 to 1 that a model expects: one line a band, the same for every tile.

It is measured once, over the area that is searched, so that a pixel has the same value in every tile that sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from rrsis_core.geo.raster import Raster

SAMPLE_PIXELS = 1_000_000
PERCENTILES = (2, 98)


@dataclass(frozen=True)
class Scaling:
    """Band values that become 0 and 1, one pair a band; what lies beyond is cut off."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    def apply(self, chip: NDArray[np.generic], out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Return a chip (bands, height, width) as float32 from 0 to 1, of the same shape; in `out` where it is given.

        A band that is the same everywhere (high equals low) becomes 0 up to that value and 1 above it.
        """
        low = np.asarray(self.low, np.float64)[:, None, None]
        span = np.asarray(self.high, np.float64)[:, None, None] - low
        # In float64 only where float32 could not tell neighbouring values of 32-bit integers apart.
        kind = np.float64 if chip.dtype.itemsize > 2 and chip.dtype != np.float32 else np.float32
        span = np.where(span > 0, span, np.finfo(np.float32).tiny)
        result = np.empty(chip.shape, np.float32) if out is None else out
        scaled = result if kind is np.float32 else np.empty(chip.shape, kind)
        np.subtract(chip, low.astype(kind), out=scaled, dtype=kind)
        np.divide(scaled, span.astype(kind), out=scaled)
        np.clip(scaled, 0, 1, out=scaled)
        if scaled is not result:
            result[...] = scaled
        return result


def measure_scaling(raster: Raster, window: Window, bands: Sequence[int], mode: str = "auto") -> Scaling:
    """Choose the scaling of some bands within a window.

    none: integers over the whole range of their type, floats as they are. percentile: from the 2nd to the 98th
    percentile of the valid pixels of one decimated read, for each band. auto: 8-bit rasters as they are, all others by
    percentiles; 16-bit integers that never leave 0 to 255 are taken for the 8-bit picture that they hold, so that its
    colours do not depend on how it was stored.
    """
    kind = np.dtype(raster.info.dtype)
    eight_bit = Scaling((0.0,) * len(bands), (255.0,) * len(bands))
    if mode == "none" and np.issubdtype(kind, np.integer):
        return Scaling((float(np.iinfo(kind).min),) * len(bands), (float(np.iinfo(kind).max),) * len(bands))
    if mode == "none":
        return Scaling((0.0,) * len(bands), (1.0,) * len(bands))
    if mode == "auto" and kind == np.uint8:
        return eight_bit
    chip, valid = raster.read_decimated(window, SAMPLE_PIXELS, bands)
    values: NDArray[Any] = chip[:, valid]
    if not values.size:
        return eight_bit
    if mode == "auto" and np.issubdtype(kind, np.integer) and values.min() >= 0 and 1 < values.max() <= 255:
        return eight_bit
    low, high = np.percentile(values, PERCENTILES, axis=1)
    return Scaling(tuple(low.tolist()), tuple(high.tolist()))
