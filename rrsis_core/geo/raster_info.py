"""What a raster says of itself: its size, bands, type, and its place on the earth, or that it has none.

A raster without georeference has the coordinates x = column, y = minus row. GDAL itself reports y = row for it, but
QGIS draws it with y = minus row (its GDAL provider replaces a missing transform by 0, 1, 0, 0, 0, -1), so this is the
transform that makes polygons lie on the picture. A CRS without a transform places nothing and is dropped; a
transform without a CRS is kept, but its unit is unknown, and with it ground resolution and areas.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyproj
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.windows import Window

from rrsis_core.contract import RasterError

PIXEL_TRANSFORM = Affine(1, 0, 0, 0, -1, 0)

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class RasterInfo:
    """The facts of one raster, as plain data."""

    path: str
    width: int
    height: int
    count: int
    """Bands that can be asked for; a palette counts as three, being read as red, green and blue."""
    dtype: str
    """Type of what is read: uint8 for a palette, the common type where bands differ."""
    crs: CRS | None
    transform: Affine
    """From (column, row) to coordinates in the CRS; may be rotated or south-up."""
    georeferenced: bool
    """False where the transform is `PIXEL_TRANSFORM`, made up because the raster has none."""
    nodata: float | None
    colorinterp: tuple[str, ...]
    """Meaning of each band, by GDAL's names in lower case: red, gray, palette, alpha, undefined ..."""
    descriptions: tuple[str | None, ...]
    has_palette: bool

    @property
    def window(self) -> Window:
        """The whole raster."""
        return Window(0, 0, self.width, self.height)

    @property
    def bounds(self) -> Bounds:
        """Least x, least y, greatest x, greatest y of the four corners."""
        return window_bounds(self.window, self.transform)

    @property
    def caveat(self) -> str:
        """A sentence that the user should see when the raster's place is not fully known, else empty."""
        name = os.path.basename(self.path)
        if not self.georeferenced:
            return f"{name} has no georeference: results are in pixels, x = column, y = minus row, as QGIS draws it."
        if self.crs is None:
            return f"{name} has no CRS: results keep its coordinates, have no CRS, and areas are counted in pixels."
        return ""

    @property
    def default_bands(self) -> tuple[int, int, int]:
        """Red, green, blue where declared, else the first three bands, else the first one three times."""
        declared = [self.colorinterp.index(name) + 1 for name in ("red", "green", "blue") if name in self.colorinterp]
        if self.has_palette or len(declared) == 3:
            first, second, third = declared or (1, 2, 3)
            return first, second, third
        colours = [number for number, meaning in enumerate(self.colorinterp, start=1) if meaning != "alpha"] or [1]
        return (colours[0], colours[1], colours[2]) if len(colours) >= 3 else (colours[0], colours[0], colours[0])

    def check_bands(self, bands: Sequence[int]) -> None:
        """Raise RasterError raster.bands if one of the bands does not exist."""
        for band in bands:
            if not 1 <= band <= self.count:
                raise RasterError(
                    f"There is no band {band} in {self.path}: it has {self.count}.",
                    code="raster.bands",
                    hint=f"Choose bands from 1 to {self.count}.",
                )


@dataclass(frozen=True)
class Frame:
    """The pixel grid that results are on: a window of a raster, with its place."""

    width: int
    height: int
    transform: Affine
    crs: CRS | None


def frame_of(info: RasterInfo, window: Window) -> Frame:
    """Return the frame of a whole-numbered window of a raster."""
    transform = info.transform @ Affine.translation(window.col_off, window.row_off)
    return Frame(int(window.width), int(window.height), transform, info.crs)


def window_bounds(window: Window, transform: Affine) -> Bounds:
    """Return least x, least y, greatest x, greatest y of a window's corners, whatever way the transform turns."""
    columns = window.col_off, window.col_off + window.width
    rows = window.row_off, window.row_off + window.height
    xs, ys = zip(*(transform @ (column, row) for column in columns for row in rows), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def carried(points: NDArray[np.floating], transform: Affine) -> NDArray[np.float64]:
    """Return where a transform takes points, both (n, 2)."""
    turn = np.array([[transform.a, transform.d], [transform.b, transform.e]])
    return points @ turn + (transform.c, transform.f)


def ground_resolution(info: RasterInfo, window: Window | None = None) -> tuple[float, float] | None:
    """Return metres from one pixel centre to its neighbour, along a row and along a column, at the window's centre.

    Measured on the ellipsoid: the unit of a CRS is no measure of the ground (a Mercator metre at 60 degrees is half
    of one). None where the raster has no CRS, or one that does not reach the earth there.
    """
    if info.crs is None:
        return None
    projected = pyproj.CRS.from_user_input(info.crs)
    geodetic, geod = projected.geodetic_crs, projected.get_geod()
    if geodetic is None or geod is None:
        return None
    window = window or info.window
    column, row = window.col_off + window.width / 2, window.row_off + window.height / 2
    points = [info.transform @ point for point in ((column, row), (column + 1, row), (column, row + 1))]
    to_degrees = pyproj.Transformer.from_crs(projected, geodetic, always_xy=True)
    lon, lat = to_degrees.transform(*np.transpose(points))
    if not np.isfinite([lon, lat]).all():
        return None
    _, _, (along_row, along_column) = geod.inv(lon[[0, 0]], lat[[0, 0]], lon[1:], lat[1:])
    return float(along_row), float(along_column)
