"""rrsis_core.runs: what a run makes, goes on with, survives, and refuses."""

import json
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import geopandas
import pytest
import shapely

from rrsis_core.contract import InferenceError, OperationCanceled, RrsisError, SegmentOptions
from rrsis_core.inference import segment_raster
from rrsis_core.runs import Outputs, running
from rrsis_core.runs.running import Silent


def names(folder):
    return sorted(path.name for path in folder.iterdir())


PHRASES = ("the roofs", "the largest roof")


def rows(path):
    """Return what a vector file holds, in an order of its own."""
    frame = geopandas.read_parquet(path) if path.suffix == ".parquet" else geopandas.read_file(path)
    names = [name for name in frame.columns if name != frame.geometry.name]
    wkb = shapely.to_wkb(shapely.normalize(frame.geometry.values))
    return sorted(zip(wkb, *(frame[name].astype(str) for name in names), strict=True))


def test_a_scene_gets_what_segment_gives(go, make_scene, predictor, tmp_path):
    scene = make_scene()
    result = go(scene, outputs=Outputs(mask=True, probability=True, preview=True))
    made = names(tmp_path / "out/scenes")
    stem = made[0].removesuffix("-mask.tif")
    assert made == [f"{stem}-mask.tif", f"{stem}-probability.tif", f"{stem}.gpkg", f"{stem}.json", f"{stem}.png"]
    alone = {"output": str(tmp_path / "o.gpkg"), "probability": str(tmp_path / "p.tif")}
    segment_raster(SegmentOptions(str(scene), PHRASES, **alone), predictor)
    assert rows(tmp_path / "out/scenes" / f"{stem}.gpkg") == rows(tmp_path / "o.gpkg")
    assert (tmp_path / "p.tif").read_bytes() == (tmp_path / "out/scenes" / f"{stem}-probability.tif").read_bytes()
    assert (result.done, result.scenes, result.failed) == (1, 1, [])
    assert result.polygons["the roofs"] == len(rows(tmp_path / "o.gpkg")) - result.polygons["the largest roof"]
    assert names(tmp_path / "out") == ["plan.json", "results.gpkg", "scenes", "units"]


def test_again_does_nothing(go, make_scene, predictor, tmp_path):
    scenes = [make_scene(f"{name}.tif", seed) for seed, name in enumerate("ab")]
    first = go(*scenes)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()}
    chips = predictor.chips
    second = go(*scenes)
    assert predictor.chips == chips
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert (first.done, first.polygons) == (second.done, second.polygons)


def test_a_file_that_is_gone_or_short_is_made_again(go, make_scene, tmp_path):
    scene = make_scene()
    go(scene)
    file = next((tmp_path / "out/scenes").glob("*.gpkg"))
    whole = rows(file)
    file.write_bytes(b"")
    go(scene)
    assert rows(file) == whole
    file.unlink()
    go(scene)
    assert rows(file) == whole


def test_results_hold_all_scenes_in_their_crs(go, make_scene, tmp_path):
    scenes = [make_scene(f"{name}.tif", seed) for seed, name in enumerate("abc")]
    go(*scenes, outputs=Outputs("parquet"))
    frame = geopandas.read_parquet(tmp_path / "out/results.parquet")
    assert frame.crs.to_epsg() == 32645
    assert [src.split("-")[0] for src in dict.fromkeys(frame.src)] == ["a", "b", "c"]
    parts = [geopandas.read_parquet(path) for path in sorted((tmp_path / "out/scenes").glob("*.parquet"))]
    assert sum(len(part) for part in parts) == len(frame)
    assert frame.area_m2.sum() == pytest.approx(sum(part.area_m2.sum() for part in parts))


def test_results_of_several_crs_are_in_degrees_and_scenes_without_one_are_named(go, make_scene, tmp_path):
    make_scene("d/a.tif", 0)
    make_scene("d/b.tif", 1, crs="EPSG:32644")
    make_scene("d/c.tif", 2, crs=None)
    result = go(tmp_path / "d")
    frame = geopandas.read_file(tmp_path / "out/results.gpkg")
    assert frame.crs.to_epsg() == 4326
    assert {src.split("-")[0] for src in frame.src} == {"a", "b"}
    assert [name.split("-")[0] for name in result.unplaced] == ["c"]
    for name, epsg in (("a", 32645), ("b", 32644)):
        part = geopandas.read_file(next((tmp_path / "out/scenes").glob(f"{name}-*.gpkg")))
        moved = frame[frame.src.str.startswith(name)].to_crs(epsg)
        assert moved.area.sum() == pytest.approx(part.area.sum(), rel=1e-6)


