"""What a predictor does beside its model: blank areas are nothing, and a GPU's batch follows its memory."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rrsis_core.inference.devices import default_batch_size, half_is_faster
from rrsis_core.inference.edges import onto_edges
from rrsis_core.inference.predictor import BLANK, Predictor, blank
from rrsis_core.models import create_model
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path
from rrsis_core.weights.card import Card


def test_large_white_or_black_areas_are_blank_and_roofs_are_not():
    chips = torch.rand(1, 3, 120, 160) * 0.8 + 0.1
    chips[:, :, :, :50] = 1.0
    chips[:, :, 60:100, 100:140] = 0.0
    chips[:, :, 10:40, 80 : 80 + BLANK - 1] = 1.0  # a white roof, a pixel narrower than what counts
    expected = torch.zeros(1, 120, 160, dtype=torch.bool)
    expected[:, :, :50] = True
    expected[:, 60:100, 100:140] = True
    assert torch.equal(blank(chips), expected)


def test_one_colour_is_not_blank():
    chips = torch.zeros(1, 3, 80, 80)
    chips[:, 2] = 1.0  # blue
    assert not blank(chips).any()


@pytest.mark.parametrize(("gib", "tiles"), [(0.5, 1), (6, 6), (80, 32)])
def test_the_batch_of_a_gpu_follows_its_memory(monkeypatch, gib, tiles):
    described = SimpleNamespace(total_memory=int(gib * 2**30))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: described)
    assert default_batch_size(torch.device("cuda")) == tiles


@pytest.mark.parametrize(
    ("device", "able", "half"),
    [
        ("cpu", {"avx512_bf16": True}, True),
        ("cpu", {"avx2": True, "avx512_bf16": False}, False),
        ("cpu", None, False),
        ("cuda", {}, True),
        ("mps", {"avx512_bf16": True}, False),
    ],
)
def test_half_precision_is_for_devices_that_have_it(monkeypatch, device, able, half):
    if able is None:  # an older torch
        monkeypatch.delattr(torch.cpu, "get_capabilities")
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert half_is_faster(torch.device(device)) is half


def test_a_tile_without_a_sure_pixel_shows_nothing():
    model = create_model("lavt_convnext_pico_256", backbone={"name": "convnext_atto"}, decoder_dim=16)
    tokenizer = ExpressionTokenizer(vocabulary_path())
    chips = np.random.default_rng(0).random((2, 3, 64, 64), np.float32)
    plain = Predictor(model, Card("lavt_convnext_pico_256"), tokenizer, torch.device("cpu"))
    answers = plain(chips, ["the roofs", "the river"])
    peaks = answers.max(axis=(2, 3))
    strict = Card("lavt_convnext_pico_256", threshold=0.2, least_peak=float(np.median(peaks)))
    predictor = Predictor(model, strict, tokenizer, torch.device("cpu"))
    kept = peaks >= strict.least_peak
    assert 0 < kept.sum() < kept.size
    np.testing.assert_array_equal(predictor(chips, ["the roofs", "the river"]), answers * kept[:, :, None, None])
    assert predictor.threshold == 0.2


def test_answers_are_drawn_onto_edges_where_the_card_says_so():
    model = create_model("lavt_convnext_pico_256", backbone={"name": "convnext_atto"}, decoder_dim=16)
    tokenizer = ExpressionTokenizer(vocabulary_path())
    chips = np.random.default_rng(0).random((2, 3, 64, 80), np.float32)
    said, device = ["the roofs", "the river", "the trees"], torch.device("cpu")
    plain = Predictor(model, Card("lavt_convnext_pico_256"), tokenizer, device)(chips, said)
    peaks = np.sort(plain.max(axis=(0, 2, 3)))
    card = Card("lavt_convnext_pico_256", edge_radius=3, least_peak=float(peaks[:2].mean()))
    drawn = Predictor(model, card, tokenizer, device)(chips, said)
    expected = torch.sigmoid(onto_edges(torch.from_numpy(chips), torch.logit(torch.from_numpy(plain)), 3)).numpy()
    shown = plain.max(axis=(2, 3), keepdims=True) >= card.least_peak
    assert 0 < shown.sum() < shown.size
    np.testing.assert_allclose(drawn, expected * shown, atol=1e-4)
    assert np.abs(drawn - plain * shown).max() > 1e-3


def test_a_second_look_is_a_share_of_the_logits_at_twice_the_size():
    model = create_model("lavt_convnext_pico_256", backbone={"name": "convnext_atto"}, decoder_dim=16)
    tokenizer = ExpressionTokenizer(vocabulary_path())
    chips = np.random.default_rng(0).random((2, 3, 64, 80), np.float32)
    said, device = ["the roofs", "the river"], torch.device("cpu")
    predictor = Predictor(model, Card("lavt_convnext_pico_256", second_look=0.3), tokenizer, device)
    once, twice = predictor(chips, said), predictor(chips, said, looks=2)
    larger = torch.nn.functional.interpolate(torch.from_numpy(chips), (128, 160), mode="bicubic").clamp(0, 1)
    closer = torch.logit(torch.from_numpy(predictor(larger.numpy(), said))).numpy()
    expected = np.zeros_like(once)
    for row in range(64):
        for column in range(80):
            four = closer[..., 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean(axis=(2, 3))
            first = np.log(once[..., row, column] / (1 - once[..., row, column]))
            expected[..., row, column] = 1 / (1 + np.exp(-0.7 * first - 0.3 * four))
    np.testing.assert_allclose(twice, expected, atol=1e-5)
    assert np.abs(twice - once).max() > 1e-3
