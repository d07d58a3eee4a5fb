"""Losses against golden values and their definitions."""

import math

import pytest
import torch

from rrsis_core.models.base import SegmentationOutput
from rrsis_core.models.crobim.criterion import CroBIMCriterion, CroBIMLossConfig
from rrsis_core.models.losses import IGNORE, dice_loss, presence_loss, weighted_cross_entropy

LOGITS = torch.tensor([[[[2.0, -1.0], [0.0, 1.0]], [[-1.0, 2.0], [0.5, -0.5]]]])
TARGET = torch.tensor([[[0, 1], [1, 0]]], dtype=torch.uint8)


def test_golden_values():
    """The value that RMSIN's own class gives (datasets_metrics.md section 3)."""
    terms = CroBIMCriterion(CroBIMLossConfig(dice_reduction="sum"))(SegmentationOutput(LOGITS, {}), TARGET)
    assert terms["loss"].item() == pytest.approx(0.2128035, abs=1e-6)
    assert terms["cross_entropy"].item() == pytest.approx(0.1999828, abs=1e-6)
    assert terms["dice"].item() == pytest.approx(0.3281898, abs=1e-6)


def test_mean_is_sum_over_images_and_classes():
    logits = torch.randn(3, 2, 4, 4)
    masks = torch.randint(0, 2, (3, 4, 4), dtype=torch.uint8)
    assert dice_loss(logits, masks, "sum").item() == pytest.approx(6 * dice_loss(logits, masks).item(), rel=1e-5)


def test_doubtful_pixels_do_not_count():
    masks = torch.randint(0, 2, (2, 4, 4), dtype=torch.uint8)
    masks[:, :2] = IGNORE
    first = torch.randn(2, 2, 4, 4)
    second = first.clone()
    second[:, :, :2] = torch.randn(2, 2, 2, 4)
    for loss in (dice_loss, lambda a, b: weighted_cross_entropy(a, b, (0.9, 1.1))):
        assert loss(first, masks).item() == pytest.approx(loss(second, masks).item(), abs=1e-6)


def test_logits_are_resized_to_the_masks():
    masks = torch.zeros(1, 8, 8, dtype=torch.uint8)
    assert CroBIMCriterion()(SegmentationOutput(torch.randn(1, 2, 2, 2), {}), masks)["loss"].isfinite()


def test_presence_is_judged_by_the_surest_pixels_of_maps_that_are_known():
    margins = torch.full((4, 10, 10), -3.0)
    margins[:, 0, :2] = torch.tensor([1.0, 2.0])
    masks = torch.zeros(4, 10, 10, dtype=torch.uint8)
    masks[1, 5:] = 1  # there
    masks[2, 0, 1] = IGNORE  # may be there
    masks[3, 0, :2], masks[3, 5] = IGNORE, 1  # there, and the surest pixels do not count
    found = presence_loss(margins, masks, share=0.02)
    terms = [math.log1p(math.exp(1.5)), math.log1p(math.exp(-1.5)), math.log1p(math.exp(3.0))]
    assert found.item() == pytest.approx(sum(terms) / 3, rel=1e-5)
    assert presence_loss(margins[2:3], masks[2:3]).item() == 0


def test_presence_is_added_with_its_weight():
    output = SegmentationOutput(LOGITS, {})
    plain, more = (CroBIMCriterion(CroBIMLossConfig(presence_weight=w))(output, TARGET) for w in (0.0, 0.3))
    assert "presence" not in plain
    assert more["loss"].item() == pytest.approx((plain["loss"] + 0.3 * more["presence"]).item(), rel=1e-6)
