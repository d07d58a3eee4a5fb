"""BTDNet's loss (eqs 10, 11, 13 and 14): two streams of cross-entropy and the reconstruction."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from rrsis_core.contract import ConfigError
from rrsis_core.models.base import SegmentationOutput
from rrsis_core.models.btdnet.object_learning import reconstruction_loss
from rrsis_core.models.layers import resize
from rrsis_core.models.losses import IGNORE, weighted_cross_entropy

MODES = ("softmax_ce", "dual_bce", "fg_bce")


@dataclass(frozen=True)
class BTDNetLossConfig:
    """Weights and readings."""

    mode: str = "softmax_ce"
    """softmax_ce: eq. 10 with a soft-max over {bg, fg}, G_bg = 1 - G_fg. dual_bce: independent sigmoids, the other
    self-consistent reading. fg_bce: the foreground alone, with mci.head=single (Table VII, rows 1 and 3: soft-max would
    have the trivial solution "everything foreground")."""
    lambda_fg: float = 0.6
    """Eq. 11 puts lambda on L_fg; section IV.B says 0.6 is the weight of L_bg. Eq. 11 is followed."""
    rec_weight: float = 0.1
    """eta of eq. 14."""
    rec_reduction: str = "mean"
    """mean over channels and valid tokens, or sum over channels as eq. 13 prints."""

    def __post_init__(self) -> None:
        """Refuse an unknown mode."""
        if self.mode not in MODES or self.rec_reduction not in ("mean", "sum"):
            raise ConfigError(
                f"The loss is '{self.mode}' with reduction '{self.rec_reduction}'.",
                code="config.loss",
                hint=f"Modes: {', '.join(MODES)}; reductions: mean, sum.",
            )


class BTDNetCriterion(nn.Module):
    """L = lambda L_fg + (1 - lambda) L_bg + eta L_re, on logits resized to the masks' size."""

    def __init__(self, config: BTDNetLossConfig | None = None) -> None:
        super().__init__()
        self.config = config or BTDNetLossConfig()

    def forward(self, output: SegmentationOutput, masks: Tensor) -> dict[str, Tensor]:
        """Return the terms and their sum as "loss"; masks (B, H, W) hold 0, 1 and 255 for pixels that do not count."""
        logits = resize(output.logits.float(), masks.shape[-2:])
        entropy = self.streams(logits, masks)
        terms = {"cross_entropy": entropy, "loss": entropy}
        if "rebuilt" in output.extras:
            extras = output.extras
            rebuilt = reconstruction_loss(
                extras["rebuilt"], extras["target"], extras["mask"], self.config.rec_reduction
            )
            terms |= {"reconstruction": rebuilt, "loss": entropy + self.config.rec_weight * rebuilt}
        return terms

    def streams(self, logits: Tensor, masks: Tensor) -> Tensor:
        """Equations 10 and 11 in the configured reading."""
        share = self.config.lambda_fg
        if self.config.mode == "softmax_ce":
            return weighted_cross_entropy(logits, masks, (1 - share, share))
        counts = masks != IGNORE
        truth = (masks == 1).to(logits.dtype)
        foreground = F.binary_cross_entropy_with_logits(logits[:, 1], truth, reduction="none")[counts].mean()
        if self.config.mode == "fg_bce":
            return foreground
        background = F.binary_cross_entropy_with_logits(logits[:, 0], 1 - truth, reduction="none")[counts].mean()
        return share * foreground + (1 - share) * background
