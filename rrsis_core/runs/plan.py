"""A plan is the list of everything that a run will do: scenes, cut into units that one worker does in some minutes.

It is made once, by whoever comes first, and never changes. A unit's name is a digest of all that its outputs depend on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import math
import os
import re
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import rrsis_core
from rrsis_core.contract import ConfigError, InputError, RasterError, RrsisError, SegmentOptions
from rrsis_core.contract.plain import from_plain, to_plain
from rrsis_core.inference.planning import RasterPlan, Suited, plan_raster
from rrsis_core.runs.inputs import Source, find_sources, identify, is_remote
from rrsis_core.runs.leases import Leases
from rrsis_core.runs.store import Store, read_json, write_json
from rrsis_core.weights import find_weights
from rrsis_core.weights.card import card_of, read_header

UNIT_TILES = 4096  # a scene of more is cut into parts: a few minutes of a CPU
LEAST_ROWS = 8  # rows of tiles in a part: the one above it is computed twice
OPENERS = 16  # rasters asked for at once: most of that is waiting for a network
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Outputs:
    """Which files a run makes of every scene."""

    format: str = "gpkg"
    """Suffix of the polygons, of each scene and of the whole."""
    mask: bool = False
    probability: bool = False
    preview: bool = False


@dataclass(frozen=True)
class Scene:
    """A raster of the plan."""

    name: str
    """That of its files: the raster's own, and the beginning of the unit's."""
    href: str
    identity: str | None
    """What tells this state of the raster from another; None where nobody knows."""
    item: str | None = None
    """The STAC item that names it."""
    datetime: str | None = None
    """When it was taken, by that item."""


@dataclass(frozen=True)
class Unit:
    """What one worker does at a time: a scene, or some rows of tiles of a large one."""

    name: str
    scene: int
    """Number of the scene in the plan."""
    tiles: int
    """What it costs; 0 where nobody knows, or all is done in parts."""
    rows: tuple[int, int] | None = None
    """The first row of tiles and the one after the last. None: the whole scene, from its parts where it has some."""


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    options: dict[str, Any]
    """SegmentOptions but for the raster and the outputs."""
    outputs: Outputs
    model: str
    """Digest of the weights, or the name of a predictor's class."""
    gsd: float | None
    """Ground resolution that the model works best at, metres a pixel."""
    tile: int
    """Tile side that it works best with."""
    version: str = rrsis_core.__version__


@dataclass(frozen=True)
class Plan:
    """What a run will do."""

    request: Request
    inputs: tuple[str, ...]
    scenes: tuple[Scene, ...]
    units: tuple[Unit, ...]
    """Largest scenes first; of one scene, the parts before the whole."""
    threads: int
    """CPU threads of every worker, wherever it runs: the last digit of a score may depend on them."""
    left_out: int = 0
    """Rasters that lie outside the area of interest."""

    def options_of(self, unit: Unit, **outputs: str) -> SegmentOptions:
        """Return the options to do a unit with."""
        given = {"raster": self.scenes[unit.scene].href, "threads": self.threads, "overwrite": True}
        return SegmentOptions.from_dict(self.request.options | given | outputs)


def open_plan(
    store: Store,
    leases: Leases,
    inputs: Sequence[str],
    request: Request,
    asset: str | None = None,
    unit_tiles: int = UNIT_TILES,
) -> Plan:
    """Return the plan of a run's folder; where there is none, make it, or wait for whoever is making it.

    Scenes of more than `unit_tiles` tiles are cut into parts. Raises ConfigError config.plan where the folder holds the
    plan of something else, and what `find_sources` raises.
    """
    path = store.folder / "plan.json"
    while (stored := read_json(path)) is None:
        with leases.claim("plan") as ours:
            if ours and not path.exists():
                write_json(path, to_plain(_make_plan(inputs, request, find_sources(inputs, asset), unit_tiles)))
        if not ours:
            time.sleep(POLL_SECONDS)
    plan = from_plain(Plan, stored)
    _check_same(store, plan, inputs, request, asset)
    return plan


def request_of(options: SegmentOptions, outputs: Outputs, predictor: Any = None) -> Request:
    """Return what is asked for, apart from the rasters, of weights or of a predictor of one's own.

    Raises WeightsError weights.not_found and weights.corrupt.
    """
    kept = to_plain(dataclasses.replace(options, raster="", output=None, mask=None, probability=None, preview=None))
    if predictor is not None:
        return Request(kept, outputs, type(predictor).__qualname__, predictor.gsd, predictor.tile)
    path = find_weights(options.weights)
    card = card_of(read_header(path), path)
    return Request(kept, outputs, hashlib.sha256(path.read_bytes()).hexdigest(), card.gsd, card.tile)


