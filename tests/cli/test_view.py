"""rrsis view."""

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS

from rrsis_core.geo.vector_sinks import vector_sink


@pytest.fixture
def found(tmp_path):
    with vector_sink(tmp_path / "found.gpkg", CRS.from_epsg(32645)) as sink:
        sink.write("the roofs", np.array([shapely.box(500010, 3059970, 500020, 3059980)]), np.array([0.8]))
    return tmp_path / "found.gpkg"


def test_a_map_beside_the_result(rrsis, scene, found):
    ran = rrsis("view", found, "--raster", scene)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == ["1 polygon", str(found.with_suffix(".html"))]
    assert "data:image/webp" in found.with_suffix(".html").read_text()


def test_a_map_for_programs(rrsis, scene, found, tmp_path):
    target = tmp_path / "map.html"
    answer = rrsis("view", found, "--raster", scene, "-o", target, "--bands", "3,2,1", "--json").json
    assert (answer["shown"], answer["found"], answer["output"]) == (1, {"the roofs": 1}, str(target))
    again = rrsis("view", found, "-o", target, "--json")
    assert (again.code, again.json["code"]) == (5, "output.exists")
    assert rrsis("view", found, "-o", target, "--overwrite").code == 0


@pytest.mark.parametrize(
    ("given", "code", "exit_code"),
    [
        (["nowhere.gpkg"], "result.not_found", 3),
        (["found.gpkg", "--raster", "nowhere.tif"], "raster.not_found", 3),
        (["found.gpkg", "-o", "map.png"], "output.suffix", 5),
        (["scene.tif"], "result.unreadable", 3),
    ],
)
def test_what_does_not_go(rrsis, scene, found, tmp_path, monkeypatch, given, code, exit_code):
    monkeypatch.chdir(tmp_path)
    ran = rrsis("view", *given, "--json")
    assert (ran.code, ran.json["code"]) == (exit_code, code)
    assert not list(tmp_path.glob("*.html"))
