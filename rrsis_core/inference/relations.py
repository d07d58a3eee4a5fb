"""A relation tells, for each of many instances, whether it lies or compares to some landmark as a word says.

docs/phrases.md defines the words; the numbers are those below. Landmarks are looked up in a tree, never pair by pair.
An instance is no landmark of its own: where an object was found for target and landmark, it does not relate to itself.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from rrsis_core.geo.raster_info import Bounds
from rrsis_core.inference.instances import Floats, Instances, Polygons
from rrsis_core.text.query import COMPARISONS, DIRECTIONS, RANKINGS

Flags = NDArray[np.bool_]
Indexes = NDArray[np.int64]

TOUCHING, WITH, NEXT_TO, NEAR, FAR = 2.0, 10.0, 15.0, 50.0, 100.0  # metres between the outlines
AROUND = 30.0  # metres that "surrounded by" looks beyond the instance
BETWEEN_REACH = 100.0  # metres within which "between the roads" looks for the second road
RAYS, RAYS_HIT = 16, 12
RIM_POINTS, RIM = 32, 0.5  # metres outside the outline
OPPOSED = -0.5  # cosine of 120 degrees: the two landmarks are seen at least that far apart
CORNER = np.tan(np.pi / 8)  # of the shorter to the longer way: between the main directions
ALIKE = 0.2  # share of the area that "the same size" may differ by
MOST_VERTICES = 200  # larger landmarks are cut up: the tree then finds the near part of a road network
WITHIN = {"touching": TOUCHING, "next to": NEXT_TO, "along": NEXT_TO, "near": NEAR, "with": WITH}
BEYOND = ("far from", "beyond")
GRID = (np.arange(7) + 0.5) / 7


class Landmarks:
    """Landmarks of some instances, ready to be looked up."""

    def __init__(self, targets: Instances, landmarks: Instances) -> None:
        self.targets = targets
        polygons, own, self._found_twice = _with_own(targets, landmarks)
        self.pieces, self.owner = _subdivided(polygons, own)
        self.tree = shapely.STRtree(self.pieces)

    def nearest(self) -> Indexes:
        """Return, for each instance, the piece of a landmark that is nearest to its centre; -1 without landmarks."""
        piece = np.full(len(self.targets), -1)
        if len(self.pieces):
            once, twice = np.flatnonzero(~self._found_twice), np.flatnonzero(self._found_twice)
            who, which = self.tree.query_nearest(shapely.points(self.targets.centre[once]), all_matches=False)
            piece[once[who]] = which
            # From outline to outline, which takes longer but can leave out the instance itself.
            who, which = self.tree.query_nearest(self.targets.ground[twice], exclusive=True, all_matches=False)
            piece[twice[who]] = which
        return piece

    def distances(self) -> Floats:
        """Return the metres from each instance to its nearest landmark; infinite without one."""
        piece, distance = self.nearest(), np.full(len(self.targets), np.inf)
        some = np.flatnonzero(piece >= 0)
        distance[some] = shapely.distance(self.targets.ground[some], self.pieces[piece[some]])
        reach = np.nextafter(distance[some], np.inf)  # what is nearer than that is in it
        who, which = self._others(some, reach)
        np.minimum.at(distance, who, shapely.distance(self.targets.ground[who], self.pieces[which]))
        return distance

    def ways(self, piece: Indexes) -> Floats:
        """Return the way (n, 2) from each instance's nearest piece to its centre; not a number without one."""
        ways = np.full((len(self.targets), 2), np.nan)
        some = np.flatnonzero(piece >= 0)
        ways[some] = self.ways_between(some, piece[some])
        return ways

    def ways_between(self, who: Indexes, which: Indexes) -> Floats:
        """Return the way from the point of each piece that is closest to an instance's centre to that centre.

        From the piece's own centre where the instance lies in it.
        """
        centres = self.targets.centre[who]
        lines = shapely.shortest_line(self.pieces[which], shapely.points(centres))
        starts = shapely.get_coordinates(lines)[0::2]
        inside = np.hypot(*(centres - starts).T) < 1e-9
        starts[inside] = shapely.get_coordinates(shapely.centroid(self.pieces[which[inside]]))
        return centres - starts

    def pairs(self, distance: float) -> tuple[Indexes, Indexes]:
        """Return instances and pieces that lie within a distance of each other."""
        every = np.arange(len(self.targets))
        return self._others(every, np.full(len(every), distance))

    def within(self, distance: float) -> Flags:
        """Tell which instances have a landmark within a distance."""
        result = np.zeros(len(self.targets), bool)
        result[self.pairs(distance)[0]] = True
        return result

    def _others(self, some: Indexes, reach: Floats) -> tuple[Indexes, Indexes]:
        """Return pairs of instances, given by index, and pieces that lie within reach and are not the same object."""
        who, which = self.tree.query(self.targets.ground[some], predicate="dwithin", distance=reach)
        who = some[who]
        other = ~shapely.equals_identical(self.targets.ground[who], self.pieces[which])
        return who[other], which[other]


