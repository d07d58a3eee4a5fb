"""The streaming vectoriser against the whole mask at once, and areas against geodesics."""

import numpy as np
import pyproj
import pytest
import rasterio.features
import shapely
from affine import Affine
from rasterio.crs import CRS

from rrsis_core.geo.polygons import PolygonBatch, Vectoriser, areas_m2, fill_holes, least_pixels, simplify
from rrsis_core.geo.raster_info import Frame

PIXELS = Affine.identity()


def vectorise(mask, probability=None, heights=None, transform=PIXELS, min_pixels=0):
    """Feed a mask in bands of the given heights, over and over, and join what comes out."""
    probability = np.zeros(mask.shape, np.uint16) if probability is None else probability
    vectoriser = Vectoriser(mask.shape[1], transform, min_pixels)
    batches, row, turn = [], 0, 0
    while row < len(mask):
        stop = row + (heights[turn % len(heights)] if heights else len(mask))
        batches.append(vectoriser.feed(mask[row:stop], probability[row:stop], last=stop >= len(mask)))
        row, turn = stop, turn + 1
    columns = zip(*((b.polygons, b.pixels, b.score, b.score_max) for b in batches), strict=True)
    return PolygonBatch(*(np.concatenate(column) for column in columns))


def normal_forms(polygons):
    return sorted(shapely.to_wkb(shapely.normalize(np.asarray(polygons, object))).tolist())


def traced_at_once(mask):
    shapes = rasterio.features.shapes(mask.astype(np.uint8), mask=mask, connectivity=4)
    return [shapely.geometry.shape(shape) for shape, _ in shapes]


def check_against_whole(mask, heights, rng):
    probability = rng.integers(0, 65536, mask.shape).astype(np.uint16)
    batch = vectorise(mask, probability, heights)
    assert normal_forms(batch.polygons) == normal_forms(traced_at_once(mask))
    assert shapely.is_valid(batch.polygons).all()
    assert (shapely.area(batch.polygons) == batch.pixels).all()
    labels = (
        rasterio.features.rasterize(
            ((polygon, number) for number, polygon in enumerate(batch.polygons, start=1)),
            out_shape=mask.shape,
            dtype="int32",
        )
        if len(batch)
        else np.zeros(mask.shape, int)
    )
    assert ((labels > 0) == mask).all()
    for number, (score, score_max) in enumerate(zip(batch.score, batch.score_max, strict=True), start=1):
        values = probability[labels == number] / 65535
        assert score == pytest.approx(values.mean(), abs=1e-12)
        assert score_max == values.max()


@pytest.mark.parametrize("seed", range(300))
def test_random_masks_equal_the_whole(seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 40, 2)
    mask = rng.random((height, width)) < rng.choice([0.05, 0.3, 0.5, 0.6, 0.7, 0.95])
    if seed % 3 == 0:
        mask = np.kron(mask, np.ones(rng.integers(1, 4, 2), bool))
    heights = [[1], [len(mask)], [len(mask) + 5], list(rng.integers(1, 9, 5))][seed % 4]
    check_against_whole(mask, heights, rng)


@pytest.mark.parametrize("part", range(10))
def test_fuzz(part):
    """Small masks of any density in bands of any height: the very polygons of the whole mask, all valid."""
    rng = np.random.default_rng([14, part])
    for _ in range(320):
        height, width = rng.integers(1, 15, 2)
        mask = rng.random((height, width)) < rng.uniform(0.02, 0.98)
        batch = vectorise(mask, heights=rng.integers(1, height + 4, rng.integers(1, 4)).tolist())
        assert normal_forms(batch.polygons) == normal_forms(traced_at_once(mask))
        assert shapely.is_valid(batch.polygons).all()
        assert (shapely.area(batch.polygons) == batch.pixels).all()


def rings_with_islands():
    far = np.maximum(*np.abs(np.mgrid[-20:21, -20:21]))
    return far % 4 < 2


