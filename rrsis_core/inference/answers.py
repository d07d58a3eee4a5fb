"""An answer is what was found for one phrase; this file turns finished rows of probability into answers and files.

Rows come from the model by way of the corridor, or from a stored probability raster: the path is the same from here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rrsis_core.contract import SegmentOptions
from rrsis_core.geo.polygons import PolygonBatch, Vectoriser, areas_m2, fill_holes, least_pixels, simplify
from rrsis_core.geo.raster_info import Frame
from rrsis_core.geo.right_angles import square_up
from rrsis_core.geo.sinks import mask_sink, probability_sink, vector_sink
from rrsis_core.geo.stitching import FULL_SCALE

Rows = NDArray[np.uint16]


@dataclass
class Reading:
    """What was made of a phrase, as plain data."""

    reference: str
    """tile (asked as typed) or scene."""
    query: dict[str, Any]
    local: list[str]
    """What the model was asked for it."""
    corrected: list[tuple[str, str]] = field(default_factory=list)
    candidates: int = 0
    """Objects that geometry chose from."""
    dropped: dict[str, int] = field(default_factory=dict)
    """How many of them were dropped for which reason."""
    notes: list[str] = field(default_factory=list)
    """Why nothing is left, or that others may be meant."""


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
    looks: int = 1
    """How often the model looked at a tile."""
    threshold: float = 0.5
    """Probability from which a pixel counted as found."""
    outputs: dict[str, str] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    """What was made of each phrase; none where stored answers were used."""
    stopped_after: int | None = None
    """Tiles that were answered before the user stopped; None for a run that looked everywhere."""


def write_answers(
    rows_of_area: Iterable[tuple[Rows, int, bool]], frame: Frame, phrases: Sequence[str], options: SegmentOptions
) -> tuple[list[Found], list[list[Any]], int]:
    """Push finished rows into the sinks; return what was found, the polygons worth drawing, and pixels with data.

    Rows (P, rows, width) come with the number of pixels where something may be found, and whether they are the last.
    """
    found = [Found(phrase) for phrase in phrases]
    drawn: list[list[Any]] = [[] for _ in phrases]
    pixel = math.sqrt(abs(frame.transform.determinant))
    fewest = 0 if options.fill_holes_m2 else least_pixels(options.min_area_m2, frame)  # filled ones grow
    vectorisers = [Vectoriser(frame.width, frame.transform, fewest) for _ in phrases]
    threshold = least_step(options.threshold)
    smallest_drawn = max(frame.width, frame.height) / 1600 * pixel
    searched = 0
    with ExitStack() as stack:
        vector = stack.enter_context(vector_sink(options.output, frame.crs)) if options.output else None
        mask = stack.enter_context(mask_sink(options.mask, frame, phrases)) if options.mask else None
        scores = (
            stack.enter_context(probability_sink(options.probability, frame, phrases)) if options.probability else None
        )
        for rows, valid, last in rows_of_area:
            searched += valid
            belongs = rows >= threshold
            if mask:
                mask.write(belongs)
            if scores:
                scores.write(rows)
            for index, item in enumerate(found):
                batch = vectorisers[index].feed(belongs[index], rows[index], last)
                batch, areas = _measured(batch, frame, options, pixel)
                item.polygons += len(batch)
                item.pixels += int(batch.pixels.sum())
                item.area_m2 = None if areas is None else (item.area_m2 or 0.0) + float(areas.sum())
                item.best = max(item.best, float(rows[index].max()) / FULL_SCALE)
                if vector and len(batch):
                    vector.write(item.phrase, batch.polygons, batch.score, areas, batch.score_max, batch.pixels)
                if options.preview:
                    drawn[index] += [p for p in batch.polygons if p.length > 4 * smallest_drawn]
    return found, drawn, searched


def least_step(threshold: float | None) -> int:
    """Return the least stored probability that counts as found (0.5 by default); never zero, which is nothing."""
    return max(1, math.ceil((0.5 if threshold is None else threshold) * FULL_SCALE))


def large_and_sure(
    batch: PolygonBatch, frame: Frame, options: SegmentOptions
) -> tuple[PolygonBatch, NDArray[np.float64] | None]:
    """Return polygons with their areas on the ground, without those that are too small or unsure."""
    if options.min_score > 0:
        batch = batch[batch.score >= options.min_score]
    areas = areas_m2(batch.polygons, frame.crs)
    if areas is not None and options.min_area_m2 > 0:
        large = areas >= options.min_area_m2
        batch, areas = batch[large], areas[large]
    return batch, areas


def _measured(
    batch: PolygonBatch, frame: Frame, options: SegmentOptions, pixel: float
) -> tuple[PolygonBatch, NDArray[np.float64] | None]:
    """Return polygons with their areas on the ground, without those that are too small or unsure, tidied if asked."""
    if options.fill_holes_m2:
        batch = fill_holes(batch, options.fill_holes_m2, frame)
    batch, areas = large_and_sure(batch, frame, options)
    if options.right_angles:
        return square_up(batch, max(1.0, options.simplify) * pixel), areas
    return (simplify(batch, options.simplify * pixel) if options.simplify else batch), areas
