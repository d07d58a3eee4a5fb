"""A piece is what one tile shows of the answer while a run is on: polygons to look at until the final ones are there.

Pieces are cut along the middle of what tiles share, and a neighbour may still change their rim.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray

from rrsis_core.geo.polygons import PolygonBatch, Vectoriser
from rrsis_core.geo.stitching import FULL_SCALE
from rrsis_core.geo.tiling import Tile
from rrsis_core.inference.answers import least_step
from rrsis_core.inference.pipeline import Job


def tile_pieces(job: Job, tile: Tile, probabilities: NDArray[np.float32], threshold: float) -> list[PolygonBatch]:
    """Return the pieces of a tile, a batch an expression, in the raster's coordinates.

    `probabilities` (P, height, width) are those of the tile.
    """
    layout = job.layout
    rows, columns = (
        _own_part(starts, index, start, length)
        for starts, index, start, length in (
            (layout.plan.row_starts, tile.row, tile.top, tile.height),
            (layout.plan.column_starts, tile.column, tile.left, tile.width),
        )
    )
    window = layout.grid.source_window(tile)
    to_pixels = Affine.translation(window.col_off, window.row_off) @ Affine.scale(
        layout.grid.scale_x, layout.grid.scale_y
    )
    searched = np.zeros((tile.height, tile.width), bool)
    searched[rows, columns] = True
    if layout.area.polygons is not None:
        searched &= _inside(layout.area.polygons, to_pixels, searched.shape)
    if not job.raster.always_valid:
        searched &= job.raster.read(window, searched.shape, job.bands)[1]
    steps = np.rint(probabilities * FULL_SCALE).astype(np.uint16)
    least = least_step(threshold)
    transform = job.raster.info.transform @ to_pixels
    return [Vectoriser(tile.width, transform).feed((answer >= least) & searched, answer, last=True) for answer in steps]


def _own_part(starts: Sequence[int], index: int, start: int, length: int) -> slice:
    """Return the part of a tile, along an axis, that is nearer to it than to its neighbours."""
    first = 0 if index == 0 else (starts[index - 1] + length - start) // 2
    last = length if index == len(starts) - 1 else (starts[index + 1] + length - start) // 2
    return slice(first, last)


def _inside(polygons: NDArray[np.object_], to_pixels: Affine, shape: tuple[int, int]) -> NDArray[np.bool_]:
    corners = [to_pixels @ corner for corner in ((0, 0), shape[::-1])]
    near = polygons[shapely.intersects(polygons, shapely.box(*corners[0], *corners[1]))]
    if not len(near):
        return np.zeros(shape, bool)
    return rasterio.features.rasterize(near, out_shape=shape, transform=to_pixels, dtype="uint8").astype(bool)
