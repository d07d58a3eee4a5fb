import numpy as np
import pytest

from rrsis_core.contract import ConfigError
from rrsis_core.text.phrases import target_words
from rrsis_core.text.query import Ordinal, Query, Relation
from rrsis_core.text.tagger import load_tagger
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path

PHRASE = "the gray storage tanks on the left of a baseball field"


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("subject_nouns", [(9, "storage"), (17, "tanks")]),
        ("subject_np", [(0, "the"), (4, "gray"), (9, "storage"), (17, "tanks")]),
    ],
)
def test_target_words_are_those_of_the_subject(scope, words):
    assert target_words(PHRASE, scope, load_tagger("own")) == words


def test_all_nouns_hold_those_of_the_landmark_too():
    words = [word for _, word in target_words(PHRASE, "all_nouns", load_tagger("own"))]
    assert words[:2] == ["storage", "tanks"] and words[-2:] == ["baseball", "field"]


def test_an_invented_thing_is_a_noun_and_a_request_is_none():
    words = [word for _, word in target_words("find the red flindrick brabbin near it", tagger=load_tagger("own"))]
    assert words == ["flindrick", "brabbin"]
    assert target_words("", tagger=load_tagger("own")) == []


def test_pieces_of_target_words_are_marked():
    tokenizer = ExpressionTokenizer(vocabulary_path())
    ids, kinds = tokenizer.encode_targets([PHRASE, "the zyzzyx"], 16)
    plain, mask = tokenizer.encode([PHRASE, "the zyzzyx"], 16)
    assert (ids == plain).all() and kinds.dtype == np.int64 and ((kinds > 0) == mask).all()
    assert kinds[0].tolist() == [1, 1, 1, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]
    pieces = len(tokenizer.tokens("zyzzyx"))
    assert kinds[1, : pieces + 3].tolist() == [1, 1, *[2] * pieces, 1]
    assert tokenizer.encode_targets([PHRASE], 5)[1].tolist() == [[1, 1, 1, 2, 2]]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Query(""),
        lambda: Query("roof", number=1),
        lambda: Query("roof", number="some"),
        lambda: Query("roof", superlative="bluest"),
        lambda: Query("roof", position="nowhere"),
        lambda: Query("roof", ordinal=Ordinal(0)),
        lambda: Query("roof", ordinal=Ordinal(1, "middle")),
        lambda: Relation("nearly", (Query("road"),)),
        lambda: Relation("near"),
        lambda: Relation("within", (Query("road"),)),
        lambda: Relation("near", (Query("road"),), 5.0),
        lambda: Query.from_dict({"target": "roof", "colour": "blue"}),
        lambda: Query.from_dict({"target": "roof", "relations": [3]}),
    ],
)
def test_a_query_that_means_nothing_is_refused(make):
    with pytest.raises(ConfigError) as caught:
        make()
    assert caught.value.code == "config.query"


def test_one_thing_is_asked_of_the_scene_too():
    assert Query("roof", ("blue",), "one").asked_of_scene
    assert Query("road", also=(Query("roof", number="one"),)).asked_of_scene
    assert not Query("river", number="one").asked_of_scene  # goes on: a part of one is one
    assert not Query("roof", also=(Query("road"),)).asked_of_scene


def test_only_some_queries_need_the_scene():
    assert not Query("roof", ("blue",), "one").needs_scene
    assert not Query("roof", also=(Query("road"),)).needs_scene
    for query in (
        Query("roof", number=2),
        Query("roof", position="left"),
        Query("roof", also=(Query("road", number=2),)),
    ):
        assert query.needs_scene
