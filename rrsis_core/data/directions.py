"""Directions: the words of an expression that say where, and what becomes of them when the picture is turned.

A rewritten expression is as true of the turned picture as the first one was of the first. Where a word could be a
place or not ("the road under the bridge", "right next to"), or where turning back would not give the first words again,
the answer is None: the picture must then not be turned.
"""

import re
from collections.abc import Iterable
from itertools import product

_MIRRORS = {
    "horizontal": ("left right", "leftmost rightmost", "leftward rightward", "west east", "western eastern"),
    "vertical": (
        "top bottom",
        "upper lower",
        "topmost bottommost",
        "uppermost lowermost",
        "above below",
        "north south",
        "northern southern",
        "up down",
        "upward downward",
    ),
}
_MORE = {"horizontal": ("westernmost easternmost",), "vertical": ("northernmost southernmost",)}
_COMPASS = {"horizontal": ("west", "east"), "vertical": ("north", "south")}
_SIDE = "left|right|top|bottom|upper|lower|north|south|west|east"
_ORDINAL = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|\\d+(?:st|nd|rd|th)"
# "the second car" counts in the order of reading, which a turn changes; "the second car from the left" says from where.
_COUNTED = re.compile(rf"\b(?:{_ORDINAL})\b(?!.*\bfrom\b.*\b(?:{_SIDE})\b)")
_FIXED = re.compile(r"\b(?:(?:anti|counter)?clockwise|o'clock|numbers?|letters?|\d+)\b")
_ADVERB = re.compile(
    r"\bright (?:above|across|after|at|before|behind|below|beside|between|by|in|near|next|over|under)\b"
)
_STACKED = re.compile(r"\b(?:under|beneath|underneath|over|highest|lowest|on top of|(?:up|down) the)\b")
# Words without a partner under a quarter turn, or whose partner would not turn back into them.
_UPRIGHT = re.compile(
    r"\b(?:uppermost|lowermost|up|down|(?:left|right|up|down)wards?|rows?|columns?|vertical\w*|horizontal\w*|"
    r"(?:to|on|at) the (?:left|right)(?:[ -](?:hand|side|hand side))? of)\b"
)
# Words whose meaning a part of the picture would change: places, ranks, comparisons.
_PLACED = re.compile(
    rf"\b(?:{_SIDE}|{_ORDINAL}|middle|cent(?:er|re|ral)|corners?|edges?|borders?|ends?|sides?|far|near|only|\w+er than|"
    r"\w+(?:est|most))\b"
)


def names_a_place(expression: str) -> bool:
    """Tell whether an expression places, ranks or compares, so that it may be false of a part of the picture."""
    return _PLACED.search(expression.lower()) is not None


def _swaps(axis: str) -> dict[str, str]:
    pairs = [tuple(pair.split()) for pair in (*_MIRRORS[axis], *_MORE[axis])]
    first, second = _COMPASS[axis]
    for suffix, north, west in product(("", "ern", "ernmost"), ("north", "south"), ("west", "east")):
        other = "".join(second if part == first else first if part == second else part for part in (north, west))
        pairs.append((north + west + suffix, other + suffix))
    return {a: b for pair in pairs for a, b in (pair, pair[::-1])}


def _cycles() -> dict[str, str]:
    """Map each word to what it becomes a quarter turn counter-clockwise: the top goes to the left."""
    cycles = [cycle.split() for cycle in ("top left bottom right", "topmost leftmost bottommost rightmost")]
    cycles += [[side + suffix for side in ("north", "west", "south", "east")] for suffix in ("", "ern", "ernmost")]
    corners = ("northwest", "southwest", "southeast", "northeast")
    cycles += [[corner + suffix for corner in corners] for suffix in ("", "ern", "ernmost")]
    for (high, low), between in product((("top", "bottom"), ("upper", "lower")), (" ", "-")):
        order = ((high, "left"), (low, "left"), (low, "right"), (high, "right"))
        cycles += [[between.join(pair) for pair in order], [between.join(pair[::-1]) for pair in order]]
    cycles.append(["above", "left of", "below", "right of"])
    return {word: cycle[(place + 1) % 4] for cycle in cycles for place, word in enumerate(cycle)}


_SWAPS = {axis: _swaps(axis) for axis in _MIRRORS}
_CYCLES = _cycles()
_LONGEST_FIRST = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, _CYCLES), key=len, reverse=True))})\b")
_ALONE = re.compile(r"\b(?:upper|lower)\b")


def mirror_expression(expression: str, axis: str) -> str | None:
    """Rewrite an expression, in lower case, for an image mirrored "horizontal" (left-right) or "vertical" (top-bottom).

    Returns None where that cannot be done without saying something false.
    """
    text = expression.lower()
    mirrored = re.sub(r"[a-z]+", lambda match: _SWAPS[axis].get(match[0], match[0]), text)
    doubts = (_FIXED, _ADVERB, _COUNTED, *([_STACKED] if axis == "vertical" else []))
    return None if _doubtful(text, doubts) or _doubtful(mirrored, doubts) else mirrored


def _doubtful(text: str, doubts: Iterable[re.Pattern[str]]) -> bool:
    return any(words.search(text) for words in doubts)


def turn_expression(expression: str, quarter_turns: int, mirrored: bool) -> str | None:
    """Rewrite an expression, in lower case, for an image that `transforms.turn` turns; None where that cannot be done.

    A half turn is two mirrors, which know more words than quarter turns do.
    """
    turns = quarter_turns % 4
    text: str | None = expression.lower()
    if turns == 2:
        for axis in ("horizontal", "vertical"):
            text = text and mirror_expression(text, axis)
    elif turns:
        text = _quarter(expression.lower(), 1 if turns == 1 else 3)
    return mirror_expression(text, "horizontal") if text and mirrored else text


def _quarter(text: str, times: int) -> str | None:
    """Turn words counter-clockwise by 90 degrees, so many times."""
    turned = _turned(text, times)
    # What is not in the table, such as "upper" without a side, stands still: then it must not be turned.
    left_over = _ALONE.search(_LONGEST_FIRST.sub("", text))
    doubts = (_FIXED, _ADVERB, _COUNTED, _STACKED, _UPRIGHT)
    sure = not _doubtful(text, doubts) and not _doubtful(turned, doubts) and not left_over
    return turned if sure and _turned(turned, 4 - times) == text else None


def _turned(text: str, times: int) -> str:
    for _ in range(times):
        text = _LONGEST_FIRST.sub(lambda match: _CYCLES[match[0]], text)
    return text
