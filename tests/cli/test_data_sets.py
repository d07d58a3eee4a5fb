"""Every public data set goes all the way, as a person takes it: check, train, kill -9, go on, evaluate, report."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas
import pytest
import shapely
import torch
from PIL import Image
from safetensors.torch import load_file

from rrsis_core.cli.train import StoppableProgress

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "training/recipes"
# Data set -> smoke recipe, records a split, and what of the data set the page must show.
SETS = {
    "rrsisd": ("crobim_convnext_pico_256", (6, 2, 3), "The white ship on the bottom"),
    "refsegrs": ("btdnet_convnext_pico_256", (5, 2, 3), "light-duty vehicle"),
    "risbench": ("crobim_convnext_pico_256", (4, 2, 3), "of the harbor near the bridge"),
}


def killed(arguments, run):
    """Start a training in a process of its own and kill it, children and all, once it has saved a state."""
    command = [sys.executable, "-m", "rrsis_core", *map(str, arguments)]
    # The last bits depend on the number of threads, and a test before this one may have changed ours.
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    process = subprocess.Popen(
        command, start_new_session=True, stderr=subprocess.DEVNULL, env={**os.environ, **threads}
    )
    while not (run / "state/record.json").exists():
        assert process.poll() is None, "the training ended before it could be killed"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def losses(run):
    lines = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return [(line["iteration"], line["loss"]) for line in lines if "loss" in line]


@pytest.mark.parametrize("name", SETS)
def test_a_data_set_goes_all_the_way(name, make, rrsis, tmp_path):
    preset, counts, shown = SETS[name]
    root, run, sheet = getattr(make, name)(tmp_path / "data"), tmp_path / "run", tmp_path / "sheet.png"
    report = rrsis("data", "check", root, "--sheet", sheet, "--json").json
    assert report["ok"] and report["name"] == name
    assert tuple(report["splits"][split]["records"] for split in ("train", "val", "test")) == counts
    assert size_of(sheet)[0] > 1000

    train = ["train", RECIPES / preset / "smoke.toml", "--data", root, "--out"]
    killed([*train, run, "-q"], run)
    steps = counts[0] // 2 * 2
    assert 1 <= json.loads((run / "state/record.json").read_text())["iteration"] < steps
    assert rrsis(*train, run, "--json").json["ok"]
    assert [iteration for iteration, _ in losses(run)] == list(range(1, steps + 1))
    assert size_of(run / "curves.png")[0] > 1000
    if name == "rrsisd":  # what one data set shows holds for the loop
        whole = tmp_path / "whole"
        assert rrsis(*train, whole, "--json").code == 0
        assert losses(run) == losses(whole)
        first, second = (load_file(folder / "last.safetensors") for folder in (run, whole))
        assert all(torch.equal(first[key], second[key]) for key in first)

    out = tmp_path / "scored"
    options = ["--weights", run / "best.safetensors", "--data", root, "--workers", 0, "--out", out]
    scored = rrsis("evaluate", *options, "--json").json
    assert scored["scores"]["lavt"]["n"] == counts[2]
    assert json.loads((out / "scores.json").read_text())["scores"] == scored["scores"]
    assert len((out / "samples.csv").read_text().splitlines()) == counts[2] + 1
    assert shown in (out / "report.html").read_text()


def test_a_damaged_data_set_is_refused_with_names(make, rrsis, tmp_path):
    root = make.rrsisd(tmp_path / "data", broken=True)
    checked = rrsis("data", "check", root, "--sheet", tmp_path / "sheet.png")
    assert checked.code == 1
    assert "00005.jpg" in checked.out and "00006.jpg" in checked.out
    refused = rrsis("train", RECIPES / "crobim_convnext_pico_256/smoke.toml", "--data", root, "--json")
    assert refused.json["code"] == "data.missing"
    assert refused.code == 3


def test_evaluate_prints_the_papers_table(make, rrsis, tiny_weights, tmp_path):
    root = make.rrsisd(tmp_path / "data")
    options = ["--weights", tiny_weights, "--data", root, "--workers", 0, "--limit", 1, "--out", tmp_path / "out"]
    lines = rrsis("evaluate", *options).out.splitlines()
    assert lines[0].split() == ["method", "P@0.5", "P@0.6", "P@0.7", "P@0.8", "P@0.9", "oIoU", "mIoU"]
    assert next(line for line in lines if line.startswith("BTDNet")).split()[-2:] == ["79.23", "66.04"]
    assert [line.split()[1] for line in lines if line.startswith("tiny")] == ["@256", "@original"]


def test_explain_draws_and_names_its_views(rrsis, scene, tiny_weights, tmp_path):
    target = tmp_path / "explain.png"
    told = rrsis("explain", scene, "the blue roofs", "--weights", tiny_weights, "-o", target, "--json").json
    assert [title.split(":")[0] for title in told["views"]] == ["CAPM", "LGFA", "Decoder, last layer"]
    assert 0 <= told["answer_share"] <= 1
    assert size_of(target)[1] > 700


def test_make_writes_a_data_set_that_check_reads(rrsis, scene, tmp_path):
    outlines = [shapely.box(500000 + x, 3059960, 500006 + x, 3059995) for x in (2, 12, 22, 32, 42)]
    table = geopandas.GeoDataFrame({"what": ["the huts"] * 5}, geometry=outlines, crs="EPSG:32645")
    table.to_file(tmp_path / "huts.gpkg")
    options = ["--phrase-column", "what", "--tile", "40", "--empty", "0", "-o", tmp_path / "mine", "--json"]
    made = rrsis("data", "make", scene, tmp_path / "huts.gpkg", *options).json
    assert sum(made["records"].values()) == 6 and min(made["records"].values()) >= 1
    report = rrsis("data", "check", tmp_path / "mine", "--sheet", tmp_path / "sheet.png", "--json").json
    assert report["ok"] and report["name"] == "mine"
    assert report["splits"]["train"]["categories"] == {"the huts": made["records"]["train"]}


def test_a_signal_stops_a_training_after_its_iteration():
    before = signal.getsignal(signal.SIGTERM)
    progress = StoppableProgress(quiet=True)
    progress.close()  # as a new stage of the bar does
    assert not progress.is_canceled()
    signal.raise_signal(signal.SIGTERM)
    assert progress.is_canceled()
    progress.release()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_stopped_training_says_that_it_goes_on(make, rrsis, tmp_path, monkeypatch):
    monkeypatch.setattr(StoppableProgress, "is_canceled", lambda self: True)
    smoke, run = RECIPES / "crobim_convnext_pico_256/smoke.toml", tmp_path / "run"
    stopped = rrsis("train", smoke, "--data", make.jsonlines(tmp_path / "data"), "--out", run, "-q")
    assert stopped.code == 130 and "goes on from here" in stopped.err
    assert json.loads((run / "state/record.json").read_text())["iteration"] == 0


def test_train_says_what_is_missing(rrsis, tmp_path):
    recipe = RECIPES / "btdnet_swin_base_512/rrsisd.toml"
    assert rrsis("train", recipe, "--data", tmp_path / "none", "--json").json["code"] == "weights.not_found"
    smoke = RECIPES / "btdnet_convnext_pico_256/smoke.toml"
    assert rrsis("train", smoke, "--data", tmp_path / "none", "--json").json["code"] == "data.not_found"
    assert rrsis("train", smoke, "--json").json["code"] == "config.data"
