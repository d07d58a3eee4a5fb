"""Results of several scenes become one in which every object is once."""

import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.warp import transform_geom

from rrsis_core.contract import ResultError
from rrsis_core.geo.merging import SceneResult, footprint, merge_results
from rrsis_core.geo.polygons import Vectoriser, areas_m2
from rrsis_core.geo.raster import open_raster
from rrsis_core.geo.vector_sinks import vector_sink

UTM = Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000)
UTM33, UTM34 = CRS.from_epsg(32633), CRS.from_epsg(32634)


def outlined(mask, transform=UTM):
    """The polygons of a whole mask."""
    return Vectoriser(mask.shape[1], transform).feed(mask, np.full(mask.shape, 40_000, np.uint16), True).polygons


def normal(polygons):
    """Polygons so that equal ones are equal: no corner on a straight side, one way to begin, one order."""
    turned = [
        shapely.simplify(shapely.Polygon(np.roll(p.exterior.coords[:-1], 1, axis=0), p.interiors), 0) for p in polygons
    ]
    return sorted(shapely.to_wkb(shapely.normalize(shapely.simplify(turned, 0)), hex=True))


@pytest.fixture
def scene_result(make_raster, tmp_path):
    """Write a scene as a raster that knows where its data ends, and polygons found in it."""

    def write(name, valid, polygons, scores=None, transform=UTM, crs=UTM33, suffix=".parquet", phrase="it"):
        pixels = np.where(valid, 9, 0)[None].astype(np.uint8)
        raster = make_raster(pixels, f"{name}.tif", transform=transform, crs=crs, nodata=None if valid.all() else 0)
        path = tmp_path / f"{name}{suffix}"
        with vector_sink(path, crs) as sink:
            scores = np.full(len(polygons), 0.5) if scores is None else np.asarray(scores)
            sink.write(phrase, np.asarray(polygons, object), scores, areas_m2(np.asarray(polygons, object), crs))
        return SceneResult(str(path), str(raster))

    return write


def merged(scenes, tmp_path, **options):
    summary = merge_results(scenes, tmp_path / "all.parquet", **options)
    frame = geopandas.read_parquet(tmp_path / "all.parquet")
    assert len(frame) == summary.polygons
    assert frame.geometry.is_valid.all() and (frame.geom_type == "Polygon").all()
    return frame, summary


def pieces(mask, columns, valid, scene_result):
    """Two scenes of one mask: columns up to the second number, and from the first one on."""
    first, second = columns
    parts = {"left": slice(None, second), "right": slice(first, None)}
    scenes = []
    for (name, part), known in zip(parts.items(), valid, strict=True):
        transform = UTM @ Affine.translation(part.start or 0, 0)
        scenes.append(
            scene_result(name, known[:, part], outlined((mask & known)[:, part], transform), transform=transform)
        )
    return scenes


