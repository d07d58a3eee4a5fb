"""Deformable attention against its equation, sample by sample."""

import math

import torch

from rrsis_core.models.deformable import DeformableAttention, pixel_centres, sample_levels, sample_levels_by_grid

SHAPES = [(4, 6), (2, 3)]


def bilinear(level, x, y):
    """Read a map (C, H, W) at pixel coordinates (x, y), zeros outside."""
    _, height, width = level.shape
    total = torch.zeros(level.shape[0], dtype=level.dtype)
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < height and 0 <= column < width:
                total = total + (1 - abs(y - row)) * (1 - abs(x - column)) * level[:, row, column]
    return total


def test_against_the_equation():
    """Deformable DETR eq. 3: sum over heads, levels and points of A * W' x(phi(p) + delta)."""
    torch.manual_seed(0)
    heads, points, dim = 2, 3, 8
    module = DeformableAttention(dim, len(SHAPES), heads, points)
    torch.nn.init.normal_(module.offsets.weight, std=0.5)
    torch.nn.init.normal_(module.weights.weight)
    tokens = sum(h * w for h, w in SHAPES)
    query, value = torch.rand(1, tokens, dim), torch.rand(1, tokens, dim)
    output = module(query, value, SHAPES)
    centres = pixel_centres(SHAPES, query.device)
    projected = module.value(value)[0].view(tokens, heads, dim // heads)
    levels, start = [], 0
    for height, width in SHAPES:
        levels.append(projected[start : start + height * width].view(height, width, heads, -1))
        start += height * width
    for index in (0, 7, 23, 26, 29):
        offsets = module.offsets(query[0, index]).view(heads, len(SHAPES), points, 2)
        shares = module.weights(query[0, index]).view(heads, -1).softmax(-1).view(heads, len(SHAPES), points)
        parts = []
        for head in range(heads):
            total = torch.zeros(dim // heads)
            for number, (height, width) in enumerate(SHAPES):
                level = levels[number][:, :, head].permute(2, 0, 1)
                for point in range(points):
                    x = centres[index, 0].item() * width + offsets[head, number, point, 0].item() - 0.5
                    y = centres[index, 1].item() * height + offsets[head, number, point, 1].item() - 0.5
                    total = total + shares[head, number, point] * bilinear(level, x, y)
            parts.append(total)
        torch.testing.assert_close(output[0, index], module.out(torch.cat(parts)), atol=1e-5, rtol=0)


def test_centres_run_through_the_levels_row_by_row():
    centres = pixel_centres(SHAPES, torch.device("cpu"))
    torch.testing.assert_close(centres[0], torch.tensor([1 / 12, 1 / 8]))
    torch.testing.assert_close(centres[24], torch.tensor([1 / 6, 1 / 4]))
    torch.testing.assert_close(centres[-1], torch.tensor([5 / 6, 3 / 4]))


def test_it_starts_with_uniform_weights_on_rings():
    module = DeformableAttention(16, 2, heads=4, points=2)
    assert module.weights(torch.rand(16)).abs().max() == 0
    offsets = module.offsets(torch.rand(16)).view(4, 2, 2, 2)
    torch.testing.assert_close(offsets[0, 0], torch.tensor([[1.0, 0.0], [2.0, 0.0]]))
    torch.testing.assert_close(offsets[1, 1, 1], torch.tensor([0.0, 2.0]), atol=1e-6, rtol=0)


def test_both_ways_of_sampling_are_equal_and_so_are_their_gradients():
    torch.manual_seed(0)
    tokens = sum(h * w for h, w in SHAPES)
    maps = torch.rand(2, tokens, 4, 5, requires_grad=True)
    places = (torch.rand(2, 7, 4, 2, 3, 2) * 9 - 2).requires_grad_()
    weights = torch.rand(2, 7, 4, 2, 3, requires_grad=True)
    gradients = []
    for sample in (sample_levels, sample_levels_by_grid):
        out = sample(maps, SHAPES, places, weights)
        gradients.append([out, *torch.autograd.grad(out.square().sum(), (maps, places, weights))])
    for first, second in zip(*gradients, strict=True):
        torch.testing.assert_close(first, second, atol=1e-4, rtol=1e-4)
