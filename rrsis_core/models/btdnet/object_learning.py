"""D-MOLS, dual-modal object learning: joint reconstruction of the hidden words (BTDNet eqs 12 and 13).

Two steps of a transformer decoder: vision takes in the text, the masked text takes in that. What comes out should be
the features of the unmasked text. Training only (models.md 2.b.6):

    F = CA(q=V*, kv=L*);   L_re = CA(q=L_m, kv=F);   L_rec = mean ||L_re - sg(L_0)||^2
"""

from torch import Tensor, nn

from rrsis_core.models.btdnet.config import ReconstructionConfig
from rrsis_core.models.layers import Attention, FeedForward


class DecoderStep(nn.Module):
    """Cross-attention, residual, LN, FFN, LN."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.cross = Attention(dim, heads)
        self.ffn = FeedForward(dim, 4 * dim)
        self.norms = nn.ModuleList([nn.LayerNorm(dim), nn.LayerNorm(dim)])

    def forward(self, query: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        """Query (B, N, dim) attends to context (B, M, dim); mask (B, M) is True where valid."""
        query = self.norms[0](query + self.cross(query, context, context, mask))
        return self.norms[1](query + self.ffn(query))


class JointReconstruction(nn.Module):
    """Re-creates the text's features (B, N, hidden) from vision, refined text and masked text."""

    def __init__(self, dim: int, hidden: int, config: ReconstructionConfig) -> None:
        super().__init__()
        self.pixels = nn.Linear(dim, config.dim) if dim != config.dim else nn.Identity()
        self.words = nn.Linear(dim, config.dim) if dim != config.dim else nn.Identity()
        self.masked = nn.Linear(hidden, config.dim)
        self.steps = nn.ModuleList(DecoderStep(config.dim, config.heads) for _ in range(2))
        self.out = nn.Linear(config.dim, hidden)

    def forward(self, pixels: Tensor, words: Tensor, mask: Tensor, masked: Tensor) -> Tensor:
        """V* (B, S, dim), L* (B, N, dim) with mask (B, N), L_m (B, N, hidden) -> L_re (B, N, hidden), eq. 12.

        Queries at hidden positions are kept: that is where the object words must be re-created.
        """
        fused = self.steps[0](self.pixels(pixels), self.words(words), mask)
        return self.out(self.steps[1](self.masked(masked), fused))


def reconstruction_loss(rebuilt: Tensor, target: Tensor, mask: Tensor, reduction: str = "mean") -> Tensor:
    """Equation 13 over valid tokens (mask (B, N)).

    "mean" averages over channels and tokens, so that it starts near 1 and 0.1 of it does not swamp the cross-entropy;
    "sum" sums over channels as printed and averages over tokens.
    """
    squared = (rebuilt.float() - target.detach().float()) ** 2
    valid = mask.to(squared.dtype)
    per_token = squared.mean(dim=-1) if reduction == "mean" else squared.sum(dim=-1)
    return (per_token * valid).sum() / valid.sum()
