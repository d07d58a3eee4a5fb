import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrsis_core.data.directions import mirror_expression
from rrsis_core.data.transforms import resize_mask, turn, turn_point, void, weather


@pytest.mark.parametrize(
    ("text", "axis", "expected"),
    [
        ("the house on the left", "horizontal", "the house on the right"),
        ("the house on the left", "vertical", "the house on the left"),
        ("the upper left court", "vertical", "the lower left court"),
        ("the northeastern field", "horizontal", "the northwestern field"),
        ("the northwesternmost field", "vertical", "the southwesternmost field"),
        ("the leftmost, topmost car", "horizontal", "the rightmost, topmost car"),
        ("the trees above the road", "vertical", "the trees below the road"),
        ("the road under the bridge", "vertical", None),
        ("the number 27", "vertical", None),
    ],
)
def test_a_mirrored_expression(text, axis, expected):
    assert mirror_expression(text, axis) == expected


@given(st.lists(st.sampled_from("the left right upper lower north southeast road of topmost west".split()), min_size=1))
def test_mirroring_twice_changes_nothing(words):
    text = " ".join(words)
    for axis in ("horizontal", "vertical"):
        assert mirror_expression(mirror_expression(text, axis), axis) == text


@given(st.integers(0, 3), st.booleans(), st.integers(0, 6), st.integers(0, 6))
def test_points_turn_with_the_pixels(quarter_turns, mirrored, row, column):
    picture = np.zeros((7, 7))
    picture[row, column] = 1
    turned = np.argwhere(turn(picture, quarter_turns, mirrored))[0]
    x, y = turn_point((column + 0.5) / 7, (row + 0.5) / 7, quarter_turns, mirrored)
    assert (turned + 0.5) / 7 == pytest.approx([y, x])


def test_weather_keeps_shape_and_type_and_is_seeded():
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    for seed in range(20):
        first, second = (weather(image, np.random.default_rng(seed)) for _ in range(2))
        assert first.dtype == np.uint8 and first.shape == image.shape
        assert (first == second).all()


def test_a_mask_pixel_needs_half_its_area():
    mask = np.zeros((8, 8), bool)
    mask[:, :3] = True
    assert resize_mask(mask, 4).tolist() == [[True, False, False, False]] * 4 or resize_mask(mask, 4)[:, 2:].sum() == 0
    assert resize_mask(np.ones((8, 8), bool), 4).all()


def test_a_void_is_one_side_of_a_line():
    shares = [void((64, 64), np.random.default_rng(seed)).mean() for seed in range(30)]
    assert 0 <= min(shares) < 0.2 and 0.3 < max(shares) <= 1
