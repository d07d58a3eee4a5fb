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
kernel is the weighted sum of the kernels, padded to the largest. What maps pixels is applied to the words instead: the
convolution of S_v2l runs with one kernel a word, kernel^T W_l L_i, and W_v is applied to the phrases. The same numbers,
with a tenth of the operations.
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

    def __init__(
        self, channels: int, out: int, kernels: tuple[int, ...], dims: int, start: float | None = None
    ) -> None:
        super().__init__()
        kind = nn.Conv2d if dims == 2 else nn.Conv1d
        self.convolutions = nn.ModuleList(kind(channels, out, k) for k in kernels)
        self.weights = nn.Parameter(torch.full((len(kernels),), 1 / len(kernels) if start is None else start))
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
        x = self.pad(x)
        return F.conv2d(x, kernel, bias) if self.dims == 2 else F.conv1d(x, kernel, bias)

    def pad(self, x: Tensor) -> Tensor:
        """Add the zeros that the largest kernel reads outside."""
        largest = max(self.kernels)
        left = (largest - 1) // 2
        return F.pad(x, (left, largest - 1 - left) * self.dims)


class Gate(nn.Module):
    """1x1 convolution and InstanceNorm, no activation (eq. 4; B7). Statistics over valid positions only (B10)."""

    def __init__(self, channels: int, out: int, config: BscConfig) -> None:
        super().__init__()
        self.concat = config.gate == "concat"
        self.linear = nn.Linear(channels + out if self.concat else channels, out)
        self.gamma = nn.Parameter(torch.full((out,), config.gate_init)) if config.gate_affine else None
        self.beta = nn.Parameter(torch.zeros(out)) if config.gate_affine else None

    def map(self, aligned: Tensor) -> Tensor:
        """Apply the part of the convolution that reads the aligned features (B, S, C), without its bias."""
        return F.linear(aligned, self.linear.weight[:, : aligned.shape[-1]])

    def forward(self, mapped: Tensor, own: Tensor, mask: Tensor | None = None) -> Tensor:
        """Gate (B, S, out) from mapped features and, with gate=concat, the stage's own (B, S, C').

        mask (B, S) is True where a position counts.
        """
        x = mapped + self.linear.bias
        if self.concat:
            x = x + F.linear(own, self.linear.weight[:, -own.shape[-1] :])
        x = x.float()
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
        self.pixels = MergedConvolution(channels, config.dim, config.visual_kernels, 2, config.kernel_weight)
        self.words = nn.Linear(hidden, config.dim)
        self.pixel_gate = Gate(hidden, channels, config)
        if config.direction == "both":
            self.phrases = MergedConvolution(hidden, config.dim, config.text_kernels, 1, config.kernel_weight)
            self.patches = nn.Linear(channels, config.dim)
            self.word_gate = Gate(channels, hidden, config)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return V_i' and L_i'; mask (B, N) is True where a token is valid."""
        flat = flatten_map(x)
        seen = self.look_at_words(x, text, mask) @ self.pixel_gate.map(text)
        updated = flat * (self.config.residuals + self.pixel_gate(seen, flat).to(flat.dtype))
        updated = updated.transpose(1, 2).reshape(x.shape)
        if self.config.direction == "vision_only":
            return updated, text
        read = self.word_gate.map(self.look_at_pixels(flat, text, mask) @ flat)
        read = self.word_gate(read, text, mask if self.config.valid_only else None).to(text.dtype)
        # Padded tokens pass unchanged.
        return updated, torch.where(mask[:, :, None], text * (self.config.residuals + read), text)

    def look_at_words(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """A_v2l (B, HW, N): how much every pixel takes of each word."""
        keys = self.words(text) * self.scale
        kernel, bias = self.pixels.merged()
        kernels = torch.einsum("bnd,dcij->bncij", keys, kernel).flatten(0, 1)
        padded = self.pixels.pad(x)
        # One group an image: each has its own words.
        scores = F.conv2d(padded.flatten(0, 1)[None], kernels, (keys @ bias).flatten(), groups=len(x))
        scores = scores.view(*text.shape[:2], -1)
        if self.config.norm == "softmax":
            return scores.masked_fill(~mask[:, :, None], -math.inf).softmax(1).transpose(1, 2)
        return (scores * mask[:, :, None].to(scores.dtype)).transpose(1, 2)

    def look_at_pixels(self, flat: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """A_l2v (B, N, HW): how much every word takes of each pixel."""
        valid = mask[:, :, None].to(text.dtype)
        queries = self.phrases((text * valid).transpose(1, 2)).transpose(1, 2) * self.scale
        scores = (queries @ self.patches.weight) @ flat.transpose(1, 2) + (queries @ self.patches.bias)[:, :, None]
        return scores.softmax(2) if self.config.norm == "softmax" else scores
