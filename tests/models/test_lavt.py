"""LAVT and its descendants: the contract, and PWAM computed literally."""

import math

import pytest
import torch
from model_checks import ModelChecks, inputs
from test_crobim import TINY as CROBIM_TINY

from rrsis_core.contract import ConfigError
from rrsis_core.models import create_model
from rrsis_core.models.btdnet.comparators import PixelWordAttention, WordPixelAlignment

TINY = {
    "backbone": {"name": "convnext_atto", "drop_path": 0.0, "layer_scale": 0.1},
    "bert": {"vocab_size": 64, "hidden": 32, "layers": 2, "heads": 2, "intermediate": 48, "dropout": 0.0},
    "img_size": 64,
    "decoder_dim": 32,
    "cross_scale_dim": 32,
    "heads": 2,
}


# The gate of the last stage feeds a next stage that there is not, as in the papers.
LAST_GATE = ("fusions.3.gate.0.weight", "fusions.3.gate.2.weight")


class TestLAVT(ModelChecks):
    preset = "lavt_swin_base_480"
    tiny = TINY
    without_gradient = LAST_GATE


class TestLGCE(ModelChecks):
    preset = "lgce_swin_base_480"
    tiny = TINY
    without_gradient = LAST_GATE


class TestCARIS(ModelChecks):
    preset = "caris_swin_base_480"
    tiny = CROBIM_TINY


class TestRMSIN(ModelChecks):
    preset = "rmsin_swin_base_480"
    tiny = TINY
    fixed_size = True
    without_gradient = (
        *(f"fusions.3.language.gate.{index}.weight" for index in (0, 2)),
        *LAST_GATE,
        "words.weight",
        "words.bias",  # CIM looks at pixels alone
        *(f"fusions.3.branches.{index}.{kind}" for index in (0, 1) for kind in ("weight", "bias")),
    )


def test_rmsin_like_refuses_another_size():
    model = create_model("rmsin_swin_base_480", **TINY).eval()
    with pytest.raises(ConfigError) as caught:
        model(*inputs(96))
    assert caught.value.code == "config.img_size"


def linear(layer, vector):
    return layer.weight.flatten(1) @ vector + layer.bias


def instance_norm(rows):
    return (rows - rows.mean(0)) / torch.sqrt(rows.var(0, correction=0) + 1e-5)


def test_pwam_equations():
    """LAVT eqs 1 to 5, pixel by pixel."""
    torch.manual_seed(0)
    module = PixelWordAttention(6, 10).double()
    x, text = torch.rand(1, 6, 3, 3).double(), torch.rand(1, 4, 10).double()
    mask = torch.tensor([[True, True, True, False]])
    pixels = x[0].flatten(1).T
    queries = instance_norm(torch.stack([linear(module.query[0], p) for p in pixels]))
    keys = torch.stack([linear(module.key, w) for w in text[0][:3]])
    values = torch.stack([linear(module.value, w) for w in text[0][:3]])
    read = torch.stack([(q @ keys.T / math.sqrt(6)).softmax(0) @ values for q in queries])
    spread = instance_norm(torch.stack([linear(module.spread[0], r) for r in read]))
    visual = torch.stack([linear(module.visual[0], p).relu() for p in pixels])
    fused = torch.stack([linear(module.out[0], row).relu() for row in visual * spread])
    torch.testing.assert_close(module.fused(x, text, mask)[0].flatten(1).T, fused)
    hidden = (fused @ module.gate[0].weight.flatten(1).T).relu() @ module.gate[2].weight.flatten(1).T
    expected = pixels + torch.tanh(hidden) * fused
    torch.testing.assert_close(module(x, text, mask)[0][0].flatten(1).T, expected)


def test_wpa_updates_both_in_parallel():
    torch.manual_seed(0)
    module = WordPixelAlignment(6, 10, 8).double()
    x, text = torch.rand(1, 6, 2, 2).double(), torch.rand(1, 3, 10).double()
    mask = torch.tensor([[True, True, False]])
    pixels, words = x[0].flatten(1).T, text[0]
    p = torch.stack([linear(module.pixels, v) for v in pixels])
    w = torch.stack([linear(module.words, v) for v in words])
    scores = p @ w.T / math.sqrt(8)
    seen = scores.masked_fill(~mask, -math.inf).softmax(1) @ words
    read = scores.T.softmax(1) @ pixels
    new_x, new_text = module(x, text, mask)
    torch.testing.assert_close(new_x[0].flatten(1).T, pixels + module.to_pixels(seen))
    torch.testing.assert_close(new_text[0], words + mask[0][:, None] * module.to_words(read))
