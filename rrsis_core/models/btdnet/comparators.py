"""What BTDNet is compared with in its Figs 9 and 10, written from the papers' arithmetic.

Fusions after an encoder stage take a map (B, C, H, W) and the text (B, N, hidden) and return the map for the next stage
and the text; multi-scale fusions take the maps of levels 2 to 4 and the words and return visual tokens (B, S, dim).

    PWAM, pixel-word attention (LAVT, eqs 1 to 5)           vision only
    WPA,  word-pixel alignment (CoupAlign, section 3.2)     both directions in parallel
    IIM,  intra-scale interaction (RMSIN, section 3.2)      PWAM beside a multi-branch visual gate
    LGCE, language-guided cross-scale enhancement (RRSIS)   deep guides shallow, gated by the sentence
    CIM,  cross-scale interaction (RMSIN, section 3.3)      attention among all scales pooled to the coarsest
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rrsis_core.contract import ConfigError
from rrsis_core.models.btdnet.config import BscConfig, BTDNetConfig
from rrsis_core.models.btdnet.spatial_correlation import SpatialCorrelation
from rrsis_core.models.layers import Attention, FeedForward, flatten_map, resize, unflatten_map


class PixelWordAttention(nn.Module):
    """LAVT's PWAM and language gate; the text passes unchanged.

    G = IN(Conv(softmax(IN(Conv V)^T (Conv L) / sqrt(C)) (Conv L)));  F = ReLU(Conv(ReLU(Conv V) * G))
    E = V + tanh(Conv(ReLU(Conv F))) * F
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.query = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.InstanceNorm2d(channels))
        self.key, self.value = nn.Linear(hidden, channels), nn.Linear(hidden, channels)
        self.spread = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.InstanceNorm2d(channels))
        self.visual = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.ReLU())
        self.out = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.ReLU())
        self.gate = nn.Sequential(
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.Tanh(),
        )

    def fused(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """Return F (B, C, H, W), what the words say of every pixel."""
        q, k, v = (t[:, None] for t in (flatten_map(self.query(x)), self.key(text), self.value(text)))
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])[:, 0]
        spread = self.spread(unflatten_map(read, x.shape[-2], x.shape[-1]))
        return self.out(self.visual(x) * spread)

    def gated(self, x: Tensor, fused: Tensor) -> Tensor:
        """Return E, the map with as much of F as the gate lets in."""
        return x + self.gate(fused) * fused

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return E and the text."""
        return self.gated(x, self.fused(x, text, mask)), text


class WordPixelAlignment(nn.Module):
    """CoupAlign-style: one affinity, soft-maxed over words for pixels and over pixels for words; gated residuals."""

    def __init__(self, channels: int, hidden: int, dim: int) -> None:
        super().__init__()
        self.pixels, self.words = nn.Linear(channels, dim), nn.Linear(hidden, dim)
        self.to_pixels = nn.Sequential(nn.Linear(hidden, channels), nn.Tanh(), nn.Linear(channels, channels), nn.Tanh())
        self.to_words = nn.Sequential(nn.Linear(channels, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.scale = 1 / math.sqrt(dim)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return both, updated in parallel."""
        flat = flatten_map(x)
        p, w = self.pixels(flat)[:, None], self.words(text)[:, None]
        seen = F.scaled_dot_product_attention(p, w, text[:, None], mask[:, None, None, :], scale=self.scale)[:, 0]
        read = F.scaled_dot_product_attention(w, p, flat[:, None], scale=self.scale)[:, 0]
        updated = flat + self.to_pixels(seen)
        words = text + mask[:, :, None].to(text.dtype) * self.to_words(read)
        return unflatten_map(updated, x.shape[-2], x.shape[-1]), words


