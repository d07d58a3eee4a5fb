"""Layers that several modules share: attention with a key mask, feed-forward, normalisation of maps, positions."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head attention; width, inner width and key width may differ.

    Between many pixels and few words, softmax(Q K^T) V W_o is associated anew, which changes nothing but the cost: the
    pixels are not projected to the inner width; the projections of both sides are applied to the words instead.
    """

    def __init__(self, dim: int, heads: int, key_dim: int | None = None, inner_dim: int | None = None) -> None:
        super().__init__()
        inner = inner_dim or dim
        self.heads, self.inner = heads, inner
        self.query = nn.Linear(dim, inner)
        self.key = nn.Linear(key_dim or dim, inner)
        self.value = nn.Linear(key_dim or dim, inner)
        self.out = nn.Linear(inner, dim)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, key_mask: Tensor | None = None) -> Tensor:
        """Attend from query (B, N, dim) to key and value (B, M, key_dim); key_mask (B, M) is True where valid."""
        queries, keys = query.shape[1], key.shape[1]
        if keys * self.heads < min(queries, self.inner):
            return self._to_few(query, key, value, key_mask)
        if queries * self.heads < min(keys, self.inner) and key_mask is None:
            return self._from_few(query, key, value)
        mask = None if key_mask is None else key_mask[:, None, None, :]
        q, k, v = (self._split(x) for x in (self.query(query), self.key(key), self.value(value)))
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(attended.transpose(1, 2).flatten(2))

    def _to_few(self, query: Tensor, key: Tensor, value: Tensor, key_mask: Tensor | None) -> Tensor:
        """Q K^T = X (W_q K^T), and A V W_o = A (V W_o), head by head: (B, N, dim)."""
        k, v = self._split(self.key(key)) * self._scale, self._split(self.value(value))
        folded = torch.einsum("bhmd,hdc->bcmh", k, self.query.weight.unflatten(0, (self.heads, -1)))
        bias = torch.einsum("bhmd,hd->bmh", k, self.query.bias.unflatten(0, (self.heads, -1)))
        if key_mask is not None:
            bias = bias.masked_fill(~key_mask[:, :, None], -math.inf)
        scores = torch.baddbmm(bias.flatten(1)[:, None], query, folded.flatten(2))
        # Heads last: over a last dimension as short as an expression, torch's soft-max is slow on a CPU.
        shares = scores.unflatten(-1, (-1, self.heads)).softmax(-2).flatten(2)
        shown = torch.einsum("bhmd,chd->bmhc", v, self.out.weight.unflatten(1, (self.heads, -1)))
        return shares @ shown.flatten(1, 2) + self.out.bias

    def _from_few(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Q K^T = (Q W_k^T) Y^T, and A V = (A Y) W_v, head by head: (B, N, dim)."""
        q = self._split(self.query(query)) * self._scale
        folded = torch.einsum("bhnd,hdc->bhnc", q, self.key.weight.unflatten(0, (self.heads, -1)))
        bias = torch.einsum("bhnd,hd->bhn", q, self.key.bias.unflatten(0, (self.heads, -1)))
        scores = torch.baddbmm(bias.flatten(1)[:, :, None], folded.flatten(1, 2), key.transpose(1, 2))
        read = (scores.softmax(-1) @ value).unflatten(1, (self.heads, -1))
        read = torch.einsum("bhnc,hdc->bnhd", read, self.value.weight.unflatten(0, (self.heads, -1)))
        return self.out(read.flatten(2) + self.value.bias)

    @property
    def _scale(self) -> float:
        return 1 / math.sqrt(self.inner // self.heads)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class FeedForward(nn.Sequential):
    """Linear, ReLU, linear."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__(nn.Linear(dim, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, dim))


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of a map (B, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every pixel's vector."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class MLP(nn.Sequential):
    """Linear layers of one width with ReLU between them."""

    def __init__(self, dim: int, layers: int = 3) -> None:
        steps: list[nn.Module] = []
        for index in range(layers):
            steps += [nn.ReLU()] * (index > 0) + [nn.Linear(dim, dim)]
        super().__init__(*steps)


class PixelLinear(nn.Conv2d):
    """A 1x1 convolution, computed as the matrix product that it is: torch has no fast 1x1 convolution for one image."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, out, H, W), channels last."""
        return F.linear(x.permute(0, 2, 3, 1), self.weight[:, :, 0, 0], self.bias).permute(0, 3, 1, 2)


class PixelMLP(nn.Sequential):
    """1x1 convolutions of one width with ReLU between them."""

    def __init__(self, dim: int, layers: int = 3) -> None:
        steps: list[nn.Module] = []
        for index in range(layers):
            steps += [nn.ReLU(inplace=True)] * (index > 0) + [PixelLinear(dim, dim)]
        super().__init__(*steps)


def group_norm(channels: int) -> nn.GroupNorm:
    """Return GroupNorm with 32 groups, or fewer where the width asks for it."""
    return nn.GroupNorm(math.gcd(32, channels), channels)


def flatten_map(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, HW, C)."""
    return x.flatten(2).transpose(1, 2)


def unflatten_map(x: Tensor, height: int, width: int) -> Tensor:
    """(B, HW, C) -> (B, C, H, W)."""
    return x.transpose(1, 2).unflatten(2, (height, width))


def resize(x: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Bilinear resize of a map (B, C, H, W) with align_corners=True, as in LAVT and CARIS (models.md, 1.c and 3.d)."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=True)


def sine_positions(height: int, width: int, dim: int, like: Tensor) -> Tensor:
    """Two-dimensional sine position embedding (HW, dim), coordinates normalised to (0, 2 pi) as in DETR.

    Normalised coordinates mean "where in the image", so that left and right do not depend on the input size.
    """
    half = dim // 2
    frequencies = torch.arange(half // 2, device=like.device, dtype=torch.float32)
    scale = 10000 ** (2 * frequencies / half)
    axes = []
    for length in (height, width):
        centres = (torch.arange(length, device=like.device, dtype=torch.float32) + 0.5) * (2 * math.pi / length)
        angles = centres[:, None] / scale
        axes.append(torch.cat([angles.sin(), angles.cos()], dim=1))
    rows = axes[0][:, None, :].expand(height, width, half)
    columns = axes[1][None, :, :].expand(height, width, half)
    return torch.cat([rows, columns], dim=-1).flatten(0, 1).to(like.dtype)
