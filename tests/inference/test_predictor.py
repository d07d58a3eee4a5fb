"""What a predictor does beside its model: blank areas are nothing, and a GPU's batch follows its memory."""

from types import SimpleNamespace

import pytest
import torch

from rrsis_core.inference.devices import default_batch_size
from rrsis_core.inference.predictor import BLANK, blank


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
