"""A query is what a phrase means, without words: what is looked for, which of it, and where it lies to what else.

It is made from English by `rrsis_core.text.parse`, or by hand:

    Query("roof", attributes=("blue",), relations=(Relation("within", (Query("river"),), amount=50),))
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rrsis_core.contract import ConfigError
from rrsis_core.contract.plain import to_plain
from rrsis_core.text.lexicon import STRETCHES, category_of

SIDES = ("left", "right", "top", "bottom", "upper left", "upper right", "lower left", "lower right", "middle")
OPPOSITE = dict(zip(SIDES[:8], ("right", "left", "bottom", "top", *SIDES[7:3:-1]), strict=True))
SUPERLATIVES = (
    "largest smallest longest shortest widest narrowest brightest darkest leftmost rightmost topmost bottommost"
).split()
DIRECTIONS = ("left of", "right of", "above", "below", *(f"{side} of" for side in SIDES[4:8]))
NEARNESS = ("touching", "next to", "near", "along", "within", "beyond", "far from")
PLACEMENTS = ("inside", "on", "outside", "surrounded by", "crossing", "with", "between")
RANKINGS = ("closest to", "farthest from")
TO_EXTENT = (*NEARNESS, *RANKINGS, "inside", "on", "outside")
"""What may relate to a part of the extent instead of to things in it."""
PLACES: dict[str, tuple[str, ...]] = {"corner": SIDES[4:8], "edge": SIDES[:4], "middle": ("middle",)}
"""Parts of the extent that may be landmarks, "the upper left corner", with the sides that they lie on."""
COMPARISONS = (
    *(f"{word} than" for word in ("larger", "smaller", "longer", "shorter", "wider", "narrower", "brighter", "darker")),
    "same size as",
)
RELATIONS = (*DIRECTIONS, *NEARNESS, *PLACEMENTS, *RANKINGS, *COMPARISONS)
UNITS = {"within": "m", "beyond": "m", "longer than": "m", "shorter than": "m", "wider than": "m", "narrower than": "m"}
UNITS |= {"larger than": "m2", "smaller than": "m2"}


@dataclass(frozen=True)
class Ordinal:
    """A place in a row: second from the left. Without a side the row is that of the superlative, or runs from left."""

    rank: int
    side: str | None = None
    """Where counting starts: one of SIDES, but not the middle."""


@dataclass(frozen=True)
class Relation:
    """How what is looked for lies, or compares, to something else."""

    kind: str
    """One of RELATIONS; docs/phrases.md defines each."""
    landmarks: tuple["Query", ...] = ()
    """What it relates to: any of them will do, but "between" lies between the first and the second."""
    amount: float | None = None
    """Metres, or square metres for larger and smaller than."""
    negated: bool = False
    later: bool = False
    """Said of what is already picked ("the largest, and it is near the river"): it does not change what is picked."""

    @property
    def to_extent(self) -> bool:
        """Whether it relates to parts of the extent, such as its upper left corner, instead of to things in it."""
        places = bool(self.landmarks) and all(landmark.is_place for landmark in self.landmarks)
        return places and self.kind in TO_EXTENT

    def __post_init__(self) -> None:
        object.__setattr__(self, "landmarks", tuple(self.landmarks))
        if self.kind not in RELATIONS:
            raise _invalid(f"There is no relation '{self.kind}'.", f"Relations are: {', '.join(RELATIONS)}.")
        if self.kind in ("within", "beyond") and (self.amount is None or not self.landmarks):
            raise _invalid(f"'{self.kind}' lacks its distance or its landmark.", "Give amount and landmarks.")
        if not self.landmarks and self.amount is None:
            raise _invalid(f"'{self.kind}' relates to nothing.", "Give landmarks or an amount.")
        if self.amount is not None and self.kind not in UNITS:
            raise _invalid(f"'{self.kind}' takes no amount.", f"These do: {', '.join(UNITS)}.")


@dataclass(frozen=True)
class Query:
    """What a phrase means. Checked when made; raises ConfigError config.query."""

    target: str
    """Singular head noun phrase, such as "storage tank"."""
    attributes: tuple[str, ...] = ()
    """Words for colour, size, shape, material and state, which a model can see by itself."""
    number: str | int = "all"
    """one, all, or how many."""
    position: str | None = None
    """Part of the extent: a side, with "center" or "far" before it and a part after it ("far left", "top half")."""
    superlative: str | None = None
    """One of SUPERLATIVES."""
    ordinal: Ordinal | None = None
    relations: tuple[Relation, ...] = ()
    excluded: tuple["Query", ...] = ()
    """What must not be true of it as well: "not blue" excludes the query of the blue ones."""
    also: tuple["Query", ...] = ()
    """Further queries whose answers are part of this one: "the river and the lake"."""

    def __post_init__(self) -> None:
        for name in ("attributes", "relations", "excluded", "also"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.target:
            raise _invalid("A query has no target.", "Say what to look for.")
        if not (self.number in ("one", "all") or (isinstance(self.number, int) and self.number > 1)):
            raise _invalid(f"The number {self.number!r} is not usable.", "Give 'one', 'all' or an integer from 2.")
        if self.superlative is not None and self.superlative not in SUPERLATIVES:
            raise _invalid(f"There is no superlative '{self.superlative}'.", f"There are: {', '.join(SUPERLATIVES)}.")
        if self.position is not None:
            split_position(self.position)
        if self.ordinal is not None and (self.ordinal.rank < 1 or self.ordinal.side not in (None, *SIDES[:8])):
            raise _invalid(f"The ordinal {self.ordinal} is not usable.", "Give a rank from 1 and a side.")

    @property
    def needs_scene(self) -> bool:
        """Whether some part of it means something only across the whole scene."""
        which = self.position or self.superlative or self.ordinal or self.relations or self.excluded
        return bool(which) or isinstance(self.number, int) or any(query.needs_scene for query in self.also)

    @property
    def is_one_thing(self) -> bool:
        """Whether it asks for one thing with a shape of its own: roads, water and plants go on."""
        return self.number == "one" and category_of().get(self.target) not in STRETCHES

    @property
    def asked_of_scene(self) -> bool:
        """Whether geometry decides, unless somebody says otherwise: it needs the scene, or asks for one thing."""
        return self.needs_scene or self.is_one_thing or any(query.asked_of_scene for query in self.also)

    @property
    def is_exact(self) -> bool:
        """Whether some part of it says a rank, a distance or an area; a plain number is none of them."""
        parts = list(self.parts())
        return any(part.ordinal or any(item.amount is not None for item in part.relations) for part in parts)

    @property
    def is_place(self) -> bool:
        """Whether it may mean a part of the extent: "the corner", "the left edge"."""
        return self.target in PLACES and self == Query(self.target, number=self.number, position=self.position)

    def parts(self) -> Iterator["Query"]:
        """Yield this query and every query inside it, landmarks included unless the extent is one, from outside in."""
        yield self
        inner = [landmark for relation in self.relations if not relation.to_extent for landmark in relation.landmarks]
        for query in (*inner, *self.excluded, *self.also):
            yield from query.parts()

    def as_dict(self) -> dict[str, Any]:
        """Return the query as JSON-ready data."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Query":
        """Build a query from plain data. Raises ConfigError config.query for what cannot be one."""
        try:
            values = dict(data)
            values["ordinal"] = Ordinal(**values["ordinal"]) if values.get("ordinal") else None
            values["relations"] = tuple(_relation_from(item) for item in values.get("relations") or ())
            for name in ("excluded", "also"):
                values[name] = tuple(cls.from_dict(item) for item in values.get(name) or ())
            return cls(**values)
        except (TypeError, KeyError, AttributeError) as error:
            raise _invalid(f"This is no query: {error}.", "Keys are those of Query.as_dict().") from error


POSITION_PARTS = ("half", "third", "quarter", "corner", "edge")


def split_position(position: str) -> tuple[bool, bool, str, str | None]:
    """Return centred, far, side and part of a position such as "center far left" or "top half"."""
    words = position.split()
    centred = len(words) > 1 and words[0] == "center"
    words = words[centred:]
    far = words[0] == "far"
    words = words[far:]
    part = words.pop() if words and words[-1] in POSITION_PARTS else None
    side = " ".join(words)
    if side not in SIDES:
        raise _invalid(f"There is no position '{position}'.", f"Sides are: {', '.join(SIDES)}.")
    return centred, far, side, part


def _relation_from(data: Mapping[str, Any]) -> Relation:
    landmarks = tuple(Query.from_dict(item) for item in data.get("landmarks") or ())
    return Relation(**{**data, "landmarks": landmarks})


def _invalid(message: str, hint: str) -> ConfigError:
    return ConfigError(message, code="config.query", hint=hint)