@pytest.mark.parametrize("suffix", ["gpkg", "parquet", "geojson", "fgb", "shp"])
def test_every_format(go, make_scene, tmp_path, suffix):
    result = go(make_scene(), make_scene("b.tif", 1), outputs=Outputs(suffix))
    assert len(rows(tmp_path / f"out/results.{suffix}")) == sum(result.polygons.values())


def test_parts_and_shards_change_nothing(go, make_scene, tmp_path):
    scenes = [make_scene("large.tif", 3, (900, 70)), make_scene("small.tif", 4)]
    whole = Outputs(probability=True)
    go(*scenes, out="calm", outputs=whole)
    for shard in ((1, 3), (2, 3), (3, 3)):
        last = go(*scenes, outputs=whole, shard=shard, unit_tiles=16)
    assert len(json.loads((tmp_path / "out/plan.json").read_text())["units"]) == 5
    assert (last.done, last.failed) == (2, [])
    assert names(tmp_path / "out/scenes") == names(tmp_path / "calm/scenes")
    for path in (tmp_path / "calm/scenes").iterdir():
        other = tmp_path / "out/scenes" / path.name
        same = rows(path) == rows(other) if path.suffix == ".gpkg" else path.read_bytes() == other.read_bytes()
        assert same, path.name
    assert rows(tmp_path / "calm/results.gpkg") == rows(tmp_path / "out/results.gpkg")
    assert not list((tmp_path / "out/units").glob("*.tif"))


def test_each_shard_does_its_own_and_the_last_one_collects(go, make_scene, tmp_path):
    scenes = [make_scene(f"{number}.tif", number) for number in range(6)]
    first = go(*scenes, shard=(1, 2))
    assert first.results is None and 0 < first.done < 6
    second = go(*scenes, shard=(2, 2))
    assert second.done == 6 and second.results == str(tmp_path / "out/results.gpkg")


def test_what_is_missing_corrupt_or_changed_costs_itself_alone(go, make_scene, tmp_path, monkeypatch):
    good = [make_scene(f"{name}.tif", seed) for seed, name in enumerate("abc")]
    cut, late, changed = make_scene("cut.tif", 5, (400, 400)), make_scene("late.tif", 6), make_scene("changed.tif", 7)
    cut.write_bytes(cut.read_bytes()[:200_000])
    inputs = [*good, cut, late, changed, tmp_path / "never.tif"]
    with monkeypatch.context() as patch, pytest.raises(KeyError):  # killed when all is planned
        patch.setattr(running, "_work", lambda *given: {}["a power cut"])
        go(*inputs)
    late.rename(tmp_path / "away")
    shutil.copy(make_scene("other.tif", 8), changed)
    result = go(*(path for path in inputs if path.exists()))  # as a shell that expands a pattern would say it
    codes = {entry["scene"].split("-")[0]: entry["code"] for entry in result.failed}
    missing = "raster.not_found"
    assert codes == {"cut": "raster.corrupt", "late": missing, "changed": "raster.changed", "never": missing}
    assert result.done == 3 and len({src for *_, src in rows(tmp_path / "out/results.gpkg")}) == 3
    stored = json.loads((tmp_path / "out/failed.json").read_text())["failed"]
    assert stored == result.failed and all(entry["message"] and entry["raster"] for entry in stored)
    (tmp_path / "away").rename(late)
    assert go(*inputs).failed == result.failed
    healed = go(*inputs, retry_failed=True)
    assert healed.done == 4
    assert {entry["scene"].split("-")[0] for entry in healed.failed} == {"cut", "changed", "never"}