def relates(
    kind: str,
    amount: float | None,
    targets: Instances,
    landmarks: list[Instances],
    bounds: Bounds = (-np.inf, -np.inf, np.inf, np.inf),
) -> Flags:
    """Tell which instances relate so to any of the landmarks; `amount` in metres or square metres.

    `bounds` is the box, in metres on the ground, beyond which nobody knows what there is. "between" takes two sets of
    landmarks, or one within which both are; other kinds take one set. Comparisons hold with every one of the landmarks,
    or with the amount alone.
    """
    if kind in COMPARISONS:
        return _compares(kind, amount, targets, landmarks)
    if kind == "between":
        return _between([Landmarks(targets, some) for some in landmarks])
    known = Landmarks(targets, landmarks[0])
    if kind in DIRECTIONS:
        return _lies(kind, known.ways(known.nearest()))
    if kind in ("inside", "on", "outside"):
        return _inside(known, bounds) != (kind == "outside")
    if kind in _BY_SHAPE:
        return _BY_SHAPE[kind](known)
    if kind in RANKINGS:
        distance = known.distances()
        worth = -distance if kind == "closest to" else np.where(np.isfinite(distance), distance, -np.inf)
        return np.isfinite(worth) & (worth == worth.max(initial=-np.inf))
    near = known.within(reach_of(kind, amount) or 0.0)
    return ~near if kind in BEYOND else near


def reach_of(kind: str, amount: float | None) -> float | None:
    """Return the metres within which a landmark decides; None where that is no matter of metres."""
    return amount if kind in ("within", "beyond") else FAR if kind == "far from" else WITHIN.get(kind)


def along_side(points: Floats, side: str) -> Floats:
    """Return how far points (n, 2) lie towards a side: greater is more to that side."""
    x, y = points.T
    signs = {"left": (-1, 0), "right": (1, 0), "top": (0, 1), "bottom": (0, -1)}
    named = [{"upper": "top", "lower": "bottom"}.get(word, word) for word in side.split()]
    return np.sum([signs[word][0] * x + signs[word][1] * y for word in named], axis=0)


def covered_share(targets: Instances, others: Instances) -> Floats:
    """Return how much of each instance others cover, 0 to 1 where those do not overlap."""
    who, which = shapely.STRtree(others.ground).query(targets.ground, predicate="intersects")
    shared = shapely.area(shapely.intersection(targets.ground[who], others.ground[which]))
    return np.bincount(who, shared, len(targets)) / targets.area


def _with_own(targets: Instances, landmarks: Instances) -> tuple[Polygons, Flags, Flags]:
    """Return landmarks, which of them are an instance itself, and which instances that are.

    Such landmarks get that instance's very outline.
    """
    polygons, own, twice = landmarks.ground.copy(), np.zeros(len(landmarks), bool), np.zeros(len(targets), bool)
    if len(targets) and len(landmarks):
        who, which = shapely.STRtree(landmarks.ground).query(targets.ground, predicate="intersects")
        small, large = np.sort([targets.area[who], landmarks.area[which]], axis=0)
        who, which, large = (some[small > large / 2] for some in (who, which, large))
        shared = shapely.area(shapely.intersection(targets.ground[who], landmarks.ground[which]))
        who, which = who[shared > large / 2], which[shared > large / 2]
        polygons[which], own[which], twice[who] = targets.ground[who], True, True
    return polygons, own, twice


