"""The corridor: raster -> tiles -> chips -> probabilities -> mosaic -> mask -> polygons -> files.

`segment_raster` is the only function that knows the whole path. Every step is a generator or a sink, so that memory
is that of one row of tiles. Phrases that mean something only across the scene wait, on disk, for the last row. All
results lie on the raster's own pixels, whatever resolution the model ran at.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from rrsis_core.contract import ConfigError, NullProgress, OperationCanceled, Progress, SegmentOptions, SinkError
from rrsis_core.geo.preview import PREVIEW_SUFFIXES, Layer, draw_preview
from rrsis_core.geo.raster import Raster, gdal_environment, open_raster
from rrsis_core.geo.raster_info import PIXEL_TRANSFORM, Frame
from rrsis_core.geo.resampling import RowResampler
from rrsis_core.geo.scaling import Scaling, measure_scaling
from rrsis_core.geo.sinks import RASTER_SUFFIXES, VECTOR_SUFFIXES, check_output, probability_sink
from rrsis_core.geo.stitching import ProbabilityMosaic
from rrsis_core.geo.tiling import Tile, TilePlan
from rrsis_core.inference.answers import Found, Rows, SegmentResult, write_answers
from rrsis_core.inference.coloring import colored
from rrsis_core.inference.overlap import ahead, behind, said_elsewhere
from rrsis_core.inference.planning import Layout, Suited, choose_bands, lay_out, warn
from rrsis_core.inference.questions import Question, ask, local_expressions, read_questions
from rrsis_core.inference.scene_answers import Scene, decided, explaining_layers, reading_of, write_explanation
from rrsis_core.text.expression import Expression
from rrsis_core.text.parse import Parse

if TYPE_CHECKING:
    from rrsis_core.inference.predictor import ChipPredictor

__all__ = ["Found", "Job", "SegmentResult", "Watch", "segment_part", "segment_raster"]


@dataclass(frozen=True)
class Job:
    """Everything decided before the first tile is read."""

    raster: Raster
    questions: tuple[Question, ...]
    bands: tuple[int, ...]
    scaling: Scaling
    layout: Layout
    threshold: float
    """Probability from which a pixel counts as found."""

    @property
    def scene(self) -> Scene:
        """Where the rows lie."""
        return Scene(self.raster, self.layout.area, self.layout.frame, self.bands, self.scaling)


@dataclass
class Watch:
    """Someone who looks at every tile as it is answered, and may call it a day: what was found by then is kept."""

    on_tile: Callable[[Job, Tile, NDArray[np.float32]], bool] = lambda job, tile, probabilities: True
    """Given probabilities (P, height, width) of a tile, for phrases asked of the scene those of all candidates; False
    leaves all tiles to come out."""
    stopped: bool = False
    tiles: int = 0
    """Tiles answered so far."""


def segment_raster(
    options: SegmentOptions,
    predictor: ChipPredictor | None = None,
    progress: Progress | None = None,
    watch: Watch | None = None,
    parts: Sequence[Path] = (),
) -> SegmentResult:
    """Segment phrases in a raster and write the outputs that the options name.

    `predictor` defaults to the weights that the options name, or the packaged ones. Where `parts` are given, files that
    `segment_part` made of all rows of tiles in their order, the model is not asked again. Each output appears when it
    is whole. Raises RrsisError of every kind, and OperationCanceled; warns with RrsisWarning.
    """
    start = time.perf_counter()
    progress, watch = progress or NullProgress(), watch or Watch()
    _check_outputs(options)
    with ExitStack() as stack:
        job, predictor = stack.enter_context(_opened(options, predictor))
        raster, plan, window = job.raster, job.layout.plan, job.layout.area.window
        options = replace(options, threshold=job.threshold)
        phrases = [question.text for question in job.questions]
        cells = _stored_rows(plan, parts) if parts else _mosaic_rows(job, predictor, progress, watch)
        rows_of_area = stack.enter_context(closing(_valid_rows(job, cells, progress, watch)))
        seen = stack.enter_context(colored(rows_of_area, job.questions, job.scene, options))
        answer = stack.enter_context(decided(seen, job.questions, job.scene, options))
        found, drawn, valid = behind(lambda rows: write_answers(rows, job.layout.frame, phrases, options), answer.rows)
        if not (valid or watch.stopped):
            warn(f"{options.raster} holds no data in the searched area, so nothing was found.")
        if options.explain:
            write_explanation(options.explain, job.questions, answer.resolutions, job.layout.frame)
        if options.preview:
            layers = [
                Layer(item.phrase, np.array(polygons, object), item.polygons)
                for item, polygons in zip(found, drawn, strict=True)
            ]
            layers += explaining_layers(answer.resolutions) if options.explain else []
            draw_preview(raster, window, layers, options.preview, job.bands, job.scaling)
        progress.update("write", 1, 1)
    rows_of_reading = zip(job.questions, answer.resolutions, answer.in_vain, found, strict=True)
    readings = [reading_of(*row) for row in rows_of_reading]
    named = {name: getattr(options, name) for name in ("output", "mask", "probability", "preview", "explain")}
    return SegmentResult(
        found=found,
        window=(int(window.col_off), int(window.row_off), int(window.width), int(window.height)),
        gsd=job.layout.gsd,
        looks=job.layout.looks,
        threshold=job.threshold,
        tiles=len(plan),
        seconds=time.perf_counter() - start,
        outputs={name: path for name, path in named.items() if path},
        readings=readings,
        stopped_after=watch.tiles if watch.stopped else None,
    )


def segment_part(
    options: SegmentOptions,
    rows: tuple[int, int],
    output: Path,
    predictor: ChipPredictor | None = None,
    progress: Progress | None = None,
) -> None:
    """Answer rows of tiles, from the first up to the second number, and store the rows of cells that they finish.

    So a raster of many rows is answered in parts, here or elsewhere, each with the rows of tiles above that reach into
    it; `segment_raster` puts them together, and not a bit depends on how they were cut. Raises what it raises.
    """
    with _opened(options, predictor) as (job, ready):
        plan = job.layout.plan
        starts = (*plan.row_starts, plan.height)
        above = starts[rows[0]]  # cells that other parts finish
        frame = Frame(plan.width, starts[rows[1]] - above, PIXEL_TRANSFORM, None)
        rows_of_cells = _mosaic_rows(job, ready, progress or NullProgress(), Watch(), rows)
        with closing(rows_of_cells), probability_sink(output, frame, local_expressions(job.questions)) as sink:
            for cells in rows_of_cells:
                sink.write(cells)


@contextmanager
def _opened(options: SegmentOptions, predictor: ChipPredictor | None) -> Iterator[tuple[Job, ChipPredictor]]:
    """Open the raster and decide everything."""
    read = read_questions(options.expressions)
    with ExitStack() as stack:
        stack.enter_context(said_elsewhere())
        stack.enter_context(gdal_environment())
        raster = stack.enter_context(open_raster(options.raster, options.alpha_band))
        if predictor is None:  # torch is loaded only where the model is ours
            load = import_module("rrsis_core.inference.predictor").load_predictor
            predictor = load(options.weights, options.device, options.batch_size, options.threads)
        job = _make_job(options, raster, read, predictor)
        rows = math.ceil(job.layout.plan.tile_height * job.layout.grid.scale_y)
        stack.enter_context(gdal_environment(raster.info, rows))
        yield job, predictor


def _check_outputs(options: SegmentOptions) -> None:
    wanted = {
        "output": VECTOR_SUFFIXES,
        "mask": RASTER_SUFFIXES,
        "probability": RASTER_SUFFIXES,
        "preview": PREVIEW_SUFFIXES,
        "explain": VECTOR_SUFFIXES,
    }
    inputs = [options.raster, *([options.aoi] if options.aoi else [])]
    taken: set[Path] = set()
    for name, suffixes in wanted.items():
        if path := getattr(options, name):
            target = check_output(path, suffixes, options.overwrite, inputs).resolve()
            if target in taken:
                raise SinkError(f"Two outputs are to be written to {path}.", code="output.exists", hint="Rename one.")
            taken.add(target)


def _make_job(
    options: SegmentOptions, raster: Raster, read: Sequence[tuple[Expression, Parse]], predictor: ChipPredictor
) -> Job:
    bands = choose_bands(options, raster)
    second_look: float | None = getattr(predictor, "second_look", None)
    layout = lay_out(options, raster, Suited(predictor.gsd, predictor.tile, second_look or 0.0))
    if layout.looks == 2 and second_look is None:
        raise ConfigError("This predictor cannot look twice.", code="config.looks", hint="Leave `looks` out.")
    questions = ask(read, options.reference, len(layout.plan))
    threshold = getattr(predictor, "threshold", 0.5) if options.threshold is None else options.threshold
    scaling = measure_scaling(raster, layout.area.window, bands, options.scaling)
    return Job(raster, questions, bands, scaling, layout, threshold)


def _valid_rows(
    job: Job, rows_of_cells: Iterable[Rows], progress: Progress, watch: Watch
) -> Generator[tuple[Rows, int, bool], None, None]:
    """Yield finished rows (L, rows, width) of the raster's own pixels, one a local expression.

    They are zero where nothing may be found. With them come the number of pixels where something may be found, and
    whether these rows are the last.
    """
    area, frame = job.layout.area, job.layout.frame
    resampler = RowResampler(job.layout.grid, area.window)
    done = 0
    for cells in rows_of_cells:
        for rows in resampler.feed(cells):
            window = Window(area.window.col_off, area.window.row_off + done, frame.width, rows.shape[1])
            valid = rows[0].size
            if watch.stopped and not rows.any():
                valid = 0  # nobody looked here
            elif not job.raster.always_valid or area.polygons is not None:
                inside = job.raster.valid(window, job.bands) & area.inside(window)
                rows[:, ~inside] = 0
                valid = int(inside.sum())
            done += rows.shape[1]
            yield rows, valid, done == frame.height
    progress.update("write", 0, 1)


def _mosaic_rows(
    job: Job, predictor: ChipPredictor, progress: Progress, watch: Watch, part: tuple[int, int] | None = None
) -> Generator[Rows, None, None]:
    """Yield finished rows (L, rows, width) of the working grid; of some rows of tiles only, if `part` says which."""
    expressions = local_expressions(job.questions)
    targets = [expressions.index(question.local[0]) for question in job.questions]
    plan = job.layout.plan
    first, last = part or (0, len(plan.row_starts))
    reaching = next(row for row, top in enumerate(plan.row_starts) if top + plan.tile_height > plan.row_starts[first])
    mosaic = ProbabilityMosaic(plan, len(expressions), reaching)
    total = (last - reaching) * len(plan.column_starts)
    look: Callable[..., NDArray[np.float32]] = predictor
    if job.layout.looks == 2:
        look = partial(look, looks=2)
    progress.update("infer", 0, total)
    rows = itertools.islice(plan.rows(), reaching, last)
    with ahead(_batches(job, rows, predictor, watch)) as batches:
        for row, batch, chips in batches:
            if progress.is_canceled():
                raise OperationCanceled
            if batch and not watch.stopped:
                for tile, probabilities in zip(batch, look(chips, expressions), strict=True):
                    mosaic.add(tile, probabilities)
                    watch.stopped |= not watch.on_tile(job, tile, probabilities[targets])
                watch.tiles = (row[0].row - reaching) * len(row) + batch[-1].column + 1
                progress.update("infer", watch.tiles, total)
            if not batch:
                finished = mosaic.release()
                if row[0].row >= first:
                    yield finished


def _stored_rows(plan: TilePlan, parts: Sequence[Path]) -> Iterator[Rows]:
    """Yield the rows that `segment_part` stored, in the very portions that one run makes."""
    heights = (below - top for top, below in itertools.pairwise((*plan.row_starts, plan.height)))
    for part in parts:
        with open_raster(part) as stored:
            bands, top = tuple(range(1, stored.info.count + 1)), 0
            while top < stored.info.height:
                height = next(heights)
                window = Window(0, top, plan.width, height)
                yield stored.read(window, (height, plan.width), bands)[0].astype(np.uint16, copy=False)
                top += height


def _batches(
    job: Job, rows: Iterable[Sequence[Tile]], predictor: ChipPredictor, watch: Watch
) -> Generator[tuple[Sequence[Tile], list[Tile], NDArray[np.float32]], None, None]:
    """Yield each row with some of its tiles and their scaled chips (B, 3, h, w), and with none when it is done.

    Tiles without a valid pixel are left out.
    """
    nothing = np.empty((0, 3, 0, 0), np.float32)
    for row in rows:
        tiles: list[Tile] = []
        for tile in row:
            if watch.stopped:
                break
            chip, valid = job.raster.read(job.layout.grid.source_window(tile), (tile.height, tile.width), job.bands)
            if valid.any():
                if not tiles:
                    chips = np.empty((min(predictor.batch_size, len(row)), *chip.shape), np.float32)
                job.scaling.apply(chip, chips[len(tiles)])
                tiles.append(tile)
            if tiles and (len(tiles) >= min(predictor.batch_size, len(chips)) or tile is row[-1]):
                yield row, tiles, chips[: len(tiles)]
                tiles = []
        yield row, [], nothing
