"""Spelling: an unknown word of five letters or more, one slip from exactly one known word, is read as that word.

A slip is one letter too many, missing, wrong, or two letters swapped. Real words that are not in the lexicon are left
alone: a tower is no slip for "lower".
"""

from functools import cache

from rrsis_core.text.lexicon import FUNCTION_WORDS, REAL_WORDS, content_words

SHORTEST = 5
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@cache
def correct(word: str) -> str:
    """Return the word that is meant: the word itself, unless it is a slip for exactly one known word."""
    if len(word) < SHORTEST or not word.isalpha() or not word.isascii() or word in _left_alone():
        return word
    meant = _one_slip_away(word) & _known()
    return meant.pop() if len(meant) == 1 else word


@cache
def _known() -> frozenset[str]:
    return frozenset(word for word in content_words() | FUNCTION_WORDS if word.isalpha())


@cache
def _left_alone() -> frozenset[str]:
    return _known() | REAL_WORDS


def _one_slip_away(word: str) -> set[str]:
    cuts = [(word[:index], word[index:]) for index in range(len(word) + 1)]
    missing = {left + letter + right for left, right in cuts for letter in _LETTERS}
    extra = {left + right[1:] for left, right in cuts if right}
    wrong = {left + letter + right[1:] for left, right in cuts if right for letter in _LETTERS}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    return missing | extra | wrong | swapped
