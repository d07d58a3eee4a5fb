"""Run lengths: what COCO's own tool writes is read, and what we write is read back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from rrsis_core.contract import InputError
from rrsis_core.data.rle import decode_rle, encode_rle

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=40)


@given(arrays.arrays(bool, SHAPES))
def test_a_mask_comes_back(mask):
    assert np.array_equal(decode_rle(encode_rle(mask), *mask.shape), mask)


def two_boxes():
    mask = np.zeros((30, 40), bool)
    mask[3:17, 2:20] = mask[10:28, 15:37] = True
    return mask


def three_bars():
    mask = np.zeros((4, 5), bool)
    mask[1:3, 0] = mask[2:, 2] = mask[:, 4] = True
    return mask


@pytest.mark.parametrize(
    ("counts", "mask"),
    [  # written by pycocotools 2.0.11
        ("1270M2", three_bars()),
        ("o1>`0000000000000000000000000;E00000007I00000000000000000000000000000000`2", two_boxes()),
        ("0T1", np.ones((6, 6), bool)),
        ("T1", np.zeros((6, 6), bool)),
        ("PPa1", np.zeros((224, 224), bool)),
    ],
)
def test_counts_of_the_usual_tool(counts, mask):
    assert np.array_equal(decode_rle(counts, *mask.shape), mask)
    assert np.array_equal(decode_rle(counts.encode(), *mask.shape), mask)
    assert encode_rle(mask) == counts


def test_plain_runs_go_down_the_columns():
    assert decode_rle([1, 2, 3], 2, 3).tolist() == [[False, True, False], [True, False, False]]


@pytest.mark.parametrize("counts", ["1270", "", "T", [3, 4], [-1, 21], "żółw"])
def test_runs_that_do_not_fill_the_mask_are_refused(counts):
    with pytest.raises(InputError) as caught:
        decode_rle(counts, 4, 5)
    assert caught.value.code == "data.mask"
