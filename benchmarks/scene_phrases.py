"""Ask rendered scenes of 4096 x 4096 pixels 200 phrases of twelve kinds: `python benchmarks/scene_phrases.py`.

By default the true masks stand for the model, so that only the phrase logic is measured; with `--weights NAME` the
model is asked as well, of the scene and tile by tile, in scenes of 1024 x 1024 unless `--size` says otherwise. An
answer is right if it is the exact set of objects.

The truth is computed here, pair by pair, from the masks: an object is what is seen of it in one piece. Objects of one
kind that touch are a pixel apart in the mask that stands for the model. Objects within a hair of a threshold (2 % of a
length or share, 5 degrees) count neither way, and ranks are only asked for where there is no near tie.
"""

import argparse
import math
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import rasterio
import rasterio.features
import shapely
from numpy.typing import NDArray

from rrsis_core.contract import SegmentOptions
from rrsis_core.data.rendered import Scene, render_scene
from rrsis_core.geo.area import whole_area
from rrsis_core.geo.raster import open_raster
from rrsis_core.geo.raster_info import Frame
from rrsis_core.geo.scaling import Scaling
from rrsis_core.geo.sinks import write_geotiff
from rrsis_core.inference import ChipPredictor, load_predictor, scene_answers, segment_raster
from rrsis_core.inference.questions import ask, local_expressions, read_questions
from rrsis_core.text.lexicon import plural
from rrsis_core.text.saying import local_text

KINDS = ("suburb", "coast", "industrial", "city")
SKIPPED = ("bare soil", "sand", "grass", "forest", "field", "road", "driveway", "sea")  # no things, or one big thing
GSD, STRIP, FEW, MANY = 0.3, 256, 80, 2000
YES, NO, DOUBTFUL = 1, 0, -1
Verdict = NDArray[np.int64]


