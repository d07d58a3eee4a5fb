"""CroBIM's loss: cross-entropy and dice; the weights are unspecified and taken from RMSIN (models.md 1.c)."""

from dataclasses import dataclass

from torch import Tensor, nn

from rrsis_core.models.base import SegmentationOutput
from rrsis_core.models.layers import resize
from rrsis_core.models.losses import dice_loss, presence_loss, weighted_cross_entropy


@dataclass(frozen=True)
class CroBIMLossConfig:
    """Weights of the terms."""

    dice_weight: float = 0.1
    """Share of dice; cross-entropy has the rest."""
    class_weights: tuple[float, float] = (0.9, 1.1)
    """Of background and foreground in the cross-entropy."""
    dice_reduction: str = "mean"
    """mean, or sum over batch and classes as in RMSIN."""
    presence_weight: float = 0.0
    """Of presence_loss, which is added; the paper has no such term."""


class CroBIMCriterion(nn.Module):
    """(1 - w) * cross-entropy + w * dice, on logits resized to the masks' size, and what presence_loss adds."""

    def __init__(self, config: CroBIMLossConfig | None = None) -> None:
        super().__init__()
        self.config = config or CroBIMLossConfig()

    def forward(self, output: SegmentationOutput, masks: Tensor) -> dict[str, Tensor]:
        """Return the terms and their sum as "loss"; masks (B, H, W) hold 0, 1 and 255 for pixels that do not count."""
        logits = resize(output.logits.float(), masks.shape[-2:])
        entropy = weighted_cross_entropy(logits, masks, self.config.class_weights)
        dice = dice_loss(logits, masks, self.config.dice_reduction)
        weight = self.config.dice_weight
        terms = {"loss": (1 - weight) * entropy + weight * dice, "cross_entropy": entropy, "dice": dice}
        if self.config.presence_weight:
            terms["presence"] = presence_loss(logits[:, 1] - logits[:, 0], masks)
            terms["loss"] = terms["loss"] + self.config.presence_weight * terms["presence"]
        return terms
