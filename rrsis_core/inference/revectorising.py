"""Revectorising is making the polygons of a stored probability raster anew: another threshold, no model.

With the options of the run that stored it, the polygons are those of that run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from rasterio.windows import Window

from rrsis_core.contract import NullProgress, Progress, RasterError, SegmentOptions, track
from rrsis_core.geo.raster import Raster, gdal_environment, open_raster
from rrsis_core.geo.raster_info import frame_of
from rrsis_core.geo.sinks import VECTOR_SUFFIXES, check_output
from rrsis_core.inference.answers import Rows, SegmentResult, write_answers

BAND_ROWS = 256  # the block height of our probability rasters


def revectorise(probability: str, options: SegmentOptions, progress: Progress | None = None) -> SegmentResult:
    """Write `options.output` from a probability raster (uint16, a band a phrase) that a run stored.

    Of the options, the phrases name the bands; threshold (0.5 by default), min_area_m2, fill_holes_m2, simplify,
    right_angles, min_score, output and overwrite are obeyed. Raises RasterError (also raster.bands, if phrases and
    bands differ in number), SinkError, and OperationCanceled.
    """
    start = time.perf_counter()
    if options.output:
        check_output(options.output, VECTOR_SUFFIXES, options.overwrite, [probability])
    with gdal_environment(), open_raster(probability) as raster:
        info, phrases = raster.info, options.expressions
        if info.dtype != "uint16" or info.count != len(phrases):
            raise RasterError(
                f"{probability} has {info.count} bands of {info.dtype}, not {len(phrases)} of uint16.",
                code="raster.bands",
                hint="Give a probability raster that a run wrote for these phrases.",
            )
        rows = stored_rows(raster, progress or NullProgress())
        found, _, _ = write_answers(rows, frame_of(info, info.window), phrases, options)
    return SegmentResult(
        found=found,
        window=(0, 0, info.width, info.height),
        gsd=None,
        tiles=0,
        seconds=time.perf_counter() - start,
        outputs={"output": options.output} if options.output else {},
    )


def stored_rows(raster: Raster, progress: Progress) -> Iterator[tuple[Rows, int, bool]]:
    """Yield the rows (P, rows, width) of a probability raster, with their pixels and whether they are the last."""
    info = raster.info
    bands = tuple(range(1, info.count + 1))
    for top in track(range(0, info.height, BAND_ROWS), progress, "write"):
        height = min(BAND_ROWS, info.height - top)
        rows, _ = raster.read(Window(0, top, info.width, height), (height, info.width), bands)
        yield rows.astype("uint16", copy=False), rows[0].size, top + height == info.height
