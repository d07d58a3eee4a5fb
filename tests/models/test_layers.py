"""Layers that are computed in another order than they are written."""

import math

import pytest
import torch
from torch.nn import functional as F

from rrsis_core.models.layers import Attention, PixelLinear


def literal_attention(module, query, key, value, mask):
    """softmax(Q K^T / sqrt(d)) V W_o, head by head and query by query."""
    out = []
    for b in range(len(query)):
        q, k, v = module.query(query[b]), module.key(key[b]), module.value(value[b])
        width = q.shape[-1] // module.heads
        rows = []
        for n in range(len(q)):
            heads = []
            for h in range(module.heads):
                part = slice(h * width, (h + 1) * width)
                scores = k[:, part] @ q[n, part] / math.sqrt(width)
                heads.append(scores.masked_fill(~mask[b], -math.inf).softmax(0) @ v[:, part])
            rows.append(module.out(torch.cat(heads)))
        out.append(torch.stack(rows))
    return torch.stack(out)


@pytest.mark.parametrize(("queries", "keys"), [(40, 5), (5, 40), (5, 5), (40, 40)])
@pytest.mark.parametrize("masked", [True, False])
def test_attention_is_that_of_the_equation_whichever_side_is_long(queries, keys, masked):
    torch.manual_seed(0)
    module = Attention(8, heads=2, key_dim=6, inner_dim=32).double()
    query, key, value = torch.rand(2, queries, 8), torch.rand(2, keys, 6), torch.rand(2, keys, 6)
    query, key, value = (x.double() for x in (query, key, value))
    mask = torch.ones(2, keys, dtype=torch.bool)
    if masked:
        mask[0, 3:] = False
    out = module(query, key, value, mask if masked else None)
    torch.testing.assert_close(out, literal_attention(module, query, key, value, mask), atol=1e-12, rtol=0)


def test_a_pixel_linear_is_a_1x1_convolution():
    layer, x = PixelLinear(3, 5).double(), torch.rand(2, 3, 4, 6).double()
    torch.testing.assert_close(layer(x), F.conv2d(x, layer.weight, layer.bias), atol=1e-12, rtol=0)