def share_of(units: Sequence[Unit], shard: tuple[int, int]) -> list[Unit]:
    """Return the units of shard i of n, numbered from 1: dealt out from the largest on, there and back again."""
    number, count = shard
    return [unit for index, unit in enumerate(units) if index % (2 * count) in (number - 1, 2 * count - number)]


def _check_same(store: Store, plan: Plan, inputs: Sequence[str], request: Request, asset: str | None) -> None:
    """Raise ConfigError config.plan if the plan is not that of these inputs. Those that vanished are no change."""
    wanted, planned = _flat(request), _flat(plan.request)
    if others := [name for name in wanted if wanted[name] != planned.get(name)]:
        raise _other_plan(store, f"{', '.join(others)} differ" + "s" * (len(others) == 1))
    if tuple(inputs) != plan.inputs:
        known = {scene.href for scene in plan.scenes}
        for source in find_sources(inputs, asset):
            if source.href not in known:
                raise _other_plan(store, f"{source.href} is not in it")


def _flat(request: Request) -> dict[str, Any]:
    facts = to_plain(request)
    return {**facts["options"], **facts["outputs"], "weights": request.model, "version": request.version}


def _other_plan(store: Store, why: str) -> ConfigError:
    return ConfigError(
        f"{store.folder} holds the plan of another run: {why}.",
        code="config.plan",
        hint="A plan is made once. Give another folder, or the same phrases, options and inputs as the first time.",
    )


def _make_plan(inputs: Sequence[str], request: Request, sources: Sequence[Source], unit_tiles: int) -> Plan:
    if not sources:
        raise InputError("No raster was given.", code="input.list", hint="Name files, folders, lists or STAC items.")
    with ThreadPoolExecutor(OPENERS) as pool:
        identities = list(pool.map(identify, [source.href for source in sources]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all is said again when its turn comes
        costs = [_cost(source, request) for source in sources]
    scenes: list[Scene] = []
    pieces: list[tuple[int, list[Unit]]] = []
    for source, identity, cost in zip(sources, identities, costs, strict=True):
        if isinstance(cost, RasterError) and cost.code == "raster.outside" and request.options["aoi"]:
            continue
        layout = cost if isinstance(cost, RasterPlan) else None
        units = units_of(len(scenes), [to_plain(request), source.href, identity], layout, unit_tiles)
        name = f"{_file_name(source.name)}-{units[-1].name[:8]}"
        scenes.append(Scene(name, source.href, identity, source.item, source.datetime))
        pieces.append((layout.tiles if layout else 0, units))
    pieces.sort(key=lambda piece: -piece[0])
    ordered = tuple(unit for _, units in pieces for unit in units)
    threads = request.options["threads"] or os.cpu_count() or 1
    return Plan(request, tuple(inputs), tuple(scenes), ordered, threads, len(sources) - len(scenes))


def _cost(source: Source, request: Request) -> RasterPlan | RrsisError | None:
    """Return what a scene costs; or the error that its unit will end with.

    None for rasters behind a network, unless there is an area that they might not be in: GDAL opens one at a time.
    """
    if is_remote(source.href) and not request.options["aoi"]:
        return None
    try:
        options = SegmentOptions.from_dict(request.options | {"raster": source.href})
        return plan_raster(options, Suited(request.gsd, request.tile))
    except RrsisError as error:
        return error


def units_of(scene: int, identity: list[Any], layout: RasterPlan | None, unit_tiles: int) -> list[Unit]:
    """Cut a scene into parts, where it is large, and the whole."""
    tiles = layout.tiles if layout else 0
    if layout is None or tiles <= unit_tiles:
        return [Unit(_digest(identity), scene, tiles)]
    columns = tiles // layout.rows
    count = math.ceil(layout.rows / max(LEAST_ROWS, unit_tiles // columns))
    edges = [layout.rows * index // count for index in range(count + 1)]
    rows = list(itertools.pairwise(edges))
    parts = [Unit(_digest([*identity, part]), scene, (part[1] - part[0]) * columns, part) for part in rows]
    return [*parts, Unit(_digest(identity), scene, 0)]


def _digest(identity: list[Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _file_name(name: str) -> str:
    """Return a name that any file system takes."""
    return re.sub(r"[^\w.-]+", "_", name)[:80].strip("._") or "scene"
