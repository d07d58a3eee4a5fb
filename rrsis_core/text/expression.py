"""A referring expression is what the user typed, cleaned: the words that say which objects are meant."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from rrsis_core.contract import ExpressionError
from rrsis_core.text.lexicon import COMPARISONS, EXTREMES, FUNCTION_WORDS, ORDINALS, PLACES, content_words

MAX_WORDS = 40
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*|\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Expression:
    """A checked expression: the cleaned text, its words, and those of them that the lexicon does not hold."""

    text: str
    words: tuple[str, ...]
    unknown: tuple[str, ...]


def read_expression(text: str) -> Expression:
    """Clean and check what a user typed.

    Raises ExpressionError: expression.empty (no word at all), expression.unknown (no known word, all named),
    expression.too_long (over 40 words).
    """
    cleaned = " ".join(unicodedata.normalize("NFKC", text).lower().replace("'s ", " ").split())
    words = tuple(_WORD.findall(cleaned))
    if not cleaned:
        raise ExpressionError(
            "The phrase is empty.", code="expression.empty", hint='Say what to look for: "the blue roofs".'
        )
    if len(words) > MAX_WORDS:
        raise ExpressionError(
            f"The phrase has {len(words)} words.",
            code="expression.too_long",
            hint=f"Use at most {MAX_WORDS} words; one object or group of objects a phrase.",
        )
    unknown = tuple(dict.fromkeys(word for word in words if not is_known(word)))
    if not any(is_known(word) and word not in FUNCTION_WORDS and not word[0].isdigit() for word in words):
        named = ", ".join(f"'{word}'" for word in unknown) or f"'{cleaned}'"
        raise ExpressionError(
            f"No word of the phrase is known: {named}.",
            code="expression.unknown",
            hint='Use plain English words for things seen from above: "the red roofs", "the road beside the river".',
        )
    return Expression(cleaned, words, unknown)


def is_known(word: str) -> bool:
    """Tell whether the lexicon holds a lower-case word, a number, or all parts of a hyphenated word."""
    known = content_words()
    if word in known or word in FUNCTION_WORDS or word[0].isdigit():
        return True
    return "-" in word and all(is_known(part) for part in word.split("-"))


def relative_words(expression: Expression) -> tuple[str, ...]:
    """Return the words that place or rank an object within an extent: left, northernmost, largest, second ..."""
    return tuple(word for word in expression.words if word in _relative_words())


@cache
def _relative_words() -> frozenset[str]:
    tables = [word for table in (PLACES, EXTREMES) for words in table.values() for word in words]
    ranks = [word for word in COMPARISONS if word.endswith("est")]
    return frozenset(word for phrase in [*tables, *ranks, *ORDINALS] for word in phrase.split())