def spiral():
    mask = np.zeros((41, 41), bool)
    for turn in range(0, 20, 2):
        mask[turn, turn : -turn or None] = mask[turn : -turn or None, -turn - 1] = True
        mask[-turn - 1, turn : -turn or None] = mask[turn + 2 : -turn or None, turn] = True
        mask[turn + 2, turn : turn + 2] = True
    return mask


MASKS = {
    "all ones": np.ones((30, 40), bool),
    "all zeros": np.zeros((30, 40), bool),
    "checkerboard": np.indices((30, 40)).sum(axis=0) % 2 == 0,
    "rings with islands": rings_with_islands(),
    "spiral": spiral(),
    "diagonal": np.eye(30, dtype=bool),
    "other diagonal": np.eye(30, dtype=bool)[::-1],
    "comb": np.indices((30, 41))[1] % 2 == 0,
    "comb upside down": np.vstack([np.indices((29, 41))[1] % 2 == 0, np.ones((1, 41), bool)]),
    "one column": np.arange(30)[:, None] % 3 > 0,
    "one row": np.arange(30)[None] % 3 > 0,
    "one pixel": np.ones((1, 1), bool),
}


@pytest.mark.parametrize("heights", [[1], [3, 1, 7], [1000]], ids=str)
@pytest.mark.parametrize("name", MASKS)
def test_special_masks_equal_the_whole(name, heights, rng):
    check_against_whole(MASKS[name], heights, rng)


def test_hole_that_touches_the_shell_in_a_point_is_valid():
    mask = np.ones((4, 4), bool)
    mask[1, 1] = mask[2, 2] = False
    (polygon,) = vectorise(mask).polygons
    assert polygon.is_valid
    assert len(polygon.interiors) == 2


def test_components_are_never_lost_by_number(rng):
    mask = np.zeros((700, 700), bool)
    mask[::2, ::2] = True  # 122,500 of them: more than 16 bits can number
    batch = vectorise(mask, heights=[97])
    assert len(batch) == 350 * 350
    assert (batch.pixels == 1).all()


def test_polygons_leave_as_soon_as_they_are_closed():
    vectoriser = Vectoriser(5, PIXELS)
    mask = np.zeros((4, 5), bool)
    mask[0, 1] = mask[2:, 3] = True
    counts = [
        len(vectoriser.feed(row[None], np.zeros((1, 5), np.uint16), last=number == 3))
        for number, row in enumerate(mask)
    ]
    assert counts == [0, 1, 0, 1]


TRANSFORMS = {
    "north-up": Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000),
    "south-up": Affine(1, 0, 500_005, 0, 1, 5_000_005),
    "rotated": Affine.translation(500_000, 5_000_000) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5),
    "rotated and mirrored": Affine.translation(500_000, 5_000_000) @ Affine.rotation(200) @ Affine.scale(0.5, 0.7),
    "pixels as QGIS draws them": Affine(1, 0, 0, 0, -1, 0),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_places_and_directions_under_any_transform(name, rng):
    transform = TRANSFORMS[name]
    mask = rng.random((25, 35)) < 0.6
    batch = vectorise(mask, heights=[4], transform=transform)
    assert shapely.is_valid(batch.polygons).all()
    assert shapely.is_ccw(shapely.get_exterior_ring(batch.polygons)).all()
    assert not any(ring.is_ccw for polygon in batch.polygons for ring in polygon.interiors)
    assert shapely.area(batch.polygons) == pytest.approx(batch.pixels * abs(transform.determinant), rel=1e-6)
    back = rasterio.features.rasterize(batch.polygons, out_shape=mask.shape, transform=transform) > 0
    assert (back == mask).all()


def test_a_rotated_pixel_grid_has_the_exact_area():
    mask = np.ones((5, 7), bool)
    rotated = Affine.translation(500_000, 5_000_000) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5)
    (polygon,) = vectorise(mask, transform=rotated).polygons
    assert polygon.area == pytest.approx(8.75, rel=1e-9)


