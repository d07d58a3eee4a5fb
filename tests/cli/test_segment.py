"""rrsis segment: what it writes, and what bad input gets."""

import os
import signal
import subprocess
import sys
import time

import geopandas
import numpy as np
import pytest
import rasterio
from safetensors import safe_open
from safetensors.torch import load_file, save_file


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_polygons_masks_and_preview(rrsis, scene, tiny_weights, tmp_path):
    out = tmp_path / "o.gpkg"
    extra = ("--mask", tmp_path / "m.tif", "--probability", tmp_path / "p.tif", "--preview", tmp_path / "v.png")
    ran = rrsis("segment", scene, "the blue roofs", "the river", "-o", out, *extra, "--weights", tiny_weights)
    assert ran.code == 0, ran.err
    assert "the blue roofs" in ran.out and str(out) in ran.out
    assert files(tmp_path) == ["m.tif", "o.gpkg", "p.tif", "scene.tif", "v.png"]
    assert geopandas.read_file(out).crs == "EPSG:32645"


def test_json_is_one_object(rrsis, scene, tiny_weights, tmp_path):
    ran = rrsis("segment", scene, "the florble roofs", "-o", tmp_path / "o.gpkg", "--weights", tiny_weights, "--json")
    assert ran.code == 0
    assert ran.json["ok"] is True
    assert ran.json["found"][0]["phrase"] == "the florble roofs"
    assert any("florble" in note for note in ran.json["notes"])
    assert ran.err == ""


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "fgb", "parquet"])
def test_every_format_holds_the_same(rrsis, scene, tiny_weights, tmp_path, suffix):
    out = tmp_path / f"o.{suffix}"
    assert rrsis("segment", scene, "the roofs", "-o", out, "--threshold", 0.3, "--weights", tiny_weights).code == 0
    frame = geopandas.read_parquet(out) if suffix == "parquet" else geopandas.read_file(out)
    assert {"phrase", "score", "area_m2"} <= set(frame.columns)
    assert frame.crs.to_epsg() == (4326 if suffix == "geojson" else 32645)


def test_overwriting_must_be_asked_for(rrsis, scene, tiny_weights, tmp_path):
    arguments = ("segment", scene, "the roofs", "-o", tmp_path / "o.gpkg", "--weights", tiny_weights)
    assert rrsis(*arguments).code == 0
    again = rrsis(*arguments)
    assert (again.code, "[output.exists]" in again.err) == (5, True)
    assert rrsis(*arguments, "--overwrite").code == 0


def bad(name):
    """Return the arguments of a bad call, given the good scene and a folder."""
    return {
        "missing": lambda scene, folder: (folder / "none.tif", "the roofs"),
        "no raster": lambda scene, folder: (folder / "text.tif", "the roofs"),
        "truncated": lambda scene, folder: (folder / "cut.tif", "the roofs"),
        "empty phrase": lambda scene, folder: (scene, ""),
        "unknown words": lambda scene, folder: (scene, "florble gnarx"),
        "outside": lambda scene, folder: (scene, "the roofs", "--bbox", "0", "0", "1", "1"),
        "empty bbox": lambda scene, folder: (scene, "the roofs", "--bbox", "5", "0", "1", "1"),
        "no such band": lambda scene, folder: (scene, "the roofs", "--bands", "1,2,7"),
        "no such area": lambda scene, folder: (scene, "the roofs", "--aoi", folder / "none.gpkg"),
        "threshold": lambda scene, folder: (scene, "the roofs", "--threshold", "7"),
        "device": lambda scene, folder: (scene, "the roofs", "--device", "cuda:9"),
        "no weights": lambda scene, folder: (scene, "the roofs", "--weights", folder / "none.safetensors"),
        "cut weights": lambda scene, folder: (scene, "the roofs", "--weights", folder / "cut.safetensors"),
        "other weights": lambda scene, folder: (scene, "the roofs", "--weights", folder / "other.safetensors"),
    }[name]


