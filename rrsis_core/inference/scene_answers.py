"""A scene answer is what is left of a model's answers when geometry has decided which objects a phrase means.

Rows of local expressions come in and are stored, as nobody knows before the last row what is the largest; rows of
phrases go out, those of the target's local expression with everything zero that is not meant. From there on they are
rows like any other.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray

from rrsis_core.contract import NullProgress, SegmentOptions
from rrsis_core.geo.area import Area
from rrsis_core.geo.polygons import PolygonBatch, Vectoriser, least_pixels
from rrsis_core.geo.preview import Layer
from rrsis_core.geo.raster import Raster, open_raster
from rrsis_core.geo.raster_info import Frame, carried
from rrsis_core.geo.scaling import Scaling
from rrsis_core.geo.sinks import probability_sink
from rrsis_core.geo.vector_sinks import write_table
from rrsis_core.inference.answers import Found, Reading, Rows, large_and_sure, least_step
from rrsis_core.inference.extent import Extent
from rrsis_core.inference.instances import Floats, Instances, Polygons, instances_of, metres_a_unit
from rrsis_core.inference.questions import Question, local_expressions
from rrsis_core.inference.resolve import Resolution, ambiguity, needs_brightness, resolve
from rrsis_core.inference.revectorising import stored_rows
from rrsis_core.text.saying import local_texts

COLOR_ROWS = 512
Portion = tuple[Rows, int, bool]


@dataclass(frozen=True)
class Scene:
    """Where the rows lie, and what their pixels look like."""

    raster: Raster
    area: Area
    frame: Frame
    bands: tuple[int, ...]
    scaling: Scaling


@dataclass
class Decided:
    """Rows of phrases, and how those that were asked of the scene were decided."""

    rows: Iterable[Portion]
    resolutions: list[Resolution | None]
    """One a question, None for those that are answered as typed."""
    in_vain: list[Resolution | None]
    """One a question: how geometry found nothing, for those that are answered as typed for that."""


@contextmanager
def decided(
    rows: Iterable[Portion], questions: Sequence[Question], scene: Scene, options: SegmentOptions
) -> Iterator[Decided]:
    """Turn rows of local expressions (L, rows, width) into rows of phrases (P, rows, width).

    They come and go with the number of pixels that hold something, and whether they are the last. Nothing is stored
    where no question is asked of the scene.
    """
    local = local_expressions(questions)
    targets = [local.index(question.local[0]) for question in questions]
    if not any(question.of_scene for question in questions):
        nothing: list[Resolution | None] = [None] * len(questions)
        yield Decided(((some[targets], valid, last) for some, valid, last in rows), nothing, nothing)
        return
    with tempfile.TemporaryDirectory(prefix="rrsis-") as folder:
        store = Path(folder) / "local.tif"
        wanted = {text for question in questions if question.of_scene for text in local_texts(question.parse.query)}
        candidates, valid = stored_instances(rows, store, local, wanted, scene, options)
        for question in questions:
            for text in needs_brightness(question.parse.query) if question.of_scene else ():
                if candidates[text].brightness is None:
                    brightness = mean_colors(candidates[text], scene).mean(axis=1)
                    candidates[text] = dataclasses.replace(candidates[text], brightness=brightness)
        extent = extent_of(scene)
        resolutions = [resolve(q.parse.query, candidates, extent) if q.of_scene else None for q in questions]
        in_vain: list[Resolution | None] = [None] * len(questions)
        for index, (question, resolution) in enumerate(zip(questions, resolutions, strict=True)):
            if question.typed_too and resolution is not None and not resolution.finds:
                in_vain[index], resolutions[index], targets[index] = resolution, None, local.index(question.text)
        with open_raster(store) as stored:
            yield Decided(_phrase_rows(stored, valid, local, targets, resolutions, scene.frame), resolutions, in_vain)


def stored_instances(
    rows: Iterable[Portion],
    store: Path,
    local: Sequence[str],
    wanted: set[str],
    scene: Scene,
    options: SegmentOptions,
) -> tuple[dict[str, Instances], int]:
    """Store the rows; return the instances of the wanted local expressions and the number of pixels with data."""
    frame, least = scene.frame, least_step(options.threshold)
    fewest = least_pixels(options.min_area_m2, frame)
    makers = {text: Vectoriser(frame.width, frame.transform, fewest) for text in wanted}
    batches: dict[str, list[PolygonBatch]] = {text: [] for text in wanted}
    searched = 0
    with probability_sink(store, frame, list(local)) as sink:
        for some, valid, last in rows:
            searched += valid
            sink.write(some)
            for text, maker in makers.items():
                band = some[local.index(text)]
                batches[text].append(large_and_sure(maker.feed(band >= least, band, last), frame, options)[0])
    middle = frame.transform @ (frame.width / 2, frame.height / 2)
    scale = metres_a_unit(frame.crs, *middle)
    return {text: instances_of(some, scale) for text, some in batches.items()}, searched


def extent_of(scene: Scene) -> Extent:
    """Return the box, north up, around what is searched, in metres on the ground."""
    frame, info, polygons = scene.frame, scene.raster.info, scene.area.polygons
    whole = polygons is None and (frame.width, frame.height) == (info.width, info.height)
    if polygons is None:
        left, top, width, height = scene.area.window.flatten()
        polygons = np.array([shapely.box(left, top, left + width, top + height)], object)
    scale = metres_a_unit(frame.crs, *(frame.transform @ (frame.width / 2, frame.height / 2)))
    ground = shapely.transform(polygons, lambda points: carried(points, info.transform) * scale)
    left, bottom, right, top = shapely.total_bounds(ground).tolist()
    if whole:
        return Extent((left, bottom, right, top), scale=scale)
    valid = shapely.make_valid(ground, method="structure", keep_collapsed=False)
    return Extent((left, bottom, right, top), "area", shapely.boundary(shapely.union_all(valid)), scale)


def mean_colors(instances: Instances, scene: Scene) -> Floats:
    """Return the mean of each instance's pixels (n, 3), scaled to 0 to 1."""
    total, count = np.zeros((3, len(instances))), np.zeros(len(instances))
    frame, window = scene.frame, scene.area.window
    for top in range(0, frame.height, COLOR_ROWS):
        height = min(COLOR_ROWS, frame.height - top)
        label = drawn(instances.outlines, frame, top, height, np.arange(1, len(instances) + 1))
        if not label.any():
            continue
        part = rasterio.windows.Window(window.col_off, window.row_off + top, frame.width, height)
        chip, _ = scene.raster.read(part, (height, frame.width), scene.bands)
        covered = label > 0
        owner = label[covered] - 1
        total += [np.bincount(owner, band[covered], len(instances)) for band in scene.scaling.apply(chip)]
        count += np.bincount(owner, minlength=len(instances))
    return (total / np.maximum(count, 1)).T


