"""The grammar turns what is meant into words: a referent (category, colour, size, place, relation) into an expression.

It is written for training and for tests: one referent has many wordings, drawn with the caller's random generator.
"""

from dataclasses import dataclass
from itertools import chain

import numpy as np

from rrsis_core.text.lexicon import COLORS, EXTREMES, NOUNS, PLACES, SIZES, plural


@dataclass(frozen=True)
class Referent:
    """What an expression is about, without words."""

    category: str
    """Canonical category or group of the lexicon."""
    number: str = "all"
    """one (a single object), all (every one that fits)."""
    color: str | None = None
    """Canonical colour."""
    shade: str | None = None
    """dark or light."""
    size: str | None = None
    """large or small."""
    superlative: bool = False
    """With size: the largest or smallest one."""
    place: str | None = None
    """Part of the image, a key of PLACES."""
    extreme: bool = False
    """With a one-sided place: the leftmost, topmost ... one."""
    relation: str | None = None
    """Relation to the landmark, a key of RELATION_WORDS."""
    landmark: "Referent | None" = None
    """The other object, where there is a relation."""


RELATION_WORDS: dict[str, tuple[str, ...]] = {
    "near": ("near", "next to", "beside", "close to", "by", "adjacent to"),
    "left of": ("left of", "to the left of", "on the left of", "west of"),
    "right of": ("right of", "to the right of", "on the right of", "east of"),
    "above": ("above", "north of", "at the top of"),
    "below": ("below", "south of", "under", "at the bottom of"),
    "on": ("on",),
    "inside": ("inside", "in", "within"),
    "between": ("between",),
}
_OPENINGS = ("find ", "show me ", "segment ", "where is ", "look for ", "select ")
_IMAGES = (" of the image", " of the picture", " of the scene", "")
_TOP_ADVERBS = {"top": "at the top", "bottom": "at the bottom", "center": "in the middle"}


def say(referent: Referent, rng: np.random.Generator) -> str:
    """Word a referent as an expression, lower case, one of many ways."""
    text = _noun_phrase(referent, rng)
    if rng.random() < 0.04:
        text = str(rng.choice(_OPENINGS)) + text
    return text


def _noun_phrase(referent: Referent, rng: np.random.Generator) -> str:
    many = referent.number == "all"
    noun = _noun(referent.category, rng)
    noun = plural(noun) if many else noun
    before, after = _place(referent, rng)
    words = [_article(referent, rng), before, *_adjectives(referent, rng), noun, after]
    if referent.relation and referent.landmark:
        words += [str(rng.choice(RELATION_WORDS[referent.relation])), _noun_phrase(referent.landmark, rng)]
    return " ".join(word for word in words if word)


def _noun(category: str, rng: np.random.Generator) -> str:
    nouns = NOUNS[category]
    weights = np.array([3.0, *[1.0] * (len(nouns) - 1)])
    return nouns[rng.choice(len(nouns), p=weights / weights.sum())]


def _article(referent: Referent, rng: np.random.Generator) -> str:
    if referent.superlative or referent.extreme:
        return "the"
    if referent.number == "all":
        return str(rng.choice(["the", "the", "the", "all the", "all", ""]))
    return str(rng.choice(["the", "the", "the", "the", "a", ""]))


def _adjectives(referent: Referent, rng: np.random.Generator) -> list[str]:
    words = []
    if referent.size and referent.superlative:
        words.append(str(rng.choice(["largest", "biggest"] if referent.size == "large" else ["smallest"])))
    elif referent.size:
        words.append(str(rng.choice(SIZES[referent.size][:3])))
    if referent.shade and referent.color:
        words.append(str(rng.choice(["dark"] if referent.shade == "dark" else ["light", "pale", "bright"])))
    if referent.color:
        words.append(_weighted_first(COLORS[referent.color], rng))
    return words


def _place(referent: Referent, rng: np.random.Generator) -> tuple[str, str]:
    """Return the words before the noun and after it that say the place."""
    place = referent.place
    if place is None:
        return "", ""
    if referent.extreme:
        return str(rng.choice(EXTREMES[place])), ""
    if rng.random() < 0.4:
        return str(rng.choice(PLACES[place])), ""
    image = str(rng.choice(_IMAGES))
    if place in _TOP_ADVERBS and rng.random() < 0.5:
        return "", _TOP_ADVERBS[place] + image
    word = str(rng.choice([name for name in PLACES[place] if not name.endswith("ern") and name != "central"]))
    if word in ("upper", "lower", "left-hand", "right-hand"):
        return "", f"{rng.choice(['on', 'at', 'in'])} the {word} {rng.choice(['side', 'part', 'half'])}{image}"
    if " " in place:
        return "", f"{rng.choice(['in', 'on', 'at'])} the {word}{rng.choice([' corner', '', ' part'])}{image}"
    return "", f"{rng.choice(['on', 'in', 'at'])} the {word}{rng.choice(['', ' side', ' part'])}{image}"


def _weighted_first(words: tuple[str, ...], rng: np.random.Generator) -> str:
    return words[0] if rng.random() < 0.8 else str(rng.choice(words))


def random_referent(rng: np.random.Generator, depth: int = 1) -> Referent:
    """Draw any referent that the grammar can word: material for the vocabulary and for tests."""
    place = str(rng.choice(list(PLACES))) if rng.random() < 0.4 else None
    size = str(rng.choice(list(SIZES))) if rng.random() < 0.25 else None
    landmark = random_referent(rng, depth - 1) if depth and rng.random() < 0.25 else None
    color = str(rng.choice(list(COLORS))) if rng.random() < 0.4 else None
    return Referent(
        category=str(rng.choice(list(NOUNS))),
        number=str(rng.choice(["one", "all"])),
        color=color,
        shade=str(rng.choice(["dark", "light"])) if color and rng.random() < 0.2 else None,
        size=size,
        superlative=size is not None and rng.random() < 0.4,
        place=place,
        extreme=place in EXTREMES and rng.random() < 0.3,
        relation=str(rng.choice(list(RELATION_WORDS))) if landmark else None,
        landmark=landmark,
    )


def corpus(size: int, seed: int = 0) -> list[str]:
    """Return `size` random expressions: what the WordPiece vocabulary is trained on."""
    rng = np.random.default_rng(seed)
    return [say(random_referent(rng), rng) for _ in range(size)]


def all_nouns() -> list[str]:
    """Return every noun phrase of the lexicon, singular and plural."""
    singular = list(chain.from_iterable(NOUNS.values()))
    return singular + [plural(noun) for noun in singular]
