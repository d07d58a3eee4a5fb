"""Right angles where there nearly are some, and hands off where there are none."""

import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.features import rasterize

from rrsis_core.geo.polygons import Vectoriser
from rrsis_core.geo.right_angles import square_up


def traced(shape, size=200):
    """Return the batch of one shape as a mask has it: with stairs for edges."""
    mask = rasterize([shape], (size, size)).astype(bool)
    return Vectoriser(size, Affine.identity()).feed(mask, np.where(mask, 40000, 0).astype(np.uint16), last=True)


def corner_angles(polygon):
    steps = np.diff(shapely.get_coordinates(polygon.exterior), axis=0)
    angles = np.degrees(np.arctan2(steps[:, 1], steps[:, 0]))
    return (np.diff(np.append(angles, angles[0])) + 180) % 360 - 180


L_SHAPE = shapely.Polygon([(40, 40), (150, 40), (150, 90), (90, 90), (90, 140), (40, 140)])


@pytest.mark.parametrize("turn", [0, 7, 23, 45, 61, 88])
@pytest.mark.parametrize("shape", [shapely.box(40, 60, 140, 120), L_SHAPE])
def test_a_turned_building_gets_its_corners_back(shape, turn):
    truth = shapely.affinity.rotate(shape, turn, origin=(95, 95))
    batch = traced(truth)
    (squared,) = square_up(batch, 1.5).polygons
    assert len(squared.exterior.coords) == len(shape.exterior.coords)
    assert np.allclose(np.abs(corner_angles(squared)), 90, atol=1e-6)
    assert squared.is_valid and squared.exterior.is_ccw
    overlap = squared.intersection(truth).area / squared.union(truth).area
    assert overlap > 0.96


def test_a_court_keeps_its_yard():
    yard = shapely.affinity.rotate(shapely.box(30, 30, 170, 170) - shapely.box(70, 70, 130, 120), 15)
    (squared,) = square_up(traced(yard), 1.5).polygons
    assert len(squared.interiors) == 1
    assert np.allclose(np.abs(corner_angles(shapely.Polygon(squared.interiors[0]))), 90, atol=1e-6)


@pytest.mark.parametrize(
    "shape",
    [shapely.Point(100, 100).buffer(60), shapely.LineString([(10, 10), (90, 60), (120, 180), (190, 190)]).buffer(6)],
)
def test_what_has_no_right_angles_stays(shape):
    batch = traced(shape)
    assert square_up(batch, 1.5).polygons[0].equals(batch.polygons[0])


def test_small_ones_stay():
    batch = traced(shapely.box(10, 10, 18, 18))
    assert square_up(batch, 1.5).polygons[0].equals(batch.polygons[0])


def test_every_answer_is_valid_and_near():
    rng = np.random.default_rng(3)
    for _ in range(60):
        points = shapely.MultiPoint(rng.uniform(20, 180, (int(rng.integers(4, 9)), 2)))
        shape = shapely.concave_hull(points, ratio=0.4)
        if shape.geom_type != "Polygon" or shape.area < 400:
            continue
        batch = traced(shape)
        for before, after in zip(batch.polygons, square_up(batch, 2).polygons, strict=True):
            assert after.is_valid
            assert before.intersection(after).area >= 0.85 * before.union(after).area - 1e-6
