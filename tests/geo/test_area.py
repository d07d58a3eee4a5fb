"""From boxes and outlines to windows of whole pixels."""

from contextlib import contextmanager

import geopandas
import numpy as np
import pytest
import rasterio.features
import shapely
from affine import Affine
from rasterio.windows import Window

from rrsis_core.contract import AreaError, RasterError
from rrsis_core.geo.area import bbox_area, read_area, whole_area
from rrsis_core.geo.raster import open_raster
from rrsis_core.geo.raster_info import PIXEL_TRANSFORM, RasterInfo

UTM = Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000)


def info_of(transform=UTM, crs="EPSG:32633", width=200, height=100):
    crs = rasterio.CRS.from_string(crs) if crs else None
    georeferenced = transform != PIXEL_TRANSFORM
    return RasterInfo(
        "scene.tif", width, height, 3, "uint8", crs, transform, georeferenced, None, ("gray",) * 3, (None,) * 3, False
    )


@contextmanager
def refused(kind, code):
    with pytest.raises(kind) as error:
        yield error
    assert error.value.code == code
    assert error.value.hint


def test_whole_area_is_the_raster():
    area = whole_area(info_of())
    assert area.window == Window(0, 0, 200, 100)
    assert area.inside(Window(5, 6, 3, 2)).all()


@pytest.mark.parametrize("bbox, window", [
    ((500_010, 4_999_960, 500_020, 4_999_990), (20, 20, 20, 60)),  # on pixel edges: no pixel more
    ((500_010.1, 4_999_960.1, 500_020.1, 4_999_990.1), (20, 19, 21, 61)),  # touched pixels count
    ((499_000, 4_999_990, 500_005, 5_001_000), (0, 0, 10, 20)),  # cut to the raster without complaint
    ((0, 0, 9e6, 9e6), (0, 0, 200, 100)),
])  # fmt: skip
def test_bbox_becomes_the_pixels_it_touches(bbox, window):
    assert bbox_area(info_of(), bbox).window == Window(*window)


def test_bbox_on_south_up_and_rotated_rasters():
    south_up = Affine(0.5, 0, 500_000, 0, 0.5, 5_000_000)
    assert bbox_area(info_of(south_up), (500_010, 5_000_010, 500_020, 5_000_020)).window == Window(20, 20, 20, 20)
    quarter_turn = Affine(0, 0.5, 500_000, 0.5, 0, 5_000_000)  # x runs down the rows, y along them
    assert bbox_area(info_of(quarter_turn), (500_010, 5_000_020, 500_015, 5_000_040)).window == Window(40, 20, 40, 10)
    tilted = Affine.translation(500_000, 5_000_000) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5)
    window = bbox_area(info_of(tilted), (500_040, 4_999_980, 500_045, 4_999_985)).window
    corners = [~tilted @ (x, y) for x in (500_040, 500_045) for y in (4_999_980, 4_999_985)]
    assert window.col_off == int(min(corner[0] for corner in corners))
    assert window.col_off + window.width == int(max(corner[0] for corner in corners)) + 1
    assert window.row_off + window.height == int(max(corner[1] for corner in corners)) + 1


def test_bbox_is_in_pixels_without_georeference():
    assert bbox_area(info_of(PIXEL_TRANSFORM, None), (10, 20, 30, 45)).window == Window(10, 20, 20, 25)


def test_bbox_outside_says_where_the_raster_is():
    with refused(RasterError, "raster.outside") as error:
        bbox_area(info_of(), (0, 0, 10, 10))
    assert "500100" in error.value.hint
    assert "4999950" in error.value.details


def write(path, shapes, crs):
    geopandas.GeoDataFrame(geometry=list(shapes), crs=crs).to_file(path)
    return path


def test_polygons_bound_the_search_and_bands_agree(tmp_path):
    triangle = shapely.Polygon([(500_010.2, 4_999_960), (500_080, 4_999_990.7), (500_020, 4_999_955)])
    holed = shapely.box(500_030, 4_999_965, 500_090, 4_999_999).difference(
        shapely.box(500_040, 4_999_970, 500_060, 4_999_980)
    )
    info = info_of()
    area = read_area(write(tmp_path / "aoi.gpkg", [triangle, holed], "EPSG:32633"), info)
    expected = rasterio.features.rasterize([triangle, holed], out_shape=(100, 200), transform=info.transform) > 0
    assert (area.inside(info.window) == expected).all()
    assert area.window == Window(20, 2, 160, 88)
    bands = [area.inside(Window(0, row, 200, height)) for row, height in ((0, 1), (1, 36), (37, 63))]
    assert (np.concatenate(bands) == expected).all()
    assert (area.inside(Window(33, 40, 70, 20)) == expected[40:60, 33:103]).all()
    assert not area.inside(Window(190, 95, 10, 5)).any()


