"""A mosaic is the one picture of probabilities that overlapping tiles blend into, finished row by row.

Weights are integers that sum to exactly 256 along each axis wherever a cell lies, probabilities are rounded to 16
bits, and sums are integers. So the order in which tiles arrive cannot change a bit, no weight sum is kept, nothing is
divided, and the rim of the picture needs no care: a cell that one tile covers gets all of that tile.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from rrsis_core.contract import InferenceError
from rrsis_core.geo.tiling import Tile, TilePlan

WEIGHT_SUM = 256  # along one axis; 65535 * 256 * 256 still fits 32 bits
FULL_SCALE = 65535


def axis_weights(starts: tuple[int, ...], tile: int, length: int) -> list[NDArray[np.uint32]]:
    """Return one array of weights a tile: a Hann window, shared out so that they sum to 256 at every position.

    `tile` is the tiles' length along the axis, `length` that of the axis. Shares are rounded down and what is left
    goes to the largest remainders, to the first tile where they are equal.
    """
    window = np.sin(np.pi * (np.arange(tile) + 0.5) / tile) ** 2
    positions = np.arange(length)
    first = np.searchsorted(np.asarray(starts) + tile, positions, side="right")  # first tile over each position
    depth = int((np.searchsorted(starts, positions, side="right") - first).max())
    values = np.zeros((depth, length))  # row k: the window of tile first + k
    for index, start in enumerate(starts):
        here = np.arange(start, start + tile)
        values[index - first[here], here] = window
    shares = values * (WEIGHT_SUM / values.sum(axis=0))
    weights = np.floor(shares).astype(np.int64)
    order = np.argsort(-(shares - weights), axis=0, kind="stable")
    rank = np.argsort(order, axis=0, kind="stable")
    weights += rank < WEIGHT_SUM - weights.sum(axis=0)
    return [
        weights[index - first[start : start + tile], np.arange(start, start + tile)].astype(np.uint32)
        for index, start in enumerate(starts)
    ]


class ProbabilityMosaic:
    """Blends the tiles of a plan and lets go of rows as soon as no tile to come can change them.

    Tiles come row of tiles by row of tiles, in any order within one; `release` ends a row of tiles. Memory is that of
    one row of tiles, 4 bytes a cell and phrase, whatever the height of the grid. It may begin at a row of tiles below
    the first: what it releases is whole then from where no earlier row reaches.
    """

    def __init__(self, plan: TilePlan, phrases: int, first_row: int = 0) -> None:
        self._plan = plan
        self._sums = np.zeros((phrases, plan.tile_height, plan.width), np.uint32)
        self._row_weights = axis_weights(plan.row_starts, plan.tile_height, plan.height)
        self._column_weights = axis_weights(plan.column_starts, plan.tile_width, plan.width)
        self._row = first_row
        self._ends = [end for _, end in itertools.pairwise((*plan.row_starts, plan.height))]

    def add(self, tile: Tile, probabilities: NDArray[np.floating]) -> None:
        """Blend in the probabilities (phrases, tile height, tile width), 0 to 1, of a tile of the current row.

        Raises InferenceError inference.not_finite when one of them is no number.
        """
        low, high = probabilities.min(), probabilities.max()
        if not (np.isfinite(low) and np.isfinite(high)):
            raise InferenceError(
                f"The model returned a score that is no number, in the tile at column {tile.left}, row {tile.top}.",
                code="inference.not_finite",
                hint="Run on the CPU, or with other weights.",
            )
        if low < 0 or high > 1 or tile.row != self._row:
            raise ValueError(f"tile row {tile.row} with values {low} to {high}, expected row {self._row}, 0 to 1")
        weights = self._row_weights[tile.row][:, None] * self._column_weights[tile.column]
        steps = probabilities * np.float32(FULL_SCALE)
        quantised = np.rint(steps, out=steps).astype(np.uint32)
        quantised *= weights
        self._sums[:, :, tile.left : tile.left + tile.width] += quantised

    def release(self) -> NDArray[np.uint16]:
        """End the current row of tiles and return the rows that it finishes: (phrases, rows, width), 0 to 65535."""
        count = self._ends[self._row] - self._plan.row_starts[self._row]
        finished = self._sums[:, :count]
        finished += WEIGHT_SUM**2 // 2
        finished >>= 16
        rows = finished.astype(np.uint16)
        kept = self._sums.shape[1] - count
        self._sums[:, :kept] = self._sums[:, count:].copy()
        self._sums[:, kept:] = 0
        self._row += 1
        return rows
