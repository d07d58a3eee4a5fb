"""A tile is a square that the model sees at once; tiles overlap and together cover a working grid.

The working grid lies over an area of the raster, at the ground resolution of the model. Numbers in, numbers out:
nothing here reads a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rasterio.windows import Window

SCALE_STEPS = 2**24  # steps of a scale a pixel: positions up to a million pixels then fit the 53 bits of a float


@dataclass(frozen=True)
class Tile:
    """A rectangle of the working grid, and its place among the tiles."""

    row: int
    column: int
    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Grid:
    """The working grid: `width` x `height` cells that cover a window of the raster (but for 0.01 pixels at most)."""

    width: int
    height: int
    col_off: float
    """Column of the raster at the left edge of the grid."""
    row_off: float
    scale_x: float
    """Raster pixels a cell, along a row."""
    scale_y: float

    def source_window(self, tile: Tile) -> Window:
        """Return the fractional window of the raster under a tile."""
        return Window(
            self.col_off + tile.left * self.scale_x,
            self.row_off + tile.top * self.scale_y,
            tile.width * self.scale_x,
            tile.height * self.scale_y,
        )


@dataclass(frozen=True)
class TilePlan:
    """Where the tiles of a grid start. Every cell is in at least one tile, and every tile lies within the grid."""

    width: int
    height: int
    tile: int
    row_starts: tuple[int, ...]
    column_starts: tuple[int, ...]

    @property
    def tile_height(self) -> int:
        """Height of every tile: the tile side, or the grid's height where that is less."""
        return min(self.tile, self.height)

    @property
    def tile_width(self) -> int:
        """Width of every tile: the tile side, or the grid's width where that is less."""
        return min(self.tile, self.width)

    @property
    def padding(self) -> tuple[int, int]:
        """Rows below and columns to the right that a chip lacks to be a square of the tile side."""
        return self.tile - self.tile_height, self.tile - self.tile_width

    def __len__(self) -> int:
        return len(self.row_starts) * len(self.column_starts)

    def rows(self) -> Iterator[list[Tile]]:
        """Yield the tiles from top to bottom, one list a row of tiles, each from left to right."""
        for row, top in enumerate(self.row_starts):
            yield [
                Tile(row, column, top, left, self.tile_height, self.tile_width)
                for column, left in enumerate(self.column_starts)
            ]


def make_grid(window: Window, scale: tuple[float, float] = (1.0, 1.0)) -> Grid:
    """Lay a working grid over a whole-numbered window of the raster.

    `scale` is the wanted size of a cell in raster pixels, along a row and along a column. The grid covers the window
    with whole cells, so the true scale differs by at most half a cell over the whole window.
    """
    width, height = max(1, round(window.width / scale[0])), max(1, round(window.height / scale[1]))
    return Grid(
        width, height, window.col_off, window.row_off, _exact(window.width / width), _exact(window.height / height)
    )


def _exact(scale: float) -> float:
    """Round a scale down so that every place it leads to is an exact float.

    Else the same cell lies 1e-12 pixels apart as seen from two tiles, and resampling rounds some values differently.
    """
    return math.floor(scale * SCALE_STEPS) / SCALE_STEPS


def plan_tiles(width: int, height: int, tile: int, overlap: float) -> TilePlan:
    """Cover a grid of width x height cells by tiles that share at least `overlap` (0 to 0.5) of their side."""
    return TilePlan(width, height, tile, plan_axis(height, tile, overlap), plan_axis(width, tile, overlap))


def plan_axis(length: int, tile: int, overlap: float) -> tuple[int, ...]:
    """Return where tiles start along an axis: at a regular stride, the last one pulled back to end with the axis.

    An axis that is no longer than a tile has one start.
    """
    if min(length, tile) < 1 or not 0 <= overlap <= 0.5:
        raise ValueError(f"no tiles of {tile} with an overlap of {overlap} can cover {length} cells")
    stride = max(1, int(tile * (1 - overlap)))
    return (*range(0, length - tile, stride), max(0, length - tile))