def test_polygons_come_from_any_crs(tmp_path):
    info = info_of(width=2000, height=2000)
    box = geopandas.GeoSeries([shapely.box(500_100, 4_999_300, 500_700, 4_999_800)], crs="EPSG:32633")
    for name, crs in (("aoi.geojson", "EPSG:4326"), ("aoi.shp", "EPSG:3857"), ("aoi.fgb", "EPSG:32634")):
        box.to_crs(crs).to_file(tmp_path / name)
        area = read_area(tmp_path / name, info)
        window = area.window
        assert abs(window.col_off - 200) <= 2
        assert abs(window.row_off - 400) <= 2
        assert abs(area.inside(info.window).sum() / (1200 * 1000) - 1) < 0.005


def test_long_sides_bend_with_the_projection(tmp_path):
    info = info_of(Affine(30, 0, 400_000, 0, -30, 5_600_000), width=6000, height=4000)
    path = write(tmp_path / "degrees.geojson", [shapely.box(14, 49.5, 16, 50)], "EPSG:4326")
    window = read_area(path, info).window
    # The parallel at 49.5 degrees reaches furthest south on the central meridian, 15 E: northing 5,483,117 m or so.
    lowest = info.transform @ (0, window.row_off + window.height)
    assert lowest[1] == pytest.approx(5_482_950, abs=100)


def test_pixel_coordinates_match_without_crs_on_both_sides(tmp_path):
    path = tmp_path / "aoi.shp"
    with pytest.warns(UserWarning, match="crs"):
        geopandas.GeoDataFrame(geometry=[shapely.box(10, -45, 30, -20)]).to_file(path)
    assert read_area(path, info_of(PIXEL_TRANSFORM, None)).window == Window(10, 20, 20, 25)
    with refused(AreaError, "area.crs"):
        read_area(path, info_of())
    with refused(AreaError, "area.crs"):
        read_area(write(tmp_path / "aoi.gpkg", [shapely.box(0, 0, 1, 1)], "EPSG:4326"), info_of(PIXEL_TRANSFORM, None))


def test_files_without_polygons(tmp_path):
    path = write(tmp_path / "points.gpkg", [shapely.Point(1, 2)], "EPSG:32633")
    with refused(AreaError, "area.empty"):
        read_area(path, info_of())
    text = tmp_path / "text.geojson"
    text.write_text("nothing")
    for missing in (text, tmp_path / "nowhere.gpkg"):
        with refused(AreaError, "area.unreadable"):
            read_area(missing, info_of())


def test_first_layer_with_polygons_is_taken(tmp_path):
    path = tmp_path / "layers.gpkg"
    line = shapely.LineString([(500_000, 5e6), (500_010, 5e6)])
    geopandas.GeoDataFrame(geometry=[line], crs="EPSG:32633").to_file(path, layer="lines")
    boxes = (500_010, 4_999_960, 500_020, 4_999_990), (500_030, 4_999_960, 500_031, 4_999_961)
    mixed = shapely.MultiPolygon([shapely.box(*box) for box in boxes])
    geopandas.GeoDataFrame(geometry=[mixed], crs="EPSG:32633").to_file(path, layer="areas")
    area = read_area(path, info_of())
    assert len(area.polygons) == 2
    assert area.window == Window(20, 20, 42, 60)


def test_polygons_elsewhere_are_outside(tmp_path):
    with refused(RasterError, "raster.outside"):
        read_area(write(tmp_path / "far.gpkg", [shapely.box(0, 0, 10, 10)], "EPSG:32633"), info_of())


def test_real_buildings_lie_on_their_tile(shared):
    with open_raster(shared / "banepa/tiles/OAM-386690-220241-19.tif") as raster:
        area = read_area(shared / "banepa/buildings.geojson", raster.info)
        built = area.inside(raster.info.window).mean()
    assert 0.4 < built < 0.7
