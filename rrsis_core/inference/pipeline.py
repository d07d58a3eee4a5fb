"""The corridor: raster -> tiles -> chips -> probabilities -> mosaic -> mask -> polygons -> files.

`segment_raster` is the only function that knows the whole path. Every step is a generator or a sink, so that memory
is that of one row of tiles. All results lie on the raster's own pixels, whatever resolution the model ran at.
"""

import math
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from rrsis_core.contract import NullProgress, OperationCanceled, Progress, RrsisWarning, SegmentOptions, SinkError
from rrsis_core.geo.area import Area, bbox_area, read_area, whole_area
from rrsis_core.geo.polygons import PolygonBatch, Vectoriser, areas_m2, least_pixels, simplify
from rrsis_core.geo.preview import PREVIEW_SUFFIXES, Layer, draw_preview
from rrsis_core.geo.raster import Raster, gdal_environment, open_raster
from rrsis_core.geo.raster_info import Frame, frame_of, ground_resolution
from rrsis_core.geo.resampling import RowResampler
from rrsis_core.geo.scaling import Scaling, measure_scaling
from rrsis_core.geo.sinks import (
    RASTER_SUFFIXES,
    VECTOR_SUFFIXES,
    check_output,
    mask_sink,
    probability_sink,
    vector_sink,
)
from rrsis_core.geo.stitching import FULL_SCALE, ProbabilityMosaic
from rrsis_core.geo.tiling import Grid, Tile, TilePlan, make_grid, plan_tiles
from rrsis_core.inference.predictor import ChipPredictor, load_predictor
from rrsis_core.text.expression import Expression, read_expression, relative_words

SCALE_LIMITS = (0.25, 4.0)  # raster pixels a model pixel, where nobody asked for a resolution
Rows = NDArray[np.uint16]


@dataclass
class Found:
    """What was found for one expression."""

    phrase: str
    polygons: int = 0
    area_m2: float | None = 0.0
    """Sum over the polygons; None where the raster has no CRS."""
    pixels: int = 0
    best: float = 0.0
    """Highest probability anywhere, so that "nothing" can be told from "nearly"."""


@dataclass
class SegmentResult:
    """What a run did."""

    found: list[Found]
    window: tuple[int, int, int, int]
    """Column, row, width, height of the searched part of the raster."""
    gsd: float | None
    """Ground resolution that the model ran at, metres a pixel."""
    tiles: int
    seconds: float
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """Everything decided before the first tile is read."""

    raster: Raster
    expressions: tuple[Expression, ...]
    bands: tuple[int, ...]
    scaling: Scaling
    area: Area
    grid: Grid
    plan: TilePlan
    frame: Frame
    gsd: float | None


def segment_raster(
    options: SegmentOptions, predictor: ChipPredictor | None = None, progress: Progress | None = None
) -> SegmentResult:
    """Segment phrases in a raster and write the outputs that the options name.

    `predictor` defaults to the weights that the options name, or the packaged ones. Each output appears when it
    is whole. Raises RrsisError of every kind, and OperationCanceled; warns with RrsisWarning.
    """
    start = time.perf_counter()
    progress = progress or NullProgress()
    _check_outputs(options)
    expressions = tuple(read_expression(text) for text in options.expressions)
    _warn_unknown(expressions)
    with ExitStack() as stack:
        stack.enter_context(gdal_environment())
        raster = stack.enter_context(open_raster(options.raster))
        predictor = predictor or load_predictor(options.weights, options.device, options.batch_size)
        job = _plan(options, raster, expressions, predictor)
        rows = math.ceil(job.plan.tile_height * job.grid.scale_y)
        stack.enter_context(gdal_environment(raster.info, rows))
        _warn_relative(job)
        found, drawn, valid = _run(job, options, predictor, progress)
        if not valid:
            _warn(f"{options.raster} holds no data in the searched area, so nothing was found.")
        if options.preview:
            layers = [
                Layer(item.phrase, np.array(polygons, object), item.polygons)
                for item, polygons in zip(found, drawn, strict=True)
            ]
            draw_preview(raster, job.area.window, layers, options.preview, job.bands, job.scaling)
        progress.update("write", 1, 1)
        window = tuple(int(value) for value in job.area.window.flatten())
    named = {name: getattr(options, name) for name in ("output", "mask", "probability", "preview")}
    return SegmentResult(
        found=found,
        window=(window[0], window[1], window[2], window[3]),
        gsd=job.gsd,
        tiles=len(job.plan),
        seconds=time.perf_counter() - start,
        outputs={name: path for name, path in named.items() if path},
    )


