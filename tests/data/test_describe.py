"""Descriptions are true: what they mean is what a person would point at."""

import numpy as np
import pytest

from rrsis_core.data.describe import TELLERS, Seen, View, describe


def seen(index, category="building", color="gray", x=0.5, y=0.5, size=0.1, area=400.0, cut=False):
    return Seen(index, category, color, x, y, size, size, area, cut)


TOWN = View(
    (
        seen(0, color="blue", x=0.1, y=0.1, area=900),
        seen(1, color="red", x=0.9, y=0.2),
        seen(2, color="blue", x=0.8, y=0.9),
        seen(3, color=None, x=0.5, y=0.5),
        seen(4, "lake", "green", x=0.5, y=0.8, size=0.3, area=5000),
        seen(5, "vehicle", "white", x=0.2, y=0.8, area=30),
        seen(6, "vehicle", "white", x=0.21, y=0.2, area=5),
    ),
    complete=frozenset(["building", "lake", "vehicle", "road"]),
    absent=frozenset(["airplane"]),
)


def told(kind, view=TOWN, draws=200):
    rng = np.random.default_rng(0)
    descriptions = [TELLERS[kind][0](view, rng) for _ in range(draws)]
    return [d for d in descriptions if d is not None]


def test_a_category_means_all_its_objects():
    for description in told("category"):
        if description.referent.category == "building":
            assert (description.referent.number, description.objects) == ("all", (0, 1, 2, 3))
        if description.referent.category == "lake":
            assert (description.referent.number, description.objects) == ("one", (4,))
        if description.referent.category == "vehicle":
            assert (description.objects, description.doubtful) == ((5,), (6,))


def test_a_colour_leaves_the_doubtful_out():
    blue = [d for d in told("color") if d.referent.category == "building" and d.referent.color == "blue"]
    assert blue
    assert all((d.objects, d.doubtful) == ((0, 2), (3,)) for d in blue)


def test_a_place_is_where_the_centre_is():
    for d in told("place"):
        if d.referent.category == "building" and d.referent.color is None:
            expected = {"top left": (0,), "right": (1, 2), "bottom": (2,), "center": (3,), "top right": (1,)}
            if d.referent.place in expected:
                assert d.objects == expected[d.referent.place]


def test_the_middle_is_doubtful_for_a_side():
    right = [d for d in told("place") if d.referent.category == "building" and d.referent.place == "right"]
    assert all(3 in d.doubtful for d in right if d.referent.color is None)


def test_superlatives_and_extremes_need_a_clear_winner():
    largest = [d for d in told("superlative") if d.referent.category == "building" and d.referent.size == "large"]
    assert largest and all(d.objects == (0,) for d in largest)
    assert not [d for d in told("superlative") if d.referent.category == "building" and d.referent.size == "small"]
    for d in told("extreme"):
        if d.referent.category == "building":
            assert d.objects == {"left": (0,), "right": (1,), "top": (0,), "bottom": (2,)}[d.referent.place]


def test_a_relation_looks_from_its_landmark():
    for d in told("relation"):
        if d.referent.category == "building" and d.referent.landmark.category == "lake":
            if d.referent.relation == "right of":
                assert d.objects == (2,)
            if d.referent.relation == "above":
                assert 3 in d.objects and 2 not in d.objects


def test_what_is_not_there_has_an_empty_answer():
    assert {d.referent.category for d in told("absent")} <= {"airplane", "road"}
    for d in told("absent") + told("near miss"):
        assert d.objects == ()
    colors = {d.referent.color for d in told("near miss") if d.referent.category == "vehicle" and d.referent.color}
    assert colors and "white" not in colors


def test_what_is_not_known_to_be_complete_is_never_said():
    view = View(TOWN.seen, complete=frozenset(["lake"]), absent=frozenset())
    rng = np.random.default_rng(1)
    for _ in range(100):
        description = describe(view, rng)
        assert description.referent.category in ("lake",)


@pytest.mark.parametrize("kind", TELLERS)
def test_nothing_can_be_said_of_nothing(kind):
    assert TELLERS[kind][0](View((), frozenset(), frozenset()), np.random.default_rng(0)) is None