def _subdivided(polygons: Polygons, own: Flags) -> tuple[Polygons, Indexes]:
    """Return polygons with large ones cut up, and the index that each piece came from."""
    done, owners = [], []
    pieces, owner = polygons, np.arange(len(polygons))
    while len(pieces):
        small = (shapely.get_num_coordinates(pieces) <= MOST_VERTICES) | own[owner]
        done.append(pieces[small])
        owners.append(owner[small])
        pieces, owner = pieces[~small], owner[~small]
        if not len(pieces):
            break
        left, bottom, right, top = shapely.bounds(pieces).T
        wide = right - left > top - bottom
        x, y = np.where(wide, (left + right) / 2, right), np.where(wide, top, (bottom + top) / 2)
        x0, y0 = np.where(wide, x, left), np.where(wide, bottom, y)
        halves = np.concatenate([shapely.box(left, bottom, x, y), shapely.box(x0, y0, right, top)])
        cut = shapely.intersection(np.tile(pieces, 2), halves)
        pieces, index = shapely.get_parts(cut, return_index=True)
        owner = np.tile(owner, 2)[index]
        area = shapely.area(pieces) > 0
        pieces, owner = pieces[area], owner[area]
    return np.concatenate([np.empty(0, object), *done]), np.concatenate([np.empty(0, np.int64), *owners])


def _lies(kind: str, ways: Floats) -> Flags:
    """Tell which ways point to a side: within 45 degrees, for a corner between the main directions."""
    side = {"above": "top", "below": "bottom"}.get(kind, kind.removesuffix(" of"))
    x, y = np.nan_to_num(np.abs(ways)).T
    if " " not in side:
        main, other = (x, y) if side in ("left", "right") else (y, x)
        return (along_side(ways, side) > 0) & (main >= other)
    across, up = (along_side(ways, part) > 0 for part in (side.split()[1], side.replace("upper", "top").split()[0]))
    return across & up & (np.minimum(x, y) >= CORNER * np.maximum(x, y))


def _between(sets: list[Landmarks]) -> Flags:
    """Tell which instances see two landmarks on opposite sides."""
    first = sets[0]
    nearest = first.nearest()
    ways = _unit(first.ways(nearest))
    if len(sets) == 2:
        return (ways * _unit(sets[1].ways(sets[1].nearest()))).sum(axis=1) <= OPPOSED
    who, which = first.pairs(BETWEEN_REACH)
    other = first.owner[which] != first.owner[nearest[who]]
    who, which = who[other], which[other]
    cosine = (_unit(first.ways_between(who, which)) * ways[who]).sum(axis=1)
    result = np.zeros(len(ways), bool)
    result[who[cosine <= OPPOSED]] = True
    return result


def _unit(ways: Floats) -> Floats:
    return ways / np.maximum(np.hypot(*ways.T), 1e-9)[:, None]


def _inside(known: Landmarks, bounds: Bounds) -> Flags:
    """Tell which instances lie in landmarks by half or more, or are lined by them by half or more: a boat in a hole."""
    result = np.zeros(len(known.targets), bool)
    who, which = known.pairs(TOUCHING)
    some = np.unique(who)
    for x, y, used in (_grid_points(known.targets.ground[some]), _rim_points(known.targets.ground[some], RIM)):
        covered = _covered(known, who, which, x, y)
        used &= (x > bounds[0]) & (y > bounds[1]) & (x < bounds[2]) & (y < bounds[3])
        result[some] |= (covered & used).sum(axis=1) >= np.maximum(0.5 * used.sum(axis=1), 1)
    return result


def _covered(known: Landmarks, who: Indexes, which: Indexes, x: Floats, y: Floats) -> Flags:
    """Tell which points (n, k) of the n instances in pairs lie in a piece that their instance is paired with."""
    shapely.prepare(known.pieces)
    place = np.searchsorted(np.unique(who), who)
    covered = np.zeros(x.shape, bool)
    np.logical_or.at(covered, place, shapely.contains_xy(known.pieces[which][:, None], x[place], y[place]))
    return covered


def _grid_points(polygons: Polygons) -> tuple[Floats, Floats, Flags]:
    """Return 49 points of each polygon's box and one that is surely in it, and which are in it."""
    left, bottom, right, top = shapely.bounds(polygons).T[:, :, None]
    sure = shapely.get_coordinates(shapely.point_on_surface(polygons))
    x = np.column_stack([left + (right - left) * np.tile(GRID, 7), sure[:, 0]])
    y = np.column_stack([bottom + (top - bottom) * np.repeat(GRID, 7), sure[:, 1]])
    used = shapely.contains_xy(polygons[:, None], x, y)
    used[:, -1] = True
    return x, y, used


