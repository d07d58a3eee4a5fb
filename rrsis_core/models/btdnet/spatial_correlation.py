"""BSC, bidirectional spatial correlation: both encoders see each other after every stage (BTDNet eqs 1 to 4).

The printed equations leave ten points open (B1 to B10 in models.md 2.b.3). The reading implemented here, everything
from the un-updated V_i and L_i, i.e. in parallel, as eq. 4 is written:

    S_v2l = 1/sqrt(d_b) sum_{k in 1,3,5} alpha_k flat(Conv2d_k(V_i))^T (W_l L_i)      HW x N       (B1, B2, B4, B6)
    A_v2l = softmax_N(S_v2l, mask);   V~ = A_v2l L_i                                                (B5)
    V_i'  = V_i + IN(Conv1x1(V~)) * V_i                                              one residual   (B7, B8, B9)
    S_l2v = 1/sqrt(d_b) sum_{k in 1,2,3} beta_k Conv1d_k(m L_i)^T (W_v V_i)           N x HW        (B3)
    A_l2v = softmax_HW(S_l2v);        L~ = A_l2v V_i
    L_i'  = L_i + m IN(Conv1x1(L~)) * L_i                                            valid tokens   (B10)

"Unfold and a linear mapping" is a convolution, and a weighted sum of convolutions of one input is one convolution whose
kernel is the weighted sum of the kernels, padded to the largest: so one convolution each runs, not three.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rrsis_core.models.btdnet.config import BscConfig
from rrsis_core.models.layers import flatten_map


class MergedConvolution(nn.Module):
    """sum_k weight_k Conv_k(x) for kernels of several sizes, computed as one convolution; "same" padding.

    An even kernel pads (k - 1) // 2 on the left and the rest on the right (B3). Works on maps (`dims=2`) or sequences.
    """

    def __init__(self, channels: int, out: int, kernels: tuple[int, ...], dims: int) -> None:
        super().__init__()
        kind = nn.Conv2d if dims == 2 else nn.Conv1d
        self.convolutions = nn.ModuleList(kind(channels, out, k) for k in kernels)
        self.weights = nn.Parameter(torch.full((len(kernels),), 1 / len(kernels)))
        self.kernels, self.dims = kernels, dims

    def merged(self) -> tuple[Tensor, Tensor]:
        """Return the one kernel and the one bias."""
        largest = max(self.kernels)
        left = (largest - 1) // 2
        kernels, biases = [], []
        for weight, convolution, size in zip(self.weights, self.convolutions, self.kernels, strict=True):
            before = left - (size - 1) // 2
            kernels.append(
                weight * F.pad(convolution.get_parameter("weight"), (before, largest - size - before) * self.dims)
            )
            biases.append(weight * convolution.get_parameter("bias"))
        return torch.stack(kernels).sum(dim=0), torch.stack(biases).sum(dim=0)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x (B, C, H, W) or (B, C, N); the size stays."""
        kernel, bias = self.merged()
        largest = max(self.kernels)
        left = (largest - 1) // 2
        x = F.pad(x, (left, largest - 1 - left) * self.dims)
        return F.conv2d(x, kernel, bias) if self.dims == 2 else F.conv1d(x, kernel, bias)


class Gate(nn.Module):
    """1x1 convolution and InstanceNorm, no activation (eq. 4; B7). Statistics over valid positions only (B10)."""

    def __init__(self, channels: int, out: int, config: BscConfig) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, out)
        self.gamma = nn.Parameter(torch.full((out,), config.gate_init)) if config.gate_affine else None
        self.beta = nn.Parameter(torch.zeros(out)) if config.gate_affine else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Gate x (B, S, C) -> (B, S, out); mask (B, S) is True where a position counts."""
        x = self.linear(x).float()
        if mask is None:
            mean, variance = x.mean(dim=1, keepdim=True), x.var(dim=1, correction=0, keepdim=True)
        else:
            valid = mask[:, :, None].to(x.dtype)
            count = valid.sum(dim=1, keepdim=True)
            mean = (x * valid).sum(dim=1, keepdim=True) / count
            variance = ((x - mean) ** 2 * valid).sum(dim=1, keepdim=True) / count
        x = (x - mean) * torch.rsqrt(variance + 1e-5)
        return x if self.gamma is None or self.beta is None else x * self.gamma + self.beta


class SpatialCorrelation(nn.Module):
    """One BSC module: map (B, C, H, W) and text (B, N, hidden) in, both updated out."""

    def __init__(self, channels: int, hidden: int, config: BscConfig) -> None:
        super().__init__()
        self.config = config
        self.scale = 1 / math.sqrt(config.dim)
        self.pixels = MergedConvolution(channels, config.dim, config.visual_kernels, dims=2)
        self.words = nn.Linear(hidden, config.dim)
        self.pixel_gate = Gate(hidden, channels, config)
        if config.direction == "both":
            self.phrases = MergedConvolution(hidden, config.dim, config.text_kernels, dims=1)
            self.patches = nn.Linear(channels, config.dim)
            self.word_gate = Gate(channels, hidden, config)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return V_i' and L_i'; mask (B, N) is True where a token is valid."""
        flat = flatten_map(x)
        seen = self.look_at_words(x, text, mask)
        updated = flat + self.pixel_gate(seen).to(flat.dtype) * flat
        updated = updated.transpose(1, 2).reshape(x.shape)
        if self.config.direction == "vision_only":
            return updated, text
        valid = mask[:, :, None].to(text.dtype)
        read = self.look_at_pixels(flat, text, mask)
        return updated, text + valid * self.word_gate(read, mask).to(text.dtype) * text

    def look_at_words(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """V~ (B, HW, hidden): every pixel's mixture of words. `look` is one fused attention without a score matrix."""
        queries, keys = flatten_map(self.pixels(x)), self.words(text)
        if self.config.norm == "softmax":
            return self._attend(queries, keys, text, mask)
        scores = torch.einsum("bpd,bnd->bpn", queries, keys) * self.scale
        return torch.einsum("bpn,bnc->bpc", scores * mask[:, None, :].to(scores.dtype), text)

    def look_at_pixels(self, flat: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """L~ (B, N, C): every word's mixture of pixels."""
        valid = mask[:, :, None].to(text.dtype)
        queries = self.phrases((text * valid).transpose(1, 2)).transpose(1, 2)
        keys = self.patches(flat)
        if self.config.norm == "softmax":
            return self._attend(queries, keys, flat)
        # The scores are linear, so keys and values are multiplied first: no word-by-pixel matrix.
        return torch.einsum("bnd,bde->bne", queries, torch.einsum("bpd,bpe->bde", keys, flat)) * self.scale

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
        attn_mask = None if mask is None else mask[:, None, None, :]
        q, k, v = (t[:, None] for t in (queries, keys, values))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask, scale=self.scale)[:, 0]
