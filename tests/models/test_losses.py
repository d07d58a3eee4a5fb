"""Losses against golden values and their definitions."""

import pytest
import torch

from rrsis_core.models.base import SegmentationOutput
from rrsis_core.models.crobim.criterion import CroBIMCriterion, CroBIMLossConfig
from rrsis_core.models.losses import IGNORE, dice_loss, weighted_cross_entropy

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
