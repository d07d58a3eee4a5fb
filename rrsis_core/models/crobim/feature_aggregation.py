"""LGFA, language-guided feature aggregation with attention deficit compensation (models.md 1.b.3).

The paper gives the topology: interaction of language with each scale, multi-scale attention fusion, and compensation
where the attention of the scales diverges. The equations are our reconstruction:

    (1) X_i = GN(Conv1x1(V_i));  V_i^l = LN(Q + MHA(q=Q, k=W L, v=W L)),  Q = flatten(X_i)
    (2) A_i(p) = sigmoid(mean_n <W_q V_i^l(p), W_k L_n> / sqrt(d)) over valid words n
    (3) A_bar = sum_i softmax(w)_i A_i, all maps resized to the finest
    (4) D = max_i A_i - A_bar;  A_c = A_bar + beta D;  V_i^l <- V_i^l (1 + resize_i(A_c))

An average has a deficit exactly where one scale attends and the others do not; D measures it and adds it back.
"""

import math

import torch
from torch import Tensor, nn

from rrsis_core.models.crobim.config import LgfaConfig
from rrsis_core.models.layers import Attention, PixelLinear, flatten_map, group_norm, resize, unflatten_map


class FeatureAggregation(nn.Module):
    """Maps of four widths and words -> maps of one width that know what was said, and the relevance map A_c."""

    def __init__(self, channels: list[int], hidden: int, dim: int, config: LgfaConfig) -> None:
        super().__init__()
        self.config = config
        self.dim = dim
        self.projections = nn.ModuleList(nn.Sequential(PixelLinear(width, dim), group_norm(dim)) for width in channels)
        if not config.enabled:
            return
        self.words = nn.Linear(hidden, dim)
        self.interactions = nn.ModuleList(Attention(dim, config.heads) for _ in channels)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in channels)
        self.map_query = nn.Linear(dim, dim)
        self.map_key = nn.Linear(hidden, dim)
        if config.fuse == "softmax_weights":
            self.scale_weights = nn.Parameter(torch.zeros(len(channels)))
        if config.deficit != "none":
            self.beta = nn.Parameter(torch.tensor(config.beta))

    def project(self, maps: list[Tensor]) -> list[Tensor]:
        """Return X_i (B, dim, H_i, W_i), the part of (1) that does not depend on the expression."""
        return [projection(x) for projection, x in zip(self.projections, maps, strict=True)]

    def forward(self, projected: list[Tensor], words: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """Return V_i^l (B, dim, H_i, W_i) and A_c (B, 1, H_1, W_1); words (B, N, hidden), mask (B, N) True if valid."""
        if not self.config.enabled:
            return projected, None
        guided = self.interact(projected, self.words(words), mask)
        relevance = [self.relevance(x, words, mask) for x in guided]
        fused = self.compensate([resize(a, relevance[0].shape[-2:]) for a in relevance])
        return [x * (1 + resize(fused, x.shape[-2:])) for x in guided], fused

    def interact(self, projected: list[Tensor], words: Tensor, mask: Tensor) -> list[Tensor]:
        """Equation (1): every pixel attends to the words."""
        guided = []
        for attention, norm, x in zip(self.interactions, self.norms, projected, strict=True):
            pixels = flatten_map(x)
            pixels = norm(pixels + attention(pixels, words, words, mask))
            guided.append(unflatten_map(pixels, x.shape[-2], x.shape[-1]))
        return guided

    def relevance(self, x: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """Equation (2): relevance (B, 1, H, W) in (0, 1) of every pixel.

        The mean over words is taken on the keys, and W_q is applied to the keys instead of the pixels: the same, with
        one vector a word in place of one a pixel.
        """
        keys = self.map_key(words) / math.sqrt(self.dim)
        if self.config.map == "mean_logit":
            valid = mask.to(keys.dtype)[:, :, None]
            keys = (keys * valid).sum(dim=1, keepdim=True) / valid.sum(dim=1, keepdim=True)
        elif self.config.map == "cls_logit":
            keys = keys[:, :1]
        logits = flatten_map(x) @ (keys @ self.map_query.weight).transpose(1, 2)
        logits = logits + (keys @ self.map_query.bias)[:, None, :]
        if self.config.map == "max_logit":
            logits = logits.masked_fill(~mask[:, None, :], -math.inf).amax(dim=-1, keepdim=True)
        return unflatten_map(torch.sigmoid(logits), x.shape[-2], x.shape[-1])

    def compensate(self, relevance: list[Tensor]) -> Tensor:
        """Equations (3) and (4) on maps of one size (B, 1, H_1, W_1): A_c = A_bar + beta D."""
        stacked = torch.stack(relevance)
        if self.config.fuse == "softmax_weights":
            fused = torch.einsum("s,sbchw->bchw", self.scale_weights.softmax(0).to(stacked.dtype), stacked)
        else:
            fused = stacked.mean(dim=0)
        if self.config.deficit == "none":
            return fused
        if self.config.deficit == "std":
            deficit = stacked.std(dim=0, correction=0)
        elif self.config.deficit == "range":
            deficit = stacked.amax(dim=0) - stacked.amin(dim=0)
        else:
            deficit = stacked.amax(dim=0) - fused
        return fused + self.beta * deficit
