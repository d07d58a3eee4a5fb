"""Whatever is typed is read without an error, and what can be said is read as what was meant."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rrsis_core.text import wordings
from rrsis_core.text.lexicon import FUNCTION_WORDS, content_words
from rrsis_core.text.parse import parse
from rrsis_core.text.query import RANKINGS, RELATIONS, SIDES, SUPERLATIVES, Ordinal, Query, Relation
from rrsis_core.text.saying import chips, local_text, position_text, to_text, uncolored

WORDS = sorted({*content_words(), *FUNCTION_WORDS, *wordings.BEST, *wordings.BIGGER, *wordings.CARDINALS})
ODD = [*", ? '' é ß ½ ３ｍ ﬁeld 道路 🏠 50m 20-50 1e9 - n't".split(), "", "\u200b", "\x00"]

nouns = st.sampled_from(["roof", "storage tank", "tennis court", "river", "flindrick brabbin"])
looks = st.sampled_from([(), ("red",), ("dark", "blue")])
things = st.builds(Query, nouns, looks, st.sampled_from(["one", "all"]))


@st.composite
def relations(draw):
    kind = draw(st.sampled_from(RELATIONS))
    amount = draw(st.integers(1, 999).map(float)) if kind in ("within", "beyond") else None
    negated = kind not in (*RANKINGS, "beyond") and draw(st.booleans())  # "not more than 5 m from" is within
    return Relation(kind, tuple(draw(things) for _ in range(1 + (kind == "between"))), amount, negated)


@st.composite
def positions(draw):
    side = draw(st.sampled_from(SIDES))
    if side == "middle":
        return side
    center = "" if " " in side else draw(st.sampled_from(["", "center "]))
    part = draw(st.sampled_from(["", " half", " third", " quarter", " corner", " edge"]))
    return center + draw(st.sampled_from(["", "far "])) + side + part


queries = st.builds(
    Query,
    nouns,
    looks,
    st.sampled_from(["one", "all", 2, 7, 15]),
    st.none() | positions(),
    st.none() | st.sampled_from(SUPERLATIVES),
    st.none() | st.builds(Ordinal, st.integers(1, 30), st.none() | st.sampled_from(SIDES[:8])),
    st.lists(relations(), max_size=2).map(tuple),
    st.lists(things, max_size=1).map(tuple),
)


def has_its_own_roof(query):
    """A roof with a red roof is a red roof, and read as one."""
    return query.target == "roof" and any(
        (relation.kind, relation.negated, mark.target) == ("with", False, "roof") and mark.attributes
        for relation in query.relations
        for mark in relation.landmarks
    )


@settings(max_examples=150, deadline=None)
@given(queries.filter(lambda query: not has_its_own_roof(query)))
def test_what_can_be_said_is_read_as_what_was_meant(query):
    understood = parse(to_text(query))
    assert understood.query == query
    assert not understood.unread and not understood.corrected


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.sampled_from(ODD) | st.text(max_size=6), max_size=14))
def test_any_salad_of_words_is_read_and_can_be_said(words):
    understood = parse(" ".join(words))
    query = understood.query
    assert Query.from_dict(query.as_dict()) == query
    assert to_text(query) and local_text(query) and chips(understood)
    parse(to_text(query))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_no_text_raises(text):
    parse(text)


def test_every_position_can_be_said():
    for side in SIDES:
        assert parse(f"the roofs {position_text(side)}").query == Query("roof", position=side)


def test_one_colour_can_be_taken_out_of_a_query():
    assert uncolored(Query("roof", ("large", "grey"))) == ("gray", Query("roof", ("large",)))
    assert uncolored(Query("roof", ("large",))) is None
    assert uncolored(Query("roof", ("blue", "white"))) is None
