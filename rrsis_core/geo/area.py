"""An area is the part of a raster that is searched: a window of whole pixels, and perhaps polygons within it."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import geopandas
import numpy as np
import pyogrio
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from rasterio.windows import Window

from rrsis_core.contract import AreaError, RasterError
from rrsis_core.geo.raster_info import Bounds, RasterInfo, carried

SNAP = 1e-6  # pixels: an edge this close to a pixel's edge is on it
SEGMENTS = 256  # pieces that the longest side of an area is cut into before it is carried to another CRS

Geometries = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Area:
    """A window of whole pixels of the raster and, where polygons bound the search, their outlines."""

    window: Window
    polygons: Geometries | None = None
    """In pixel coordinates of the raster, x = column and y = row. None: the whole window."""

    def inside(self, window: Window) -> NDArray[np.bool_]:
        """Return which pixels of a whole-numbered window of the raster have their centre in the area: (height, width).

        The answer for a pixel does not depend on the window that it is asked with.
        """
        shape = int(window.height), int(window.width)
        if self.polygons is None:
            return np.ones(shape, bool)
        box = shapely.box(window.col_off, window.row_off, window.col_off + shape[1], window.row_off + shape[0])
        near = self.polygons[shapely.intersects(self.polygons, box)]
        if not len(near):
            return np.zeros(shape, bool)
        transform = Affine.translation(window.col_off, window.row_off)
        return rasterio.features.rasterize(near, out_shape=shape, transform=transform, dtype="uint8").astype(bool)


def whole_area(info: RasterInfo) -> Area:
    """Return the area that is the whole raster."""
    return Area(info.window)


def bbox_area(info: RasterInfo, bbox: Bounds) -> Area:
    """Return the pixels that a box (left, bottom, right, top) in the raster's CRS touches, cut to the raster.

    Without georeference the box is in pixels: first column, first row, last column, last row. On a rotated raster
    the area is the window around the box's four corners. Raises RasterError raster.outside if nothing is left.
    """
    corners = np.array([(x, y) for x in bbox[::2] for y in bbox[1::2]], float)
    return Area(_window_around(carried(corners, ~info.transform) if info.georeferenced else corners, info))


def read_area(path: str | os.PathLike[str], info: RasterInfo) -> Area:
    """Read polygons from a vector file in any CRS (the first layer that has some) as an area of the raster.

    Raises AreaError area.unreadable, area.empty when there is no polygon, area.crs when only one of file and raster
    has a CRS (a guess would search the wrong place without a word), and RasterError raster.outside.
    """
    name = os.fspath(path)
    outlines = _read_polygons(name)
    if (outlines.crs is None) != (info.crs is None):
        lacking, having = (name, info.path) if outlines.crs is None else (info.path, name)
        raise AreaError(
            f"{lacking} has no CRS, but {having} has one: how they lie to each other is unknown.",
            code="area.crs",
            hint=f"Assign {lacking} its CRS, or give a bbox.",
        )
    if outlines.crs is not None and outlines.crs != info.crs:
        left, bottom, right, top = outlines.total_bounds
        # A straight side in one CRS is bent in another: a degree of a parallel by 100 m in UTM.
        outlines = outlines.segmentize(max(right - left, top - bottom) / SEGMENTS).to_crs(info.crs)
    pixels = shapely.transform(np.asarray(outlines.values), lambda points: carried(points, ~info.transform))
    return Area(_window_around(shapely.get_coordinates(pixels), info), pixels)


def _read_polygons(path: str) -> geopandas.GeoSeries:
    try:
        for layer, _ in pyogrio.list_layers(path):
            outlines = geopandas.read_file(path, layer=layer, columns=[]).geometry
            parts = outlines[outlines.notna()].explode(index_parts=False)
            parts = parts[(parts.geom_type == "Polygon") & ~parts.is_empty]
            if len(parts):
                return parts
    except (DataSourceError, DataLayerError, OSError) as error:
        raise AreaError(
            f"{path} is not a vector file that can be read.",
            code="area.unreadable",
            hint="Give a GeoPackage, Shapefile, GeoJSON or another format that GDAL reads.",
            details=str(error),
        ) from error
    raise AreaError(
        f"{path} holds no polygon.", code="area.empty", hint="Draw at least one polygon, or search the whole raster."
    )


def _window_around(points: NDArray[np.float64], info: RasterInfo) -> Window:
    """Return the whole pixels of the raster around points (n, 2) in pixel coordinates."""
    points = points[np.isfinite(points).all(axis=1)]
    if len(points):
        left, top = (max(0, math.floor(least + SNAP)) for least in points.min(axis=0))
        right, bottom = (
            min(size, math.ceil(most - SNAP))
            for size, most in zip((info.width, info.height), points.max(axis=0), strict=True)
        )
        if left < right and top < bottom:
            return Window(left, top, right - left, bottom - top)
    left, bottom, right, top = info.bounds if info.georeferenced else (0, 0, info.width, info.height)
    raise RasterError(
        f"The area lies outside {info.path}.",
        code="raster.outside",
        hint=f"The raster goes from {left:.10g} to {right:.10g} in x, and from {bottom:.10g} to {top:.10g} in y.",
        details=f"bounds of the raster: {left}, {bottom}, {right}, {top}",
    )
