"""Checkpoints: what is refused, and by which code."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from test_crobim import TINY

from rrsis_core.contract import ConfigError, WeightsError
from rrsis_core.models import create_model, list_presets, load_model, read_card, save_weights
from rrsis_core.models.loading import Card

PRESET = "crobim_convnext_pico_256"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_weights(create_model(PRESET, **TINY), path, Card(PRESET, name=f"{PRESET}.test", gsd=0.3, tile=64))
    return path


def rewritten(source, target, tensors=None, **changes):
    """Copy a checkpoint with other tensors or header entries."""
    with safe_open(source, framework="pt") as file:
        header = dict(file.metadata())
    header.update(changes)
    save_file(load_file(source) if tensors is None else tensors, target, metadata=header)
    return target


def code_of(path, preset=None):
    with pytest.raises(WeightsError) as caught:
        load_model(path, preset)
    assert caught.value.hint
    return caught.value.code


def test_the_card_is_read_without_the_weights(checkpoint):
    card = read_card(checkpoint)
    assert (card.preset, card.gsd, card.tile) == (PRESET, 0.3, 64)


def test_missing_weights(tmp_path):
    assert code_of(tmp_path / "none.safetensors") == "weights.not_found"


def test_truncated_weights(checkpoint, tmp_path):
    for keep in (4, 2000, -100):
        cut = tmp_path / "cut.safetensors"
        cut.write_bytes(checkpoint.read_bytes()[:keep])
        assert code_of(cut) == "weights.corrupt"


def test_a_file_that_is_no_checkpoint(checkpoint, tmp_path):
    (tmp_path / "a.safetensors").write_text("hello")
    assert code_of(tmp_path / "a.safetensors") == "weights.corrupt"
    save_file({"x": torch.zeros(1)}, tmp_path / "b.safetensors")
    assert code_of(tmp_path / "b.safetensors") == "weights.corrupt"


def test_weights_of_another_preset(checkpoint, tmp_path):
    assert code_of(checkpoint, "crobim_swin_base_480") == "weights.preset"
    unknown = rewritten(checkpoint, tmp_path / "c.safetensors", card=json.dumps({"preset": "other_net_9"}))
    assert code_of(unknown) == "weights.preset"
    odd = rewritten(checkpoint, tmp_path / "d.safetensors", config=json.dumps({"nonsense": 1}))
    assert code_of(odd) == "weights.preset"


def test_missing_extra_and_misshapen_tensors_are_named(checkpoint, tmp_path):
    tensors = load_file(checkpoint)
    gone = {name: value for name, value in tensors.items() if name != "lgfa.beta"}
    extra = tensors | {"lgfa.gamma": torch.zeros(1)}
    bent = tensors | {"lgfa.scale_weights": torch.zeros(9)}
    for changed, name in ((gone, "lgfa.beta"), (extra, "lgfa.gamma"), (bent, "lgfa.scale_weights")):
        path = rewritten(checkpoint, tmp_path / "e.safetensors", changed)
        with pytest.raises(WeightsError) as caught:
            load_model(path)
        assert caught.value.code == "weights.keys"
        assert name in caught.value.message


def test_half_precision_halves_the_file_and_little_else(tmp_path):
    torch.manual_seed(0)
    model = create_model(PRESET, **TINY).eval()
    save_weights(model, tmp_path / "full.safetensors", Card(PRESET))
    save_weights(model, tmp_path / "half.safetensors", Card(PRESET), half=True)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * (tmp_path / "full.safetensors").stat().st_size
    loaded, _ = load_model(tmp_path / "half.safetensors")
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    images, ids = torch.rand(1, 3, 64, 64), torch.randint(5, 60, (1, 6))
    mask = torch.ones(1, 6, dtype=torch.bool)
    torch.testing.assert_close(loaded(images, ids, mask).logits, model(images, ids, mask).logits, atol=0.05, rtol=0)


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ConfigError) as caught:
        create_model("crobim_convnext_pico_25")
    assert caught.value.code == "config.preset"
    assert PRESET in caught.value.hint
    assert PRESET in list_presets()
