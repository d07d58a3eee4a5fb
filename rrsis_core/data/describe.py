"""Describing: true expressions about the objects that are seen in a chip, and about what is not there.

A description names a referent and says which objects it means, and which nobody could be sure of: those pixels do not
count in training. Places are parts of the chip: left is the left 40 %, the middle fifth belongs to neither side.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from rrsis_core.text.grammar import Referent
from rrsis_core.text.lexicon import GROUPS


@dataclass(frozen=True)
class Seen:
    """An object as it lies in a chip: coordinates run from 0 to 1, right and down."""

    index: int
    category: str
    color: str | None
    x: float
    y: float
    width: float
    height: float
    area: float
    """Pixels in the chip."""
    cut: bool
    """It goes on outside the chip."""


@dataclass(frozen=True)
class Description:
    """A referent with the indexes of the objects it means and of those that are doubtful."""

    referent: Referent
    kind: str
    objects: tuple[int, ...]
    doubtful: tuple[int, ...] = ()


@dataclass(frozen=True)
class View:
    """All that may be said about a chip."""

    seen: tuple[Seen, ...]
    complete: frozenset[str]
    absent: frozenset[str]

    def members(self, category: str) -> list[Seen]:
        """Return the seen objects of a category, or of all members of a group."""
        names = {category, *GROUPS.get(category, ())}
        return [item for item in self.seen if item.category in names]

    def pick(self, indexes: Iterable[int]) -> list[Seen]:
        """Return the seen objects with these indexes."""
        wanted = set(indexes)
        return [item for item in self.seen if item.index in wanted]

    def is_complete(self, category: str) -> bool:
        """Tell whether every instance is outlined; of a group, this may be known of the group or of all its members."""
        known = self.complete | self.absent
        members = set(GROUPS.get(category, ())) - {category}
        return category in known or bool(members and members <= known)

    def sayable(self) -> list[str]:
        """Return the categories and groups that are there and complete."""
        present = {item.category for item in self.seen}
        groups = {group for group, names in GROUPS.items() if present & set(names)}
        return sorted(name for name in present | groups if self.is_complete(name))


Teller = Callable[[View, np.random.Generator], Description | None]
_LOW, _HIGH = 0.4, 0.6
# Nobody speaks of gray trees, whatever the light makes of them.
_PLANT_COLORS = {name: ("green", "brown", "yellow") for name in GROUPS["vegetation"]} | {"tree": ("green",)}
_SMALLEST = 12.0  # pixels: below this nobody can outline an object


def tell_category(view: View, rng: np.random.Generator) -> Description | None:
    """ "the roads": every object of a category; "the river" when there is one."""
    category = _pick(view.sayable(), rng)
    if category is None:
        return None
    members = view.members(category)
    number = "one" if len(members) == 1 else "all"
    return _describe(Referent(category, number), "category", members, members)


def tell_color(view: View, rng: np.random.Generator) -> Description | None:
    """ "the blue roofs": those of one colour; those without a clear colour are doubtful."""
    options = {
        (name, item.color)
        for name in view.sayable()
        for item in view.members(name)
        if item.color and item.area >= _SMALLEST and item.color in _PLANT_COLORS.get(item.category, (item.color,))
    }
    choice = _pick(sorted(options), rng)
    if choice is None:
        return None
    category, color = choice
    members = view.members(category)
    meant = [item for item in members if item.color == color]
    doubtful = [item for item in members if item.color is None]
    number = "one" if len(meant) == 1 and not doubtful else "all"
    return _describe(Referent(category, number, color=color), "color", meant, members, doubtful)


def tell_place(view: View, rng: np.random.Generator) -> Description | None:
    """ "the house in the upper left": those whose centre lies there; long objects have no place."""
    base = (tell_color if rng.random() < 0.35 else tell_category)(view, rng)
    if base is None:
        return None
    members = view.pick(base.objects)
    doubtful = set(base.doubtful)
    places = sorted({place for item in members for place in _PLACE_TESTS if _PLACE_TESTS[place](item) is True})
    place = _pick(places, rng)
    if place is None:
        return None
    verdicts = {item.index: _PLACE_TESTS[place](item) for item in members}
    meant = [item for item in members if verdicts[item.index] is True]
    doubtful |= {index for index, verdict in verdicts.items() if verdict is None}
    number = "one" if len(meant) == 1 and not doubtful else "all"
    referent = replace(base.referent, number=number, place=place)
    return _describe(referent, "place", meant, members, view.pick(doubtful))


def tell_superlative(view: View, rng: np.random.Generator) -> Description | None:
    """ "the largest building", where it is largest by a third and nothing larger may go on outside the chip."""
    category = _pick([name for name in view.sayable() if len(view.members(name)) > 1], rng)
    if category is None:
        return None
    size = str(rng.choice(["large", "large", "small"]))
    members = sorted(view.members(category), key=lambda item: item.area, reverse=size == "large")
    first, second = members[0], members[1]
    ratio = first.area / max(second.area, 1) if size == "large" else second.area / max(first.area, 1)
    if ratio < 1.35 or first.area < _SMALLEST or (size == "small" and first.cut):
        return None
    referent = Referent(category, "one", size=size, superlative=True)
    return _describe(referent, "superlative", [first], members)


def tell_extreme(view: View, rng: np.random.Generator) -> Description | None:
    """ "the leftmost car", where it is so by a clear step."""
    category = _pick([name for name in view.sayable() if len(view.members(name)) > 1], rng)
    if category is None:
        return None
    place = str(rng.choice(["left", "right", "top", "bottom"]))
    sign = 1 if place in ("left", "top") else -1
    along = (lambda item: item.x) if place in ("left", "right") else (lambda item: item.y)
    members = sorted(view.members(category), key=lambda item: sign * along(item))
    if abs(along(members[0]) - along(members[1])) < 0.06 or members[0].area < _SMALLEST:
        return None
    return _describe(Referent(category, "one", place=place, extreme=True), "extreme", [members[0]], members)


def tell_relation(view: View, rng: np.random.Generator) -> Description | None:
    """ "the trees left of the lake": on one side of a landmark of which there is one."""
    landmarks = [name for name in view.sayable() if len(view.members(name)) == 1 and view.members(name)[0].area >= 60]
    landmark = _pick(landmarks, rng)
    if landmark is None:
        return None
    mark = view.members(landmark)[0]
    category = _pick([name for name in view.sayable() if mark not in view.members(name)], rng)
    if category is None:
        return None
    relation = str(rng.choice(["left of", "right of", "above", "below"]))
    members = view.members(category)
    verdicts = {item.index: _side_of(item, mark, relation) for item in members}
    meant = [item for item in members if verdicts[item.index] is True]
    if not meant:
        return None
    doubtful = [item for item in members if verdicts[item.index] is None]
    number = "one" if len(meant) == 1 and not doubtful else "all"
    referent = Referent(category, number, relation=relation, landmark=Referent(landmark, "one"))
    return _describe(referent, "relation", meant, members, doubtful)


def tell_absent(view: View, rng: np.random.Generator) -> Description | None:
    """A category that is not there: the answer is empty."""
    present = {item.category for item in view.seen}
    known = view.complete | view.absent
    gone = [name for name in sorted(known) if not view.members(name) and not present & set(GROUPS.get(name, ()))]
    category = _pick(gone, rng)
    if category is None:
        return None
    number = str(rng.choice(["one", "all"]))
    return Description(Referent(category, number), "absent", ())


def tell_near_miss(view: View, rng: np.random.Generator) -> Description | None:
    """A category that is there in a colour or at a place where it is not: the answer is empty."""
    category = _pick(view.sayable(), rng)
    if category is None:
        return None
    members = view.members(category)
    if rng.random() < 0.6:
        colors = {item.color for item in members}
        if None in colors:
            return None
        far = {"white", "red", "green", "blue", "black", "orange", "yellow"} - colors
        far = {"red", "blue", "white"} - colors if category in _PLANT_COLORS else far
        far -= {"orange", "yellow"} if colors & {"brown", "beige", "orange", "red", "yellow"} else set()
        color = _pick(sorted(far), rng)
        return color and Description(Referent(category, "all", color=color), "near miss", ())
    empty = [place for place, test in _PLACE_TESTS.items() if all(test(item) is False for item in members)]
    place = _pick(empty, rng)
    return place and Description(Referent(category, "all", place=place), "near miss", ())


# What a model must tell from pixels comes most often: where a phrase means a whole scene, geometry decides the rest.
TELLERS: dict[str, tuple[Teller, float]] = {
    "category": (tell_category, 0.30),
    "color": (tell_color, 0.27),
    "place": (tell_place, 0.13),
    "superlative": (tell_superlative, 0.05),
    "extreme": (tell_extreme, 0.05),
    "relation": (tell_relation, 0.06),
    "absent": (tell_absent, 0.07),
    "near miss": (tell_near_miss, 0.07),
}


def describe(view: View, rng: np.random.Generator, tries: int = 8) -> Description | None:
    """Draw one true description of a chip, or None where nothing can be said."""
    names = list(TELLERS)
    shares = np.array([share for _, share in TELLERS.values()])
    for _ in range(tries):
        teller = TELLERS[names[rng.choice(len(names), p=shares / shares.sum())]][0]
        description = teller(view, rng)
        if description is not None:
            return description
    return None


def _describe(
    referent: Referent, kind: str, meant: Iterable[Seen], members: list[Seen], doubtful: Iterable[Seen] = ()
) -> Description:
    """Objects too small to outline are doubtful wherever their category is spoken of."""
    unsure = {item.index for item in doubtful} | {item.index for item in members if item.area < _SMALLEST}
    sure = tuple(item.index for item in meant if item.index not in unsure)
    return Description(referent, kind, sure, tuple(sorted(unsure)))


def _pick(options: list, rng: np.random.Generator):
    return options[rng.integers(len(options))] if options else None


def _one_side(value: float, extent: float, low: bool) -> bool | None:
    """True on the side, False on the other, None in the middle or for an object that reaches across."""
    if extent > 0.55:
        return None
    if _LOW <= value <= _HIGH:
        return None
    return low if value < _LOW else not low


def _both(first: bool | None, second: bool | None) -> bool | None:
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def _centre(item: Seen) -> bool | None:
    if max(item.width, item.height) > 0.7:
        return None
    reach = max(abs(item.x - 0.5), abs(item.y - 0.5))
    return True if reach < 0.14 else (False if reach > 0.27 else None)


_PLACE_TESTS: dict[str, Callable[[Seen], bool | None]] = {
    "left": lambda s: _one_side(s.x, s.width, True),
    "right": lambda s: _one_side(s.x, s.width, False),
    "top": lambda s: _one_side(s.y, s.height, True),
    "bottom": lambda s: _one_side(s.y, s.height, False),
    "top left": lambda s: _both(_one_side(s.x, s.width, True), _one_side(s.y, s.height, True)),
    "top right": lambda s: _both(_one_side(s.x, s.width, False), _one_side(s.y, s.height, True)),
    "bottom left": lambda s: _both(_one_side(s.x, s.width, True), _one_side(s.y, s.height, False)),
    "bottom right": lambda s: _both(_one_side(s.x, s.width, False), _one_side(s.y, s.height, False)),
    "center": _centre,
}


def _side_of(item: Seen, mark: Seen, relation: str) -> bool | None:
    """Tell whether an object lies on one side of a landmark's box, mostly facing it."""
    if relation in ("left of", "right of"):
        gap = (mark.x - mark.width / 2) - item.x if relation == "left of" else item.x - (mark.x + mark.width / 2)
        off, reach = abs(item.y - mark.y), (item.height + mark.height) / 2
    else:
        gap = (mark.y - mark.height / 2) - item.y if relation == "above" else item.y - (mark.y + mark.height / 2)
        off, reach = abs(item.x - mark.x), (item.width + mark.width) / 2
    if gap <= 0:
        return False if gap < -0.03 else None
    return True if off < max(reach, gap) else None
