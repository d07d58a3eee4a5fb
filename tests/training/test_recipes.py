"""Every recipe is parsed, built and stepped once; what people are told to run exists."""

import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rrsis_core.contract import ConfigError, NullProgress
from rrsis_core.engine.config import read_recipe
from rrsis_core.engine.logbook import read_log
from rrsis_core.engine.run import start
from rrsis_core.engine.trainer import fit, load, step
from rrsis_core.models import create_model
from rrsis_core.weights import vocabulary_path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "training/recipes"
RECIPES = sorted(FOLDER.rglob("*.toml"))
TRAINED = [path for path in RECIPES if path.parent != FOLDER and path.stem != "base"]
ABLATIONS = [path for path in RECIPES if path.parent.name == "ablation"]
BACKBONE = {"name": "convnext_atto"}
BERT = {"vocab_size": 2048, "hidden": 32, "layers": 4, "heads": 2, "intermediate": 32}
DECODER = {"layers": 1, "heads": 2}
# What makes any recipe small enough for a test, by architecture.
SMALL = {
    "crobim": {"dim": 32, "capm": {"heads": 2}, "lgfa": {"heads": 2}, "mid": DECODER},
    "btdnet": {"dim": 32, "bsc": {"dim": 16}, "mci": DECODER, "rec": {"dim": 32, "heads": 2}},
    "lavt": {"decoder_dim": 16, "cross_scale_dim": 32, "heads": 2},
}
SMALL["rmsin"] = SMALL["lavt"]


def named(path):
    return str(path.relative_to(FOLDER).with_suffix(""))


def small(config, root):
    """Return a recipe's config with all its switches, but with small sizes, on a miniature data set."""
    sizes = {"backbone": BACKBONE, "bert": BERT, "img_size": 64, **SMALL[config.preset.split("_")[0]]}
    switches = {key: value for key, value in config.model.items() if key not in ("backbone", "bert", "img_size", "dim")}
    both = {key: {**sizes[key], **switches[key]} for key in sizes.keys() & switches.keys()}
    data = replace(config.data, root=str(root), layout="auto", workers=0)
    without = dict.fromkeys(("pretrained_backbone", "pretrained_bert", "initial_encoders", "vocabulary"), "")
    model = {**switches, **sizes, **both}
    return replace(config, model=model, data=data, batch_size=2, mixed_precision="no", **without)


@pytest.fixture(scope="module")
def miniature(make, tmp_path_factory):
    return make.jsonlines(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("path", TRAINED, ids=named)
def test_a_recipe_makes_a_step(path, miniature, tmp_path):
    run = start(small(read_recipe(path), miniature), tmp_path, vocabulary_path())
    before = [value.clone() for value in run.bare.parameters()]
    numbers = step(run, next(load(run)))
    assert all(map(math.isfinite, numbers.values()))
    moved = [not torch.equal(*pair) for pair in zip(before, run.bare.parameters(), strict=True)]
    assert sum(moved) > len(moved) / 2


@pytest.mark.parametrize("path", [path for path in TRAINED if path.stem == "rrsisd"], ids=named)
def test_a_full_size_model_is_built(path):
    config = read_recipe(path)
    with torch.device("meta"):
        model = create_model(config.preset, **config.model)
    assert 200e6 < sum(parameter.numel() for parameter in model.parameters()) < 260e6
    assert config.pretrained_backbone and config.pretrained_bert and config.vocabulary


def test_a_recipe_is_found_from_the_name_of_its_weights():
    for path in TRAINED:
        config = read_recipe(path)
        assert path.relative_to(FOLDER).parts[0] == config.preset
        assert path.stem == config.tag


def test_both_models_have_recipes_for_all_sets_and_rows():
    found = {named(path) for path in TRAINED}
    for preset in ("crobim_swin_base_480", "crobim_convnext_base_480", "btdnet_swin_base_512"):
        assert {f"{preset}/{name}" for name in ("rrsisd", "refsegrs", "risbench")} <= found
    rows = {read_recipe(path).model.__repr__() + repr(read_recipe(path).loss) for path in ABLATIONS}
    assert len(rows) == len(ABLATIONS) - 1  # the backbone's start is no switch of the model: two rows are alike in it


def test_a_recipe_extends_one_other(tmp_path):
    (tmp_path / "first.toml").write_text('preset = "x"\n[data]\nworkers = 3\nroot = "a"\n')
    (tmp_path / "second.toml").write_text('extends = "first.toml"\n[data]\nroot = "b"\n')
    (tmp_path / "third.toml").write_text('extends = "second.toml"\n')
    config = read_recipe(tmp_path / "second.toml")
    assert (config.preset, config.data.workers, config.data.root) == ("x", 3, "b")
    with pytest.raises(ConfigError) as caught:
        read_recipe(tmp_path / "third.toml")
    assert caught.value.code == "config.recipe"


def test_what_the_documentation_names_is_there():
    text = (ROOT / "docs/training.md").read_text()
    named_paths = set(re.findall(r"training/[\w/]+\.(?:toml|sh|py|md)", text))
    assert len(named_paths) > 8
    assert [path for path in named_paths if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("path", sorted((ROOT / "training/launch").glob("*.sh")), ids=lambda path: path.name)
def test_a_launch_script_is_a_shell_script(path):
    subprocess.run(["bash", "-n", path], check=True)
    assert path.stat().st_mode & 0o100


def test_two_processes_train_one_run(make, tmp_path):
    """What several_gpus.sh starts, on a CPU: the same batches as one process sees, shared out."""
    root = make.jsonlines(tmp_path / "data")
    settings = ["epochs=1", "data.workers=0"]
    recipe = FOLDER / "crobim_convnext_pico_256/smoke.toml"
    one = read_recipe(recipe, [f'data.root="{root}"', *settings])
    fit(one, tmp_path / "one", vocabulary_path(), NullProgress())
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m", "rrsis_core"]
    command += ["train", recipe, "--data", root, "--out", tmp_path / "two", "-q"]
    command += [f"--set={setting}" for setting in settings]
    subprocess.run(command, check=True, env={**os.environ, "ACCELERATE_USE_CPU": "1"}, timeout=300)
    losses = [
        [line["loss"] for line in read_log(tmp_path / name / "log.jsonl") if "loss" in line] for name in ("one", "two")
    ]
    assert len(losses[0]) == 2
    assert losses[0] == pytest.approx(losses[1], rel=0.1)  # dropout is another one in each process
    assert (tmp_path / "two/best.safetensors").exists()
