"""The loop: it learns, and a stopped run goes on as if nothing had happened (a killed one: see test_data_sets.py)."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from rrsis_core.contract import ConfigError, InferenceError, NullProgress, OperationCanceled
from rrsis_core.contract.plain import from_plain
from rrsis_core.data.scenes import Scene, object_from_mask, write_scene
from rrsis_core.engine.config import OptimConfig, TrainConfig, read_recipe
from rrsis_core.engine.optim import parameter_groups, poly_schedule
from rrsis_core.engine.trainer import fit
from rrsis_core.models import create_model
from rrsis_core.weights import vocabulary_path

TINY = {
    "backbone": {"name": "convnext_atto", "drop_path": 0.1},
    "bert": {"hidden": 32, "layers": 1, "heads": 2, "intermediate": 32},
    "dim": 32,
    "img_size": 64,
    "capm": {"heads": 2},
    "lgfa": {"heads": 2},
    "mid": {"layers": 1, "heads": 2},
}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    rng = np.random.default_rng(0)
    for number in range(3):
        image = rng.integers(90, 120, (80, 80, 3)).astype(np.uint8)
        mask = np.zeros((80, 80), bool)
        mask[20:60, 10 * number + 10 : 10 * number + 40] = True
        image[mask] = (200, 40, 40)
        item = object_from_mask("building", "red", mask)
        write_scene(Scene(image, (item,), None, frozenset(["building"]), name=str(number)), folder / f"{number}.scene")
    return folder


def config(scenes, **changes):
    data = {
        "preset": "crobim_convnext_pico_256",
        "model": TINY,
        "epochs": 2,
        "batch_size": 2,
        "mixed_precision": "no",
        "optim": {"lr": 1e-3, "encoder_lr": 1e-3, "ema": 0.9},
        "data": {
            "train": {str(scenes): 1.0},
            "validation": {str(scenes): 1.0},
            "samples_per_epoch": 8,
            "validation_samples": 4,
            "workers": 1,
            "chips": {"size": 64},
        },
    }
    return from_plain(TrainConfig, {**data, **changes})


def losses(folder):
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [(line["iteration"], line["loss"]) for line in lines if "loss" in line]


class StopAfter(NullProgress):
    def __init__(self, iterations):
        self.left = iterations

    def is_canceled(self):
        self.left -= 1
        return self.left < 0


def test_a_stopped_run_goes_on_bit_for_bit(scenes, tmp_path):
    whole = fit(config(scenes), tmp_path / "whole", vocabulary_path(), NullProgress())
    with pytest.raises(OperationCanceled):
        fit(config(scenes), tmp_path / "parts", vocabulary_path(), StopAfter(6))
    parts = fit(config(scenes), tmp_path / "parts", vocabulary_path(), NullProgress())
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    first, second = load_file(whole), load_file(parts)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_of_another_model_is_not_gone_on_with(scenes, tmp_path):
    with pytest.raises(OperationCanceled):
        fit(config(scenes), tmp_path, vocabulary_path(), StopAfter(1))
    with pytest.raises(ConfigError) as caught:
        fit(config(scenes, model={**TINY, "dim": 16}), tmp_path, vocabulary_path(), NullProgress())
    assert caught.value.code == "config.run"


def test_batches_that_cannot_be_shared_out_are_refused(scenes, tmp_path):
    for changes in ({"batch_size": 3, "accumulation": 2}, {"batch_size": 9}):
        with pytest.raises(ConfigError) as caught:
            fit(config(scenes, **changes), tmp_path, vocabulary_path(), NullProgress())
        assert caught.value.code == "config.batch_size"


def test_parts_of_a_batch_make_the_same_update(scenes, tmp_path):
    still = {**TINY, "backbone": {"name": "convnext_atto", "drop_path": 0.0}}
    for parts in (1, 2):
        run = config(scenes, model=still, accumulation=parts, epochs=1, loss={"dice_weight": 0.0})
        fit(run, tmp_path / str(parts), vocabulary_path(), NullProgress())
    first, second = (dict(losses(tmp_path / str(parts))) for parts in (1, 2))
    assert list(first) == list(second)
    assert first[1] == pytest.approx(second[1], rel=0.05)  # the weighted mean is taken a part
    assert first[4] == pytest.approx(second[4], rel=0.1)


def test_it_learns(scenes, tmp_path):
    run = config(scenes, epochs=6, optim={"lr": 2e-3, "encoder_lr": 2e-3, "ema": 0.0})
    fit(run, tmp_path / "run", vocabulary_path(), NullProgress())
    values = [loss for _, loss in losses(tmp_path / "run")]
    assert np.mean(values[-6:]) < 0.8 * np.mean(values[:6])


def test_a_loss_that_is_no_number_stops_the_run_and_saves_the_batch(scenes, tmp_path):
    run = config(scenes, optim={"lr": 1e30, "encoder_lr": 1e30, "clip": 1e30, "warmup": 0})
    with pytest.raises(InferenceError) as caught:
        fit(run, tmp_path / "run", vocabulary_path(), NullProgress())
    assert caught.value.code == "inference.not_finite"
    assert load_file(tmp_path / "run/not_finite.safetensors")["images"].shape == (2, 3, 64, 64)


def test_the_schedule_warms_up_and_decays_to_zero():
    parameter = torch.nn.Parameter(torch.zeros(1))
    config = OptimConfig(warmup=10)
    optimizer = torch.optim.AdamW([parameter], lr=1.0)
    schedule = poly_schedule(optimizer, 200, config)
    rates = []
    for _ in range(200):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates[0] == pytest.approx(1e-3)
    assert rates[10] == pytest.approx((1 - 10 / 200) ** 0.9)
    assert rates[100] == pytest.approx(0.5**0.9)
    assert schedule.get_last_lr()[0] == 0
    resumed = poly_schedule(torch.optim.AdamW([parameter], lr=1.0), 200, config, done=100)
    assert resumed.get_last_lr()[0] == pytest.approx(rates[100])


def test_parameter_groups_cover_all_and_spare_norms():
    model = create_model("crobim_convnext_pico_256", **TINY)
    groups = parameter_groups(model, OptimConfig())
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))
    by_id = {id(p): group for group in groups for p in group["params"]}
    assert by_id[id(model.visual.norms[0].weight)]["weight_decay"] == 0
    assert by_id[id(model.capm.prompts)]["weight_decay"] == 0
    stem = by_id[id(model.visual.stem[0].weight)]
    assert (stem["lr"], stem["weight_decay"]) == (1e-5, 1e-2)
    assert by_id[id(model.mid.fuse[0].weight)]["lr"] == 1e-4


def test_recipes_are_read_with_overrides(tmp_path):
    recipe = tmp_path / "r.toml"
    recipe.write_text('preset = "crobim_convnext_pico_256"\n[optim]\nlr = 1e-3\n')
    run = read_recipe(recipe, ["optim.lr=3e-5", "tag=mine", "data.train={a = 1}"])
    assert (run.optim.lr, run.tag, run.data.train) == (3e-5, "mine", {"a": 1})
    for text, code in (("lr =", "config.recipe"), ('preset = "x"\nepoch = 3', "config.unknown_key")):
        recipe.write_text(text)
        with pytest.raises(ConfigError) as caught:
            read_recipe(recipe)
        assert caught.value.code == code
    with pytest.raises(ConfigError):
        read_recipe(tmp_path / "none.toml")
