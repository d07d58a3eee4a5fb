"""Multi-scale deformable attention (Deformable DETR, eq. 3): each query reads a few learned places on every level.

Bilinear sampling is a weighted sum of four pixels, and so is the sum over points and levels: one `embedding_bag` reads
and sums them all. It equals `grid_sample` with zeros outside to 4e-6 and takes a third of its time on a CPU.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Shapes = list[tuple[int, int]]


class DeformableAttention(nn.Module):
    """Self-attention of pixel tokens over several levels, `points` samples per head and level, sampled in float32."""

    def __init__(self, dim: int, levels: int, heads: int = 8, points: int = 4) -> None:
        super().__init__()
        self.heads, self.levels, self.points = heads, levels, points
        self.offsets = nn.Linear(dim, heads * levels * points * 2)
        self.weights = nn.Linear(dim, heads * levels * points)
        self.value = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)
        self._reset()

    def _reset(self) -> None:
        """Start with uniform weights and ring offsets: head h looks at angle 2 pi h / heads, point p is p + 1 away."""
        nn.init.zeros_(self.offsets.weight)
        nn.init.zeros_(self.weights.weight)
        nn.init.zeros_(self.weights.bias)
        angles = torch.arange(self.heads) * (2 * math.pi / self.heads)
        ring = torch.stack([angles.cos(), angles.sin()], dim=-1)
        ring = ring / ring.abs().amax(dim=-1, keepdim=True)
        reach = torch.arange(1, self.points + 1).view(1, 1, -1, 1)
        bias = ring[:, None, None, :] * reach * torch.ones(1, self.levels, 1, 1)
        self.offsets.bias.data = bias.reshape(-1)

    def forward(self, query: Tensor, value: Tensor, shapes: Shapes) -> Tensor:
        """Attend from query (B, S, dim) to value (B, S, dim), the levels' maps flattened and concatenated."""
        batch, tokens, _ = query.shape
        offsets = self.offsets(query).float().view(batch, tokens, self.heads, self.levels, self.points, 2)
        weights = self.weights(query).float().view(batch, tokens, self.heads, self.levels * self.points)
        weights = weights.softmax(-1).view(batch, tokens, self.heads, self.levels, self.points)
        maps = self.value(value).float().view(batch, -1, self.heads, value.shape[-1] // self.heads)
        centres = pixel_centres(shapes, query.device)
        sizes = level_sizes(shapes, query.device)
        places = centres[None, :, None, None, None, :] * sizes[None, None, None, :, None, :] + offsets - 0.5
        sample = sample_levels if maps.device.type == "cpu" else sample_levels_by_grid
        return self.out(sample(maps, shapes, places, weights).to(query.dtype))


def pixel_centres(shapes: Shapes, device: torch.device) -> Tensor:
    """Return the normalised centre (x, y) in (0, 1) of every pixel of every level: (S, 2)."""
    centres = []
    for height, width in shapes:
        rows = (torch.arange(height, device=device).float() + 0.5) / height
        columns = (torch.arange(width, device=device).float() + 0.5) / width
        grid = torch.stack([columns[None, :].expand(height, width), rows[:, None].expand(height, width)], dim=-1)
        centres.append(grid.flatten(0, 1))
    return torch.cat(centres)


def level_sizes(shapes: Shapes, device: torch.device) -> Tensor:
    """Return (width, height) of every level: (levels, 2) float."""
    return torch.tensor([[width, height] for height, width in shapes], device=device, dtype=torch.float32)


def sample_levels(maps: Tensor, shapes: Shapes, places: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum of bilinear samples, zeros outside, as one embedding bag.

    maps (B, S, heads, c); places (B, Q, heads, levels, points, 2), (x, y) in pixels of their level; weights the same
    without the 2. Returns (B, Q, heads * c).
    """
    batch, total, heads, width = maps.shape
    queries = places.shape[1]
    sizes = level_sizes(shapes, maps.device)[:, None, None, :]
    starts = [0]
    for rows, columns in shapes[:-1]:
        starts.append(starts[-1] + rows * columns)
    first = torch.tensor(starts, device=maps.device)[:, None, None]
    low = places.floor()
    near = places - low
    corners = low[..., None, :] + low.new_tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    inside = ((corners >= 0) & (corners < sizes)).all(dim=-1)
    x, y = near[..., 0], near[..., 1]
    shares = torch.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], dim=-1)
    shares = shares * inside * weights[..., None]
    corners = torch.minimum(corners.clamp(min=0), sizes - 1).long()
    index = first + corners[..., 1] * sizes[..., 0].long() + corners[..., 0]
    # Row of a pixel in the table (B S heads, c): ((b S) + s) heads + h.
    image = torch.arange(batch, device=maps.device)[:, None, None] * total
    head = torch.arange(heads, device=maps.device)
    flat = (index.flatten(3) + image[..., None]) * heads + head[:, None]
    table = maps.reshape(-1, width)
    bags = F.embedding_bag(flat.flatten(0, 2), table, per_sample_weights=shares.flatten(3).flatten(0, 2), mode="sum")
    return bags.view(batch, queries, heads * width)


def sample_levels_by_grid(maps: Tensor, shapes: Shapes, places: Tensor, weights: Tensor) -> Tensor:
    """The same through `grid_sample`, which is the faster one on a GPU."""
    batch, queries, heads = places.shape[:3]
    sizes = level_sizes(shapes, maps.device)
    total = maps.new_zeros(())
    levels = maps.split([height * width for height, width in shapes], dim=1)
    for index, ((height, width), level) in enumerate(zip(shapes, levels, strict=True)):
        image = level.permute(0, 2, 3, 1).reshape(batch * heads, -1, height, width)
        grid = (places[:, :, :, index].transpose(1, 2).reshape(batch * heads, queries, -1, 2) + 0.5) / sizes[index]
        sampled = F.grid_sample(image, grid * 2 - 1, mode="bilinear", padding_mode="zeros", align_corners=False)
        share = weights[:, :, :, index].transpose(1, 2).reshape(batch * heads, 1, queries, -1)
        total = total + (sampled * share).sum(-1)
    return total.view(batch, heads, -1, queries).permute(0, 3, 1, 2).flatten(2)
