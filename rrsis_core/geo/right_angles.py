"""Right angles: an outline whose edges run along two directions at 90 degrees, as those of most buildings do.

An outline that is not of that kind (round, winding, or changed too much by it) stays as it was: it is better to give
back a ragged truth than a tidy error.
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from numpy.typing import NDArray

from rrsis_core.geo.polygons import SIMPLIFY_FROM_PIXELS, PolygonBatch

LEAST_ALONG = 0.75  # share of the outline's length that runs within 20 degrees of one of the two directions
LEAST_OVERLAP = 0.85  # of the outline with what it was
OFF_BY = math.radians(20)

Points = NDArray[np.float64]


def square_up(batch: PolygonBatch, tolerance: float) -> PolygonBatch:
    """Give polygons right angles where they nearly have them.

    `tolerance`, in units of the coordinates, is how far an outline may wander from a straight edge: a pixel or more.
    Polygons of fewer than 100 pixels stay as they are.
    """
    polygons = batch.polygons.copy()
    for index in np.flatnonzero(batch.pixels >= SIMPLIFY_FROM_PIXELS):
        polygons[index] = _squared(polygons[index], tolerance)
    return PolygonBatch(polygons, batch.pixels, batch.score, batch.score_max)


def _squared(polygon: shapely.Polygon, tolerance: float) -> shapely.Polygon:
    """Return the polygon with right angles, or as it was."""
    plain = shapely.simplify(polygon, tolerance, preserve_topology=True)
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(plain)]
    angle = _main_direction(rings[0])
    if angle is None:
        return polygon
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    centre = rings[0].mean(axis=0)  # coordinates of millions of metres would lose digits in a rotation
    straight = [_straightened((ring - centre) @ turn) for ring in rings]
    if any(ring is None for ring in straight):
        return polygon
    shell, *holes = [ring @ turn.T + centre for ring in straight if ring is not None]
    made = shapely.Polygon(shell, holes)
    if not made.is_valid or made.is_empty:
        return polygon
    shared = made.intersection(polygon).area
    if shared < LEAST_OVERLAP * (made.area + polygon.area - shared):
        return polygon
    return shapely.orient_polygons(made)


def _main_direction(ring: Points) -> float | None:
    """Return the angle of the edges' common frame, in radians, or None where there is no such frame."""
    steps = np.diff(ring, axis=0)
    lengths, angles = np.hypot(*steps.T), np.arctan2(steps[:, 1], steps[:, 0])
    main = float(np.angle(np.sum(lengths * np.exp(4j * angles)))) / 4
    off = np.abs((angles - main + math.pi / 4) % (math.pi / 2) - math.pi / 4)
    return main if lengths[off < OFF_BY].sum() >= LEAST_ALONG * lengths.sum() else None


def _straightened(ring: Points) -> Points | None:
    """Return a ring, whose edges nearly run along the axes, with edges that do; None where no four are left.

    Each run of edges of one kind becomes one edge at their mean place, weighed by length; corners are where neighbours
    meet.
    """
    steps, middles = np.diff(ring, axis=0), (ring[1:] + ring[:-1]) / 2
    level = np.abs(steps[:, 0]) >= np.abs(steps[:, 1])
    changes = np.flatnonzero(level != np.roll(level, 1))
    if len(changes) < 4:
        return None
    level = np.roll(level, -changes[0])
    steps, middles = (np.roll(x, -changes[0], axis=0) for x in (steps, middles))
    starts = np.flatnonzero(level != np.roll(level, 1))
    weights = np.maximum(np.abs(steps[np.arange(len(level)), np.where(level, 0, 1)]), 1e-12)
    across = middles[np.arange(len(level)), np.where(level, 1, 0)]
    places = np.add.reduceat(across * weights, starts) / np.add.reduceat(weights, starts)
    after = np.roll(places, -1)
    corners = np.where(level[starts][:, None], np.column_stack([after, places]), np.column_stack([places, after]))
    return np.vstack([corners, corners[:1]])
