"""Phrases to queries: the wordings that the documentation promises, and every expression of the public sets."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from rrsis_core.contract import ExpressionError
from rrsis_core.text.lexicon import NOUNS, category_of, plural
from rrsis_core.text.parse import parse, read_phrase
from rrsis_core.text.query import Ordinal, Query, Relation
from rrsis_core.text.saying import Chip, chips, local_text, to_text
from rrsis_core.text.tagger import load_tagger

BENCH = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks/scene_phrases_text.py"))
RIGHT = Query("edge", number="one", position="right")
CORNER = Query("corner", number="one")
RIVER, ROAD = Query("river", number="one"), Query("road", number="one")

MEANINGS = {
    "the green bodies of water in the north": Query("water", ("green",), position="top"),
    "the pools of water": Query("pool of water"),
    "patches of grass": Query("grass"),
    "all drives in the middle of the scene": Query("drive", position="middle"),
    "the tan parking at the top": Query("parking", ("tan",), position="top"),
    "parking near the road": Query("parking", relations=(Relation("near", (ROAD,)),)),
    "the red semis": Query("semi", ("red",)),
    "the driveway connecting the house": Query(
        "driveway", number="one", relations=(Relation("touching", (Query("house", number="one"),)),)
    ),
    "the two roads that pass under the bridge": Query(
        "road", number=2, relations=(Relation("crossing", (Query("bridge", number="one"),)),)
    ),
    "the boats under the trees": Query("boat", relations=(Relation("below", (Query("tree"),)),)),
    "the green left of the pool": Query(
        "green", number="one", relations=(Relation("left of", (Query("pool", number="one"),)),)
    ),
    "the car cut off by the right edge": Query("car", number="one", relations=(Relation("touching", (RIGHT,)),)),
    "the plane pointing up": Query("plane", number="one"),
    "the shaded river flowing downward": Query("river", ("shaded",), "one"),
    "the road running down the left side": Query("road", number="one", position="left"),
    "the largest building": Query("building", number="one", superlative="largest"),
    "the ship on the far left": Query("ship", number="one", position="far left"),
    "the second tank from the north": Query("tank", number="one", ordinal=Ordinal(2, "top")),
    "the last car from the left": Query("car", number="one", ordinal=Ordinal(1, "right")),
    "roofs within 50 m of the river": Query("roof", relations=(Relation("within", (RIVER,), 50.0),)),
    "roofs within 0.1km of the river": Query("roof", relations=(Relation("within", (RIVER,), 100.0),)),
    "cars more than 100 feet from the road": Query("car", relations=(Relation("beyond", (ROAD,), 30.48),)),
    "the pool between the road and the houses": Query(
        "pool", number="one", relations=(Relation("between", (ROAD, Query("house"))),)
    ),
    "the red roof closest to the green field": Query(
        "roof", ("red",), "one", relations=(Relation("closest to", (Query("field", ("green",), "one"),)),)
    ),
    "the blue roofs in the north half": Query("roof", ("blue",), position="top half"),
    "the grey roofs that are not in the center": Query("roof", ("gray",), excluded=(Query("roof", position="middle"),)),
    "buildings without a pool": Query(
        "building", relations=(Relation("with", (Query("pool", number="one"),), negated=True),)
    ),
    "buildings larger than 2 hectares": Query("building", relations=(Relation("larger than", (), 20000.0),)),
    "the three largest buildings": Query("building", number=3, superlative="largest"),
    "houses north-west of the lake": Query(
        "house", relations=(Relation("upper left of", (Query("lake", number="one"),)),)
    ),
    "houses north of the river and within 100 m of the road": Query(
        "house", relations=(Relation("above", (RIVER,)), Relation("within", (ROAD,), 100.0))
    ),
    "the widest road and it is near the river": Query(
        "road", number="one", superlative="widest", relations=(Relation("near", (RIVER,), later=True),)
    ),
    "the red roofs and the blue roofs": Query("roof", ("red",), also=(Query("roof", ("blue",)),)),
    "the roof nearest the corner": Query("roof", number="one", relations=(Relation("closest to", (CORNER,)),)),
    "the tank closest to the north-west corner of the image": Query(
        "tank",
        number="one",
        relations=(Relation("closest to", (Query("corner", number="one", position="upper left"),)),),
    ),
    "the building nearest to the center": Query(
        "building", number="one", relations=(Relation("closest to", (Query("middle", number="one"),)),)
    ),
    "trees at the border of the scene": Query("tree", relations=(Relation("next to", (Query("edge", number="one"),)),)),
    "roofs in the corner": Query("roof", relations=(Relation("inside", (CORNER,)),)),
    "houses 20-50 m from the river": Query(
        "house", relations=(Relation("beyond", (RIVER,), 20.0), Relation("within", (RIVER,), 50.0))
    ),
    "houses on either side of the road": Query("house", relations=(Relation("along", (ROAD,)),)),
    "buildings adjacent to the road": Query("building", relations=(Relation("touching", (ROAD,)),)),
    "roofs that do not touch the road": Query("roof", relations=(Relation("touching", (ROAD,), negated=True),)),
    "all but the largest blue tank": Query(
        "tank", ("blue",), excluded=(Query("tank", ("blue",), "one", superlative="largest"),)
    ),
    "the tanks except the two largest": Query("tank", excluded=(Query("tank", number=2, superlative="largest"),)),
    "the tanks that are not the largest": Query("tank", excluded=(Query("tank", number="one", superlative="largest"),)),
    "the pool furthest to the right": Query("pool", number="one", relations=(Relation("closest to", (RIGHT,)),)),
    "the pool farthest from the right edge": Query(
        "pool", number="one", relations=(Relation("farthest from", (RIGHT,)),)
    ),
    "roofs that are neither red nor blue": Query("roof", excluded=(Query("roof", ("red",)), Query("roof", ("blue",)))),
    "roofs that are red or blue": Query("roof", ("red",), also=(Query("roof", ("blue",)),)),
    "the blue or red roofs": Query("roof", ("red",), also=(Query("roof", ("blue",)),)),
    "buildings next to each other": Query("building", relations=(Relation("next to", (Query("building"),)),)),
    "houses north of the river within 50 m": Query(
        "house", relations=(Relation("above", (RIVER,)), Relation("within", (RIVER,), 50.0))
    ),
    "the tank closer to the right edge": Query("tank", number="one", relations=(Relation("closest to", (RIGHT,)),)),
    "the house with the red roof at the top": Query("house", ("red",), "one", "top"),
    "the gray-roofed houses": Query("house", ("gray",)),
    "a blue-colored car": Query("car", ("blue",), "one"),
    "multi-coloured roofs": Query("roof", ("multi-coloured",)),
    "the river flowing diagonally from the upper left to the bottom": RIVER,
    "the road that runs from left to right": ROAD,
    "the road down the middle": ROAD,
    "the road across the picture": ROAD,
    "the plane pointing to the upper right": Query("plane", number="one"),
    "the third ship from left to right": Query("ship", number="one", ordinal=Ordinal(3, "left")),
    "cars on the left carriageway": Query(
        "car", relations=(Relation("on", (Query("carriageway", number="one", position="left"),)),)
    ),
    "the boats at the upper pier": Query(
        "boat", relations=(Relation("next to", (Query("pier", number="one", position="top"),)),)
    ),
    "the leftmost car of the bottom row": Query("car", number="one", position="bottom half", superlative="leftmost"),
    "the cars in the lower half of the lot": Query(
        "car", relations=(Relation("inside", (Query("lot", number="one"),)),)
    ),
    "the leftmost of the three small tanks": Query("tank", ("small",), "one", superlative="leftmost"),
    "the larger of the two trees": Query("tree", number="one", superlative="largest"),
    "the lower of the two roads": Query("road", number="one", position="bottom"),
    "the upper right of the three tanks": Query("tank", number="one", position="upper right"),
    "the putting green on the left": Query("putting green", number="one", position="left"),
    "the broad belt of trees": Query("tree", ("broad",)),
    "the cars waiting on the bridge": Query("car", relations=(Relation("on", (Query("bridge", number="one"),)),)),
    "houses facing the road": Query("house", relations=(Relation("near", (ROAD,)),)),
    "the two courts side by side": Query("court", number=2),
    "second from the left": Query("object", number="one", ordinal=Ordinal(2, "left")),
    "the second largest building closest to the second tank": Query(
        "building",
        number="one",
        superlative="largest",
        ordinal=Ordinal(2),
        relations=(Relation("closest to", (Query("tank", number="one", ordinal=Ordinal(2)),)),),
    ),
    "trees near the second largest flindrick brabbin": Query(
        "tree",
        relations=(
            Relation("near", (Query("flindrick brabbin", number="one", superlative="largest", ordinal=Ordinal(2)),)),
        ),
    ),
}


@pytest.mark.parametrize("phrase", MEANINGS)
def test_a_phrase_means_its_query(phrase):
    understood = parse(phrase)
    assert understood.query == MEANINGS[phrase]
    assert not understood.unread and not understood.corrected


@pytest.mark.parametrize("phrase", MEANINGS)
def test_a_query_goes_through_text_and_through_plain_data(phrase):
    query = MEANINGS[phrase]
    assert parse(to_text(query)).query == query
    assert Query.from_dict(query.as_dict()) == query


@pytest.mark.parametrize(
    "paraphrases",
    [
        ("the biggest roof", "the largest roof", "the roof of greatest size", "find the greatest roof"),
        ("the grey roof in the centre", "the gray roof in the center", "the gray roof in the middle of the image"),
        ("ships to the left of the pier", "ships on the left of the pier", "the ships that are west of the pier"),
        ("houses without pools", "houses that have no pools", "houses with no pools"),
        ("roofs within 50 metres of a road", "roofs less than 50m from a road", "roofs up to 50 meters from a road"),
        ("the northernmost tank", "the topmost tank", "the most northern tank"),
    ],
)
def test_paraphrases_are_one_query(paraphrases):
    assert len({parse(phrase).query for phrase in paraphrases}) == 1


def test_what_a_query_cannot_say_is_told():
    assert parse("the leftmost of the three largest tanks").unread == ("leftmost",)
    understood = parse("the northern part of the river")
    assert understood.query == RIVER and understood.unread == ("above",)


def test_chips_tell_what_was_understood():
    found = chips(parse("the second largest blue roof within 50 m of the river"))
    assert found == [
        Chip("target", "roof"),
        Chip("attribute", "blue"),
        Chip("number", "one"),
        Chip("superlative", "largest"),
        Chip("ordinal", "second"),
        Chip("relation", "within 50 m of the river"),
    ]


def test_the_model_is_not_asked_for_the_size_of_one_thing():
    small = Query("tank", ("small", "white"), "one")
    assert local_text(small) == "the white tanks"
    assert local_text(replace(small, number="all")) == "the small white tanks"
    assert local_text(replace(small, superlative="leftmost")) == "the small white tanks"


def test_the_model_is_asked_for_all_that_look_so():
    assert local_text(parse("the largest dark gray storage tank").query) == "the dark gray storage tanks"
    assert local_text(parse("the water on the left").query) == "the water"


@pytest.mark.parametrize("words", ["the {}", "{} in the north", "all white {}", "the white {} at the top", "white {}"])
def test_every_noun_is_read_as_its_category(words):
    known = category_of()
    nouns = [(noun, category) for category, names in NOUNS.items() for noun in names if "green " not in noun]
    for noun, category in nouns:
        for named in (noun, plural(noun)):
            query = parse(words.format(named)).query
            assert known.get(query.target) == category or query.target == noun.replace("'s", ""), (named, query)
            assert bool(query.attributes) == ("white" in words) and not query.relations, (named, query)
            assert query.position == ("top" if "the white" in words or "north" in words else None), (named, query)


def test_a_slip_is_read_as_the_one_word_that_it_can_be():
    understood = parse("the bulding near the rivr")
    assert understood.corrected == (("bulding", "building"),)
    assert understood.query.target == "building"
    assert understood.query.relations[0].landmarks[0].target == "rivr"  # too short to be sure
    assert parse("the towers").corrected == ()  # a word of its own, one letter from "lowers"
    assert read_phrase("the bulding")[0].text == "the building"
    with pytest.raises(ExpressionError) as caught:
        read_phrase("the")
    assert caught.value.code == "expression.unknown"


def test_labelled_expressions_are_read_as_labelled(shared):
    scores = BENCH["slot_scores"](BENCH["labelled"](shared), load_tagger("own"), misses=False)
    assert scores["all"] >= 0.97 and min(scores.values()) >= 0.97


def test_labelled_expressions_go_through_text(shared):
    queries = [parse(expression).query for expression, _ in BENCH["labelled"](shared)]
    assert len(queries) == 300
    assert all(parse(to_text(query)).query == query for query in queries)


def test_the_target_is_the_annotated_category_or_whatever_stands_in_its_place(shared):
    rows = BENCH["rrsisd"](shared)[::20]
    assert BENCH["targets"](rows, load_tagger("own"), False) >= 0.98
    assert BENCH["targets"](BENCH["replaced"](rows), load_tagger("own"), False) >= 0.98
