import numpy as np
import pytest

from rrsis_core.text.expression import read_expression
from rrsis_core.text.grammar import Referent, corpus, say


def test_every_wording_is_made_of_known_words():
    for expression in corpus(2000, seed=3):
        assert read_expression(expression).unknown == (), expression


def test_same_seed_same_words():
    assert corpus(50, seed=1) == corpus(50, seed=1)
    assert corpus(50, seed=1) != corpus(50, seed=2)


@pytest.mark.parametrize(
    ("referent", "needed"),
    [
        (Referent("building", color="blue"), {"blue", "turquoise", "teal", "cyan"}),
        (Referent("river", "one"), {"river", "stream", "creek", "canal", "channel", "watercourse"}),
        (Referent("road", size="large", superlative=True), {"largest", "biggest"}),
        (Referent("vehicle", "one", place="left", extreme=True), {"leftmost", "westernmost", "left"}),
    ],
)
def test_the_meaning_is_in_the_words(referent, needed):
    rng = np.random.default_rng(0)
    wordings = {say(referent, rng) for _ in range(60)}
    assert len(wordings) > 8
    assert all(set(wording.split()) & needed for wording in wordings)


def test_a_relation_names_its_landmark():
    referent = Referent("tree", relation="left of", landmark=Referent("lake", "one", color="green"))
    words = say(referent, np.random.default_rng(1))
    assert "green" in words or "olive" in words
    assert any(name in words for name in ("left of", "the left of", "west of"))
