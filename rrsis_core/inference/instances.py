"""An instance is one object that a model found: its outline on the map and on the ground, and what can be measured.

The ground is a plane in metres, x to the east and y to the north: the coordinates of the raster's CRS, stretched by
what one of its units measures in the middle of the raster. So map directions stay map directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS

from rrsis_core.geo.polygons import PolygonBatch

Floats = NDArray[np.float64]
Polygons = NDArray[np.object_]

NECK_SHARE = 0.25  # of an object's width: a neck that is narrower than twice that joins two objects
WHOLE_SHARE = 0.85  # of the area that the parts must make up: a road that widens at crossings is one road
LEAST_PART = 0.1
LEAST_PIXELS = 200  # of an object that may be several: the outline of a smaller one is mere steps


@dataclass(frozen=True, eq=False)
class Instances:
    """Objects found for one local expression, as columns of equal length."""

    outlines: Polygons
    """In the coordinates of the raster's CRS."""
    ground: Polygons
    """The same in metres on the ground."""
    score: Floats
    brightness: Floats | None = field(default=None, repr=False)
    """Mean of the three bands, 0 to 1, where somebody measured it."""

    def __len__(self) -> int:
        return len(self.ground)

    def __getitem__(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Instances:
        brightness = None if self.brightness is None else self.brightness[which]
        return Instances(self.outlines[which], self.ground[which], self.score[which], brightness)

    @cached_property
    def area(self) -> Floats:
        """Square metres."""
        return shapely.area(self.ground)

    @cached_property
    def centre(self) -> Floats:
        """Centroids (n, 2)."""
        return shapely.get_coordinates(shapely.centroid(self.ground))

    @cached_property
    def sides(self) -> Floats:
        """Long and short side (n, 2) of the smallest rectangle around it, in metres."""
        boxes = shapely.oriented_envelope(self.ground)
        if not len(boxes):
            return np.empty((0, 2))
        corners = np.array([shapely.get_coordinates(box)[:3] for box in boxes])
        return -np.sort(-np.hypot(*np.diff(corners, axis=1).transpose(2, 0, 1)), axis=1)


def joined(sets: list[Instances]) -> Instances:
    """Return several instances as one."""
    bright = [np.zeros(len(some)) if some.brightness is None else some.brightness for some in sets]
    return Instances(
        np.concatenate([some.outlines for some in sets]),
        np.concatenate([some.ground for some in sets]),
        np.concatenate([some.score for some in sets]),
        np.concatenate(bright),
    )


def metres_a_unit(crs: CRS | None, x: float, y: float) -> tuple[float, float]:
    """Return what a unit of the CRS measures on the ground at a point, along x and y; 1 and 1 where nobody knows."""
    own = pyproj.CRS.from_user_input(crs) if crs is not None else None
    geod = own.get_geod() if own is not None else None
    if own is None or geod is None or own.geodetic_crs is None:
        return 1.0, 1.0
    step = 1e-3 if own.is_geographic else 10.0
    points = np.array([(x - step, y), (x + step, y), (x, y - step), (x, y + step)])
    lon, lat = pyproj.Transformer.from_crs(own, own.geodetic_crs, always_xy=True).transform(*points.T)
    if not np.isfinite([lon, lat]).all():
        return 1.0, 1.0
    _, _, across = geod.inv(lon[[0, 2]], lat[[0, 2]], lon[[1, 3]], lat[[1, 3]])
    return float(across[0] / (2 * step)), float(across[1] / (2 * step))


def instances_of(batches: Sequence[PolygonBatch], scale: tuple[float, float]) -> Instances:
    """Return the objects of some polygons, those that touch by a narrow neck apart. `scale` is metres a unit."""
    outlines = np.concatenate([np.empty(0, object), *(batch.polygons for batch in batches)])
    score = np.concatenate([np.empty(0), *(batch.score for batch in batches)])
    ground = shapely.transform(outlines, lambda points: points * scale)
    if not len(ground):
        return Instances(outlines, ground, score)
    parts, owner = separated(ground, np.concatenate([batch.pixels for batch in batches]) >= LEAST_PIXELS)
    whole = np.bincount(owner, minlength=len(ground))[owner] == 1
    pieces = shapely.transform(parts, lambda points: points / scale)
    pieces[whole] = outlines[owner[whole]]  # to the last bit
    return Instances(pieces, parts, score[owner])


def separated(polygons: Polygons, large: NDArray[np.bool_]) -> tuple[Polygons, NDArray[np.int64]]:
    """Return polygons with large ones cut where only a narrow neck joins parts, and where each part came from.

    A polygon is worn off at its rim by a quarter of its width. Where that leaves several pieces that make up most of
    it when grown again, they are objects that touch. What is left over goes to the nearest piece.
    """
    boxes = shapely.oriented_envelope(polygons)
    half = shapely.length(boxes) / 2
    width = (half - np.sqrt(np.maximum(half**2 - 4 * shapely.area(boxes), 0))) / 2  # sides a, b from a + b and a b
    hollow = shapely.area(polygons) < 0.9 * shapely.area(shapely.convex_hull(polygons))
    doubtful = np.flatnonzero(large & hollow)
    parts: list[Polygons] = [polygons[[index]] for index in range(len(polygons))]
    for index in doubtful:
        parts[index] = _cut(polygons[index], NECK_SHARE * float(width[index]))
    owner = np.repeat(np.arange(len(polygons)), [len(some) for some in parts])
    return np.concatenate(parts), owner


def _cut(polygon: shapely.Polygon, depth: float) -> Polygons:
    whole = np.array([polygon], object)
    # Without detail that does not matter at that depth: wearing off a wood with all its clearings takes minutes.
    holes = [ring for ring in polygon.interiors if shapely.area(shapely.polygons(ring)) >= depth**2]
    plain = shapely.simplify(shapely.Polygon(polygon.exterior, holes), depth / 8)
    cores = shapely.get_parts(shapely.buffer(plain, -depth, quad_segs=2))
    if len(cores) < 2:
        return whole
    parts = shapely.intersection(shapely.buffer(cores, depth, join_style="mitre"), polygon)
    areas = shapely.area(parts)
    parts = parts[areas >= LEAST_PART * polygon.area]
    if len(parts) < 2 or shapely.area(parts).sum() < WHOLE_SHARE * polygon.area:
        return whole
    for index in range(1, len(parts)):  # where two overlap after growing, the first one has it
        parts[index] = shapely.difference(parts[index], shapely.union_all(parts[:index]))
    for rest in shapely.get_parts(shapely.difference(polygon, shapely.union_all(parts))):
        nearest = int(np.argmin(shapely.distance(parts, rest.centroid)))
        parts[nearest] = shapely.union(parts[nearest], rest)
    if not all(part.geom_type == "Polygon" for part in parts):
        return whole
    return parts