def test_small_components_are_dropped_by_their_pixels(rng):
    mask = rng.random((60, 60)) < 0.4
    kept, everything = vectorise(mask, heights=[7], min_pixels=5), vectorise(mask, heights=[7])
    assert 0 < len(kept) < len(everything)
    assert kept.pixels.min() >= 5
    assert normal_forms(kept.polygons) == normal_forms(everything[everything.pixels >= 5].polygons)


def test_simplify_takes_corners_of_large_shapes_only():
    y, x = np.mgrid[:200, :200]
    mask = ((x - 80) ** 2 + (y - 80) ** 2 < 60**2) & ((x - 80) ** 2 + (y - 80) ** 2 > 20**2)
    mask[190:194, 190:194] = True
    mask[190, 190] = False
    batch = vectorise(mask, transform=TRANSFORMS["north-up"])
    simple = simplify(batch, tolerance=0.5)
    large = batch.pixels >= 100
    before, after = (shapely.get_num_coordinates(one.polygons[large]) for one in (batch, simple))
    assert (after < before / 3).all()
    assert (simple.polygons[~large] == batch.polygons[~large]).all()
    assert shapely.is_valid(simple.polygons).all()
    assert shapely.is_ccw(shapely.get_exterior_ring(simple.polygons)).all()
    overlap = shapely.area(shapely.intersection(simple.polygons, batch.polygons))
    assert (overlap / shapely.area(shapely.union(simple.polygons, batch.polygons))).min() > 0.95


@pytest.mark.parametrize("crs, square_metres", [(CRS.from_epsg(32633), 0.25), (None, 1)])
def test_small_holes_are_filled(crs, square_metres):
    mask = np.ones((20, 50), bool)
    mask[:, 20], mask[5, 5], mask[10, 10:14], mask[2:18, 30:45] = False, False, False, False
    mask[8:12, 35:40] = True  # an island in the large hole
    batch = vectorise(mask, transform=TRANSFORMS["north-up"])
    frame = Frame(50, 20, TRANSFORMS["north-up"], crs)
    for least, filled in ((1, 0), (2, 1), (4.1, 5), (300, 16 * 15 + 5)):
        after = fill_holes(batch, least * square_metres * 0.999, frame)
        assert shapely.area(after.polygons).sum() * 4 == pytest.approx(mask.sum() + filled)
        assert shapely.is_valid(after.polygons).all()
        assert shapely.is_ccw(shapely.get_exterior_ring(after.polygons)).all()
        assert (after.pixels == batch.pixels).all() and len(after) == 3


@pytest.mark.parametrize("epsg, transform", [
    (3857, Affine(1000, 0, 0, 0, -1000, 10_000_000)),  # from 66 degrees north to the equator
    (32633, Affine(10, 0, 200_000, 0, -10, 6_000_000)),
    (4326, Affine(0.01, 0, -30, 0, -0.01, 70)),
])  # fmt: skip
def test_least_pixels_never_drops_a_polygon_that_is_large_enough(rng, epsg, transform):
    frame = Frame(6000, 9000, transform, CRS.from_epsg(epsg))
    columns, rows = rng.uniform(0, 6000 - 20, 500), rng.uniform(0, 9000 - 20, 500)
    width, height = rng.integers(1, 20, (2, 500))
    corners = [transform @ (x, y) for x, y in ((columns, rows), (columns + width, rows + height))]
    boxes = shapely.box(corners[0][0], corners[1][1], corners[1][0], corners[0][1])
    areas = areas_m2(boxes, frame.crs)
    for threshold in np.quantile(areas, [0.1, 0.5, 0.9]):
        least = least_pixels(threshold, frame)
        assert least > 0
        assert ((width * height)[areas >= threshold] >= least).all()


def test_least_pixels_is_the_area_where_areas_are_pixels():
    assert least_pixels(12.5, Frame(10, 10, Affine(1, 0, 0, 0, -1, 0), None)) == 13


