"""Metrics against golden values (datasets_metrics.md section 2)."""

import numpy as np
import pytest

from rrsis_core.engine.metrics import THRESHOLDS, ScoreCounter

GOLDEN = [(4, 4), (2, 4), (0, 6), (0, 3), (0, 5), (3, 5), (7, 10), (4, 5), (9, 10)]


def masks(intersection, union):
    """Two masks of 100 pixels with these counts."""
    first, second = np.zeros(100, bool), np.zeros(100, bool)
    first[:union] = True
    second[:intersection] = True
    return first.reshape(10, 10), second.reshape(10, 10)


def counter(pairs, protocol="lavt"):
    result = ScoreCounter(protocol)
    for pair in pairs:
        result.add(*masks(*pair))
    return result


def test_golden_values():
    scores = counter(GOLDEN).scores()
    assert scores["n"] == 9
    assert scores["mIoU"] == pytest.approx(0.5)
    assert scores["oIoU"] == pytest.approx(29 / 52)
    assert [round(scores[f"P@{t}"] * 9) for t in THRESHOLDS] == [6, 5, 4, 3, 2]


@pytest.mark.parametrize(
    ("protocol", "miou", "shares"),
    [("lavt", 0.45, [0.6, 0.5, 0.4, 0.3, 0.2]), ("strict_original", 0.55, [0.7, 0.6, 0.5, 0.4, 0.3])],
)
def test_two_empty_masks(protocol, miou, shares):
    scores = counter([*GOLDEN, (0, 0)], protocol).scores()
    assert scores["mIoU"] == pytest.approx(miou)
    assert scores["oIoU"] == pytest.approx(29 / 52)
    assert [scores[f"P@{t}"] for t in THRESHOLDS] == pytest.approx(shares)


def test_merged_counters_and_another_order_give_the_same():
    first, second = counter(GOLDEN[:4]), counter(GOLDEN[4:])
    second.merge(first)
    assert second.scores() == pytest.approx(counter(GOLDEN[::-1]).scores())


def test_masks_must_be_bool_and_of_one_shape():
    with pytest.raises(ValueError, match="bool"):
        ScoreCounter().add(np.full((2, 2), 255, np.uint8), np.ones((2, 2), bool))
    with pytest.raises(ValueError, match="shapes"):
        ScoreCounter().add(np.ones((2, 2), bool), np.ones((2, 3), bool))


def test_doubtful_pixels_are_left_out():
    predicted, truth = np.array([[True, True]]), np.array([[True, False]])
    result = ScoreCounter()
    result.add(predicted, truth, np.array([[True, False]]))
    assert result.scores()["mIoU"] == 1
    assert ScoreCounter().scores() == {"n": 0}
