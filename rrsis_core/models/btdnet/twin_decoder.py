"""T-BTD, the target-background twin-stream decoder: MCI and the learnable Fg-Bg predictor (BTDNet eqs 5 to 9).

MCI is the shared mask decoder (mask_decoder.py). Here is what feeds its second stream: background tokens that start
from the masked text, in which the object words are hidden (models.md 2.b.5):

    bg0  = concat_r AdaptiveAvgPool1d_r(m_m L_m),  sum r = B tokens     (eq. 8)
    L_m* = LN(MLP(bg0) + Delta),                   Delta learnable
"""

import torch
from torch import Tensor, nn

from rrsis_core.models.btdnet.config import POOL_SIZES, BackgroundConfig
from rrsis_core.models.layers import MLP


class BackgroundTokens(nn.Module):
    """Masked text (B, N, hidden) -> background tokens L_m* (B, tokens, dim)."""

    def __init__(self, hidden: int, dim: int, config: BackgroundConfig) -> None:
        super().__init__()
        self.config = config
        self.delta = nn.Parameter(torch.empty(config.tokens, dim))
        nn.init.normal_(self.delta, std=0.02)
        self.prior = nn.Sequential(nn.Linear(hidden, dim), nn.ReLU(), *MLP(dim, 1)) if config.prior else None
        self.norm = nn.LayerNorm(dim)

    def pool(self, masked: Tensor, mask: Tensor, length: Tensor) -> Tensor:
        """Equation 8: average the masked text in bins of every size: (B, tokens, hidden).

        mask (B, N) is the masked text's attention mask; hidden words are zeros in their bins. With `pool_valid_only`
        the bins divide the first `length` (B,) positions, those of the unmasked text, instead of all N: padding then
        changes nothing.
        """
        masked = masked * mask[:, :, None].to(masked.dtype)
        count = masked.shape[1]
        if not self.config.pool_valid_only:
            length = torch.full_like(length, count)
        position = torch.arange(count, device=masked.device)
        pooled = []
        for size in POOL_SIZES[self.config.tokens]:
            bins = torch.arange(size, device=masked.device)
            # The bounds of AdaptiveAvgPool1d: floor(i L / s) to ceil((i + 1) L / s).
            start = (bins * length[:, None]) // size
            stop = -((-(bins + 1) * length[:, None]) // size)
            inside = (position >= start[:, :, None]) & (position < stop[:, :, None])
            weights = inside.to(masked.dtype)
            pooled.append(weights @ masked / weights.sum(dim=-1, keepdim=True).clamp(min=1))
        return torch.cat(pooled, dim=1)

    def forward(self, masked: Tensor, mask: Tensor, length: Tensor) -> Tensor:
        """Return L_m*; without prior knowledge it is Delta alone (Table VI, row 4)."""
        if self.prior is None:
            return self.norm(self.delta.expand(masked.shape[0], -1, -1))
        return self.norm(self.prior(self.pool(masked, mask, length)) + self.delta)
