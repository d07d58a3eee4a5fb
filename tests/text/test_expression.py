import pytest

from rrsis_core.contract import ExpressionError
from rrsis_core.text.expression import read_expression
from rrsis_core.text.lexicon import NOUNS, category_of, content_words, plural


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "expression.empty"),
        ("   \n", "expression.empty"),
        ("the of in", "expression.unknown"),
        ("florble gnarx", "expression.unknown"),
        ("12 34", "expression.unknown"),
        ("?!", "expression.unknown"),
        ("road " * 41, "expression.too_long"),
    ],
)
def test_what_cannot_be_understood_is_refused(text, code):
    with pytest.raises(ExpressionError) as caught:
        read_expression(text)
    assert caught.value.code == code


def test_unknown_words_are_named_once():
    assert read_expression("the florble roofs beside the florble").unknown == ("florble",)


def test_case_spaces_and_possessives_do_not_matter():
    assert read_expression("  The  BLUE roofs ").text == "the blue roofs"
    assert read_expression("the pitcher's mound").unknown == ()


def test_inflections_and_compounds_are_known():
    for phrase in ("storage tanks", "bodies of water", "the l-shaped building", "a blue-roofed house", "2 lorries"):
        assert read_expression(phrase).unknown == ()


@pytest.mark.parametrize(
    ("singular", "many"),
    [
        ("river", "rivers"),
        ("water", "water"),
        ("body of water", "bodies of water"),
        ("bus", "buses"),
        ("beach", "beaches"),
    ],
)
def test_plurals(singular, many):
    assert plural(singular) == many


def test_every_noun_leads_to_a_category_and_its_words_are_known():
    table = category_of()
    for nouns in NOUNS.values():
        for noun in nouns:
            assert noun in table and plural(noun) in table
            assert {word for word in noun.split()} <= content_words() | {"of", "pitcher's"}


def test_real_expressions_are_made_of_known_words(shared):
    lines = (shared / "text/rrsisd/rrsisd_expressions.tsv").read_text().splitlines()[1:]
    expressions = [line.split("\t")[-1] for line in lines]
    assert len(expressions) == 17402
    unknown = sum(bool(read_expression(text).unknown) for text in expressions)
    assert unknown / len(expressions) < 0.01
