"""Resolving is finding, among all instances of a scene, those that a query means, and saying why not the others.

What a model saw by itself, the kind and the look of things, comes in as instances by local expression. The rest is
decided here: first what filters (place, relations, exceptions), then what ranks (largest, second from the left).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from rrsis_core.inference.extent import Extent, at_place, cut_at, part_of, place_landmarks, placed_or_nearly
from rrsis_core.inference.instances import Floats, Instances, joined
from rrsis_core.inference.relations import (
    BEYOND,
    Flags,
    Landmarks,
    along_side,
    covered_share,
    measured,
    reach_of,
    relates,
)
from rrsis_core.text.lexicon import plural
from rrsis_core.text.query import DIRECTIONS, RANKINGS, Query, Relation, split_position
from rrsis_core.text.saying import local_text, rank_text, relation_text, sized_by, to_text

TOP_SHARE = 0.1  # of the instances are "the largest buildings", where nobody says how many
FEW = 3  # of so many, one can be told by how far it lies at a place
SPECK_SHARE, SPECK_SCORE = 0.02, 0.5  # of the size that half of what was found has at least; mean probability
SCRAP_SHARE = 0.5  # of the area of the largest one: below, it is not what somebody would point at
_SIDES = {"leftmost": "left", "rightmost": "right", "topmost": "top", "bottommost": "bottom"}
_LEAST = ("smallest", "shortest", "narrowest", "darkest")


@dataclass(eq=False)
class Resolution:
    """What a query came to."""

    query: Query
    local: str
    """The local expression whose instances were the candidates."""
    instances: Instances
    kept: Flags
    reasons: NDArray[np.object_]
    """Why each candidate was dropped, empty for those that were kept."""
    notes: list[str] = field(default_factory=list)
    """What a person should know: why nothing is left, or that others may be meant."""
    landmarks: list[Resolution] = field(default_factory=list)
    also: list[Resolution] = field(default_factory=list)

    @property
    def answer(self) -> Instances:
        """The instances that are meant, without those of `also`."""
        return self.instances[self.kept]

    @property
    def finds(self) -> bool:
        """Whether anything is meant."""
        return any(part.kept.any() for part in (self, *self.also))

    def parts(self) -> Iterator[Resolution]:
        """Yield this resolution and every one inside it."""
        yield self
        for inner in (*self.landmarks, *self.also):
            yield from inner.parts()

    def counts(self) -> dict[str, int]:
        """Return how many candidates were dropped for which reason, in the order in which it happened."""
        found, first, number = np.unique(self.reasons[~self.kept].astype(str), return_index=True, return_counts=True)
        return {str(found[i]): int(number[i]) for i in np.argsort(first)}


def needs_brightness(query: Query) -> set[str]:
    """Return the local expressions whose instances must have been measured for brightness."""
    found = set()
    for part in query.parts():
        bright = [relation for relation in part.relations if relation.kind in ("brighter than", "darker than")]
        if bright or part.superlative in ("brightest", "darkest"):
            found |= {local_text(query) for query in (part, *(q for relation in bright for q in relation.landmarks))}
    return found


def resolve(query: Query, candidates: Mapping[str, Instances], extent: Extent, asked: bool = True) -> Resolution:
    """Find what a query means among the instances of its local expressions (KeyError where one is missing).

    `asked` is False for what it is only compared with: near "the tank", any of them counts. Specks are no candidates
    for one thing, nor for ranks, nor for what is compared with.
    """
    local = local_text(query)
    position = None if _picks_by_position(query) else query.position
    instances = candidates[local]
    if position and not _ranks_by_worth(query):  # the largest building is the largest whole
        instances = cut_at(position, instances, extent, compact_too=not query.is_one_thing)
    reasons = np.full(len(instances), "", object)
    result = Resolution(query, local, instances, np.ones(len(instances), bool), reasons)
    if query.is_one_thing or _ranks_by_worth(query) or not asked:
        _keep(result, ~_specks(instances), "more than a speck")
    if position:
        _keep(result, placed_or_nearly(position, instances.centre, extent), extent.say(position))
    _relate(result, [item for item in query.relations if not item.later], candidates, extent)
    for other in query.excluded:
        meant = resolve(other, candidates, extent, asked=False)
        result.landmarks.append(meant)
        _keep(result, ~_covered(instances, meant), f"not one of {to_text(other)}")
    if superlative := sized_by(query):
        _keep_sized(result, superlative)
    _pick(result, extent)
    if query.is_one_thing and (asked or position) and not (_ranks_by_worth(query) or _picks_by_position(query)):
        _pick_one(result, position, extent)
    _relate(result, [item for item in query.relations if item.later], candidates, extent)
    result.also = [resolve(other, candidates, extent) for other in query.also]
    result.notes += _notes(result, extent)
    return result


def _specks(instances: Instances) -> Flags:
    """Tell which instances are stray pixels: tiny beside those that make up half of what was found, and unsure."""
    areas = np.sort(instances.area)
    total = np.cumsum(areas)
    common = areas[np.searchsorted(total, total[-1] / 2)] if len(areas) else 0.0
    return (instances.area < SPECK_SHARE * common) & (instances.score < SPECK_SCORE)


def _keep(result: Resolution, fits: Flags, what: str) -> None:
    """Drop the candidates that do not fit; `what` names what those that are kept are."""
    dropped = result.kept & ~fits
    result.reasons[dropped] = f"not {what}" if not what.startswith("not ") else what.removeprefix("not ")
    result.kept &= fits


def _relate(result: Resolution, relations: list[Relation], candidates: Mapping[str, Instances], extent: Extent) -> None:
    """Drop what does not relate as it should. Rankings wait for `_pick`, but their landmarks are found here."""
    for relation in relations:
        compared = () if relation.to_extent else relation.landmarks
        found = [resolve(item, candidates, extent, asked=False) for item in compared]
        result.landmarks += found
        if relation.kind in RANKINGS and not (relation.negated or relation.later):
            continue
        targets = result.answer
        if len(targets):
            fits = _relates(relation, targets, [item.answer for item in found], extent)
            for mark in found if relation.kind == "with" else ():  # a field with rows is where rows were found
                if mark.local != result.local:
                    fits |= _covered(targets, mark)
            _note_rim(result, relation, fits, extent)
            every = np.zeros(len(result.kept), bool)
            every[result.kept] = fits != relation.negated
            _keep(result, every, relation_text(relation))


def _relates(relation: Relation, targets: Instances, sets: list[Instances], extent: Extent) -> Flags:
    """Tell which instances relate so, negated or not, to some landmarks, or to places of the extent."""
    if relation.to_extent and relation.kind not in ("within", "beyond", "far from", *RANKINGS):
        here = np.any([at_place(place, targets.centre, extent) for place in relation.landmarks], axis=0)
        return here != (relation.kind == "outside")
    if relation.to_extent:
        sets = [place_landmarks(place, extent) for place in relation.landmarks]
    if len(sets) > 1 and relation.kind != "between":
        sets = [joined(sets)]
    return relates(relation.kind, relation.amount, targets, sets, extent.bounds)


def _note_rim(result: Resolution, relation: Relation, fits: Flags, extent: Extent) -> None:
    """Say so where a landmark that lies outside the area, unseen, could decide."""
    reach = reach_of(relation.kind, relation.amount)
    if extent.rim is None or reach is None or relation.to_extent:
        return
    alone = fits == (relation.kind in BEYOND)
    doubtful = int((alone & shapely.dwithin(result.answer.ground, extent.rim, reach)).sum())
    if doubtful:
        things, others = result.local.removeprefix("the "), " or ".join(to_text(item) for item in relation.landmarks)
        result.notes.append(
            f"{doubtful} of the {things} may be within {reach:g} m of {others} outside the {extent.name}, which was "
            f"not searched: search a larger one to be sure"
        )


def _covered(instances: Instances, meant: Resolution) -> Flags:
    """Tell which instances are, by half or more, what another query means."""
    if meant.instances is instances:
        return meant.kept
    return covered_share(instances, meant.answer) >= 0.5


# --- which ---------------------------------------------------------------------------------------------------------


def _ranks_by_worth(query: Query) -> bool:
    """Tell whether a query ranks by size, distance or the like."""
    return bool(query.superlative or query.ordinal) or any(item.kind in RANKINGS for item in query.relations)


def _picks_by_position(query: Query) -> bool:
    """Tell whether "the ship on the far left" means the one that is farthest to the left, wherever that is."""
    return (
        query.number == "one"
        and not _ranks_by_worth(query)
        and bool(query.position)
        and split_position(query.position or "")[1]
    )


def _pick(result: Resolution, extent: Extent) -> None:
    """Keep those that come first by what the query ranks by."""
    rankings = _rankings(result, extent)
    rank = f"{rank_text(result.query.ordinal.rank)} " if result.query.ordinal else ""
    for number, (name, worth) in enumerate(rankings, start=1):
        alive = np.flatnonzero(result.kept)
        worths = worth(alive)
        order = alive[np.argsort(-worths, kind="stable")][: np.isfinite(worths).sum()]
        first, count = _ranks(result.query, len(order))
        what = f"the {rank}{name}"
        if number < len(rankings):  # "the largest roof closest to the river" is the largest of some that are closest
            what, first, count = f"among those {name}", 0, max(first + count, 2, round(TOP_SHARE * len(order)))
        _keep(result, _flags(result, order[first : first + count]), what)


def _pick_one(result: Resolution, position: str | None, extent: Extent) -> None:
    """Where one thing is asked for, drop what is small beside a few, and of those keep the one that is told apart.

    Of more than a few, nobody can tell which is meant.
    """
    who = np.flatnonzero(result.kept)
    area = result.instances.area[who]
    few = who if sized_by(result.query) else who[area >= SCRAP_SHARE * area.max(initial=0.0)]
    if len(few) > FEW:
        return
    things = plural(result.query.target)
    if left_out := len(who) - len(few):
        _keep(result, _flags(result, few), "half as large as the largest one")
        smaller = "one that is smaller is" if left_out == 1 else f"{left_out} that are smaller are"
        result.notes.append(f"{smaller} left out: say 'the {things}' for all of them")
    told = _told_apart(result, few, position, extent) if len(few) > 1 else None
    if told:
        what, worth = told
        _keep(result, _flags(result, few[[np.argmax(worth)]]), f"the {what}")
        result.notes.append(f"the {what} of {len(few)} is returned: say 'the {things}' for all of them")


def _keep_sized(result: Resolution, superlative: str) -> None:
    """Keep those that are at most twice as large as the smallest, or at least half as long as the longest."""
    sizes = measured(superlative, result.instances)
    some = sizes[result.kept]
    if superlative in _LEAST:
        fits = sizes <= some.min(initial=np.inf) / SCRAP_SHARE
    else:
        fits = sizes >= some.max(initial=0.0) * SCRAP_SHARE
    _keep(result, fits, f"about the {superlative}")


def _told_apart(
    result: Resolution, few: NDArray[np.int64], position: str | None, extent: Extent
) -> tuple[str, Floats] | None:
    """Return what tells a few apart and how much each has of it: how far to a side it lies, or how near to what."""
    if position is None:
        for relation in result.query.relations:
            if relation.kind in DIRECTIONS and not (relation.negated or relation.later):
                worth = _by_distance(result.instances, _landmarks_of(result, relation, extent), -1.0)
                return f"one nearest to {to_text(relation.landmarks[0])}", worth(few)
        return None
    centred, _, side, part = split_position(position)
    if part in ("half", "third", "quarter"):
        return None
    centre = result.instances.centre[few]
    if centred or side == "middle":
        left, bottom, right, top = part_of(position, extent)
        return "one nearest to that place", -np.hypot(*(centre - ((left + right) / 2, (bottom + top) / 2)).T)
    return f"one farthest to the {side}", along_side(centre, side)


def _flags(result: Resolution, which: NDArray[np.int64]) -> Flags:
    flags = np.zeros(len(result.kept), bool)
    flags[which] = True
    return flags


def _ranks(query: Query, available: int) -> tuple[int, int]:
    """Return the first rank that is meant, from 0, and how many from there."""
    first = query.ordinal.rank - 1 if query.ordinal else 0
    if isinstance(query.number, int):
        return first, query.number
    return first, (1 if query.number == "one" or query.ordinal else max(2, round(TOP_SHARE * available)))


Worth = Callable[[NDArray[np.int64]], Floats]


def _rankings(result: Resolution, extent: Extent) -> list[tuple[str, Worth]]:
    """Return what the query ranks by: its name, and a function from indexes to how much each has of it."""
    query, instances = result.query, result.instances
    found: list[tuple[str, Worth]] = []
    for relation in query.relations:
        if relation.kind in RANKINGS and not relation.negated and not relation.later:
            marks = _landmarks_of(result, relation, extent)
            sign = -1.0 if relation.kind == "closest to" else 1.0
            found.append((relation_text(relation), _by_distance(instances, marks, sign)))
    if query.superlative:
        found.append((query.superlative, _by_superlative(query.superlative, instances)))
    if query.ordinal and not query.superlative and (query.ordinal.side or not found):
        side = query.ordinal.side or "left"
        found.append((f"from the {side}", lambda who: along_side(instances.centre[who], side)))
    if _picks_by_position(query):
        side = split_position(query.position or "")[2]
        found.append((f"one farthest to the {side}", lambda who: along_side(instances.centre[who], side)))
    return found


def _by_superlative(superlative: str, instances: Instances) -> Worth:
    if superlative in _SIDES:
        return lambda who: along_side(instances.centre[who], _SIDES[superlative])
    sign = -1.0 if superlative in _LEAST else 1.0
    return lambda who: sign * measured(superlative, instances)[who]


def _by_distance(instances: Instances, landmarks: Instances, sign: float) -> Worth:
    return lambda who: sign * Landmarks(instances[who], landmarks).distances()


def _landmarks_of(result: Resolution, relation: Relation, extent: Extent) -> Instances:
    if relation.to_extent:
        return joined([place_landmarks(place, extent) for place in relation.landmarks])
    return joined([item.answer for item in result.landmarks if item.query in relation.landmarks])


# --- what to tell --------------------------------------------------------------------------------------------------


def _notes(result: Resolution, extent: Extent) -> list[str]:
    query, things = result.query, result.local.removeprefix("the ")
    left, count = int(result.kept.sum()), len(result.kept)
    marks = [item for item in result.landmarks if item.query not in query.excluded]
    if not count:
        return [f"no {things} were found"]
    if not left:
        steps = [f"{number} {reason}" for reason, number in result.counts().items()]
        notes = [f"{count} candidate {things}, none left: {', '.join(steps)}"]
        where = f" inside the {extent.name}" if extent.rim is not None else ""
        missing = [item.local.removeprefix("the ") for item in marks if not len(item.kept)]
        return notes + [f"no {name} to relate to{where}" for name in missing]
    several = [item for item in marks if item.query.number == "one" and item.kept.sum() > 1]
    notes = [
        f"each of {item.kept.sum()} {plural(item.query.target)} counts as {to_text(item.query)}" for item in several
    ]
    return notes + _notes_of_number(query, left)


def _notes_of_number(query: Query, left: int) -> list[str]:
    if query.number == "one" and left > 1:
        return [ambiguity(query, left)]
    if isinstance(query.number, int) and left != query.number:
        return [f"{query.number} were asked for, {left} fit"]
    if query.number == "all" and _ranks_by_worth(query) and not query.ordinal:
        return [f"the first {left} of {plural(query.target)} are returned: say how many"]
    return []


def ambiguity(query: Query, count: int) -> str:
    """Return what to tell where one thing is asked for and several are found."""
    hint = "say which: the largest, the leftmost, the one near something"
    return f"'the {query.target}' may be any of {count}; all are returned: {hint}"
