"""rrsis merge."""

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.crs import CRS
from rasterio.transform import from_origin

from rrsis_core.geo.vector_sinks import vector_sink


@pytest.fixture
def scenes(tmp_path, monkeypatch):
    """Two scenes that overlap by half, and an object that neither sees whole."""
    monkeypatch.chdir(tmp_path)
    for name, left, box in (("a", 0, (30, 10, 40, 20)), ("b", 20, (20, 10, 60, 20))):
        profile = {"count": 3, "height": 80, "width": 80, "dtype": "uint8", "crs": "EPSG:32645"}
        transform = from_origin(500000 + left, 3060000, 0.5, 0.5)
        with rasterio.open(f"{name}.tif", "w", driver="GTiff", transform=transform, **profile) as target:
            target.write(np.full((3, 80, 80), 50 + left, np.uint8))
        with vector_sink(f"{name}.gpkg", CRS.from_epsg(32645)) as sink:
            west, south, east, north = box
            outline = shapely.box(500000 + west, 3060000 - north, 500000 + east, 3060000 - south)
            sink.write("the hall", np.array([outline]), np.array([0.8]))
    return tmp_path


def test_results_become_one(rrsis, scenes):
    given = ["merge", "a.gpkg", "b.gpkg", "--scene", "a.tif", "--scene", "b.tif"]
    ran = rrsis(*given, "-o", "all.gpkg")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "all.gpkg"), ran.err
    answer = rrsis(*given, "-o", "all.geojson", "--keep", "last", "--json").json
    assert {"read": 2, "polygons": 1, "united": 1, "replaced": 0}.items() <= answer.items()
    (row,) = geopandas.read_file("all.gpkg").itertuples()
    assert (row.phrase, row.score, row.src, row.area_m2) == ("the hall", 0.8, "a; b", pytest.approx(400, rel=1e-2))


def test_scenes_become_one(rrsis, scenes):
    answer = rrsis("merge", "a.tif", "b.tif", "-o", "all.vrt", "--json").json
    assert (answer["width"], answer["height"]) == (120, 80)
    with rasterio.open("all.vrt") as mosaic:
        assert mosaic.read(1)[0, [0, 119]].tolist() == [50, 70]


@pytest.mark.parametrize(
    ("given", "code", "exit_code"),
    [
        (["a.gpkg", "b.gpkg", "--scene", "a.tif", "-o", "all.gpkg"], "usage", 2),
        (["a.gpkg", "--scene", "a.tif", "-o", "a.gpkg", "--overwrite"], "output.exists", 5),
        (["none.gpkg", "--scene", "a.tif", "-o", "all.gpkg"], "result.not_found", 3),
        (["a.tif", "a.gpkg", "-o", "all.vrt"], "raster.unreadable", 3),
        (["a.tif", "-o", "all.tif"], "output.suffix", 5),
    ],
)
def test_what_does_not_go(rrsis, scenes, given, code, exit_code):
    ran = rrsis("merge", *given, "--json")
    assert (ran.code, ran.json["code"]) == (exit_code, code)
