"""Expressions are turned with their picture: truthfully, there and back, or not at all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrsis_core.data.directions import mirror_expression, names_a_place, turn_expression
from rrsis_core.data.pictures import turn_sample
from rrsis_core.data.samples import ReferringSample
from rrsis_core.data.transforms import turned_back

SIDES = "left right top bottom upper lower north south west east".split()
CORNERS = ["top left", "lower right", "upper-left", "northwest", "southeastern"]
WORDS = [*SIDES, *CORNERS, "the", "ship", "of", "row", "up", "second", "right at"]
PHRASES = st.one_of(
    st.builds("the {} on the {}".format, st.sampled_from(["ship", "blue roof"]), st.sampled_from(SIDES)),
    st.builds("the ship at the {}".format, st.sampled_from(CORNERS)),
    st.builds("the {}most ship".format, st.sampled_from(["left", "right", "top", "bottom"])),
    st.builds("the ship {} the pier".format, st.sampled_from(["above", "below", "left of", "under", "right next to"])),
    st.builds("the {} car from the {}".format, st.sampled_from(["second", "2nd", "last"]), st.sampled_from(SIDES)),
    st.lists(st.sampled_from(WORDS), min_size=1).map(" ".join),
)
TURNS = st.tuples(st.integers(0, 3), st.booleans())


@given(PHRASES, TURNS, st.integers(0, 2**32 - 1))
def test_turning_back_gives_image_mask_and_words_again(phrase, turned, seed):
    rng = np.random.default_rng(seed)
    image, mask = rng.integers(0, 255, (6, 8, 3)).astype(np.uint8), rng.integers(0, 2, (7, 8)).astype(np.uint8)
    there = turn_sample(ReferringSample(image, mask, phrase, ""), *turned)
    if there is None:
        return  # refused: the picture is left alone
    back = turn_sample(there, *turned_back(*turned))
    assert np.array_equal(back.image, image) and np.array_equal(back.mask, mask)
    assert back.expression == phrase


@pytest.mark.parametrize(
    ("before", "turns", "mirrored", "after"),
    [
        ("The ship on the LEFT", 0, True, "the ship on the right"),
        ("the westernmost pier", 0, True, "the easternmost pier"),
        ("the north-east corner", 0, True, "the north-west corner"),
        ("the second car from the left", 0, True, "the second car from the right"),
        ("the ship on the left", 2, False, "the ship on the right"),
        ("the ship at the top left", 2, False, "the ship at the bottom right"),
        # a quarter turn counter-clockwise takes the top to the left
        ("the ship on the top", 1, False, "the ship on the left"),
        ("the ship on the left", 1, False, "the ship on the bottom"),
        ("the ship on the left", 3, False, "the ship on the top"),
        ("the house above the road", 1, False, "the house left of the road"),
        ("the northwestern field", 1, False, "the southwestern field"),
        ("the ship on the top", 1, True, "the ship on the right"),
        ("the blue roofs", 3, True, "the blue roofs"),
    ],
)
def test_words_follow_the_picture(before, turns, mirrored, after):
    assert turn_expression(before, turns, mirrored) == after


@pytest.mark.parametrize(
    ("phrase", "turns", "mirrored"),
    [
        ("the car right next to the house", 0, True),  # not a side
        ("the second car", 0, True),  # counted in the order of reading
        ("the third ship from the pier", 1, False),
        ("the number 4 on the runway", 0, True),
        ("the road under the bridge", 2, False),
        ("the car on top of the bridge", 1, False),
        ("the vertical road", 1, False),
        ("the second row of cars", 1, False),
        ("the upper ship", 1, False),  # no word says upper of a side
    ],
)
def test_what_cannot_be_said_is_refused(phrase, turns, mirrored):
    assert turn_expression(phrase, turns, mirrored) is None


def test_the_sides_agree_with_the_pixels():
    """A white square at the named side is at the newly named side after the turn."""
    image = np.zeros((9, 9, 3), np.uint8)
    places = {"left": (4, 0), "right": (4, 8), "top": (0, 4), "bottom": (8, 4)}
    for side, place in places.items():
        for turns in range(4):
            for mirrored in (False, True):
                mask = np.zeros((9, 9), np.uint8)
                mask[place] = 1
                turned = turn_sample(ReferringSample(image, mask, f"the ship on the {side}", ""), turns, mirrored)
                assert turned.mask[places[turned.expression.split()[-1]]] == 1


def test_two_mirrors_are_axes_of_their_own():
    assert mirror_expression("the ship on the top left", "vertical") == "the ship on the bottom left"
    assert mirror_expression("the ship on the top left", "horizontal") == "the ship on the top right"


@pytest.mark.parametrize("phrase", ["the largest ship", "the ship in the middle", "the second car", "more to the left"])
def test_what_a_part_of_the_picture_could_make_false_is_known(phrase):
    assert names_a_place(phrase)
    assert not names_a_place("the blue roofs by the river")
