"""Blending is exact: weights sum to one, and no order of tiles changes a bit."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rrsis_core.contract import InferenceError
from rrsis_core.geo.stitching import ProbabilityMosaic, axis_weights
from rrsis_core.geo.tiling import plan_axis, plan_tiles


def blend(plan, predict, phrases=1, shuffle=None):
    mosaic = ProbabilityMosaic(plan, phrases)
    rows = []
    for row in plan.rows():
        order = list(row)
        if shuffle is not None:
            shuffle.shuffle(order)
        for tile in order:
            mosaic.add(tile, predict(tile))
        rows.append(mosaic.release())
    return np.concatenate(rows, axis=1)


@given(length=st.integers(1, 1500), tile=st.integers(1, 300), overlap=st.sampled_from([0, 0.125, 0.25, 0.5]))
@settings(deadline=None)
def test_weights_sum_to_256_everywhere(length, tile, overlap):
    starts = plan_axis(length, tile, overlap)
    size = min(tile, length)
    total = np.zeros(length, int)
    weights = axis_weights(starts, size, length)
    for start, weight in zip(starts, weights, strict=True):
        assert len(weight) == size
        total[start : start + size] += weight
    assert (total == 256).all()


def test_shares_are_rounded_to_the_largest_remainder():
    # Windows of 0.25, 1, 0.25: where both lie, 204.8 and 51.2 parts of 256.
    first, second = axis_weights((0, 1), 3, 4)
    assert first.tolist() == [256, 205, 51]
    assert second.tolist() == [51, 205, 256]


def test_equal_remainders_go_to_the_first_tile():
    # Five tiles of nine over the middle: their shares come in pairs of equals.
    weights = axis_weights(tuple(range(9)), 9, 17)
    middle = [int(weight[8 - start]) for start, weight in enumerate(weights)]
    assert sum(middle) == 256
    assert all(middle[k] >= middle[8 - k] for k in range(4))


@pytest.mark.parametrize("width, height", [(1, 1), (63, 64), (64, 65), (65, 1), (64 + 3 * 48 + 1, 130), (64 + 48, 16)])
@pytest.mark.parametrize("overlap", [0, 0.25, 0.5])
def test_constant_gives_the_constant_up_to_the_corners(width, height, overlap):
    plan = plan_tiles(width, height, 64, overlap)
    for value in (0.0, 0.8, 1.0):
        blended = blend(plan, lambda tile, value=value: np.full((2, tile.height, tile.width), value, np.float32), 2)
        assert blended.shape == (2, height, width)
        assert (blended == round(value * 65535)).all()


def test_pixelwise_predictions_come_back(rng):
    truth = rng.random((3, 150, 210), np.float32)
    for tile, overlap in ((64, 0.25), (48, 0.5), (256, 0.125), (50, 0)):
        plan = plan_tiles(210, 150, tile, overlap)
        blended = blend(plan, lambda t: truth[:, t.top : t.top + t.height, t.left : t.left + t.width], 3)
        assert (blended == np.rint(truth * np.float32(65535))).all()


def test_order_of_tiles_changes_no_bit(rng):
    plan = plan_tiles(300, 170, 64, 0.3)
    answers = {
        (tile.row, tile.column): rng.random((2, tile.height, tile.width), np.float32)
        for tile in itertools.chain(*plan.rows())
    }

    def predict(tile):
        return answers[tile.row, tile.column]

    expected = blend(plan, predict, 2)
    for seed in range(5):
        assert (blend(plan, predict, 2, np.random.default_rng(seed)) == expected).all()


@pytest.mark.parametrize("height", [170, 64 + 3 * 32 + 1])  # with the second the last tile lies over three others
@pytest.mark.parametrize("overlap", [0, 0.25, 0.5])
def test_workers_that_share_the_rows_of_tiles_change_no_bit(rng, height, overlap):
    plan = plan_tiles(150, height, 64, overlap)
    answers = {one: rng.random((2, one.height, one.width), np.float32) for one in itertools.chain(*plan.rows())}

    def work(first, stop):
        """Finish rows of tiles first to stop, answering the earlier ones that reach into them once more."""
        mosaic, kept = ProbabilityMosaic(plan, 2), []
        for number, row in enumerate(plan.rows()):
            reaches = plan.row_starts[number] + plan.tile_height > plan.row_starts[first]
            for tile in reversed(row) if reaches and number < stop else ():
                mosaic.add(tile, answers[tile])
            rows = mosaic.release()
            kept += [rows] if first <= number < stop else []
        return np.concatenate(kept, axis=1)

    expected, count = blend(plan, answers.get, 2), len(plan.row_starts)
    for cuts in ((0, 1, count), (0, count - 1, count), range(count + 1)):
        shares = [work(first, stop) for first, stop in itertools.pairwise(cuts) if first < stop]
        assert (np.concatenate(shares, axis=1) == expected).all()


@pytest.mark.parametrize("tile, overlap", [(64, 0.25), (64, 0.5), (50, 0.1)])
def test_against_the_whole_array_in_floats(rng, tile, overlap):
    plan = plan_tiles(230, 190, tile, overlap)
    answers = {(one.row, one.column): rng.random((1, one.height, one.width)) for one in itertools.chain(*plan.rows())}
    hann = np.sin(np.pi * (np.arange(tile) + 0.5) / tile) ** 2
    total, weight = np.zeros((190, 230)), np.zeros((190, 230))
    for one in itertools.chain(*plan.rows()):
        here = np.s_[one.top : one.top + tile, one.left : one.left + tile]
        total[here] += np.outer(hann, hann) * answers[one.row, one.column][0]
        weight[here] += np.outer(hann, hann)
    blended = blend(plan, lambda one: answers[one.row, one.column])[0] / 65535
    # A weight of 1 / 256 is off by at most half of that, on each axis and for each tile.
    assert np.abs(blended - total / weight).max() < 4 / 256
    assert np.abs(blended - total / weight).mean() < 1 / 1024


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(bad):
    plan = plan_tiles(64, 64, 64, 0.25)
    (tile,) = next(plan.rows())
    probabilities = np.full((1, 64, 64), 0.5, np.float32)
    probabilities[0, 3, 4] = bad
    with pytest.raises(InferenceError) as error:
        ProbabilityMosaic(plan, 1).add(tile, probabilities)
    assert error.value.code == "inference.not_finite"


def test_logits_and_tiles_out_of_turn_are_programming_errors():
    plan = plan_tiles(64, 200, 64, 0.25)
    rows = list(plan.rows())
    mosaic = ProbabilityMosaic(plan, 1)
    with pytest.raises(ValueError):
        mosaic.add(rows[0][0], np.full((1, 64, 64), 1.5, np.float32))
    with pytest.raises(ValueError):
        mosaic.add(rows[1][0], np.full((1, 64, 64), 0.5, np.float32))
