"""Saying is parsing the other way round: a query as a phrase, as chips for a person to check, as what a model is asked.

`parse(to_text(query)).query == query` for what a phrase can say.
"""

from dataclasses import dataclass, replace
from functools import cache

from rrsis_core.text.lexicon import SIZES, color_of, plural
from rrsis_core.text.parse import Parse
from rrsis_core.text.query import UNITS, Ordinal, Query, Relation, split_position
from rrsis_core.text.wordings import CARDINALS, RANKS

_WORDS = {"same size as": "the same size as", "beyond": "more than"}
_NOT = {"with": "without", "far from": "not away from"}  # "not far from" is near


@dataclass(frozen=True)
class Chip:
    """One thing that was understood, small enough for a button."""

    slot: str
    """target, attribute, number, position, superlative, ordinal, relation, except or also."""
    text: str


def to_text(query: Query) -> str:
    """Return an English phrase that means the query."""
    if query.is_place and query.number == "one":
        return " ".join(["the", *([query.position] if query.position else []), query.target])
    return " ".join([_noun_phrase(query), *_modifiers(query)])


def local_text(query: Query) -> str:
    """Return what a model is asked for a query: every object of that kind and look, wherever it is.

    Of one thing, geometry decides whether it is small or large.
    """
    seen = [word for word in query.attributes if word not in _sizes()] if sized_by(query) else query.attributes
    return " ".join(["the", *seen, plural(query.target)])


def sized_by(query: Query) -> str | None:
    """Return the superlative that the size of one thing comes near to: "the small tank" is about the smallest."""
    if not query.is_one_thing or query.superlative or query.ordinal:
        return None
    return next((_sizes()[word] for word in query.attributes if word in _sizes()), None)


@cache
def _sizes() -> dict[str, str]:
    by_area = {"small": "smallest", "large": "largest"}
    table = {word: by_area[name] for name, words in SIZES.items() for word in words}
    sides = {"long": "longest", "short": "shortest", "wide": "widest", "broad": "widest", "narrow": "narrowest"}
    return table | sides


def local_texts(query: Query) -> list[str]:
    """Return the local expressions of a query, each once, the target first."""
    return list(dict.fromkeys(local_text(part) for part in query.parts()))


def uncolored(query: Query) -> tuple[str, Query] | None:
    """Return the colour of a query whose attributes name one, and the query without it."""
    named = [word for word in query.attributes if word in color_of()]
    if len(named) != 1:
        return None
    return color_of()[named[0]], replace(query, attributes=tuple(w for w in query.attributes if w != named[0]))


def chips(parse: Parse) -> list[Chip]:
    """Return what was understood, piece by piece, in reading order."""
    query = parse.query
    found = [Chip("target", query.target), *(Chip("attribute", word) for word in query.attributes)]
    if query.number != "all":
        found.append(Chip("number", str(query.number)))
    if query.position:
        found.append(Chip("position", position_text(query.position)))
    if query.superlative:
        found.append(Chip("superlative", query.superlative))
    if query.ordinal:
        found.append(Chip("ordinal", " ".join([rank_text(query.ordinal.rank), *_from_side(query.ordinal)])))
    found += [Chip("relation", relation_text(relation)) for relation in query.relations]
    found += [Chip("except", to_text(other)) for other in query.excluded]
    return found + [Chip("also", to_text(other)) for other in query.also]


def _noun_phrase(query: Query) -> str:
    count = query.number
    # "a woods" is one; "the woods" could be several.
    words = ["a" if count == "one" and plural(query.target) == query.target else "the"]
    words += [_cardinal(count)] if isinstance(count, int) else []
    if query.ordinal:
        words.append(rank_text(query.ordinal.rank))
    words += [query.superlative] if query.superlative else []
    return " ".join([*words, *query.attributes, query.target if count == "one" else plural(query.target)])


def _modifiers(query: Query) -> list[str]:
    parts = [*_from_side(query.ordinal)] if query.ordinal else []
    if query.position:
        parts.append(position_text(query.position))
    it_is = "and it is" if query.number == "one" else "and they are"
    linked = False
    for relation in query.relations:
        parts += [it_is] if relation.later else ["and"] * linked
        text = relation_text(relation)
        if parts and relation.kind.endswith(" of"):  # "from the top right of the river" is read otherwise
            text = text.replace(relation.kind, f"to the {relation.kind}", 1)
        parts.append(text)
        linked = True
    parts += [f"except {to_text(other)}" for other in query.excluded]
    return parts + [f"and {to_text(other)}" for other in query.also]


def _from_side(ordinal: Ordinal) -> list[str]:
    return [f"from the {ordinal.side}"] if ordinal.side else []


def position_text(position: str) -> str:
    """Return a position as words: "in the center of the far left side"."""
    centred, far, side, part = split_position(position)
    # Said without "side", what follows would be read as said of the left: "the left to the left of the roof".
    words = " ".join(["far"] * far + [side] + ([part] if part else ["side"] * centred))
    return f"in the center of the {words}" if centred else f"in the {words}"


def relation_text(relation: Relation) -> str:
    """Return a relation with its landmarks as words: "within 50 m of the river"."""
    word = _WORDS.get(relation.kind, relation.kind)
    if relation.negated:
        word = _NOT.get(relation.kind, f"not {word}")
    if relation.amount is not None:
        word += f" {relation.amount:.12g} {UNITS[relation.kind]}"
        word += {"within": " of", "beyond": " from"}.get(relation.kind, "")
    joint = " and " if relation.kind == "between" else " or "
    return " ".join([word, joint.join(to_text(landmark) for landmark in relation.landmarks)]).strip()


def _cardinal(count: int) -> str:
    return CARDINALS[count] if count < len(CARDINALS) else str(count)


def rank_text(rank: int) -> str:
    """Return a rank as a word: second, 21st."""
    if rank < len(RANKS):
        return RANKS[rank]
    ending = "th" if rank % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{ending}"