def drawn(outlines: Polygons, frame: Frame, top: int, height: int, values: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return some rows of the frame (height, width) with the value of the outline that each pixel's centre is in."""
    label = np.zeros((height, frame.width), np.int32)
    near = np.flatnonzero(_meets_rows(outlines, frame, top, height))
    if len(near):
        transform = frame.transform @ Affine.translation(0, top)
        shapes = zip(outlines[near], values[near].tolist(), strict=True)
        rasterio.features.rasterize(shapes, out=label, transform=transform)
    return label


def inside(outlines: Polygons, frame: Frame, top: int, height: int) -> NDArray[np.bool_]:
    """Tell which pixels of some rows of the frame (height, width) lie in any of the outlines."""
    return drawn(outlines, frame, top, height, np.ones(len(outlines), np.int64)) > 0


def _meets_rows(outlines: Polygons, frame: Frame, top: int, height: int) -> NDArray[np.bool_]:
    left, bottom, right, upper = shapely.bounds(outlines).T
    inverse = ~frame.transform
    rows: Floats = np.array([inverse.d * x + inverse.e * y + inverse.f for x in (left, right) for y in (bottom, upper)])
    return (rows.max(axis=0) > top) & (rows.min(axis=0) < top + height)


def _phrase_rows(
    stored: Raster,
    valid: int,
    local: Sequence[str],
    targets: Sequence[int],
    resolutions: Sequence[Resolution | None],
    frame: Frame,
) -> Iterator[Portion]:
    """Read the rows again and keep what is meant."""
    for top, some, counted, last in read_again(stored, valid):
        result = some[targets]
        for index, resolution in enumerate(resolutions):
            if resolution is not None:
                result[index] = _meant(resolution, some, local, top, frame)
        yield result, counted, last


def read_again(stored: Raster, valid: int) -> Iterator[tuple[int, Rows, int, bool]]:
    """Yield stored rows with the first one's number; all pixels with data are counted with the first ones."""
    top = 0
    for some, _, last in stored_rows(stored, NullProgress()):
        yield top, some, valid, last
        top, valid = top + some.shape[1], 0


def _meant(resolution: Resolution, some: Rows, local: Sequence[str], top: int, frame: Frame) -> Rows:
    """Return rows (rows, width) of what a query means, with that of what it means as well."""
    there = inside(resolution.answer.outlines, frame, top, some.shape[1])
    rows: Rows = np.where(there, some[local.index(resolution.local)], np.uint16(0))
    for other in resolution.also:
        rows = np.maximum(rows, _meant(other, some, local, top, frame))
    return rows


def reading_of(question: Question, resolution: Resolution | None, in_vain: Resolution | None, found: Found) -> Reading:
    """Return what was made of a phrase; `in_vain` is how geometry found nothing for one that is answered as typed."""
    query = question.parse.query
    reading = Reading("scene", query.as_dict(), question.local, list(question.parse.corrected))
    decided = resolution or in_vain
    if decided is not None:
        reading.candidates, reading.dropped = len(decided.kept), decided.counts()
        reading.notes = [note for part in (decided, *decided.also) for note in part.notes]
    if resolution is None:
        reading.reference = "tile"
        if in_vain is not None and found.polygons:
            reading.notes.append("shown instead is what the model takes for the whole phrase: check it")
        elif query.number == "one" and found.polygons > 1 and not query.needs_scene:
            reading.notes = [ambiguity(query, found.polygons)]
    return reading


# --- explaining ----------------------------------------------------------------------------------------------------


def write_explanation(
    path: str, questions: Sequence[Question], resolutions: Sequence[Resolution | None], frame: Frame
) -> None:
    """Write every candidate and landmark that was considered as a layer: for which phrase, kept or not, and why."""
    names = ("phrase", "role", "expression", "kept", "reason", "score", "ground_m2", "length_m")
    columns: dict[str, list[object]] = {name: [] for name in names}
    outlines: list[shapely.Polygon] = []
    for question, resolution in zip(questions, resolutions, strict=True):
        if resolution is None:
            continue
        for part in resolution.parts():
            role = "target" if part is resolution else "also" if part in resolution.also else "other"
            for index in range(len(part.kept)):
                outlines.append(part.instances.outlines[index])
                kept, reason = bool(part.kept[index]), part.reasons[index]
                size = round(float(part.instances.area[index]), 2), round(float(part.instances.sides[index, 0]), 2)
                row = (question.text, role, part.local, kept, reason, float(part.instances.score[index]), *size)
                for name, value in zip(names, row, strict=True):
                    columns[name].append(value)
    write_table(path, columns, np.array(outlines, object), frame.crs)


def explaining_layers(resolutions: Sequence[Resolution | None]) -> list[Layer]:
    """Return what to draw beside the answers: candidates that no phrase means, and what they were compared with."""
    targets = [part for resolution in resolutions if resolution for part in (resolution, *resolution.also)]
    layers: dict[str, Layer] = {}
    for part in targets:
        kept = np.any([other.kept for other in targets if other.local == part.local], axis=0)
        layers[part.local] = Layer(f"not meant: {part.local}", part.instances.outlines[~kept])
    for part in targets:
        for landmark in part.landmarks:
            layers.setdefault(landmark.local, Layer(landmark.local, landmark.answer.outlines))
    return list(layers.values())
