"""A polygon is one component of set pixels that touch along edges, outlined exactly along these edges.

Rows come in bands from top to bottom, and a polygon leaves as soon as no row to come can touch it. The result is that
of the whole mask at once, whatever the bands; memory is that of a band and of the outlines that are still open.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import pyproj
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import LambertCylindricalEqualAreaConversion
from rasterio.crs import CRS

from rrsis_core.geo.raster_info import Frame, carried
from rrsis_core.geo.rings import Corners, build_polygons, find_corners
from rrsis_core.geo.runs import components, run_sides, touching_runs

FULL_SCALE = 65535
SIMPLIFY_FROM_PIXELS = 100  # smaller ones lose their shape: half of the overlap with themselves, at one pixel

Index = NDArray[np.int64]
_NO_INDEX: Index = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class PolygonBatch:
    """Some polygons and what is known of them, as columns of equal length."""

    polygons: NDArray[np.object_]
    """shapely polygons in the coordinates of the transform, valid, shells counter-clockwise."""
    pixels: Index
    score: NDArray[np.float64]
    """Mean probability of the pixels, 0 to 1."""
    score_max: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.polygons)

    def __getitem__(self, which: NDArray[np.bool_] | Index) -> PolygonBatch:
        return PolygonBatch(self.polygons[which], self.pixels[which], self.score[which], self.score_max[which])


@dataclass(frozen=True, eq=False)
class _Tally:
    """Counts of components, as columns in the order of their labels."""

    label: Index
    pixels: Index
    total: Index
    """Sum of the probabilities, in steps of 1 / 65535."""
    most: Index

    def __getitem__(self, which: NDArray[np.bool_]) -> _Tally:
        return _Tally(self.label[which], self.pixels[which], self.total[which], self.most[which])

    def relabelled(self, label: Index) -> _Tally:
        """Return the counts under other labels, those of equal labels put together."""
        labels, place = np.unique(label, return_inverse=True)
        pixels, total, most = np.zeros((3, len(labels)), np.int64)
        np.add.at(pixels, place, self.pixels)
        np.add.at(total, place, self.total)
        np.maximum.at(most, place, self.most)
        return _Tally(labels, pixels, total, most)

    def with_runs(self, label: Index, length: Index, probability: NDArray[np.uint16]) -> _Tally:
        """Return the counts with those of some runs put in: labels and lengths of the runs, values of their pixels."""
        if not len(label):
            return self
        first = np.cumsum(length) - length
        counts = (
            (self.label, label),
            (self.pixels, length),
            (self.total, np.add.reduceat(probability, first, dtype=np.int64)),
            (self.most, np.maximum.reduceat(probability, first)),
        )
        joined = _Tally(*(np.concatenate(pair) for pair in counts))
        return joined.relabelled(joined.label)


class Vectoriser:
    """Takes bands of a mask `width` pixels wide, returns the polygons that they complete.

    `transform` takes (column, row) of the mask to coordinates and may be rotated or south-up. Components of fewer than
    `min_pixels` are dropped before an outline is made.
    """

    def __init__(self, width: int, transform: Affine, min_pixels: int = 0) -> None:
        self._pitch = width + 1
        self._transform = transform
        self._min_pixels = min_pixels
        self._row = 0
        # Of the last row: sides of its runs, as seen from the next band, and the runs' labels.
        self._sides, self._labels = _NO_INDEX, _NO_INDEX
        self._next_label = 0
        # Of the components that the last row leaves open.
        self._corners = Corners.none()
        self._tally = _Tally(_NO_INDEX, _NO_INDEX, _NO_INDEX, _NO_INDEX)

    def feed(self, mask: NDArray[np.bool_], probability: NDArray[np.uint16], last: bool = False) -> PolygonBatch:
        """Take the next rows of mask and probability (rows, width), 0 to 65535; `last` says that none follow."""
        height = len(mask)
        if not height:
            raise ValueError("a band without rows")
        new_sides = run_sides(mask)
        sides = np.concatenate([self._sides, new_sides])
        labels = self._label(sides)
        corners = find_corners(sides, labels, self._pitch, height if last else height - 1)
        self._corners = Corners.joined([self._corners, corners.moved_down(self._row)])
        new_labels = labels[len(self._labels) :]
        self._tally = self._tally.with_runs(new_labels, new_sides[1::2] - new_sides[0::2], probability[mask])
        bottom = new_sides[0::2] >= (height - 1) * self._pitch
        self._sides = new_sides[np.repeat(bottom, 2)] - height * self._pitch
        self._labels = new_labels[bottom]
        self._row += height
        return self._complete(_NO_INDEX if last else self._labels)

    def _label(self, sides: Index) -> Index:
        """Return the labels of all runs; components that turn out to be one take one of their labels."""
        known = len(self._labels)
        old, first, same = np.unique(self._labels, return_index=True, return_inverse=True)
        lower, upper = touching_runs(sides, self._pitch)
        links = np.concatenate([lower, np.arange(known)]), np.concatenate([upper, first[same]])
        roots, component = np.unique(components(len(sides) // 2, *links), return_inverse=True)
        reaching_up = roots < known
        fresh = int(np.count_nonzero(~reaching_up))
        label_of = np.empty(len(roots), np.int64)
        label_of[reaching_up] = self._labels[roots[reaching_up]]
        label_of[~reaching_up] = self._next_label + np.arange(fresh)
        self._next_label += fresh
        labels = label_of[component]
        new = labels[first]
        if not np.array_equal(old, new):
            self._corners = self._corners.relabelled(new[np.searchsorted(old, self._corners.label)])
            self._tally = self._tally.relabelled(new[np.searchsorted(old, self._tally.label)])
        return labels

    def _complete(self, open_labels: Index) -> PolygonBatch:
        """Let go of the components that are not open any more."""
        is_open = np.isin(self._corners.label, open_labels)
        corners, self._corners = self._corners[~is_open], self._corners[is_open]
        is_open = np.isin(self._tally.label, open_labels)
        tally, self._tally = self._tally[~is_open], self._tally[is_open]
        if self._min_pixels > 1:
            tally = tally[tally.pixels >= self._min_pixels]
            corners = corners[np.isin(corners.label, tally.label)]
        polygons = build_polygons(corners, self._transform)
        return PolygonBatch(polygons, tally.pixels, tally.total / (tally.pixels * FULL_SCALE), tally.most / FULL_SCALE)


def simplify(batch: PolygonBatch, tolerance: float) -> PolygonBatch:
    """Take out vertices that lie within `tolerance`, in units of the coordinates, of the simpler outline.

    Polygons of fewer than 100 pixels stay as they are. Each is simplified by itself and not as a coverage: phrases may
    overlap (a roof, a building), and two polygons of one phrase never share an edge.
    """
    polygons = batch.polygons.copy()
    large = batch.pixels >= SIMPLIFY_FROM_PIXELS
    polygons[large] = shapely.orient_polygons(shapely.simplify(polygons[large], tolerance, preserve_topology=True))
    return PolygonBatch(polygons, batch.pixels, batch.score, batch.score_max)


def fill_holes(batch: PolygonBatch, below_m2: float, frame: Frame) -> PolygonBatch:
    """Fill the holes that are smaller than an area in square metres on the ground (in pixels without a CRS).

    Counts and scores stay those of the pixels that were found. A polygon that lies in such a hole stays one of its own,
    as it may have been handed out long before the one around it.
    """
    polygons = batch.polygons.copy()
    holed = np.flatnonzero(shapely.get_num_interior_rings(polygons))
    if not len(holed):
        return batch
    rings, owner = shapely.get_rings(polygons[holed], return_index=True)
    outlines = shapely.polygons(rings)
    areas = areas_m2(outlines, frame.crs)
    if areas is None:
        areas = shapely.area(outlines) / abs(frame.transform.determinant)
    kept = areas >= below_m2
    kept[np.flatnonzero(np.diff(owner, prepend=-1))] = True  # the shells
    polygons[holed] = shapely.polygons(rings[kept], indices=owner[kept])
    return PolygonBatch(polygons, batch.pixels, batch.score, batch.score_max)


def least_pixels(min_area_m2: float, frame: Frame) -> int:
    """Return a count of pixels that every polygon of some area has, wherever in the frame it lies, or a little less.

    Given to a Vectoriser it spares most of the outlines that are dropped later for their area. Without a CRS areas
    are counted in pixels, and this is the area itself.
    """
    columns, rows = np.meshgrid(np.linspace(0, frame.width - 1, 9), np.linspace(0, frame.height - 1, 9))
    pixels = shapely.box(columns, rows, columns + 1, rows + 1).ravel()
    areas = areas_m2(shapely.transform(pixels, lambda points: carried(points, frame.transform)), frame.crs)
    return math.ceil(min_area_m2) if areas is None else int(min_area_m2 / (1.01 * float(areas.max())))


def areas_m2(polygons: NDArray[np.object_], crs: CRS | None) -> NDArray[np.float64] | None:
    """Return the area of each polygon on the ellipsoid in square metres; None without a CRS that lies on one.

    Measured in a cylindrical equal-area projection on the ellipsoid of the CRS: that of EPSG:6933, but centred near
    the polygons, so that none is cut at the antimeridian. Where it does not serve, within 6 degrees of a pole and
    around one, the sides are taken for geodesics.
    """
    own = pyproj.CRS.from_user_input(crs).to_2d() if crs is not None else None
    geod = own.get_geod() if own is not None else None
    if own is None or own.geodetic_crs is None or geod is None:
        return None
    if not len(polygons):
        return np.empty(0)
    left, bottom, right, top = shapely.total_bounds(polygons)
    to_degrees = _transformer(own, None)
    centre, _ = to_degrees.transform((left + right) / 2, (bottom + top) / 2)
    # In steps of 90 degrees, so that the batches of one raster are measured alike to the last bit.
    centre = 90 * round(centre / 90) if np.isfinite(centre) else 0
    flattened = _reprojected(polygons, _transformer(own, centre))
    areas = shapely.area(flattened)
    lefts, bottoms, rights, tops = shapely.bounds(flattened).T
    polar = ~(np.maximum(-bottoms, tops) < 0.995 * geod.b)  # what could not be carried at all is infinite: polar too
    torn = (rights - lefts > np.pi * geod.a) & own.is_projected
    for index in np.flatnonzero(polar | torn):
        areas[index] = abs(geod.geometry_area_perimeter(_reprojected(polygons[[index]], to_degrees)[0])[0])
    return areas


@functools.lru_cache(maxsize=16)  # 10 ms to make, and asked for once a band of rows
def _transformer(own: pyproj.CRS, centre: int | None) -> pyproj.Transformer:
    """Return the way from a CRS to degrees or, given a longitude, to the equal-area projection around it."""
    target = own.geodetic_crs
    if centre is not None:
        target = ProjectedCRS(LambertCylindricalEqualAreaConversion(0, centre), geodetic_crs=target)
    return pyproj.Transformer.from_crs(own, target, always_xy=True)


def _reprojected(polygons: NDArray[np.object_], transformer: pyproj.Transformer) -> NDArray[np.object_]:
    return shapely.transform(polygons, lambda points: np.column_stack(transformer.transform(*points.T)))