def _check_outputs(options: SegmentOptions) -> None:
    wanted = {
        "output": VECTOR_SUFFIXES,
        "mask": RASTER_SUFFIXES,
        "probability": RASTER_SUFFIXES,
        "preview": PREVIEW_SUFFIXES,
    }
    inputs = [options.raster, *([options.aoi] if options.aoi else [])]
    taken: set[Path] = set()
    for name, suffixes in wanted.items():
        if path := getattr(options, name):
            target = check_output(path, suffixes, options.overwrite, inputs).resolve()
            if target in taken:
                raise SinkError(f"Two outputs are to be written to {path}.", code="output.exists", hint="Rename one.")
            taken.add(target)


def _warn_unknown(expressions: Sequence[Expression]) -> None:
    for expression in expressions:
        if expression.unknown:
            words = ", ".join(f"'{word}'" for word in expression.unknown)
            _warn(f"Unknown words in '{expression.text}': {words}. The model has not learned them.")


def _warn_relative(job: Job) -> None:
    """A model sees one tile: left, right and largest mean something else there than in the whole scene."""
    if len(job.plan) == 1:
        return
    for expression in job.expressions:
        if words := relative_words(expression):
            _warn(
                f"'{expression.text}' is answered tile by tile: {', '.join(words)} refers to each of "
                f"{len(job.plan)} tiles, not to the whole area. Search a smaller --bbox to make it one tile."
            )


def _warn(message: str) -> None:
    warnings.warn(message, RrsisWarning, stacklevel=3)


def _plan(
    options: SegmentOptions, raster: Raster, expressions: tuple[Expression, ...], predictor: ChipPredictor
) -> Job:
    info = raster.info
    if info.caveat:
        _warn(info.caveat)
    bands = options.bands or info.default_bands
    bands = bands if len(bands) == 3 else bands * 3
    info.check_bands(bands)
    if options.aoi:
        area = read_area(options.aoi, info)
    else:
        area = bbox_area(info, options.bbox) if options.bbox else whole_area(info)
    scale, gsd = _working_scale(raster, area.window, options.gsd, predictor.gsd)
    grid = make_grid(area.window, scale)
    if options.gsd:
        _warn(f"Running at {options.gsd:g} m: the model sees {grid.width} x {grid.height} pixels.")
    plan = plan_tiles(grid.width, grid.height, options.tile or predictor.tile, options.overlap)
    scaling = measure_scaling(raster, area.window, bands, options.scaling)
    return Job(raster, expressions, bands, scaling, area, grid, plan, frame_of(info, area.window), gsd)


def _working_scale(
    raster: Raster, window: Window, asked: float | None, usual: float | None
) -> tuple[tuple[float, float], float | None]:
    """Return the size of a model pixel in raster pixels, along row and column, and in metres."""
    own = ground_resolution(raster.info, window)
    wanted = asked or usual
    if own is None:
        if asked:
            _warn(f"The ground resolution is unknown, so --gsd {asked:g} cannot be obeyed: running at its own pixels.")
        return (1.0, 1.0), None
    mean = math.sqrt(own[0] * own[1])
    if wanted is None:
        return (1.0, 1.0), mean
    scale = (wanted / own[0], wanted / own[1])
    low, high = SCALE_LIMITS
    if not asked and not all(low <= value <= high for value in scale):
        _warn(
            f"The raster has {mean:.3g} m a pixel and the weights were made for {wanted:g} m, too far apart to "
            f"resample: running at {mean:.3g} m. Give --gsd to choose."
        )
        return (1.0, 1.0), mean
    return scale, wanted