@dataclass(eq=False)
class Kind:
    """All objects of a category, perhaps of one colour, as pieces."""

    mask: NDArray[np.bool_]
    """What the model would say: touching objects a pixel apart."""
    pixels: NDArray[np.int64]
    """Pixels of all pieces, as indices into the flat picture."""
    piece: NDArray[np.int32]
    """Number of the piece that each of them belongs to."""
    polygons: NDArray[np.object_]
    """In pixels, y downwards."""

    def __len__(self) -> int:
        return len(self.polygons)

    def share(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return which share (n) of each piece a mask covers."""
        return np.bincount(self.piece, mask.ravel()[self.pixels], len(self)) / self.area

    @cached_property
    def area(self) -> NDArray[np.float64]:
        """Pixels (n)."""
        return np.bincount(self.piece, minlength=len(self)).astype(float)

    @cached_property
    def centre(self) -> NDArray[np.float64]:
        """Column and row (n, 2)."""
        return shapely.get_coordinates(shapely.centroid(self.polygons))


@dataclass
class Asked:
    """A phrase with its truth."""

    kind: str
    phrase: str
    things: Kind
    truth: Verdict


class World:
    """A scene with its kinds of objects, made when first asked for."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.size = scene.image.shape[0]
        self._kinds: dict[tuple[str, str | None], Kind] = {}

    def kind(self, category: str, color: str | None = None) -> Kind:
        """Return the objects of a category (and colour)."""
        if (category, color) not in self._kinds:
            self._kinds[category, color] = self._make(category, color)
        return self._kinds[category, color]

    def _make(self, category: str, color: str | None) -> Kind:
        owner = np.zeros((self.size, self.size), np.int32)
        for number, item in enumerate(self.scene.objects, start=1):
            if item.category == category and color in (None, item.color):
                owner[slice(*item.rows), slice(*item.cols)][item.mask] = number
        for first, second in ((owner[:, :-1], owner[:, 1:]), (owner[:-1], owner[1:])):
            first[(first != second) & (first > 0) & (second > 0)] = 0
        shapes = rasterio.features.shapes(owner, owner > 0, connectivity=4)
        polygons = np.array([shapely.geometry.shape(shape) for shape, _ in shapes], object)
        mask, label = owner > 0, np.zeros_like(owner)
        if len(polygons):
            rasterio.features.rasterize(zip(polygons, range(1, len(polygons) + 1), strict=True), out=label)
        pixels = np.flatnonzero(label)
        return Kind(mask, pixels, label.ravel()[pixels] - 1, polygons)

    def names(self, least: int, most: int) -> list[str]:
        """Return the categories that have so many pieces."""
        found = sorted({item.category for item in self.scene.objects} - set(SKIPPED))
        return [name for name in found if least <= len(self.kind(name)) <= most]

    def colors(self, category: str) -> list[str]:
        """Return colours that some, not all, objects of a category have."""
        named = [item.color for item in self.scene.objects if item.category == category]
        return sorted({color for color in named if color and 3 <= named.count(color) < len(named)})


# --- the truth, pair by pair ---------------------------------------------------------------------------------------


def verdict(value: NDArray[np.float64], threshold: float, hair: float) -> Verdict:
    """Tell where a value is below a threshold, and where it is too close to say."""
    result = np.where(value < threshold, YES, NO)
    result[np.abs(value - threshold) < hair] = DOUBTFUL
    return result


def negated(truth: Verdict) -> Verdict:
    """Turn yes into no."""
    return np.where(truth == DOUBTFUL, DOUBTFUL, 1 - truth)


def both(one: Verdict, other: Verdict) -> Verdict:
    """Tell where both hold."""
    return np.where((one == NO) | (other == NO), NO, np.where((one == YES) & (other == YES), YES, DOUBTFUL))


def is_within(things: Kind, marks: Kind, metres: float) -> Verdict:
    """Tell which things lie within some metres of a landmark."""
    distance = GSD * shapely.distance(things.polygons, shapely.multipolygons(marks.polygons))
    return verdict(distance, metres, max(0.02 * metres, GSD))


def way_to(things: Kind, marks: Kind) -> NDArray[np.float64]:
    """Return the way (n, 2) from each centre to the nearest point of a landmark; zero where it lies in one."""
    lines = shapely.shortest_line(shapely.points(things.centre), shapely.multipolygons(marks.polygons))
    return np.diff(shapely.get_coordinates(lines).reshape(-1, 2, 2), axis=1)[:, 0]


def lies(things: Kind, marks: Kind, direction: str) -> Verdict:
    """Tell which things lie north, south, west or east of the nearest landmark."""
    away = -way_to(things, marks)
    angle = np.degrees(np.arctan2(-away[:, 1], away[:, 0]))
    wanted = {"east": 0, "north": 90, "west": 180, "south": -90}[direction]
    off = np.abs((angle - wanted + 180) % 360 - 180)
    result = verdict(off, 45, 5)
    result[np.hypot(*away.T) < 3] = DOUBTFUL
    return result


def is_between(things: Kind, first: Kind, second: Kind) -> Verdict:
    """Tell which things see two landmarks at least 120 degrees apart."""
    one, other = way_to(things, first), way_to(things, second)
    lengths = np.hypot(*one.T) * np.hypot(*other.T)
    angle = np.degrees(np.arccos(np.clip((one * other).sum(axis=1) / np.maximum(lengths, 1e-9), -1, 1)))
    result = verdict(-angle, -120, 5)
    result[lengths < 3] = DOUBTFUL
    return result


def is_in(things: Kind, marks: Kind) -> Verdict:
    """Tell which things lie, by half of their pixels or of the pixels around them, in a landmark."""
    inside, filled = things.share(marks.mask), marks.mask
    label = np.full(filled.shape, -1, np.int32)
    label.ravel()[things.pixels] = things.piece
    around = np.zeros(len(things))
    for index, polygon in enumerate(things.polygons):
        left, top, right, bottom = (int(value) for value in polygon.bounds)
        rows, columns = slice(max(top - 3, 0), bottom + 3), slice(max(left - 3, 0), right + 3)
        own = label[rows, columns] == index
        wide = own.copy()
        for _ in range(3):
            grown = wide.copy()
            grown[1:] |= wide[:-1]
            grown[:-1] |= wide[1:]
            grown[:, 1:] |= wide[:, :-1]
            grown[:, :-1] |= wide[:, 1:]
            wide = grown
        ring = wide & ~own
        around[index] = filled[rows, columns][ring].mean() if ring.any() else 0
    return verdict(-np.maximum(inside, around), -0.5, 0.15)


def is_at(things: Kind, size: int, place: str) -> Verdict:
    """Tell which things have their centre in a part of the picture."""
    x, y = things.centre.T / size
    tests = {
        "left": [(x, 0.4)],
        "right": [(1 - x, 0.4)],
        "top": [(y, 0.4)],
        "upper left": [(x, 0.4), (y, 0.4)],
        "lower right": [(1 - x, 0.4), (1 - y, 0.4)],
        "north half": [(y, 0.5)],
        "south half": [(1 - y, 0.5)],
        "eastern third": [(1 - x, 1 / 3)],
        "middle": [(np.abs(x - 0.5), 0.2), (np.abs(y - 0.5), 0.2)],
    }
    result = np.ones(len(things), np.int64)
    for value, threshold in tests[place]:
        result = both(result, verdict(value, threshold, 0.005))
    return result


PLACES = ("left", "right", "top", "upper left", "lower right", "north half", "south half", "eastern third", "middle")
BY = {
    "largest": lambda things: things.area,
    "smallest": lambda things: -things.area,
    "leftmost": lambda things: -things.centre[:, 0],
    "easternmost": lambda things: things.centre[:, 0],
    "northernmost": lambda things: -things.centre[:, 1],
    "lowest": lambda things: things.centre[:, 1],
}


def first_of(worth: NDArray[np.float64], among: Verdict, rank: int = 1, count: int = 1) -> Verdict | None:
    """Return which come first, from a rank on; None where there are too few, or where ties or doubts could matter."""
    order = np.argsort(-np.where(among == NO, -np.inf, worth))
    upto = rank - 1 + count
    if (among != NO).sum() <= upto or (among[order[: upto + 1]] == DOUBTFUL).any():
        return None
    steps = -np.diff(worth[order[: upto + 1]])
    if (steps < np.maximum(1.0, 0.02 * np.abs(worth[order[:upto]]))).any():
        return None
    truth = np.zeros(len(worth), np.int64)
    truth[order[rank - 1 : upto]] = YES
    return truth


# --- phrases -------------------------------------------------------------------------------------------------------

RANKS, COUNTS = ("first", "second", "third", "fourth"), ("two", "three", "four")
Teller = Callable[[World, np.random.Generator], tuple[str, Kind, Verdict | None]]


def pick(rng: np.random.Generator, options: list[str] | tuple[str, ...]) -> str:
    """Draw one."""
    if not options:
        raise LookupError
    return str(options[rng.integers(len(options))])


def some(world: World, rng: np.random.Generator, most: int = MANY) -> tuple[str, Kind]:
    """Draw a category, often with a colour: its noun phrase without an article, singular, and its objects."""
    name = pick(rng, world.names(5, most))
    colors = world.colors(name)
    if colors and rng.random() < 0.5:
        color = pick(rng, colors)
        return f"{color} {name}", world.kind(name, color)
    return name, world.kind(name)


def marks(world: World, rng: np.random.Generator, besides: str) -> tuple[str, Kind]:
    """Draw a category of landmarks, of which there are few."""
    name = pick(rng, [name for name in world.names(1, FEW) if name not in besides])
    return name, world.kind(name)


def superlative(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the largest blue building"."""
    name, things = some(world, rng)
    word = pick(rng, list(BY))
    return f"the {word} {name}", things, first_of(BY[word](things), np.ones(len(things), np.int64))


def ordinal(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the second tank from the left"."""
    name, things = some(world, rng)
    rank = int(rng.integers(1, 5))
    sides = {"the left": "leftmost", "the east": "easternmost", "the north": "northernmost", "the bottom": "lowest"}
    side = pick(rng, [*sides, "size"])
    phrase = f"the {RANKS[rank - 1]} {name} from {side}" if side != "size" else f"the {RANKS[rank - 1]} largest {name}"
    return phrase, things, first_of(BY[sides.get(side, "largest")](things), np.ones(len(things), np.int64), rank)


def side(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the cars in the upper left"."""
    name, things = some(world, rng)
    place = pick(rng, PLACES)
    return f"the {plural(name)} in the {place}", things, is_at(things, world.size, place)


def compass(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the houses north of the lake"."""
    name, things = some(world, rng)
    other, landmarks = marks(world, rng, name)
    direction = pick(rng, ("north", "south", "west", "east"))
    return f"the {plural(name)} {direction} of the {plural(other)}", things, lies(things, landmarks, direction)


def near(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the trees next to a pond"."""
    name, things = some(world, rng)
    other, landmarks = marks(world, rng, name)
    word, metres = (("near", 50.0), ("next to", 15.0), ("close to", 50.0))[rng.integers(3)]
    return f"the {plural(name)} {word} the {plural(other)}", things, is_within(things, landmarks, metres)


def within(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the boats within 80 m of a pier"."""
    name, things = some(world, rng)
    other, landmarks = marks(world, rng, name)
    metres = int(rng.integers(2, 40)) * 5
    truth = is_within(things, landmarks, metres)
    if rng.random() < 0.4:
        return f"the {plural(name)} more than {metres} metres from the {plural(other)}", things, negated(truth)
    return f"the {plural(name)} within {metres} m of the {plural(other)}", things, truth


def between(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the cars between the lake and the car parks"."""
    name, things = some(world, rng)
    one, first = marks(world, rng, name)
    two, second = marks(world, rng, f"{name} {one}")
    phrase = f"the {plural(name)} between the {plural(one)} and the {plural(two)}"
    return phrase, things, is_between(things, first, second)


def inside(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the vehicles in the parking lots"."""
    name, things = some(world, rng)
    grounds = ("parking lot", "grass", "sea", "lake", "taxiway", "pond", "river", "field")
    other = pick(rng, [ground for ground in grounds if ground not in name])
    landmarks = world.kind(other)
    word = pick(rng, ("inside", "in", "on"))
    return f"the {plural(name)} {word} the {plural(other)}", things, is_in(things, landmarks)


def comparison(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the buildings larger than the pond"."""
    name, things = some(world, rng)
    square = GSD**2
    if rng.random() < 0.5:
        limit = float(np.quantile(things.area * square, rng.uniform(0.3, 0.9)))
        limit = max(1, round(limit, -1 if limit > 50 else 0))
        more = verdict(-things.area * square, -limit, 0.02 * limit)
        return f"the {plural(name)} larger than {limit:g} m2", things, more
    other, landmarks = marks(world, rng, name)
    if rng.random() < 0.5:
        limit = landmarks.area.max()
        return (
            f"the {plural(name)} bigger than the {plural(other)}",
            things,
            verdict(-things.area, -limit, 0.02 * limit),
        )
    limit = landmarks.area.min()
    return f"the {plural(name)} smaller than the {plural(other)}", things, verdict(things.area, limit, 0.02 * limit)


def negation(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the roofs that are not blue"."""
    name = pick(rng, world.names(5, MANY))
    things = world.kind(name)
    if colors := world.colors(name) if rng.random() < 0.5 else []:
        color = pick(rng, colors)
        share = things.share(world.kind(name, color).mask)
        return f"the {plural(name)} that are not {color}", things, verdict(share, 0.5, 0.1)
    other, landmarks = marks(world, rng, name)
    if rng.random() < 0.5:
        return f"the {plural(name)} not near the {plural(other)}", things, negated(is_within(things, landmarks, 50))
    return f"the {plural(name)} without a {other}", things, negated(is_within(things, landmarks, 10))


def count(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the three largest tanks"."""
    name, things = some(world, rng)
    number = int(rng.integers(2, 5))
    if rng.random() < 0.4:
        other, landmarks = marks(world, rng, name)
        worth = -shapely.distance(things.polygons, shapely.multipolygons(landmarks.polygons))
        phrase = f"the {COUNTS[number - 2]} {plural(name)} closest to the {plural(other)}"
        return phrase, things, first_of(worth, np.ones(len(things), np.int64), 1, number)
    word = pick(rng, list(BY))
    phrase = f"the {COUNTS[number - 2]} {word} {plural(name)}"
    return phrase, things, first_of(BY[word](things), np.ones(len(things), np.int64), 1, number)


def combination(world: World, rng: np.random.Generator) -> tuple[str, Kind, Verdict | None]:
    """ "the largest car within 50 m of a pond", "the cars in the north half that are near a pond"."""
    name, things = some(world, rng)
    other, landmarks = marks(world, rng, name)
    metres = int(rng.integers(4, 40)) * 10
    close, place = is_within(things, landmarks, metres), pick(rng, PLACES)
    what = int(rng.integers(3))
    if what == 0:
        word = pick(rng, list(BY))
        return f"the {word} {name} within {metres} m of the {plural(other)}", things, first_of(BY[word](things), close)
    here = is_at(things, world.size, place)
    if what == 1:
        phrase = f"the {plural(name)} in the {place} that are within {metres} m of the {plural(other)}"
        return phrase, things, both(here, close)
    return f"the second largest {name} in the {place}", things, first_of(things.area, here, 2)


TELLERS: dict[str, Teller] = {
    "superlative": superlative,
    "ordinal": ordinal,
    "side": side,
    "compass": compass,
    "near": near,
    "within N m": within,
    "between": between,
    "inside": inside,
    "comparison": comparison,
    "negation": negation,
    "count": count,
    "combination": combination,
}


def phrases_of(world: World, kind: str, number: int, rng: np.random.Generator) -> Iterator[Asked]:
    """Yield phrases of a kind that mean some but not all objects."""
    told: set[str] = set()
    for _ in range(60 * number):
        if len(told) == number:
            return
        try:
            phrase, things, truth = TELLERS[kind](world, rng)
        except LookupError:
            continue
        if truth is None or phrase in told or not (truth == YES).any() or not (truth == NO).any():
            continue
        told.add(phrase)
        yield Asked(kind, phrase, things, truth)


# --- asking --------------------------------------------------------------------------------------------------------


def masks_of_truth(world: World, raster_path: Path, asked: list[Asked]) -> Iterator[NDArray[np.bool_]]:
    """Yield the answer to each phrase where the true masks stand for the model."""
    options = SegmentOptions(str(raster_path), tuple(one.phrase for one in asked), reference="scene")
    questions = ask(read_questions(options.expressions), "scene", 2)
    local = local_expressions(questions)
    parts = {text: part for q in questions for part in q.parse.query.parts() for text in [local_text(part)]}
    size = world.size
    with open_raster(raster_path) as raster:
        frame = Frame(size, size, raster.info.transform, raster.info.crs)
        scene = scene_answers.Scene(raster, whole_area(raster.info), frame, (1, 2, 3), Scaling((0,) * 3, (255,) * 3))
        kinds = [world.kind(parts[text].target, (parts[text].attributes or (None,))[0]).mask for text in local]
        rows = (
            (65535 * np.stack([kind[top : top + STRIP] for kind in kinds]).astype(np.uint16), size, top + STRIP >= size)
            for top in range(0, size, STRIP)
        )
        with scene_answers.decided(rows, questions, scene, options) as answer:
            bands = [np.packbits(some >= 32768, axis=2) for some, _, _ in answer.rows]
    for index in range(len(asked)):
        yield np.unpackbits(np.concatenate([band[index] for band in bands]), axis=1, count=size).astype(bool)


def masks_of_model(
    raster_path: Path, asked: list[Asked], reference: str, predictor: ChipPredictor | None
) -> Iterator[NDArray[np.bool_]]:
    """Yield the answer of a model to each phrase."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mask = Path(folder) / "mask.tif"
        phrases = tuple(one.phrase for one in asked)
        segment_raster(SegmentOptions(str(raster_path), phrases, mask=str(mask), reference=reference), predictor)
        with rasterio.open(mask) as source:
            for band in source.indexes:
                yield source.read(band).astype(bool)


def judged(asked: Asked, mask: NDArray[np.bool_]) -> tuple[bool, float, str]:
    """Return whether an answer is the exact set of objects, the overlap of the two sets, and what differs."""
    things = asked.things
    found, sure = things.share(mask) >= 0.5, asked.truth != DOUBTFUL
    meant = asked.truth == YES
    union = int(((found | meant) & sure).sum())
    differs = np.flatnonzero((found != meant) & sure)
    text = f"{len(differs)} of {len(things)} differ, such as {differs[:4].tolist()}, meant {int(meant.sum())}"
    return not len(differs), int((found & meant).sum()) / union if union else 1.0, text


Results = dict[str, dict[str, list[tuple[bool, float]]]]


def ask_scene(world: World, asked: list[Asked], predictor: ChipPredictor | None, misses: bool) -> Results:
    """Return, by way of asking and kind of phrase, whether answers are exact and how far they overlap the truth."""
    results: Results = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as folder:
        path, scene = Path(folder) / "scene.tif", world.scene
        transform = rasterio.Affine(*scene.transform)
        write_geotiff(path, scene.image.transpose(2, 0, 1), transform, f"EPSG:{scene.crs_epsg}")
        answers = {"true masks": masks_of_truth(world, path, asked)}
        if predictor:
            answers["model, scene"] = masks_of_model(path, asked, "scene", predictor)
            answers["model, tile by tile"] = masks_of_model(path, asked, "tile", predictor)
        for way, masks in answers.items():
            for one, mask in zip(asked, masks, strict=True):
                exact, overlap, differs = judged(one, mask)
                results[way][one.kind].append((exact, overlap))
                if misses and not exact and way == "true masks":
                    print(f"    '{one.phrase}': {differs}", flush=True)
    return results


def table(results: Results) -> str:
    """Return the share of exact answers and the mean overlap, by kind and way."""
    lines = [f"{'':14s}" + "".join(f"{way:>28s}" for way in results)]
    for name in (*TELLERS, "all"):
        cells = []
        for by_kind in results.values():
            rows = [row for kind in TELLERS if name in (kind, "all") for row in by_kind[kind]]
            exact, overlap = np.mean(rows, axis=0) if rows else (0.0, 0.0)
            cells.append(f"{exact:8.1%} exact, {overlap:6.1%} of {len(rows):3d}")
        lines.append(f"{name:14s}" + "".join(f"{cell:>28s}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    """Render, ask, judge, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, help="pixels of a side; default: 4096, with --weights 1024")
    parser.add_argument("--scenes", type=int, default=len(KINDS))
    parser.add_argument("--phrases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=90_000, help="of the first scene; training never saw these")
    parser.add_argument("--weights", help="ask a model as well: a name, a file, or 'default'")
    parser.add_argument("--misses", action="store_true", help="print what went wrong")
    args = parser.parse_args()
    predictor = load_predictor(None if args.weights == "default" else args.weights) if args.weights else None
    size = args.size or (1024 if args.weights else 4096)
    results: Results = defaultdict(lambda: defaultdict(list))
    left = {name: len(range(i, args.phrases, len(TELLERS))) for i, name in enumerate(TELLERS)}
    for index in range(args.scenes):
        start, kind = time.process_time(), KINDS[index % len(KINDS)]
        world = World(render_scene(args.seed + index, size, GSD, kind))
        rng = np.random.default_rng(args.seed + index)
        asked = []
        for name in TELLERS:
            made = list(phrases_of(world, name, math.ceil(left[name] / (args.scenes - index)), rng))
            left[name] -= len(made)
            asked += made
        told = ask_scene(world, asked, predictor, args.misses) if asked else {}
        for way, by_kind in told.items():
            for name, rows in by_kind.items():
                results[way][name] += rows
        right = sum(exact for rows in results["true masks"].values() for exact, _ in rows)
        seconds = time.process_time() - start
        print(f"{kind}: {len(asked)} phrases, {seconds:.0f} s of processor; {right} right so far", flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