def _rim_points(polygons: Polygons, outside: float) -> tuple[Floats, Floats, Flags]:
    """Return points all around each polygon, some metres outside."""
    rims = shapely.get_exterior_ring(shapely.buffer(polygons, outside))
    points = shapely.line_interpolate_point(rims[:, None], np.arange(RIM_POINTS) / RIM_POINTS, normalized=True)
    x, y = shapely.get_x(points), shapely.get_y(points)
    return x, y, np.ones(x.shape, bool)


def _surrounded(known: Landmarks) -> Flags:
    """Tell which instances see a landmark in three directions of four, not far beyond their own rim."""
    targets = known.targets
    left, bottom, right, top = shapely.bounds(targets.ground).T
    reach = np.hypot(right - left, top - bottom) / 2 + AROUND
    turns = 2 * np.pi * np.arange(RAYS) / RAYS
    steps = reach[:, None, None] * np.column_stack([np.cos(turns), np.sin(turns)])
    starts = np.broadcast_to(targets.centre[:, None], steps.shape)
    rays = shapely.linestrings(np.stack([starts, starts + steps], axis=2).reshape(-1, 2, 2))
    ray, which = known.tree.query(rays, predicate="intersects")
    ray = ray[~shapely.equals_identical(targets.ground[ray // RAYS], known.pieces[which])]
    return np.bincount(np.unique(ray) // RAYS, minlength=len(targets)) >= RAYS_HIT


def _crossing(known: Landmarks) -> Flags:
    """Tell which instances a landmark goes through from side to side, or the other way round."""
    result = np.zeros(len(known.targets), bool)
    who, which = known.pairs(TOUCHING)
    some = np.unique(who)
    x, y, _ = _rim_points(known.targets.ground[some], TOUCHING)
    covered = _covered(known, who, which, x, y)
    # All around a small one there must be two stretches with landmarks and two without; the rest takes longer to tell.
    stretches = (covered != np.roll(covered, 1, axis=1)).sum(axis=1)
    doubtful = some[(stretches >= 4) | (shapely.length(known.targets.ground[some]) > RIM_POINTS * 2 * TOUCHING)]
    likely = np.isin(who, doubtful)
    who, which = who[likely], which[likely]
    pairs, place = np.unique(np.column_stack([who, known.owner[which]]), axis=0, return_inverse=True)
    targets = known.targets.ground[pairs[:, 0]]
    near = shapely.intersection(known.pieces[which], shapely.buffer(targets, AROUND, quad_segs=2)[place])
    order = np.argsort(place, kind="stable")
    groups = np.split(near[order], np.cumsum(np.bincount(place, minlength=len(pairs)))[:-1]) if len(pairs) else []
    landmarks = np.array([some[0] if len(some) == 1 else shapely.union_all(some) for some in groups], object)
    through = _large_parts(shapely.difference(landmarks, shapely.buffer(targets, TOUCHING))) > 1
    result[pairs[through | (_large_parts(shapely.difference(targets, landmarks)) > 1), 0]] = True
    return result


def _large_parts(shapes: Polygons) -> Indexes:
    """Return of how many parts each shape is, without the tiny ones."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    areas, whole = shapely.area(parts), shapely.area(shapes)
    return np.bincount(owner[areas > 0.1 * whole[owner]], minlength=len(shapes))


_BY_SHAPE = {"surrounded by": _surrounded, "crossing": _crossing}


def _compares(kind: str, amount: float | None, targets: Instances, landmarks: list[Instances]) -> Flags:
    if amount is None and not len(landmarks[0]):
        return np.zeros(len(targets), bool)
    values = measured(kind, targets)
    if kind == "same size as":
        others = measured(kind, landmarks[0])
        least, most = others.min() * (1 - ALIKE), others.max() * (1 + ALIKE)
        return (values >= least) & (values <= most)
    more = kind.split()[0] in ("larger", "longer", "wider", "brighter")
    if amount is None:
        others = measured(kind, landmarks[0])
        amount = float(others.max() if more else others.min())
    return values > amount if more else values < amount


def measured(word: str, instances: Instances) -> Floats:
    """Return what a word of comparison compares: area, long or short side, brightness."""
    if word.startswith(("bright", "dark")):
        return np.zeros(len(instances)) if instances.brightness is None else instances.brightness
    if word.startswith(("long", "short")):
        return instances.sides[:, 0]
    return instances.sides[:, 1] if word.startswith(("wid", "narrow")) else instances.area