@pytest.mark.parametrize(
    ("name", "code", "exit_code"),
    [
        ("missing", "raster.not_found", 3),
        ("no raster", "raster.unreadable", 3),
        ("truncated", "raster.corrupt", 3),
        ("empty phrase", "expression.empty", 3),
        ("unknown words", "expression.unknown", 3),
        ("outside", "raster.outside", 3),
        ("empty bbox", "config.bbox", 4),
        ("no such band", "raster.bands", 3),
        ("no such area", "area.unreadable", 3),
        ("threshold", "config.threshold", 4),
        ("device", "inference.device", 5),
        ("no weights", "weights.not_found", 4),
        ("cut weights", "weights.corrupt", 4),
        ("other weights", "weights.keys", 4),
    ],
)
def test_bad_input_gets_a_sentence_a_hint_and_a_code(
    rrsis, scene, tiny_weights, tmp_path, monkeypatch, name, code, exit_code
):
    (tmp_path / "text.tif").write_text("not a raster")
    pixels = np.random.default_rng(0).integers(0, 255, (3, 600, 600)).astype(np.uint8)
    with rasterio.open(tmp_path / "cut.tif", "w", "GTiff", 600, 600, 3, dtype="uint8", crs="EPSG:32645",
                       transform=rasterio.Affine(0.5, 0, 5e5, 0, -0.5, 3e6)) as target:  # fmt: skip
        target.write(pixels)
    (tmp_path / "cut.tif").write_bytes((tmp_path / "cut.tif").read_bytes()[:500_000])
    (tmp_path / "cut.safetensors").write_bytes(tiny_weights.read_bytes()[:5000])
    with_header = safe_open(tiny_weights, "pt").metadata()
    tensors = {k: v for k, v in load_file(tiny_weights).items() if k != "lgfa.beta"}
    save_file(tensors, tmp_path / "other.safetensors", metadata=with_header)
    before = files(tmp_path)
    arguments = bad(name)(scene, tmp_path)
    defaults = () if "--weights" in arguments else ("--weights", tiny_weights)
    outputs = ("-o", tmp_path / "o.gpkg", "--mask", tmp_path / "m.tif", "--preview", tmp_path / "v.png")
    ran = rrsis("segment", *arguments, *outputs, *defaults)
    assert ran.code == exit_code, ran.err
    message, hint, last = [line for line in ran.err.splitlines() if not line.startswith("Note:")]
    assert (message.startswith("Error: ") and message.endswith((".", ":"))) or message.endswith(")")
    assert hint.strip() and last.strip() == f"[{code}]"
    assert "Traceback" not in ran.err and ran.out == ""
    assert files(tmp_path) == before
    as_json = rrsis("segment", *arguments, *outputs, *defaults, "--json")
    assert (as_json.code, as_json.json["ok"], as_json.json["code"]) == (exit_code, False, code)
    assert as_json.json["message"] and as_json.json["hint"]


@pytest.mark.parametrize(
    ("output", "code"),
    [("none/o.gpkg", "output.folder"), ("o.docx", "output.suffix"), ("o", "output.suffix")],
)
def test_bad_outputs(rrsis, scene, tmp_path, output, code):
    ran = rrsis("segment", scene, "the roofs", "-o", tmp_path / output)
    assert (ran.code, f"[{code}]" in ran.err) == (5, True)
    assert files(tmp_path) == ["scene.tif"]


@pytest.mark.parametrize(
    "arguments",
    [(), ("scene.tif",), ("scene.tif", "the roofs"), ("scene.tif", "x", "--bands", "a"), ("a", "b", "--zoom")],
)
def test_usage_errors(rrsis, arguments):
    ran = rrsis("segment", *arguments)
    assert ran.code == 2
    assert "[usage]" in ran.err and "--help" in ran.err


def test_an_unknown_command(rrsis):
    assert rrsis("segmentt", "x").code == 2


def test_a_raster_without_data_is_an_empty_layer(rrsis, tiny_weights, tmp_path):
    path = tmp_path / "empty.tif"
    with rasterio.open(path, "w", "GTiff", 70, 60, 3, dtype="float32", crs="EPSG:32645",
                       transform=rasterio.Affine(0.5, 0, 5e5, 0, -0.5, 3e6)) as target:  # fmt: skip
        target.write(np.full((3, 60, 70), np.nan, np.float32))
    ran = rrsis("segment", path, "the roofs", "-o", tmp_path / "o.gpkg", "--weights", tiny_weights)
    assert ran.code == 0
    assert "holds no data" in ran.err
    assert len(geopandas.read_file(tmp_path / "o.gpkg")) == 0


def test_ctrl_c_leaves_nothing(tiny_weights, tmp_path):
    path = tmp_path / "large.tif"
    with rasterio.open(path, "w", "GTiff", 6000, 6000, 3, dtype="uint8", crs="EPSG:32645", tiled=True, compress="lzw",
                       transform=rasterio.Affine(0.5, 0, 5e5, 0, -0.5, 3e6)) as target:  # fmt: skip
        target.write(np.tile(np.random.default_rng(0).integers(0, 255, (3, 600, 600)).astype(np.uint8), (1, 10, 10)))
    command = [sys.executable, "-m", "rrsis_core", "segment", path, "the roofs", "-o", tmp_path / "o.gpkg"]
    command += ["--weights", tiny_weights, "--mask", tmp_path / "m.tif"]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not any(path.name.endswith(".part") for path in tmp_path.iterdir()):
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "[canceled]" in err and "Traceback" not in err
    assert files(tmp_path) == ["large.tif"]