class IntraScaleInteraction(nn.Module):
    """RMSIN-style: the language branch is PWAM, the visual branch sums 1x1 and 3x3 depth-wise views of the map.

    V' = V + tanh-gate(F_l) * F_l + tanh-gate(F_v) * F_v
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.language = PixelWordAttention(channels, hidden)
        self.branches = nn.ModuleList(
            nn.Conv2d(channels, channels, size, padding=size // 2, groups=channels) for size in (1, 3)
        )
        self.gate = nn.Sequential(
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.Tanh(),
        )

    def fused(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """Return F_l (B, C, H, W), what the words say of every pixel."""
        return self.language.fused(x, text, mask)

    def gated(self, x: Tensor, fused: Tensor) -> Tensor:
        """Return V', the map with as much of both branches as their gates let in."""
        visual = x + self.branches[0](x) + self.branches[1](x)
        return self.language.gated(x, fused) + self.gate(visual) * visual

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the map and the unchanged text."""
        return self.gated(x, self.fused(x, text, mask)), text


class CrossScaleEnhancement(nn.Module):
    """LGCE-style: every level takes in the next coarser one, as strongly as the sentence asks for it.

    V_i <- V_i + sigmoid(W [mean L]) * LN(CA(V_i, up(V_{i+1})))
    """

    def __init__(self, dim: int, heads: int, levels: int = 3) -> None:
        super().__init__()
        self.attentions = nn.ModuleList(Attention(dim, heads) for _ in range(levels - 1))
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(levels - 1))
        self.gates = nn.ModuleList(nn.Linear(dim, dim) for _ in range(levels - 1))

    def forward(self, maps: list[Tensor], words: Tensor, mask: Tensor) -> Tensor:
        """Return visual tokens (B, S, dim), fine to coarse."""
        valid = mask[:, :, None].to(words.dtype)
        sentence = (words * valid).sum(dim=1) / valid.sum(dim=1)
        tokens = [flatten_map(x) for x in maps]
        for index in reversed(range(len(maps) - 1)):
            deep = tokens[index + 1]
            seen = self.norms[index](self.attentions[index](tokens[index], deep, deep))
            tokens[index] = tokens[index] + torch.sigmoid(self.gates[index](sentence))[:, None] * seen
        return torch.cat(tokens, dim=1)


class CrossScaleInteraction(nn.Module):
    """CIM-style: levels pooled to the coarsest, attention among all of them, spread back and gated.

    Its token projection fixes the input size, as in RMSIN: another size is refused.
    """

    def __init__(self, dim: int, heads: int, img_size: int, levels: int = 3) -> None:
        super().__init__()
        self.img_size = img_size
        self.side = math.ceil(img_size / 32)
        tokens = self.side**2 * levels
        self.mix = nn.Linear(tokens, tokens)
        self.attention = Attention(dim, heads)
        self.ffn = FeedForward(dim, 4 * dim)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3))
        self.locals = nn.ModuleList(nn.Conv2d(dim, dim, 1) for _ in range(levels))
        self.gates = nn.ModuleList(nn.Conv2d(dim, dim, 1) for _ in range(levels))

    def forward(self, maps: list[Tensor], words: Tensor, mask: Tensor) -> Tensor:
        """Return visual tokens (B, S, dim). Raises ConfigError where the maps are not those of `img_size`."""
        coarsest = (maps[-1].shape[-2], maps[-1].shape[-1])
        if coarsest != (self.side, self.side):
            raise ConfigError(
                f"CIM was built for inputs of {self.img_size} pixels, not of {coarsest[1] * 32} x {coarsest[0] * 32}.",
                code="config.img_size",
                hint=f"Resize the input to {self.img_size} x {self.img_size}, or build with another img_size.",
            )
        pooled = [F.adaptive_avg_pool2d(x, coarsest) for x in maps]
        tokens = torch.cat([flatten_map(x) for x in pooled], dim=1)
        tokens = tokens + self.mix(self.norms[0](tokens).transpose(1, 2)).transpose(1, 2)
        normed = self.norms[1](tokens)
        tokens = tokens + self.attention(normed, normed, normed)
        tokens = tokens + self.ffn(self.norms[2](tokens))
        spread = tokens.split(self.side**2, dim=1)
        out = []
        for x, part, local, gate in zip(maps, spread, self.locals, self.gates, strict=True):
            wide = resize(unflatten_map(part, self.side, self.side), x.shape[-2:])
            out.append(flatten_map(local(x) * torch.sigmoid(gate(wide)) + wide))
        return torch.cat(out, dim=1)


def make_fusion(channels: int, hidden: int, config: BscConfig) -> nn.Module:
    """Build the fusion that runs after one encoder stage."""
    if config.fusion == "bsc":
        return SpatialCorrelation(channels, hidden, config)
    if config.fusion == "wpa":
        return WordPixelAlignment(channels, hidden, config.dim)
    return PixelWordAttention(channels, hidden) if config.fusion == "pwam" else IntraScaleInteraction(channels, hidden)


def make_multi_scale_fusion(dim: int, config: BTDNetConfig) -> nn.Module | None:
    """Build the multi-scale fusion that takes MCI's place, or None for MCI itself."""
    if config.ms_fusion == "mci":
        return None
    if config.ms_fusion == "lgce":
        return CrossScaleEnhancement(dim, config.mci.heads)
    return CrossScaleInteraction(dim, config.mci.heads, config.img_size)