def _run(
    job: Job, options: SegmentOptions, predictor: ChipPredictor, progress: Progress
) -> tuple[list[Found], list[list[Any]], int]:
    """Push finished rows into the sinks; return what was found, the polygons worth drawing, and pixels with data."""
    phrases = [expression.text for expression in job.expressions]
    found = [Found(phrase) for phrase in phrases]
    drawn: list[list[Any]] = [[] for _ in phrases]
    pixel = math.sqrt(abs(job.frame.transform.determinant))
    fewest = least_pixels(options.min_area_m2, job.frame)
    vectorisers = [Vectoriser(job.frame.width, job.frame.transform, fewest) for _ in phrases]
    threshold = max(1, math.ceil(options.threshold * FULL_SCALE))
    smallest_drawn = max(job.frame.width, job.frame.height) / 1600 * pixel
    searched = 0
    with ExitStack() as stack:
        vector = stack.enter_context(vector_sink(options.output, job.frame.crs)) if options.output else None
        mask = stack.enter_context(mask_sink(options.mask, job.frame, phrases)) if options.mask else None
        scores = (
            stack.enter_context(probability_sink(options.probability, job.frame, phrases))
            if options.probability
            else None
        )
        for rows, valid, last in _valid_rows(job, predictor, progress):
            searched += valid
            belongs = rows >= threshold
            if mask:
                mask.write(belongs)
            if scores:
                scores.write(rows)
            for index, item in enumerate(found):
                batch = vectorisers[index].feed(belongs[index], rows[index], last)
                batch, areas = _measured(batch, job, options, pixel)
                item.polygons += len(batch)
                item.pixels += int(batch.pixels.sum())
                item.area_m2 = None if areas is None else (item.area_m2 or 0.0) + float(areas.sum())
                item.best = max(item.best, float(rows[index].max()) / FULL_SCALE)
                if vector and len(batch):
                    vector.write(item.phrase, batch.polygons, batch.score, areas)
                if options.preview:
                    drawn[index] += [p for p in batch.polygons if p.length > 4 * smallest_drawn]
        progress.update("write", 0, 1)
    return found, drawn, searched


def _measured(
    batch: PolygonBatch, job: Job, options: SegmentOptions, pixel: float
) -> tuple[PolygonBatch, NDArray[np.float64] | None]:
    """Return polygons with their areas on the ground, without those that are too small, simplified if asked."""
    areas = areas_m2(batch.polygons, job.frame.crs)
    if areas is not None and options.min_area_m2 > 0:
        large = areas >= options.min_area_m2
        batch, areas = batch[large], areas[large]
    return (simplify(batch, options.simplify * pixel) if options.simplify else batch), areas


def _valid_rows(job: Job, predictor: ChipPredictor, progress: Progress) -> Iterator[tuple[Rows, int, bool]]:
    """Yield finished rows (P, rows, width) of the raster's own pixels, zero where nothing may be found.

    With them come the number of pixels where something may be found, and whether these rows are the last.
    """
    resampler = RowResampler(job.grid, job.area.window)
    top, height = int(job.area.window.row_off), job.frame.height
    done = 0
    for cells in _mosaic_rows(job, predictor, progress):
        for rows in resampler.feed(cells):
            window = Window(job.area.window.col_off, top + done, job.frame.width, rows.shape[1])
            valid = rows[0].size
            if not job.raster.always_valid or job.area.polygons is not None:
                inside = job.raster.valid(window, job.bands) & job.area.inside(window)
                rows[:, ~inside] = 0
                valid = int(inside.sum())
            done += rows.shape[1]
            yield rows, valid, done == height


def _mosaic_rows(job: Job, predictor: ChipPredictor, progress: Progress) -> Iterator[Rows]:
    """Yield finished rows (P, rows, width) of the working grid."""
    expressions = [expression.text for expression in job.expressions]
    mosaic = ProbabilityMosaic(job.plan, len(expressions))
    done = 0
    progress.update("infer", 0, len(job.plan))
    for row in job.plan.rows():
        for batch, chips in _batches(job, row, predictor):
            if progress.is_canceled():
                raise OperationCanceled
            for tile, probabilities in zip(batch, predictor(chips, expressions), strict=True):
                mosaic.add(tile, probabilities)
            progress.update("infer", done + batch[-1].column + 1, len(job.plan))
        done += len(row)
        yield mosaic.release()


def _batches(
    job: Job, row: Sequence[Tile], predictor: ChipPredictor
) -> Iterator[tuple[list[Tile], NDArray[np.float32]]]:
    """Yield tiles with their scaled chips (B, 3, h, w); tiles without a valid pixel are left out."""
    tiles: list[Tile] = []
    chips: list[NDArray[np.float32]] = []
    for tile in row:
        chip, valid = job.raster.read(job.grid.source_window(tile), (tile.height, tile.width), job.bands)
        if valid.any():
            tiles.append(tile)
            chips.append(job.scaling.apply(chip))
        if chips and (len(chips) >= predictor.batch_size or tile is row[-1]):
            yield tiles, np.stack(chips)
            tiles, chips = [], []
