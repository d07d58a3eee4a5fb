"""A mark is a run of words that does one job in a phrase: it opens a noun phrase, names a side, relates, links.

Words are cleaned first (American spelling, units apart from numbers, slips of the pen corrected), tagged, and then read
into marks from left to right, the longest wording first. What no wording holds is told by its tag: noun, adjective, or
nothing that is understood.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from nltk.tag.perceptron import PerceptronTagger

from rrsis_core.text import wordings as w
from rrsis_core.text.lexicon import (
    AMERICAN,
    COLORS,
    FUNCTION_WORDS,
    MATERIALS,
    SHADES,
    SHAPES,
    SIZES,
    STATES,
    VERB_FORMS,
    category_of,
    content_words,
    plural,
)
from rrsis_core.text.spelling import correct
from rrsis_core.text.tagger import load_tagger, split_words


@dataclass(frozen=True)
class Mark:
    """A run of words with its job."""

    symbol: str
    text: str
    value: Any = None


@dataclass(frozen=True)
class Words:
    """Cleaned words, with what was corrected in them: (typed, read as)."""

    words: tuple[str, ...]
    corrected: tuple[tuple[str, str], ...]


_SIDES_APART = w.either("left right top bottom upper lower north south east west northern southern far".split())
_REWRITES = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"n['’]t\b", " not"),
        (r"['’]s\b", " "),
        (r"(\d),(\d{3})\b", r"\1\2"),
        (r"\b(\d+(?:\.\d+)?)-?(?=(?:m|km|cm|ft|yd|ha|sqm|m2|km2|meters?|metres?)\b)", r"\1 "),
        (r"\b(\d+)[-–](\d+)(?= ?(?:m|km|cm|ft|yd|meters?|metres?|feet)\b)", r"\1 to \2"),
        (rf"\b(?:border|margin|boundary)(?= (?:of|in) {w.PICTURE}\b)", "edge"),
        (rf"\b{w.UNDER_BRIDGE}", "crossing"),
        (r"\bnon-", "not "),
        (rf"\b({_SIDES_APART})-(?=\w)", r"\1 "),
        (r"-(?=\w+(?:est|most)\b)", " "),
        (r"\b(north|south) (east|west)", r"\1\2"),
        (r"\bmost (north|south|east|west)(?:ern|erly)\b", r"\1ernmost"),
        (r"(?<!multi)-(?:roofed|colou?red)\b", ""),
        (rf"^(the {w.SIDE})(?= of (?:the |these |those )?(?:{w.either([*w.CARDINALS[2:], 'both'])})\b)", r"\1 one"),
    )
)


def clean_words(text: str) -> Words:
    """Clean a text and split it into words."""
    text = unicodedata.normalize("NFKC", text).lower()
    for pattern, by in _REWRITES:
        text = pattern.sub(by, text)
    words, corrected = [], []
    for typed in split_words(text):
        word = AMERICAN.get(typed, typed)
        right = correct(word)
        if right != word:
            corrected.append((typed, right))
        words.append(right)
    return Words(tuple(words), tuple(corrected))


def mark_words(words: tuple[str, ...], tagger: PerceptronTagger | None = None) -> list[Mark]:
    """Read cleaned words into marks."""
    tags = [tag for _, tag in (tagger or load_tagger()).tag(list(words))]
    text = " ".join(words)
    marks: list[Mark] = []
    index = position = 0
    while index < len(words):
        before = marks[-1] if marks else None
        noun = words[index - 1] if before and before.symbol == "N" else ""
        mark = _wording_at(text, position, tags[index], before, noun) or _word_mark(words[index], tags[index], noun)
        marks.append(mark)
        index += mark.text.count(" ") + 1
        position += len(mark.text) + 1
    return _with_ones(_with_heads([mark for mark in marks if mark.symbol != "SKIP"]))


_OPENERS = ("DET", "ALL", "NUM", "ATTR", "PLACE", "BEST", "ORD")


def _wording_at(text: str, position: int, tag: str, before: Mark | None, noun: str) -> Mark | None:
    for symbol, pattern, value in _patterns():
        match = pattern.match(text, position)
        if match and not (symbol == "OPEN" and before):
            if symbol == "RELATE" and (name := _name_in(match, tag, before, noun)):
                return Mark("N", name, tag)
            return Mark(symbol, match.group(), value(match) if value else None)
    return None


def _name_in(match: re.Match[str], tag: str, before: Mark | None, noun: str) -> str:
    """Tell a thing from a relation, and return its name: "the crossing on the left", "all drives in the north".

    Nothing is named in "the bridge crossing the river", "the driveway connecting the house to the road".
    """
    word = match.group().split()[0]
    if word in category_of() and (before is None or before.symbol in _OPENERS):
        return word
    if not word.endswith("ing") or " " in match.group() or (noun in category_of() and word not in category_of()):
        return ""
    return word if tag.startswith("NN") or _LEADS_AWAY.match(match.string, match.end()) else ""


_LEADS_AWAY = re.compile(r"$| (?:of|on|in|at|near|is|are|has|and|with|that|which|to|from|by|,)(?: |$)")


def _word_mark(word: str, tag: str, noun: str) -> Mark:
    """Read a word that no wording holds: a noun, unless it looks like an adjective to the tagger and to the eye.

    `noun` is the one that stands right before it. What a known thing does is no part of its name: "the cars waiting at
    the line", but "the wool drying range".
    """
    if word in _adjectives() or (word in VERB_FORMS and not tag.startswith("NN")):
        return Mark("ATTR", word, tag)
    if word in FUNCTION_WORDS or word.endswith("ly") or not word[0].isalnum() or tag in ("UH", "MD", "EX", "POS"):
        return Mark("SKIP", word, tag)
    if tag in ("IN", "TO", "CC", "WDT", "WP", "WRB", "PRP", "PRP$"):
        return Mark("UNREAD", word, tag)
    describes = tag[:2] in ("JJ", "VB") and tag != "VBG" and word.endswith(_ADJECTIVE_ENDS) and not noun
    if describes or "-" in word:
        return Mark("ATTR", word, tag)
    known = word in content_words() and (word not in VERB_FORMS or word in category_of())
    does = word.endswith("ing") and not known and noun in category_of()
    return Mark("SKIP" if does else "N", word, tag)


_ADJECTIVE_ENDS = tuple("y al ous ish ed ic ive ful less ern able ible ary like en".split())


@cache
def _adjectives() -> frozenset[str]:
    words = {word for table in (COLORS, SIZES) for words in table.values() for word in words}
    return frozenset(words | {*SHADES, *SHAPES, *STATES} | {word for word in MATERIALS if word.endswith(("ed", "en"))})


def _with_heads(marks: list[Mark]) -> list[Mark]:
    """Make a noun of the last word of a run that has none: "the square" is a thing, "the square roof" is not."""
    result = list(marks)
    for index, mark in enumerate(marks):
        following = marks[index + 1].symbol if index + 1 < len(marks) else "END"
        if mark.symbol != "ATTR" or following in ("ATTR", "N", "ONE", "AND", "COMMA", "NUM", "PLACE", "ALL"):
            continue
        unknown = mark.text not in _adjectives() and mark.text not in VERB_FORMS and "-" not in mark.text
        opened = index > 0 and marks[index - 1].symbol in (*_OPENERS, "N")
        named = opened and mark.text in category_of() and following in ("RELATE", "END")  # "the green left of the trap"
        if (unknown and (opened or index == 0)) or named or str(mark.value).startswith("NN"):
            result[index] = Mark("N", mark.text, mark.value)
    if not any(mark.symbol in ("N", "ONE") for mark in result):
        last = max((i for i, mark in enumerate(result) if mark.symbol in ("ATTR", "UNREAD")), default=None)
        if last is not None:
            result[last] = Mark("N", result[last].text)
    return result


def _with_ones(marks: list[Mark]) -> list[Mark]:
    """Name what an exception leaves unnamed: "except the two largest" means the two largest ones."""
    result: list[Mark] = []
    excepted = False
    for index, mark in enumerate(marks):
        result.append(mark)
        following = marks[index + 1].symbol if index + 1 < len(marks) else "END"
        excepted = mark.symbol in ("EXCEPT", "NOT") or (excepted and mark.symbol in ("DET", "NUM", "ORD", "BEST"))
        if excepted and mark.symbol == "BEST" and following not in ("DET", "NUM", "ORD", "ATTR", "N", "PLACE", "ONE"):
            result.append(Mark("ONE", "one"))
    return result


_VERBS = "(?:is|are|was|were|lies|lie|stands|stand|sits|also)"
_REQUESTS = """find|search|show|segment|select|locate|look|where|highlight|outline|pick|get|give|i want|i need|detect|
    extract|identify|there is|there are|what|which""".replace("\n    ", "")
# What follows says which side of the picture is meant: no relation.
_GOES_ON = f"(?:and|,|that|of|not|without|except|{w.either(w.BIGGER)}|{w.RELATING})"
_NO_LANDMARK = rf"(?:{w.PICTURE}(?: |$)|(?:the )*(?:far )?{w.SIDE}(?: {w.PART}(?: |$)|$| {_GOES_ON} ))"
_ON_SIDE = f"(?:(?:on|in|at|to|toward|towards|within|near) ){w.PLACE}"
_OF_SIDE = f"(?: (?:of|in|on|at) {w.THE}{w.SIDE}(?: part| side)?)?(?: (?:of|in|on) {w.PICTURE})?"
_EXCEPT = "except|excluding|other than|apart from|not including|but not|all but|but for|but(?= the| those)"
_HEAP = """group row column cluster clump line block strip belt band piece patch stretch set bunch number body lot
    series fleet""".split()
_ALL = "(?:all|every|each|any|some|several|many|few|various|multiple|most)"
_COUNT = rf"\d+|{w.either([*w.CARDINALS[2:], 'both', 'dozen'])}"
_Value = Callable[[re.Match[str]], Any]


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str], _Value | None], ...]:
    """Return symbols with their patterns and what to read from a match, in the order in which they are tried."""
    table: tuple[tuple[str, str, _Value | None], ...] = (
        ("OPEN", f"(?:please )?(?:{_REQUESTS})(?: (?:me|for|out|is|are|all of))*", None),
        ("LATER", f"(?:and |but |, )+(?:it|they|that|which)(?: {_VERBS})*(?: located| situated)?", None),
        ("WITHOUT", "(?:without|with no|has no|have no|having no|lacking|free of)(?: any)?", None),
        ("RANGE", w.RANGE, w.range_of),
        ("DISTANCE", w.DISTANCE, w.distance_of),
        ("MEASURE", w.MEASURE, w.measure_of),
        ("DISTANCE", w.PLAIN_DISTANCE, w.distance_of),
        ("COMPARE", w.COMPARISON, lambda match: w.BIGGER[match.group("bigger")]),
        ("BEST", w.OF_GREATEST, w.best_kind),
        ("COURSE", w.COURSE, w.course_start),
        ("SKIP", f"{w.HEADING}|side by side", None),
        (
            "FROM",
            f"(?:(?:counted|counting|starting) )?from {w.PLACE}(?: of {w.PICTURE})?",
            lambda m: w.side_of(m.group()),
        ),
        ("SKIP", f"(?:in|of|on|at) {w.THE}(?:middle|center) {w.ROW}", None),
        ("WHERE", f"(?:in|of|on|at) {w.THE}{w.SIDE} {w.ROW}", lambda match: f"{w.side_of(match.group())} half"),
        ("RELATE", f"in {w.THE}{w.SIDE} {w.SHARE} of(?! {_NO_LANDMARK})", lambda match: "inside"),
        ("RELATE", f"{w.DIRECTION} of(?! {_NO_LANDMARK})", w.relation_kind),
        ("WHERE", _ON_SIDE + _OF_SIDE, lambda match: w.position_of(match.group())),
        ("SKIP", f"(?:of|in|on|within|inside|from) {w.PICTURE}", None),
        ("RELATE", w.RELATION, w.relation_kind),
        ("EXCEPT", f"(?:{_EXCEPT})(?: for)?", None),
        ("NOT", "(?:(?:is|are|was|were|do|does|did) )?(?:not|never|neither|nor)", None),
        ("LINK", f"(?:(?:that|which|who|there) )?{_VERBS}(?: {_VERBS})*(?: located| situated)?", None),
        ("LINK", "that|which|who|whose|located|situated", None),
        ("AND", "and|&|as well as|plus|but|while", None),
        ("OR", "or", None),
        ("COMMA", "[,;.:!?]", None),
        ("ONE", "each other|one another", None),
        ("N", "pools? of water", None),
        ("ALL", f"(?:the )?{w.either([*_HEAP, *map(plural, _HEAP)])} of|{_ALL}(?: of)?", None),
        ("NUM", "(?:pair|couple)(?: of)?", lambda match: 2),
        ("NUM", _COUNT, lambda match: int(w.number_of(match.group()))),
        ("ONE", "ones?|those(?= (?:that|which|near|in|on|at|with|within))", None),
        ("ORD", rf"{w.either(w.RANKS[1:])}|\d+(?:st|nd|rd|th)|last", lambda match: _rank(match.group())),
        ("BEST", f"{w.SUPERLATIVE}|{w.EXTREME}", w.best_kind),
        ("BIGGER", w.either(w.BIGGER), lambda match: w.BIGGER[match.group()]),
        ("ATTR", "frustum of (?:a |the )?cone", None),
        ("N", "(?:putting|golf) greens?", None),
        ("PLACE", f"(?:(?:far|extreme) )?{w.SIDE}(?: hand)?(?: most)?(?: side)?", lambda m: w.position_of(m.group())),
        ("DET", "the|a|an|this|that|these|those|its|their|his|my|our|another|other|such|same|only|no", None),
        ("SKIP", "very|quite|so|just|also|here|there|please|it|they|them|in (?:color|shape|size)|to|from|me", None),
        ("OF", "of|out of", None),
    )
    return tuple((symbol, re.compile(rf"(?:{pattern})(?= |$)"), value) for symbol, pattern, value in table)


def _rank(word: str) -> int:
    if word == "last":
        return -1
    return w.RANKS.index(word) if word in w.RANKS else int(re.sub(r"\D", "", word))