def geodesic_areas(polygons, epsg):
    crs = pyproj.CRS(epsg)
    to_degrees = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    degrees = shapely.transform(polygons, lambda points: np.column_stack(to_degrees.transform(*points.T)))
    return np.array([abs(crs.get_geod().geometry_area_perimeter(polygon)[0]) for polygon in degrees])


@pytest.mark.parametrize("epsg, x, y, size", [
    (32633, 480_000, 5_000_000, 30),
    (32633, 200_000, 9_000_000, 300),
    (32760, 800_000, 6_000_000, 30),
    (3857, 1_000_000, 8_399_738, 30),
    (3395, -5_743_476, -1_750_386, 30),
    (26913, 519_467, 4_311_669, 30),
    (3035, 4_321_000, 3_210_000, 100),
    (2263, 1_000_000, 200_000, 300),
    (27700, 400_000, 300_000, 30),
    (4326, 121.7, 31.2, 0.001),
    (3413, -1_000_000, -1_000_000, 100),
    (3413, 0, 0, 1000),  # the north pole itself
])  # fmt: skip
def test_areas_are_those_on_the_earth(rng, epsg, x, y, size):
    left, bottom = x + rng.uniform(-5, 5, 40) * size, y + rng.uniform(-5, 5, 40) * size
    width, height = rng.uniform(0.5, 1, (2, 40)) * size
    boxes = shapely.box(left, bottom, left + width, bottom + height)
    areas = areas_m2(boxes, CRS.from_epsg(epsg))
    assert areas == pytest.approx(geodesic_areas(boxes, epsg), rel=1e-6)


def test_single_pixels_are_measured_where_geodesics_cannot():
    """Geodesic areas are off by 1e-5 at 0.3 m; the projection's own factor of area says what is right."""
    crs = pyproj.CRS(32633)
    x, y = np.linspace(200_000, 800_000, 50), np.linspace(4_999_000, 5_001_000, 50)
    boxes = shapely.box(x, y, x + 0.3, y + 0.3)
    lon, lat = pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(x + 0.15, y + 0.15)
    expected = 0.09 / pyproj.Proj(crs).get_factors(lon, lat).areal_scale
    assert areas_m2(boxes, CRS.from_epsg(32633)) == pytest.approx(expected, rel=1e-7)


def test_cell_of_a_hundredth_degree_at_60_north():
    cell = shapely.box([10], [60], [10.01], [60.01])
    assert areas_m2(cell, CRS.from_epsg(4326))[0] == pytest.approx(621_587, abs=1)


@pytest.mark.parametrize("epsg", [4326, 32601, 3832])
def test_areas_across_the_antimeridian(epsg):
    to_crs = pyproj.Transformer.from_crs(4326, epsg, always_xy=True)
    across = shapely.box([-180.001], [-17.001], [-179.999], [-16.999])
    if epsg == 4326:
        across = shapely.box([179.999], [-17.001], [180.001], [-16.999])
    inland = shapely.box([178.999], [-17.001], [179.001], [-16.999])
    carried = [
        shapely.transform(box, lambda points: np.column_stack(to_crs.transform(*points.T))) if epsg != 4326 else box
        for box in (across, inland)
    ]
    here, there = (areas_m2(box, CRS.from_epsg(epsg))[0] for box in carried)
    assert here == pytest.approx(there, rel=1e-6)
    both = areas_m2(np.concatenate(carried), CRS.from_epsg(epsg))
    assert both == pytest.approx([here, there], rel=1e-9)


def test_world_wide_polygon():
    band = shapely.box([-180], [0], [180], [30])
    earth = 510_065_621_724_088  # square metres, WGS 84
    assert areas_m2(band, CRS.from_epsg(4326))[0] == pytest.approx(earth / 4, rel=0.005)


def test_no_area_without_a_place():
    boxes = shapely.box([0], [0], [1], [1])
    assert areas_m2(boxes, None) is None
    local = CRS.from_wkt('LOCAL_CS["site",UNIT["metre",1]]')
    assert areas_m2(boxes, local) is None
    assert len(areas_m2(boxes[:0], CRS.from_epsg(32633))) == 0
