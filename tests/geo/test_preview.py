"""Pictures for people, checked where a program can check them."""

import os

import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine
from PIL import Image
from rasterio.windows import Window

from rrsis_core.contract import SinkError
from rrsis_core.geo.preview import COLOURS, Layer, draw_preview
from rrsis_core.geo.raster import open_raster

NOTHING = np.empty(0, object)


def drawn(path, tmp_path, layers, window=None, **options):
    with open_raster(path) as raster:
        draw_preview(raster, window or raster.info.window, layers, tmp_path / "preview.png", **options)
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]
    with Image.open(tmp_path / "preview.png") as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


@pytest.mark.parametrize("transform", [
    Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000),
    Affine(0.5, 0, 500_000, 0, 0.5, 5_000_000),
    Affine.translation(500_000, 5_000_000) @ Affine.rotation(25) @ Affine.scale(0.5, -0.5),
])  # fmt: skip
def test_polygons_lie_on_their_pixels(make_raster, tmp_path, transform):
    path = make_raster(np.full((3, 200, 300), 128, np.uint8), transform=transform)
    corners = np.array([(100, 50), (160, 50), (160, 90), (100, 90)])
    polygon = shapely.polygons(np.array([transform @ tuple(corner) for corner in corners]))
    picture = drawn(path, tmp_path, [Layer("the box", np.array([polygon]))], Window(50, 20, 200, 150))
    factor = 4
    assert picture.shape[1] == 200 * factor
    tinted = np.abs(picture[: 150 * factor] - 128).max(axis=2) > 20
    rows, columns = np.nonzero(tinted)
    assert (columns.min() / factor, (columns.max() + 1) / factor) == pytest.approx((50, 110), abs=1)
    assert (rows.min() / factor, (rows.max() + 1) / factor) == pytest.approx((30, 70), abs=1)
    inside = picture[50 * factor, 80 * factor]
    assert (np.abs(inside - 128) < np.abs(np.array(COLOURS[0]) - 128)).all(), "the scene shows through"
    outline = picture[50 * factor, 50 * factor - 2 : 50 * factor + 3]
    assert np.abs(outline - COLOURS[0]).sum(axis=1).min() < 30


def test_holes_show_the_scene_and_islands_in_them_do_not(make_raster, tmp_path):
    path = make_raster(np.full((3, 100, 100), 128, np.uint8), transform=Affine(1, 0, 1000, 0, -1, 0))
    ring = shapely.box(1010, -90, 1090, -10).difference(shapely.box(1030, -70, 1070, -30))
    picture = drawn(path, tmp_path, [Layer("rings", np.array([shapely.box(1045, -55, 1055, -45), ring]))])
    assert picture[4 * 37, 4 * 37].tolist() == [128, 128, 128]
    assert picture[4 * 50, 4 * 50].tolist() != [128, 128, 128]


def test_picture_is_bounded_and_small_scenes_are_enlarged(make_raster, tmp_path, rng):
    path = make_raster(rng.integers(0, 256, (3, 300, 500), np.uint8))
    assert drawn(path, tmp_path, [], max_side=250).shape == (150, 250, 3)
    assert drawn(path, tmp_path, [], max_side=10_000).shape == (1200, 2000, 3)
    assert drawn(path, tmp_path, [], Window(0, 0, 1, 300), max_side=300).shape[0] == 300


def test_legend_grows_with_its_phrases_and_never_beyond_the_picture(make_raster, tmp_path):
    path = make_raster(np.full((3, 300, 400), 128, np.uint8))
    boxes = shapely.box([500_010], [4_999_900], [500_020], [4_999_910])
    heights = []
    for phrases in (["a"], ["a", "b"], ["a long phrase " * 20, "b", "the third"], ["some words to fill it"] * 12):
        picture = drawn(path, tmp_path, [Layer(phrase, boxes) for phrase in phrases], max_side=800)
        heights.append(picture.shape[0])
        strip = picture[600:]
        assert (strip[:, -5:] == 255).all(), "nothing is cut off at the right"
        assert (strip[-3:] == 255).all(), "nor below"
        assert picture.shape[1] == 800
    assert heights[0] == heights[1] < heights[2] < heights[3]


def test_nodata_and_empty_layers(make_raster, tmp_path):
    array = np.full((3, 100, 100), 90, np.uint8)
    array[:, :, :50] = 0
    picture = drawn(make_raster(array, nodata=0), tmp_path, [Layer("nothing here", NOTHING)])
    assert picture[200, 100].tolist() == [225, 225, 225]
    assert picture[200, 300].tolist() == [90, 90, 90]


def test_sixteen_bits_are_drawn_as_the_model_sees_them(make_raster, tmp_path, rng):
    array = rng.normal(3000, 100, (3, 200, 200)).astype(np.uint16)
    picture = drawn(make_raster(array), tmp_path, [], max_side=200)
    assert picture.min() == 0
    assert picture.max() == 255
    assert picture.mean() == pytest.approx(127, abs=8)


def test_large_rasters_are_read_decimated(make_raster, tmp_path):
    array = np.zeros((1, 4200, 4200), np.uint8)
    array[:, :2100] = 200
    picture = drawn(make_raster(array, compress="deflate"), tmp_path, [], max_side=420)
    assert picture.shape == (420, 420, 3)
    assert (picture[:205] == 200).all()
    assert (picture[215:] == 0).all()


def test_folder_that_is_missing(make_raster, tmp_path):
    path = make_raster(np.ones((3, 10, 10), np.uint8))
    with open_raster(path) as raster, pytest.raises(SinkError) as error:
        draw_preview(raster, raster.info.window, [], tmp_path / "nowhere" / "preview.png")
    assert error.value.code == "output.folder"


def test_real_tile_with_its_buildings(shared, tmp_path):

    path = shared / "banepa/tiles/OAM-386690-220241-19.tif"
    with open_raster(path) as raster:
        left, bottom, right, top = raster.info.bounds
        layer = geopandas.read_file(shared / "banepa/buildings.geojson").cx[left:right, bottom:top]
    picture = drawn(path, tmp_path, [Layer("the buildings", np.asarray(layer.geometry))])
    assert picture.shape[1] == 1600
