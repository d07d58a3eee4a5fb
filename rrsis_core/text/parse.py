"""A parse is what a phrase was understood as: a query, and what was corrected or not understood on the way.

Words become marks, a chunk grammar puts marks together into noun phrases, and a reader walks over these and what lies
between them. A relation belongs to the noun phrase before it; after a comma or "and it is" to the first one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from nltk.chunk import RegexpParser
from nltk.tag.perceptron import PerceptronTagger
from nltk.tree import Tree

from rrsis_core.text.expression import Expression, read_expression
from rrsis_core.text.lexicon import COLORS, MASS_NOUNS, MATERIALS, category_of, singular
from rrsis_core.text.marks import Mark, clean_words, mark_words
from rrsis_core.text.query import OPPOSITE, RELATIONS, SIDES, SUPERLATIVES, TO_EXTENT, Ordinal, Query, Relation
from rrsis_core.text.wordings import side_of

NOUN_PHRASE = """
NP: {<FIRST>*(<NOT>?<ATTR>(<COMMA|AND>*<NOT>?<ATTR>)*<FIRST>*)*<N>+}
    {<FIRST|ATTR>*<ONE>}
""".replace("FIRST", "DET|ALL|NUM|ORD|BEST|BIGGER|PLACE")
ANYTHING = "object"  # the target of a phrase that names none: "the blue ones"


@dataclass(frozen=True)
class Parse:
    """What a phrase was understood as."""

    text: str
    """The phrase with its slips corrected, as it goes to a model."""
    query: Query
    corrected: tuple[tuple[str, str], ...] = ()
    """Words that were read as others: (typed, read as)."""
    unread: tuple[str, ...] = ()
    """Words that nothing was made of."""


@dataclass
class _Draft:
    """A query in the making."""

    target: str = ""
    attributes: list[str] = field(default_factory=list)
    count: int | None = None
    many: bool = True
    position: str | None = None
    superlative: str | None = None
    rank: int | None = None
    side: str | None = None
    relations: list["_DraftRelation"] = field(default_factory=list)
    excluded: list["_Draft"] = field(default_factory=list)
    also: list["_Draft"] = field(default_factory=list)


@dataclass
class _DraftRelation:
    kind: str
    amount: float | None = None
    negated: bool = False
    later: bool = False
    landmarks: list[_Draft] = field(default_factory=list)
    within: float | None = None
    """With "beyond": no farther than that."""


def parse(text: str, tagger: PerceptronTagger | None = None) -> Parse:
    """Understand a phrase. Nothing that is typed raises; what is not understood is in `unread`."""
    words = clean_words(text)
    marks = mark_words(words.words, tagger)
    reader = _Reader()
    for chunk in _chunker().parse([(mark, mark.symbol) for mark in marks]) if marks else ():
        if isinstance(chunk, Tree):
            reader.noun_phrase([mark for mark, _ in chunk])
        else:
            reader.take(chunk[0])
    query = _finished(reader.finish())
    return Parse(" ".join(words.words), query, words.corrected, tuple(reader.unread))


def read_phrase(text: str) -> tuple[Expression, Parse]:
    """Check what a user typed, with its slips corrected, and understand it. Raises ExpressionError."""
    understood = parse(text)
    return read_expression(understood.text if understood.corrected else text), understood


@cache
def _chunker() -> RegexpParser:
    return RegexpParser(NOUN_PHRASE)


class _Reader:
    """Walks over noun phrases and marks, and keeps in mind what the next one belongs to."""

    def __init__(self) -> None:
        self.subject: _Draft | None = None
        self.unread: list[str] = []
        self._last = _Draft()  # the latest noun phrase
        self._owner = _Draft()  # whom the latest relation belongs to
        self._relation: _DraftRelation | None = None  # the latest one, which "and" goes on with
        self._pending: _DraftRelation | None = None  # waits for its landmark
        self._before: list[_DraftRelation] = []  # said before there was a subject
        self._placed: tuple[_Draft, str | None, Mark] | None = None  # the latest place: of what, before, and now
        self._link = ""  # AND, OR, OF or WHERE, if that came right before
        self._to_subject = self._later = self._negated = self._excluding = False

    def finish(self) -> _Draft:
        """Return what is looked for; where nothing was named, what was said of it, or what it was to relate to."""
        if self.subject is None:
            self.unread += [relation.kind for relation in self._before]
            self._last.many = self._last.superlative is None and self._last.rank is None and self._last.many
        return self.subject or self._last

    def take(self, mark: Mark) -> None:
        """Read a mark that is in no noun phrase."""
        handlers: dict[str, Callable[[Mark], None]] = {
            "RELATE": lambda mark: self._expect(mark.value),
            "COMPARE": lambda mark: self._expect(mark.value),
            "DISTANCE": lambda mark: self._expect(*mark.value),
            "RANGE": lambda mark: self._expect("beyond", *mark.value),
            "WITHOUT": lambda mark: self._expect("with", negated=True),
            "MEASURE": self._measure,
            "WHERE": self._where,
            "PLACE": self._where,
            "FROM": self._from,
            "COURSE": self._course,
            "BIGGER": self._larger_of,
            "BEST": self._best,
            "ATTR": self._attribute,
            "NUM": self._rank_or_count,
            "ORD": self._rank_or_count,
            "ONE": self._rank_or_count,
        }
        if handler := handlers.get(mark.symbol):
            handler(mark)
            self._link = mark.symbol
        elif mark.symbol in ("AND", "OR", "OF"):
            self._link = mark.symbol
        elif mark.symbol == "NOT":
            self._negated = True
        elif mark.symbol in ("COMMA", "LATER"):
            self._to_subject, self._later = True, self._later or mark.symbol == "LATER"
        elif mark.symbol == "EXCEPT":
            self._excluding = True
        elif mark.symbol not in ("OPEN", "LINK", "DET", "ALL"):
            self.unread.append(mark.text)

    def noun_phrase(self, marks: list[Mark]) -> None:
        """Read a noun phrase."""
        if marks[0].value in ("closest", "farthest") and len(marks) > 2 and marks[1].symbol == "DET":
            self._best(marks.pop(0))  # "the building nearest the river"
        draft = _draft_of(marks)
        link, self._link = self._link, ""
        if self._pending:
            self._relate(draft)
        elif self._excluding or (self._negated and self.subject):
            self._except_for(draft)
        elif self.subject is None:
            self._begin(draft, link)
        elif link in ("AND", "OR") and self._relation:
            self._go_on(draft, either=link == "OR")
        elif link in ("AND", "OR"):
            self.subject.also.append(draft)
            self._last = self._owner = draft
        elif link == "OF" and (not self._last.target or self._last.target == draft.target or self._last.rank):
            self._merge(draft)
        elif kind := self._implied(link, draft, marks[0].symbol):
            self._expect(kind)
            self._relate(draft)
        else:
            self.unread += [mark.text for mark in marks if mark.symbol in ("N", "ATTR")]

    def _except_for(self, draft: _Draft) -> None:
        if self.subject is None:  # "all but the largest blue roof" are blue, "all but the blue roof" are any
            ranked = draft.superlative or draft.rank
            self.subject = _Draft(draft.target, list(draft.attributes) if ranked else [])
        draft.target = draft.target or self.subject.target
        self._exclude(draft)

    def _begin(self, draft: _Draft, link: str) -> None:
        """Read the first noun phrase, and what was said before it: "two of the", "in the north, the", "the red and"."""
        before = self._last
        draft.relations += self._before
        draft.position = draft.position or before.position
        if draft.superlative and before.superlative:  # "the leftmost of the three largest"
            self.unread.append(before.superlative)
        draft.superlative = draft.superlative or before.superlative
        draft.rank, draft.side = draft.rank or before.rank, draft.side or before.side
        if link == "OF" and (before.superlative or before.rank):  # "the largest of the three roofs"
            draft.count, draft.many = before.count, False
        draft.count = draft.count or before.count
        if before.attributes and link in ("AND", "OR"):
            draft.also.append(_Draft(draft.target, before.attributes))
        self.subject = self._last = self._owner = draft

    def _implied(self, link: str, landmark: _Draft, first: str) -> str | None:
        """Return the relation that is meant where two noun phrases stand side by side; `first` opens the second."""
        last = self._last
        if link == "OF":
            return "touching"
        if last.superlative in ("closest", "farthest"):
            kind = "closest to" if last.superlative == "closest" else "farthest from"
            last.superlative = None
            return kind
        if last.rank and not last.side:
            return "closest to"  # "the second tank from the river"
        if link == "WHERE" and self._placed:  # "on the left a white building"
            draft, before, here = self._placed
            draft.position, self._last = before, draft
            if first in ("N", "ATTR"):  # "on the left lane"
                landmark.position = landmark.position or here.value
                return _PLACED.get(here.text.split()[0], "near")
            side = side_of(here.value)
            return {"left": "left of", "right": "right of", "top": "above", "bottom": "below"}.get(side, f"{side} of")
        return None

    def _expect(
        self, kind: str, amount: float | None = None, within: float | None = None, negated: bool = False
    ) -> None:
        """Open a relation whose landmark follows."""
        if self._excluding and self.subject:
            self._exclude(_Draft(self.subject.target))
        if self._link not in ("AND", "OR") or self._relation is None or self._to_subject:
            self._owner = self._whose()
        later = self._later and self._owner is self.subject
        self._pending = _DraftRelation(kind, amount, self._negated or negated, later, within=within)
        self._negated = self._to_subject = False

    def _relate(self, landmark: _Draft) -> None:
        relation, self._pending = self._pending, None
        if relation is None:
            return
        landmark.target = landmark.target or (self.subject.target if self.subject else "")
        relation.landmarks.append(landmark)
        (self._owner.relations if self.subject else self._before).append(relation)
        self._relation, self._last = relation, landmark

    def _go_on(self, landmark: _Draft, either: bool) -> None:
        """Read one more landmark: "between A and B", "left of A and B", "near A or B"."""
        relation = self._relation
        if relation is None:
            return
        if not either and relation.kind != "between":
            relation = replace(relation, landmarks=[])
            (self._owner.relations if self.subject else self._before).append(relation)
        relation.landmarks.append(landmark)
        self._relation, self._last = relation, landmark

    def _whose(self) -> _Draft:
        """Return what the next modifier belongs to."""
        return self.subject if self._to_subject and self.subject else self._last

    def _exclude(self, draft: _Draft) -> None:
        if self.subject:
            self.subject.excluded.append(draft)
        self._last = self._owner = draft
        self._excluding = self._negated = self._to_subject = False

    def _merge(self, group: _Draft) -> None:
        """Read "the first tank from the left of some tanks": the group says more about the same."""
        last = self._last
        last.target = last.target or group.target
        last.attributes += [word for word in group.attributes if word not in last.attributes]
        last.position = last.position or group.position
        last.many = last.many and last.rank is None and last.superlative is None and last.count is None

    def _measure(self, mark: Mark) -> None:
        kind, amount = mark.value
        if mark.text.startswith("within"):  # "north of the river within 50 m"
            if self._relation:
                self._owner.relations.append(replace(self._relation, kind="within", amount=amount))
            else:
                self.unread.append(mark.text)
            return
        self._expect(kind, amount)
        if self._pending:
            self._owner.relations.append(self._pending)
        self._pending = None

    def _where(self, mark: Mark) -> None:
        if self._pending and self._pending.kind in TO_EXTENT:  # "closest to the middle"
            side = side_of(mark.value)
            if self._pending.kind == "farthest from" and self._link == "BEST":  # "farthest to the right"
                self._pending.kind = "closest to"
            name = "middle" if side == "middle" else "corner" if " " in side else "edge"
            self._relate(_Draft(name, many=False, position=None if side == "middle" else side))
            return
        draft = self._owner if self._link == "AND" and self._relation else self._whose()
        self._placed, self._to_subject = (draft, draft.position, mark), False
        if self._excluding or self._negated:
            self._exclude(_Draft(self.subject.target if self.subject else "", position=mark.value))
        elif draft.position is None:
            draft.position = mark.value
        elif (both := side_of(f"{draft.position} {mark.value}")) in SIDES[4:8]:
            draft.position = both
        else:
            self.unread.append(mark.text)

    def _from(self, mark: Mark) -> None:
        if self._last.rank or self._last.superlative:
            self._last.side = mark.value
        else:
            self._where(mark)

    def _course(self, mark: Mark) -> None:
        if self._last.rank and mark.value:  # "the third ship from left to right"
            self._last.side = mark.value

    def _larger_of(self, mark: Mark) -> None:
        self._last.superlative = _LARGER_OF_TWO.get(mark.value)  # "the larger of the two trees"

    def _best(self, mark: Mark) -> None:
        if mark.value in SUPERLATIVES:
            self._whose().superlative = mark.value
        else:
            self._expect("closest to" if mark.value == "closest" else "farthest from")

    def _rank_or_count(self, mark: Mark) -> None:
        if mark.symbol == "ORD":
            self._last.rank = mark.value
        elif self.subject is None:
            self._last.count = mark.value or 1
        else:
            self.unread.append(mark.text)

    def _attribute(self, mark: Mark) -> None:
        if self._excluding or self._negated:
            self._exclude(_Draft(self.subject.target if self.subject else "", [mark.text]))
        else:
            draft = self._whose()
            if self._link == "OR" and draft is self.subject and draft.attributes:
                draft.also.append(_Draft(draft.target, [mark.text], many=draft.many))
            else:
                draft.attributes.append(mark.text)


def _draft_of(marks: list[Mark]) -> _Draft:
    """Make a draft of the marks of one noun phrase."""
    draft = _Draft()
    nouns = [mark.text for mark in marks if mark.symbol == "N"]
    single = any(mark.text in ("a", "an") for mark in marks)  # "a woods", "a gas works"
    attributes: list[str] = []
    negated = False
    for mark in marks:
        if mark.symbol == "NUM":
            draft.count = mark.value
        elif mark.symbol == "ORD":
            draft.rank = mark.value
        elif mark.symbol == "BEST":
            draft.superlative = mark.value
        elif mark.symbol == "BIGGER":
            draft.superlative = _LARGER_OF_TWO.get(mark.value)
        elif mark.symbol == "PLACE":
            draft.position = mark.value
        elif mark.symbol == "ATTR" and negated:
            draft.excluded.append(_Draft("", [mark.text]))
        elif mark.symbol == "ATTR":
            attributes.append(mark.text)
        negated = mark.symbol == "NOT"
    draft.attributes, draft.target, draft.many = *_split_noun(attributes, nouns, single), _is_many(marks, nouns)
    for query in draft.excluded:
        query.target = draft.target
    return draft


_PLACED = {"on": "on", "in": "inside", "within": "inside", "at": "next to"}
_LARGER_OF_TWO = {
    "larger than": "largest",
    "smaller than": "smallest",
    "longer than": "longest",
    "shorter than": "shortest",
    "wider than": "widest",
    "narrower than": "narrowest",
    "brighter than": "brightest",
    "darker than": "darkest",
}


def _split_noun(attributes: list[str], nouns: list[str], single: bool) -> tuple[list[str], str]:
    """Return attributes and singular target: a material goes to the one, what belongs to a name to the other."""
    target = " ".join(nouns) if single else singular(" ".join(nouns))
    if len(nouns) > 1 and nouns[0] in MATERIALS and target.partition(" ")[2] in category_of():
        attributes, target = [*attributes, nouns[0]], target.partition(" ")[2]
    if attributes and attributes[-1] not in COLORS and f"{attributes[-1]} {target}" in category_of():
        attributes, target = attributes[:-1], f"{attributes[-1]} {target}"
    return attributes, target


def _is_many(marks: list[Mark], nouns: list[str]) -> bool:
    """Tell whether a noun phrase means every one that fits."""
    words = {word for mark in marks if mark.symbol in ("DET", "ALL") for word in mark.text.split()}
    if words & {"a", "an", "another"}:
        return False
    if any(mark.text == "one" for mark in marks):
        return False
    if words & {"all", "each", "every", "any", "some", "several", "many", "few", "these", "those"} or not nouns:
        return True
    return nouns[-1] in MASS_NOUNS or singular(nouns[-1]) != nouns[-1] or nouns[-1].endswith("woods")


def _is_own_roof(draft: _Draft, relation: _DraftRelation) -> bool:
    """Tell whether a relation says what roof a building has: from above that is what the building looks like."""
    if relation.kind != "with" or relation.negated or len(relation.landmarks) != 1:
        return False
    roof = relation.landmarks[0]
    plain = roof.attributes and not (roof.relations or roof.excluded or roof.superlative or roof.rank)
    return bool(plain) and roof.target in ("roof", "rooftop") and category_of().get(draft.target) == "building"


def _ordinal(rank: int, side: str | None) -> Ordinal:
    """Return an ordinal; the last from one side is the first from the other."""
    return Ordinal(rank, side) if rank > 0 else Ordinal(1, OPPOSITE[side or "left"])


def _finished(draft: _Draft) -> Query:
    """Turn a draft into a query; a relation that never found its landmark is dropped."""
    relations = []
    for item in draft.relations:
        if _is_own_roof(draft, item):  # "the house with the red roof" is red
            roof = item.landmarks[0]
            draft.attributes, draft.position = [*draft.attributes, *roof.attributes], draft.position or roof.position
            continue
        landmarks = tuple(_finished(landmark) for landmark in item.landmarks)
        if item.kind in RELATIONS and (landmarks or item.amount is not None):
            relations.append(Relation(item.kind, landmarks, item.amount, item.negated, item.later))
        if item.within is not None and landmarks:
            relations.append(Relation("within", landmarks, item.within, item.negated, item.later))
    number: str | int = "all" if draft.many else "one"
    if draft.count is not None:
        number = draft.count if draft.count > 1 else "one"
    return Query(
        target=draft.target or ANYTHING,
        attributes=tuple(draft.attributes),
        number=number,
        position=draft.position,
        superlative=draft.superlative if draft.superlative in SUPERLATIVES else None,
        ordinal=_ordinal(draft.rank, draft.side) if draft.rank else None,
        relations=tuple(relations),
        excluded=tuple(_finished(query) for query in draft.excluded),
        also=tuple(_finished(query) for query in draft.also),
    )