@contextmanager
def small_disk(size):
    """Let no file grow beyond some bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_costs_the_scene_that_fills_it(go, make_scene, tmp_path):
    scenes = [make_scene("a.tif", 0), make_scene("large.tif", 1, (700, 700)), make_scene("b.tif", 2)]
    go(*scenes, out="calm", outputs=Outputs(probability=True))
    with small_disk(250_000):
        result = go(*scenes, outputs=Outputs(probability=True))
    assert [(entry["scene"].split("-")[0], entry["code"]) for entry in result.failed] == [("large", "output.write")]
    assert result.done == 2
    assert not list((tmp_path / "out").rglob("*.part")) and not list((tmp_path / "out").rglob("large*"))
    healed = go(*scenes, outputs=Outputs(probability=True), retry_failed=True)
    assert (healed.done, healed.failed) == (3, [])
    assert not (tmp_path / "out/failed.json").exists()
    assert rows(tmp_path / "out/results.gpkg") == rows(tmp_path / "calm/results.gpkg")


def test_a_fault_of_ours_costs_its_scene_alone(go, make_scene, predictor, tmp_path):
    calls = []

    class Faulty(type(predictor)):
        def __call__(self, chips, expressions):
            calls.append(1)
            if len(calls) == 1:
                raise ZeroDivisionError("a fault")
            return super().__call__(chips, expressions)

    result = go(make_scene(), make_scene("b.tif", 1), model=Faulty())
    assert [entry["code"] for entry in result.failed] == ["internal"]
    assert "ZeroDivisionError" in result.failed[0]["details"]
    assert result.done == 1


def test_stopping_gives_back_what_is_in_hand(go, make_scene, predictor, tmp_path, monkeypatch):
    scene = make_scene()
    with monkeypatch.context() as patch, pytest.raises(OperationCanceled):
        patch.setattr(Silent, "is_canceled", lambda self: True)
        go(scene)
    assert not list((tmp_path / "out/units").iterdir())
    assert go(scene).done == 1


def test_halved_batches_do_the_unit_again(go, make_scene, predictor, tmp_path):
    class Tight(type(predictor)):
        def __call__(self, chips, expressions):
            if len(chips) > 1:
                self.batch_size = 1
            return super().__call__(chips, expressions)

    assert go(make_scene(size=(64, 200)), model=Tight()).done == 1
    record = json.loads(next((tmp_path / "out/units").glob("*.done.json")).read_text())
    assert record["batch_size"] == 1


def test_networks_and_disks_get_another_try(go, make_scene, predictor, monkeypatch):
    tries = []

    class Flaky(type(predictor)):
        def __call__(self, chips, expressions):
            tries.append(1)
            if len(tries) == 1:
                raise InferenceError("no room", code="output.write")
            return super().__call__(chips, expressions)

    monkeypatch.setattr("rrsis_core.runs.working.FIRST_PAUSE", 0.01)
    assert go(make_scene(), model=Flaky(), retries=1).done == 1


@pytest.mark.parametrize(
    "change",
    [
        {"phrases": ("the river",)},
        {"options": {"threshold": 0.6}},
        {"outputs": Outputs(mask=True)},
        {"outputs": Outputs("parquet")},
        {"options": {"tile": 96}},
    ],
)
def test_another_question_needs_another_folder(go, make_scene, change):
    scene = make_scene()
    go(scene)
    with pytest.raises(RrsisError) as refused:
        go(scene, **change)
    assert refused.value.code == "config.plan"


def test_new_rasters_need_another_folder_and_fewer_are_no_change(go, make_scene, tmp_path):
    scenes = [make_scene("d/a.tif"), make_scene("d/b.tif", 1)]
    go(tmp_path / "d")
    assert go(scenes[0]).done == 2
    new = make_scene("d/c.tif", 2)
    assert go(tmp_path / "d").done == 2
    with pytest.raises(RrsisError) as refused:
        go(new)
    assert refused.value.code == "config.plan"


def test_rasters_outside_the_area_are_left_out(go, make_scene, tmp_path):
    inside, outside = make_scene(), make_scene("b.tif", left=900000)
    box = geopandas.GeoSeries([shapely.box(500000, 3059960, 500040, 3060000)], crs="EPSG:32645")
    box.to_file(tmp_path / "aoi.gpkg")
    result = go(inside, outside, options={"aoi": str(tmp_path / "aoi.gpkg")})
    assert (result.scenes, result.done, result.left_out, result.failed) == (1, 1, 1, [])


def test_kill_9_at_random_moments_changes_nothing(make_scene):
    script = Path(__file__).parents[2] / "benchmarks/batch_kills.py"
    scenes = [make_scene("large.tif", 3, (900, 200)), make_scene("a.tif", 1), make_scene("b.tif", 2)]
    few = ["--kills", "3", "--modes", "shards", "--between", "4", "--pause", "0.1"]
    ran = subprocess.run([sys.executable, script, *scenes, *few], capture_output=True, text=True, timeout=400)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 kills" in ran.stdout and "left behind: nothing" in ran.stdout
