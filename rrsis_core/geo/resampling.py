"""Finished rows of the working grid become rows of the raster: resampling in a stream.

The model sees the area at its own ground resolution; results lie on the raster's pixels. Cells and pixels are aligned
by their positions on the ground. Where pixels are finer than cells, a pixel's value is bilinear between the centres of
the cells around it; where they are coarser, it is the mean of the cells under it, each weighed by the part that the
pixel covers (bilinear would look at two cells and miss the others). All arithmetic is in integers, and a pixel's value
depends on nothing but the cells: not on how rows arrive.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from rrsis_core.geo.tiling import Grid

UNIT = 65536  # sum of the weights of one pixel along one axis: 65535 * 65536 still fits 32 bits


class RowResampler:
    """Takes rows of cells from top to bottom and yields rows of pixels as soon as their cells are known.

    The pixels are those of the window that the grid was laid over; where both have the same shape at scale 1, rows
    pass through unchanged. What it holds and yields at a time is bounded by `band_values`, not by the rows handed in.
    """

    def __init__(self, grid: Grid, window: Window, band_values: int = 2**22) -> None:
        height, width = int(window.height), int(window.width)
        self._identity = (grid.height, grid.width, grid.scale_x, grid.scale_y) == (height, width, 1, 1)
        self._row_cells, self._row_weights = axis_taps(grid.height, height, grid.scale_y)
        self._column_cells, self._column_weights = axis_taps(grid.width, width, grid.scale_x)
        self._band_values = band_values
        self._kept: NDArray[np.uint16] | None = None
        self._first_kept = 0
        self._next_pixel = 0

    def feed(self, rows: NDArray[np.uint16]) -> Iterator[NDArray[np.uint16]]:
        """Take cells (phrases, rows, grid width), yield pixels (phrases, some rows, window width)."""
        step = max(1, self._band_values // (rows.shape[0] * self._column_cells.shape[1]))
        for start in range(0, rows.shape[1], step):
            band = rows[:, start : start + step]
            if self._identity:
                yield band
                continue
            self._keep(_weighted(band, self._column_cells, self._column_weights, axis=2))
            yield from self._finished(step)

    def _keep(self, rows: NDArray[np.uint16]) -> None:
        self._kept = rows if self._kept is None else np.concatenate([self._kept, rows], axis=1)

    def _finished(self, step: int) -> Iterator[NDArray[np.uint16]]:
        """Yield the pixels whose cells are all kept, then drop the cells that no later pixel needs."""
        assert self._kept is not None
        ready = int(np.searchsorted(self._row_cells[-1], self._first_kept + self._kept.shape[1]))
        for start in range(self._next_pixel, ready, step):
            band = slice(start, min(start + step, ready))
            yield _weighted(self._kept, self._row_cells[:, band] - self._first_kept, self._row_weights[:, band], axis=1)
        self._next_pixel = ready
        if ready < self._row_cells.shape[1]:
            needed = int(self._row_cells[0, ready])
            self._kept = self._kept[:, needed - self._first_kept :].copy()
            self._first_kept = needed


def axis_taps(cells: int, pixels: int, scale: float) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return for each pixel along an axis the cells it is made of and their weights, both (taps, pixels).

    `scale` is pixels a cell. Cell numbers rise down each column, weights sum to 65536; places beyond the first and
    last cell count as these.
    """
    if scale >= 1:
        centres = (np.arange(pixels) + 0.5) / scale - 0.5
        first = np.floor(centres).astype(np.int64)
        later = np.rint((centres - first) * UNIT).astype(np.int64)
        numbers, weights = np.stack([first, first + 1]), np.stack([UNIT - later, later])
    else:
        edges = np.arange(pixels + 1) / scale
        numbers = np.floor(edges[:-1]).astype(np.int64) + np.arange(int(np.ceil(1 / scale)) + 1)[:, None]
        # Rounding the running sum and not each part keeps the total exact.
        reached = np.clip((np.vstack([numbers, numbers[-1] + 1]) - edges[:-1]) * scale, 0, 1)
        weights = np.diff(np.rint(reached * UNIT).astype(np.int64), axis=0)
    return np.clip(numbers, 0, cells - 1), weights.astype(np.uint32)


def _weighted(
    values: NDArray[np.uint16], numbers: NDArray[np.int64], weights: NDArray[np.uint32], axis: int
) -> NDArray[np.uint16]:
    """Return the weighted means of `values` along an axis, rounded to the nearest integer."""
    total: NDArray[np.uint32] | None = None
    for number, weight in zip(numbers, weights, strict=True):
        part = values.take(number, axis=axis).astype(np.uint32)
        part *= weight[:, None] if axis == 1 else weight
        total = part if total is None else np.add(total, part, out=total)
    assert total is not None
    total += UNIT // 2
    total >>= 16
    return total.astype(np.uint16)
