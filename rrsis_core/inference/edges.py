"""Edges: what a model says of a tile is drawn onto the edges of its picture, by a guided filter.

K. He, J. Sun and X. Tang, "Guided Image Filtering", TPAMI 2013, with the three bands of the picture as the guide: in a
window the answer is a linear function of the colours (equations 14 and 15), and a pixel takes the mean of all windows
that hold it (equation 16). Edges of the picture become edges of the answer; what is smooth in the picture is smoothed.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

SMOOTHNESS = 1e-4  # the paper's epsilon, for bands in [0, 1]
_FIRST, _SECOND = [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]  # the six pairs of bands


def onto_edges(images: Tensor, answers: Tensor, radius: int) -> Tensor:
    """Filter answers (B, P, h, w), of any range, by images (B, 3, h, w) in [0, 1], in windows of 2 `radius` + 1 pixels.

    At the border a window is what of it lies inside.
    """
    pixels = _sum(torch.ones_like(images[:1, :1]), radius)

    def mean(maps: list[Tensor]) -> Tensor:
        return _sum(torch.cat(maps, dim=1), radius) / pixels

    color, product = mean([images, images[:, _FIRST] * images[:, _SECOND]]).split((3, 6), dim=1)
    factors = _factors(product - color[:, _FIRST] * color[:, _SECOND])
    filtered = []
    for answer in answers.split(1, dim=1):
        both, centre = mean([images * answer, answer]).split((3, 1), dim=1)
        slope = _solve(factors, both - color * centre)
        slope, offset = mean([slope, centre - (slope * color).sum(dim=1, keepdim=True)]).split((3, 1), dim=1)
        filtered.append((slope * images).sum(dim=1, keepdim=True) + offset)
    return torch.cat(filtered, dim=1)


def _factors(covariance: Tensor) -> tuple[Tensor, ...]:
    """Take covariances (B, 6, h, w), plus SMOOTHNESS, apart: L D L', D and then L, each (B, 1, h, w).

    Stable in float32 where the bands are all but the same, as those of a gray picture, which a formula for the inverse
    is not, and many times as fast on CPUs as torch.linalg, which takes the matrices one by one.
    """
    xx, xy, xz, yy, yz, zz = covariance.split(1, dim=1)
    xx = xx + SMOOTHNESS
    yx, zx = xy / xx, xz / xx
    yy, yz = yy + SMOOTHNESS - yx * xy, yz - yx * xz
    zy = yz / yy
    zz = zz + SMOOTHNESS - zx * xz - zy * yz
    return xx, yy, zz, yx, zx, zy


def _solve(factors: tuple[Tensor, ...], right: Tensor) -> Tensor:
    """Return the solutions (B, 3, h, w) for right sides of that shape."""
    xx, yy, zz, yx, zx, zy = factors
    x, y, z = right.split(1, dim=1)
    y = y - yx * x
    z = (z - zx * x - zy * y) / zz
    y = y / yy - zy * z
    return torch.cat([x / xx - yx * y - zx * z, y, z], dim=1)


def _sum(maps: Tensor, radius: int) -> Tensor:
    """Return the sum of the window around each pixel, rows first; on CPUs four times as fast as pooling."""
    for dim, rim in ((-1, (radius, radius)), (-2, (0, 0, radius, radius))):
        wide, length = F.pad(maps, rim), maps.shape[dim]
        maps = wide.narrow(dim, 0, length).clone()
        for shift in range(1, 2 * radius + 1):
            maps += wide.narrow(dim, shift, length)
    return maps
