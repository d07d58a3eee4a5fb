"""rrsis batch: what it prints, and how it ends."""

import json

import geopandas


def test_a_folder_of_results(rrsis, scene, tiny_weights, tmp_path):
    arguments = ("batch", scene, tmp_path / "none.tif", "-p", "the roofs", "-o", tmp_path / "out")
    ran = rrsis(*arguments, "--weights", tiny_weights, "--preview", "--retries", 0)
    assert ran.code == 7
    assert "raster.not_found" in ran.out and "1 of 2 scenes done" in ran.out
    assert "[1/2] scene-" in ran.err and "left" in ran.err
    assert len(list((tmp_path / "out/scenes").glob("scene-*.png"))) == 1
    assert {"phrase", "score", "area_m2", "src"} <= set(geopandas.read_file(tmp_path / "out/results.gpkg").columns)
    again = rrsis(*arguments, "--weights", tiny_weights, "--preview", "--json")
    assert (again.code, again.json["ok"], again.json["done"]) == (7, False, 1)
    assert [entry["code"] for entry in again.json["failed"]] == ["raster.not_found"]
    other = rrsis(*arguments, "--weights", tiny_weights, "--preview", "--threshold", 0.7)
    assert (other.code, "[config.plan]" in other.err, "threshold differs" in other.err) == (4, True, True)


def test_all_is_well(rrsis, scene, tiny_weights, tmp_path):
    ran = rrsis("batch", scene, "-p", "the roofs", "-o", tmp_path / "o", "--weights", tiny_weights, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["done"] == ran.json["scenes"] == 1
    assert json.loads((tmp_path / "o/plan.json").read_text())["request"]["outputs"]["format"] == "gpkg"


def test_usage(rrsis, scene, tmp_path):
    for wrong in (("-o", tmp_path), ("-p", "x"), ("-p", "x", "-o", tmp_path, "--shard", "3")):
        assert rrsis("batch", scene, *wrong).code == 2
    shard = rrsis("batch", scene, "-p", "the roofs", "-o", tmp_path / "o", "--shard", "4/3")
    assert (shard.code, "[config.shard]" in shard.err) == (4, True)
    backend = rrsis("batch", tmp_path / "*.none", "-p", "the roofs", "-o", tmp_path / "o")
    assert (backend.code, "[raster.not_found]" in backend.err) == (3, True)
