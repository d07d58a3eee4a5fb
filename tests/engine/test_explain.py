"""Views of attention: they are the weights that the modules use, and every model is drawn."""

import numpy as np
import pytest
import torch
from PIL import Image

from rrsis_core.engine.explain import attention, draw_explanation, explain
from rrsis_core.models import create_model
from rrsis_core.models.layers import Attention
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path

SMALL = {
    "backbone": {"name": "convnext_atto"},
    "bert": {"hidden": 32, "layers": 4, "heads": 2, "intermediate": 32},
    "dim": 32,
    "img_size": 64,
}
DECODER = {"layers": 2, "heads": 2}
MODELS = {
    "crobim": {"capm": {"heads": 2}, "lgfa": {"heads": 2}, "mid": DECODER},
    "btdnet": {"bsc": {"dim": 16}, "mci": DECODER, "rec": {"dim": 32, "heads": 2}},
}


def build(name, **changes):
    torch.manual_seed(0)
    return create_model(f"{name}_convnext_pico_256", **{**SMALL, **MODELS[name], **changes})


def explained(model):
    image = np.random.default_rng(0).integers(0, 255, (90, 120, 3)).astype(np.uint8)
    return explain(model, ExpressionTokenizer(vocabulary_path()), image, "the red roof")


def test_crobim(tmp_path):
    explanation = explained(build("crobim"))
    prompts, relevance, decoder = explanation.views
    assert len(prompts.maps) == 4
    assert sum(x.sum() for x in prompts.maps) == pytest.approx(1, abs=1e-5)
    assert [x.shape for x in relevance.maps] == [(16, 16), (8, 8), (4, 4), (2, 2), (16, 16)]
    assert relevance.captions[-1] == "compensated"
    assert decoder.captions == ("[CLS]", "the", "red", "roof", "[SEP]")
    draw_explanation(explanation, "the red roof", tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.height > 4 * 200  # the answer and three views


def test_btdnet(tmp_path):
    explanation = explained(build("btdnet"))
    titles = [view.title for view in explanation.views]
    assert len(titles) == 9 and titles[-1].startswith("Decoder")
    taken, looks = explanation.views[:2]
    assert np.sum(taken.maps, axis=0) == pytest.approx(np.ones((16, 16)), abs=1e-5)  # a soft-max over words
    assert [x.sum() for x in looks.maps] == pytest.approx([1] * 5, abs=1e-5)  # a soft-max over pixels
    draw_explanation(explanation, "the red roof", tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 10_000


def test_parts_that_are_switched_off_have_no_view():
    without = explained(build("crobim", lgfa={"enabled": False, "heads": 2}, capm={"enabled": False, "heads": 2}))
    assert [view.title.split(",")[0] for view in without.views] == ["Decoder"]
    one_way = explained(build("btdnet", bsc={"dim": 16, "direction": "vision_only"}))
    assert len(one_way.views) == 5


def test_the_answer_is_that_of_the_model():
    model = build("crobim")
    explanation = explained(model)
    assert explanation.image.shape == (64, 64, 3)
    assert np.array_equal(explanation.mask, explanation.probability > 0.5)
    assert not any(module._forward_hooks for module in model.modules())


def test_weights_are_those_that_the_module_uses():
    torch.manual_seed(0)
    module = Attention(16, 1)
    query, key = torch.randn(1, 3, 16), torch.randn(1, 5, 16)
    mask = torch.tensor([[True, True, True, False, True]])
    weights = attention(module, query, key, mask)
    assert weights[0, :, 3].abs().max() == 0
    expected = module(query, key, key, mask)
    assert torch.allclose(module.out(weights @ module.value(key)), expected, atol=1e-5)
