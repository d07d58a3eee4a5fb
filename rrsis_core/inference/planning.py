"""A plan says what a run will do before a pixel or a model is touched: where, at which resolution, in how many tiles.

The corridor lays out its work here, and so does whoever wants to know the cost before running. No torch in this file.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import NamedTuple

from rasterio.windows import Window

from rrsis_core.contract import RrsisWarning, SegmentOptions
from rrsis_core.geo.area import Area, bbox_area, read_area, whole_area
from rrsis_core.geo.raster import Raster, gdal_environment, open_raster
from rrsis_core.geo.raster_info import Frame, frame_of, ground_resolution
from rrsis_core.geo.tiling import Grid, TilePlan, make_grid, plan_tiles
from rrsis_core.weights import find_weights
from rrsis_core.weights.card import card_of, read_header

SCALE_LIMITS = (0.25, 32.0)  # raster pixels a model pixel, where nobody asked for a resolution: down to 1 cm
FINE = 2.0  # raster pixels a model pixel, from which there is a second look: so fine a raster has few tiles
SECOND_LOOK_MB = 200  # more, where tiles are looked at twice
PROCESS_MB = 700  # a worker with torch and the default weights, before it has seen a raster


class Suited(NamedTuple):
    """What a model works best with."""

    gsd: float | None
    """Ground resolution, metres a pixel."""
    tile: int
    """Tile side."""
    second_look: float = 0.0
    """What a look at twice the size is worth where the ground resolution is unknown or fine: a share of the answer."""


@dataclass(frozen=True)
class Layout:
    """Where a run looks, and how it cuts that into tiles."""

    area: Area
    grid: Grid
    plan: TilePlan
    frame: Frame
    gsd: float | None
    """Ground resolution that the model runs at, metres a pixel; None where it is unknown."""
    looks: int
    """How often the model looks at a tile."""


@dataclass(frozen=True)
class RasterPlan:
    """The cost of a run, as plain data."""

    tiles: int
    rows: int
    """Rows of tiles."""
    tile: int
    """Tile side in model pixels."""
    width: int
    """Model pixels that the area has from left to right."""
    height: int
    window: tuple[int, int, int, int]
    """Column, row, width, height of the searched part of the raster."""
    gsd: float | None
    raster_gsd: float | None
    """The raster's own ground resolution, metres a pixel."""
    looks: int
    """How often the model looks at a tile; twice takes about four times as long."""
    memory_mb: int
    """About what the worker will need."""
    bands: tuple[int, ...]
    count: int
    """Bands that the raster has."""
    dtype: str
    crs: str | None


def plan_raster(options: SegmentOptions, model: Suited | None = None) -> RasterPlan:
    """Return the cost of a run without loading a model. Warns as the run itself would; raises its errors.

    `model` defaults to the weights.
    """
    model = model or _of_weights(options.weights)
    with gdal_environment(), open_raster(options.raster, options.alpha_band) as raster:
        bands = choose_bands(options, raster)
        layout = lay_out(options, raster, model)
        info, plan, window = raster.info, layout.plan, layout.area.window
        own = ground_resolution(info, window)
    held = len(options.expressions) * layout.frame.width * math.ceil(plan.tile_height * layout.grid.scale_y)
    left, top, width, height = (int(value) for value in window.flatten())
    return RasterPlan(
        tiles=len(plan),
        rows=len(plan.row_starts),
        tile=plan.tile,
        width=plan.width,
        height=plan.height,
        window=(left, top, width, height),
        gsd=layout.gsd,
        raster_gsd=own and math.sqrt(own[0] * own[1]),
        looks=layout.looks,
        memory_mb=PROCESS_MB + (SECOND_LOOK_MB if layout.looks == 2 else 0) + 8 * held // 2**20,
        bands=bands,
        count=info.count,
        dtype=info.dtype,
        crs=info.crs.to_string() if info.crs else None,
    )


def _of_weights(name: str | None) -> Suited:
    path = find_weights(name)
    card = card_of(read_header(path), path)
    return Suited(card.gsd, card.tile, card.second_look)


def choose_bands(options: SegmentOptions, raster: Raster) -> tuple[int, ...]:
    """Return the three bands to read as red, green, blue. Raises RasterError raster.bands."""
    bands = options.bands or raster.info.default_bands
    bands = bands if len(bands) == 3 else bands * 3
    raster.info.check_bands(bands)
    return bands


def lay_out(options: SegmentOptions, raster: Raster, model: Suited) -> Layout:
    """Decide area, working grid and tiles. Warns of what the user should know."""
    info = raster.info
    if info.caveat:
        warn(info.caveat)
    if options.aoi:
        area = read_area(options.aoi, info)
    else:
        area = bbox_area(info, options.bbox) if options.bbox else whole_area(info)
    scale, gsd = _working_scale(raster, area.window, options.gsd, model.gsd)
    grid = make_grid(area.window, scale)
    if options.gsd:
        warn(f"Running at {options.gsd:g} m: the model sees {grid.width} x {grid.height} pixels.")
    plan = plan_tiles(grid.width, grid.height, options.tile or model.tile, options.overlap)
    closer = gsd is None or (options.gsd is None and math.sqrt(math.prod(scale)) >= FINE)
    looks = options.looks or (2 if closer and model.second_look else 1)
    return Layout(area, grid, plan, frame_of(info, area.window), gsd, looks)


def _working_scale(
    raster: Raster, window: Window, asked: float | None, usual: float | None
) -> tuple[tuple[float, float], float | None]:
    """Return the size of a model pixel in raster pixels, along row and column, and in metres."""
    own = ground_resolution(raster.info, window)
    wanted = asked or usual
    if own is None:
        if asked:
            warn(f"The ground resolution is unknown, so --gsd {asked:g} cannot be obeyed: running at its own pixels.")
        return (1.0, 1.0), None
    mean = math.sqrt(own[0] * own[1])
    if wanted is None:
        return (1.0, 1.0), mean
    scale = (wanted / own[0], wanted / own[1])
    low, high = SCALE_LIMITS
    if not asked and not all(low <= value <= high for value in scale):
        warn(
            f"The raster has {mean:.3g} m a pixel and the weights were made for {wanted:g} m, too far apart to "
            f"resample: running at {mean:.3g} m. Give --gsd to choose."
        )
        return (1.0, 1.0), mean
    return scale, wanted


def warn(message: str) -> None:
    """Tell the user something without stopping."""
    warnings.warn(message, RrsisWarning, stacklevel=3)
