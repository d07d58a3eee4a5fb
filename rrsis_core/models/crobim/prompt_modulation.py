"""CAPM, context-aware prompt modulation: learnable prompts that have looked at the image (models.md 1.b.2).

Topology from the official figure: multi-scale features, "Pooling & Concat", vision-to-language interaction with a
learnable prompt as query. The inner form is ours, close to CARIS:

    F_i   = concat_g Pool_{g x g}(V_i)
    F_c   = concat_i Linear_i(F_i)
    P_hat = LN(P + MHA(q=P, k=F_c, v=F_c))
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rrsis_core.models.crobim.config import CapmConfig
from rrsis_core.models.layers import Attention


class PromptModulation(nn.Module):
    """Maps (B, C_i, H_i, W_i) -> prompts (B, Np, hidden)."""

    def __init__(self, channels: list[int], hidden: int, config: CapmConfig) -> None:
        super().__init__()
        self.config = config
        used = channels if config.scales == "all" else channels[-1:]
        self.projections = nn.ModuleList(nn.Linear(width, hidden) for width in used)
        self.prompts = nn.Parameter(torch.empty(config.num_prompts, hidden))
        nn.init.normal_(self.prompts, std=0.02)
        self.attention = Attention(hidden, config.heads) if config.interaction == "cross_attn" else None
        self.norm = nn.LayerNorm(hidden)

    def context(self, maps: list[Tensor]) -> Tensor:
        """Pool every used scale and project it: F_c (B, tokens, hidden)."""
        used = maps if self.config.scales == "all" else maps[-1:]
        tokens = [
            projection(torch.cat([self._pool(x, grid) for grid in self.config.grids], dim=1))
            for projection, x in zip(self.projections, used, strict=True)
        ]
        return torch.cat(tokens, dim=1)

    def _pool(self, x: Tensor, grid: int) -> Tensor:
        if self.config.pool == "adaptive_avg":
            pooled = F.adaptive_avg_pool2d(x, grid)
        else:
            kernel = (x.shape[-2] // grid, x.shape[-1] // grid)
            pool = F.avg_pool2d if self.config.pool == "avg" else F.max_pool2d
            pooled = pool(x, kernel, stride=kernel)[..., :grid, :grid]
        return pooled.flatten(2).transpose(1, 2)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Return the modulated prompts P_hat (B, Np, hidden)."""
        context = self.context(maps)
        prompts = self.prompts.expand(context.shape[0], -1, -1)
        seen = context if self.attention is None else self.attention(prompts, context, context)
        return self.norm(prompts + seen)
