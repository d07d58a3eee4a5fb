"""The decoder that CroBIM (as MID) and BTDNet (as MCI and its predictor) share; both descend from CARIS.

Text tokens and visual tokens of three levels update each other in turn; then the finest map is multiplied with one
prototype of the foreground and one of the background. Sources: models.md 0.2, 1.b.4, 2.b.4 (MCI, BTDNet eqs 5-7) and
2.b.5 (prediction, BTDNet eq. 9). CroBIM calls "language-to-vision" the block whose queries are words.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rrsis_core.contract import ConfigError
from rrsis_core.models.deformable import DeformableAttention, Shapes
from rrsis_core.models.layers import (
    MLP,
    Attention,
    FeedForward,
    PixelMLP,
    flatten_map,
    group_norm,
    sine_positions,
    unflatten_map,
)

ORDERS = ("l2v_then_v2l", "l2v_only", "v2l_only")


@dataclass(frozen=True)
class DecoderConfig:
    """Numbers and switches of the shared decoder."""

    enabled: bool = True
    """Off: LAVT-style convolutional decoding instead."""
    layers: int = 6
    """Stacked layers M (CroBIM) or T (BTDNet); unspecified in both papers, 6 in CARIS."""
    heads: int = 8
    inner_ratio: int = 4
    """Width of the cross-attention's inside over the decoder's width (CARIS)."""
    ffn_ratio: int = 4
    points: int = 4
    """Samples of deformable attention per head and level."""
    order: str = "l2v_then_v2l"
    """Which streams are updated, one of ORDERS."""
    visual_self_attn: str = "msdeform"
    """msdeform, or none: saves about 0.2 M parameters a layer."""
    text_self_attn: bool = True
    """Self-attention among the text tokens (CARIS; not in BTDNet's eq. 6)."""
    head: str = "two_channel"
    """two_channel: foreground and background prototypes; single: one channel, sigmoid."""

    def __post_init__(self) -> None:
        """Refuse unknown switch values."""
        choices = {"order": ORDERS, "visual_self_attn": ("msdeform", "none"), "head": ("two_channel", "single")}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ConfigError(
                    f"The decoder's {name} is '{getattr(self, name)}'.",
                    code="config.decoder",
                    hint=f"Use one of {', '.join(allowed)}.",
                )


class MutualLayer(nn.Module):
    """One layer of mutual interaction, post-norm (models.md 2.b.4):

    t <- LN(t + CA(t, v + pos, v));  t <- LN(t + SA(t));  t <- LN(t + FFN(t))           words look at pixels
    v <- LN(v + CA(v + pos, t, t));  v <- LN(v + MSDeform(v + pos, v));  v <- LN(v + FFN(v))    pixels look at words
    """

    def __init__(self, dim: int, levels: int, config: DecoderConfig) -> None:
        super().__init__()
        inner = dim * config.inner_ratio
        self.words = self.pixels = None
        if config.order != "v2l_only":
            self.words = nn.ModuleDict({"cross": Attention(dim, config.heads, inner_dim=inner)})
            if config.text_self_attn:
                self.words["self"] = Attention(dim, config.heads, inner_dim=inner)
            self.words["ffn"] = FeedForward(dim, dim * config.ffn_ratio)
            self.word_norms = nn.ModuleDict({name: nn.LayerNorm(dim) for name in self.words})
        if config.order != "l2v_only":
            self.pixels = nn.ModuleDict({"cross": Attention(dim, config.heads, inner_dim=inner)})
            if config.visual_self_attn == "msdeform":
                self.pixels["self"] = DeformableAttention(dim, levels, config.heads, config.points)
            self.pixels["ffn"] = FeedForward(dim, dim * config.ffn_ratio)
            self.pixel_norms = nn.ModuleDict({name: nn.LayerNorm(dim) for name in self.pixels})

    def forward(self, t: Tensor, v: Tensor, mask: Tensor, positions: Tensor, shapes: Shapes) -> tuple[Tensor, Tensor]:
        """Update text tokens t (B, N, dim) and visual tokens v (B, S, dim); mask (B, N) is True where valid."""
        if self.words is not None:
            t = self.word_norms["cross"](t + self.words["cross"](t, v + positions, v))
            if "self" in self.words:
                t = self.word_norms["self"](t + self.words["self"](t, t, t, mask))
            t = self.word_norms["ffn"](t + self.words["ffn"](t))
        if self.pixels is not None:
            v = self.pixel_norms["cross"](v + self.pixels["cross"](v + positions, t, t, mask))
            if "self" in self.pixels:
                v = self.pixel_norms["self"](v + self.pixels["self"](v + positions, v, shapes))
            v = self.pixel_norms["ffn"](v + self.pixels["ffn"](v))
        return t, v


class MaskDecoder(nn.Module):
    """Stacked mutual layers over levels 2 to 4, then the product of pixels and prototypes on level 1."""

    def __init__(self, dim: int, config: DecoderConfig, levels: int = 3) -> None:
        super().__init__()
        self.config = config
        self.level_embedding = nn.Parameter(torch.zeros(levels, dim))
        nn.init.normal_(self.level_embedding, std=0.02)
        self.layers = nn.ModuleList(MutualLayer(dim, levels, config) for _ in range(config.layers))
        self.fuse = nn.Sequential(nn.Conv2d(dim, dim, 3, padding=1, bias=False), group_norm(dim), nn.ReLU(inplace=True))
        self.pixel_projection = PixelMLP(dim)
        self.prototype_projection = MLP(dim)

    def forward(self, text: Tensor, mask: Tensor, maps: list[Tensor], background: slice) -> Tensor:
        """Return logits (B, 2, h_1, w_1): background, foreground.

        text (B, N, dim) holds the word tokens first ([CLS] is token 0) and the background tokens at `background`;
        maps are four maps of width dim, fine to coarse.
        """
        text, pixels = self.interact(text, mask, maps[1:])
        return self.decode(pixels, maps, text[:, 0], text[:, background].mean(dim=1))

    def decode(self, pixels: Tensor, maps: list[Tensor], foreground: Tensor, background: Tensor) -> Tensor:
        """Add the finest level of pixels (B, S, dim) to the first map and multiply with prototypes (B, dim)."""
        height, width = maps[1].shape[-2:]
        finest = unflatten_map(pixels[:, : height * width], height, width)
        finest = F.interpolate(finest, size=maps[0].shape[-2:], mode="bilinear", align_corners=False)
        return self.predict(self.fuse(maps[0] + finest), foreground, background)

    def interact(self, text: Tensor, mask: Tensor, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Run the mutual layers; return text tokens (B, N, dim) and visual tokens (B, S, dim)."""
        shapes = [(x.shape[-2], x.shape[-1]) for x in maps]
        pixels = torch.cat([flatten_map(x) for x in maps], dim=1)
        positions = torch.cat(
            [
                sine_positions(height, width, pixels.shape[-1], pixels) + self.level_embedding[index]
                for index, (height, width) in enumerate(shapes)
            ]
        )
        for layer in self.layers:
            text, pixels = layer(text, pixels, mask, positions, shapes)
        return text, pixels

    def predict(self, pixels: Tensor, foreground: Tensor, background: Tensor) -> Tensor:
        """BTDNet eq. 9, read as an inner product: O_c = <I_proj(V_pred), R_proj(L_c)>; (B, 2, h, w).

        The last layer of I_proj is applied to the two prototypes instead of the pixels. With `head=single` the
        background logit is zero, so that soft-max equals the sigmoid of one channel.
        """
        prototypes = self.prototype_projection(torch.stack([background, foreground], dim=1))
        *steps, last = self.pixel_projection
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        for step in steps:
            pixels = step(pixels)
        folded = prototypes @ last.weight[:, :, 0, 0]
        logits = torch.einsum("bdhw,bcd->bchw", pixels, folded)
        logits = logits + (prototypes @ last.bias)[:, :, None, None]
        if self.config.head == "single":
            logits = logits * logits.new_tensor([0.0, 1.0]).view(1, 2, 1, 1)
        return logits


class SimpleDecoder(nn.Module):
    """LAVT's decoding: from coarse to fine, up-sample, concatenate, two 3x3 convolutions; then two logits."""

    def __init__(self, dim: int, channels: list[int]) -> None:
        super().__init__()
        above = [channels[-1], *([dim] * (len(channels) - 2))]
        self.steps = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(coarse + fine, dim, 3, padding=1, bias=False),
                nn.BatchNorm2d(dim),
                nn.ReLU(),
                nn.Conv2d(dim, dim, 3, padding=1, bias=False),
                nn.BatchNorm2d(dim),
                nn.ReLU(),
            )
            for coarse, fine in zip(above, reversed(channels[:-1]), strict=True)
        )
        self.classifier = nn.Conv2d(dim, 2, 1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps (B, C_i, H_i, W_i), fine to coarse -> logits (B, 2, H_1, W_1)."""
        x = maps[-1]
        for step, finer in zip(self.steps, reversed(maps[:-1]), strict=True):
            x = F.interpolate(x, size=finer.shape[-2:], mode="bilinear", align_corners=True)
            x = step(torch.cat([x, finer], dim=1))
        return self.classifier(x)