@pytest.mark.parametrize("columns", [(40, 60), (50, 50), (10, 90), (0, 100)])
@pytest.mark.parametrize("seed", range(2))
def test_halves_of_a_scene_give_the_polygons_of_the_whole(scene_result, tmp_path, columns, seed):
    rng = np.random.default_rng(seed)
    mask = np.kron(rng.random((20, 50)) < 0.45, np.ones((2, 2))).astype(bool) ^ (rng.random((40, 100)) < 0.05)
    whole = np.ones(mask.shape, bool)
    frame, summary = merged(pieces(mask, columns, (whole, whole), scene_result), tmp_path)
    expected = outlined(mask)
    assert normal(frame.geometry) == normal(expected)
    assert sorted(frame.area_m2) == pytest.approx(sorted(areas_m2(expected, UTM33)), abs=1e-3)
    assert summary.united > 0 or columns == (0, 100)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_shape_of_data_gives_the_polygons_of_the_whole(scene_result, tmp_path, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shape = data.draw(st.integers(1, 9)), data.draw(st.integers(2, 12))
    mask = rng.random(shape) < data.draw(st.sampled_from([0.3, 0.6, 0.9]))
    first = rng.random(shape) < data.draw(st.sampled_from([0.2, 0.5, 0.8]))
    second = ~first | (rng.random(shape) < data.draw(st.sampled_from([0, 0.5])))
    frame, _ = merged(pieces(mask, (0, shape[1]), (first, second), scene_result), tmp_path)
    assert normal(frame.geometry) == normal(outlined(mask))


def test_many_scenes_and_a_river_through_all(scene_result, tmp_path):
    rng = np.random.default_rng(5)
    mask = rng.random((40, 200)) < 0.3
    mask[18:21] = True
    whole, scenes = np.ones(mask.shape, bool), []
    for number, left in enumerate([150, 0, 100, 50]):  # not from west to east
        part = slice(left, left + 60)
        transform = UTM @ Affine.translation(left, 0)
        scenes.append(
            scene_result(f"s{number}", whole[:, part], outlined(mask[:, part], transform), transform=transform)
        )
    frame, summary = merged(scenes, tmp_path)
    assert normal(frame.geometry) == normal(outlined(mask))
    river = frame.loc[frame.area.idxmax()]
    assert river.src == "s0; s1; s2; s3"
    assert summary.read > summary.polygons


def test_of_two_views_the_better_one_stays(scene_result, tmp_path):
    whole = np.ones((100, 200), bool)
    roof, moved = (
        shapely.box(500_040, 4_999_960, 500_050, 4_999_970),
        shapely.box(500_041, 4_999_960, 500_051, 4_999_970),
    )
    alone = shapely.box(500_010, 4_999_960, 500_015, 4_999_965)
    scenes = [
        scene_result("a", whole, [roof, alone], [0.7, 0.6]),
        scene_result("b", whole, [moved], [0.8], transform=UTM @ Affine.translation(50, 0)),
    ]
    frame, summary = merged(scenes, tmp_path)
    assert sorted(zip(frame.src, frame.replaced, frame.score, strict=True)) == [("a", "", 0.6), ("b", "a:1", 0.8)]
    assert (summary.read, summary.replaced, summary.united) == (3, 1, 0)
    frame, _ = merged(scenes[::-1], tmp_path, keep="last")
    assert sorted(zip(frame.src, frame.replaced, strict=True)) == [
        (
            "a",
            "",
        ),
        ("a", "b:1"),
    ]


def test_other_phrases_and_polygons_of_one_scene_are_left_alone(scene_result, tmp_path):
    whole = np.ones((100, 200), bool)
    box = shapely.box(500_040, 4_999_960, 500_050, 4_999_970)
    scenes = [scene_result("a", whole, [box, box.buffer(1)]), scene_result("b", whole, [box], phrase="other")]
    assert len(merged(scenes, tmp_path)[0]) == 3


def test_where_scenes_disagree_the_one_that_sees_most_of_the_place_stays(scene_result, tmp_path):
    block = shapely.box(500_040, 4_999_960, 500_060, 4_999_980)
    roofs = [shapely.box(500_041, 4_999_961, 500_045, 4_999_979), shapely.box(500_050, 4_999_961, 500_058, 4_999_979)]
    small, large = np.ones((100, 200), bool), np.ones((100, 300), bool)
    frame, summary = merged(
        [scene_result("small", small, [block], [0.9]), scene_result("large", large, roofs)], tmp_path
    )
    assert frame.src.tolist() == ["large", "large"] and summary.replaced == 1
    assert sum(frame.replaced == "small:1") == 1
    frame, _ = merged(
        [scene_result("large", large, [block]), scene_result("small", small, roofs, [0.9, 0.9])], tmp_path
    )
    assert frame.src.tolist() == ["large"]
    assert sorted(frame.replaced[0].split()) == ["small:1", "small:2"]


def test_neighbours_that_overlap_a_little_are_two(scene_result, tmp_path):
    whole = np.ones((100, 200), bool)
    boxes = shapely.box([500_040, 500_049], 4_999_960, [500_050, 500_059], 4_999_970)
    scenes = [scene_result(name, whole, [box]) for name, box in zip("ab", boxes, strict=True)]
    assert len(merged(scenes, tmp_path)[0]) == 2


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".parquet"])
def test_two_zones(scene_result, tmp_path, suffix):
    transform34 = Affine(0.5, 0, 300_000, 0, -0.5, 5_000_000)
    roof = shapely.box(300_020, 4_999_970, 300_030, 4_999_980)
    own = shapely.geometry.shape(transform_geom(UTM34, UTM33, roof.__geo_interface__))
    left, _, _, top = own.bounds
    transform33 = Affine(0.5, 0, round(left) - 20, 0, -0.5, round(top) + 20)
    whole = np.ones((120, 120), bool)
    scenes = [
        scene_result("a", whole, [own], [0.6], transform=transform33, suffix=suffix),
        scene_result("b", whole, [roof], [0.7], transform=transform34, crs=UTM34, suffix=suffix),
    ]
    frame, _ = merged(scenes, tmp_path)
    assert frame.crs.to_epsg() == 4326
    assert frame.replaced.tolist() == ["a:1"]
    assert frame.to_crs(UTM34).geometry[0].symmetric_difference(roof).area < 0.1


def test_the_antimeridian_tears_nothing(scene_result, tmp_path):
    west, east = CRS.from_epsg(32760), CRS.from_epsg(32701)
    transform = Affine(10, 0, 816_000, 0, -10, 8_100_000)
    lake = shapely.box(816_500, 8_099_000, 819_500, 8_099_500)
    there = shapely.geometry.shape(transform_geom(west, east, lake.__geo_interface__))
    left, _, _, top = there.bounds
    other = Affine(10, 0, left - 600, 0, -10, top + 500)
    whole = np.ones((200, 500), bool)
    scenes = [
        scene_result("w", whole, [lake], transform=transform, crs=west),
        scene_result("e", whole, [there], transform=other, crs=east),
    ]
    frame, _ = merged(scenes, tmp_path)
    assert len(frame) == 1
    west_side, _, east_side, _ = frame.total_bounds
    assert east_side - west_side < 0.1


def test_what_lies_apart_is_untouched_and_scenes_without_a_place_are_refused(scene_result, tmp_path):
    whole = np.ones((100, 100), bool)
    box = shapely.box(500_010, 4_999_960, 500_020, 4_999_970)
    far = shapely.box(510_010, 4_999_960, 510_020, 4_999_970)
    scenes = [
        scene_result("a", whole, [box]),
        scene_result("b", whole, [far], transform=UTM @ Affine.translation(20_000, 0)),
    ]
    frame, summary = merged(scenes, tmp_path)
    assert normal(frame.geometry) == normal([box, far]) and summary.united == summary.replaced == 0
    none = scene_result("c", whole, [], crs=None)
    with pytest.raises(ResultError) as error:
        merge_results([*scenes, none], tmp_path / "all.gpkg")
    assert error.value.code == "result.crs"


def test_the_footprint_is_where_the_data_is(make_raster, rng):
    valid = rng.random((30, 40)) < 0.7
    path = make_raster(np.where(valid, 5, 0)[None].astype(np.uint8), nodata=0)
    with open_raster(path) as raster:
        assert normal(footprint(raster)) == normal(outlined(valid))
    with open_raster(make_raster(np.ones((1, 30, 40), np.uint8))) as raster:
        assert normal(footprint(raster)) == normal([shapely.box(500_000, 4_999_985, 500_020, 5_000_000)])
