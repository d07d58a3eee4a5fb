"""Running a batch: hand units to workers until none is left, then put the results together.

Several processes may do this in one folder at once, on as many computers as see it; each leaves to the others what they
have in hand, and takes over what they dropped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from rrsis_core.contract import ConfigError, NullProgress, Progress, SegmentOptions
from rrsis_core.runs.collecting import collect, failures
from rrsis_core.runs.leases import LEASE_SECONDS, Leases
from rrsis_core.runs.plan import UNIT_TILES, Outputs, Plan, Unit, open_plan, request_of, share_of
from rrsis_core.runs.store import Store
from rrsis_core.runs.working import Outcome, Worker, parts_of

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class RunOptions:
    """How a run is done. None of it changes a bit of what comes out."""

    shard: tuple[int, int] = (1, 1)
    """Which of how many shares of the units to do, from 1."""
    backend: str = "local"
    """local (this process) or ray."""
    workers: int | None = None
    """Workers of the ray backend. Default: one a GPU, or one where there is none."""
    gpus_a_worker: float = 1.0
    """GPUs of one worker of the ray backend: a half lets two share one."""
    cpus_a_worker: float = 1.0
    """CPUs of one worker of the ray backend."""
    address: str | None = None
    """The ray cluster, such as auto or ray://head:10001. Default: one of this computer."""
    retries: int = 2
    """Tries after the first, where another may go better."""
    retry_failed: bool = False
    """Do what failed in an earlier run again."""
    lease_seconds: float = LEASE_SECONDS
    """After this time without a sign of life, a unit is anybody's."""
    unit_tiles: int = UNIT_TILES
    """Scenes of more tiles are cut into parts of about so many."""
    asset: str | None = None
    """The raster among the assets of STAC items."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        number, count = self.shard
        if not 1 <= number <= count:
            raise ConfigError(
                f"There is no shard {number} of {count}.", code="config.shard", hint="Give 1/N to N/N, such as 3/64."
            )
        if self.backend not in ("local", "ray"):
            raise ConfigError(f"There is no backend '{self.backend}'.", code="config.backend", hint="local or ray.")


@dataclass
class RunResult:
    """What became of a run, as far as it has come."""

    folder: str
    scenes: int
    done: int = 0
    """Scenes that are whole, whoever did them."""
    failed: list[dict[str, Any]] = field(default_factory=list)
    """Units that failed, with their error."""
    polygons: dict[str, int] = field(default_factory=dict)
    """By phrase, over all scenes that are done."""
    area_m2: dict[str, float] = field(default_factory=dict)
    left_out: int = 0
    """Rasters outside the area of interest."""
    unplaced: tuple[str, ...] = ()
    """Scenes without a CRS that the file of all results lacks."""
    results: str | None = None
    """The file of all results; None while others are at work."""
    seconds: float = 0.0


class Crew(Protocol):
    """Whoever does units: this process, or workers elsewhere."""

    free: int
    """How many more units may be handed out now."""

    def start(self, unit: Unit) -> None:
        """Hand out a unit."""

    def finish(self) -> list[Outcome]:
        """Wait until at least one unit is finished; return what became of those that are."""


class Alone:
    """A crew of one: this process."""

    def __init__(self, worker: Worker) -> None:
        self.free = 1
        self._worker, self._unit = worker, ""

    def start(self, unit: Unit) -> None:
        """Take a unit."""
        self.free, self._unit = 0, unit.name

    def finish(self) -> list[Outcome]:
        """Do it."""
        outcome = self._worker.do(self._unit)
        self.free = 1
        return [outcome]


class RunProgress(Progress, Protocol):
    """Anything that can be told about the progress of a run, and of the unit in hand."""

    def finished(self, unit: Unit, outcome: Outcome, count: int, total: int, seconds_left: float) -> None:
        """Say that a unit was finished here, which is so many of how many, and when all will be, at this pace."""


class Silent(NullProgress):
    """Progress for callers who do not look."""

    def finished(self, unit: Unit, outcome: Outcome, count: int, total: int, seconds_left: float) -> None:
        """Do nothing."""


def run_batch(
    inputs: Sequence[str],
    options: SegmentOptions,
    folder: str | Path,
    outputs: Outputs | None = None,
    run: RunOptions | None = None,
    progress: RunProgress | None = None,
    predictor: Any = None,
) -> RunResult:
    """Segment the phrases of `options` in every raster that the inputs name, and write all into a folder.

    What an earlier run of the same has done is not done again. What fails costs that unit only, and is in the result.
    Raises RrsisError where nothing can be run at all, and OperationCanceled.
    """
    start = time.monotonic()
    run, progress = run or RunOptions(), progress or Silent()
    store = Store(folder)
    store.make()
    leases = Leases(store.units, run.lease_seconds, lambda unit: None)
    request = request_of(options, outputs or Outputs(), predictor)
    plan = open_plan(store, leases, inputs, request, run.asset, run.unit_tiles)
    units = _mine(store, plan, run)
    lost: list[Outcome] = []
    if units:
        crew: Crew
        if run.backend == "ray":
            crew = import_module("rrsis_core.runs.cluster").RayCrew(store.folder, plan, run, predictor)
        else:
            worker = Worker(store.folder, plan, run.retries, run.lease_seconds, predictor)
            worker.progress = progress
            crew = Alone(worker)
        lost = _work(Queue(units, plan, store), crew, store, progress)
    result = summarise(store, plan, leases, lost)
    result.seconds = time.monotonic() - start
    return result


def _mine(store: Store, plan: Plan, run: RunOptions) -> list[Unit]:
    """Return what this process has to see to: its share, and the large scenes that it does parts of."""
    share = {unit.name for unit in share_of(plan.units, run.shard)}
    scenes = {unit.scene for unit in plan.units if unit.rows is not None and unit.name in share}
    mine = [unit for unit in plan.units if unit.name in share or (unit.rows is None and unit.scene in scenes)]
    if run.retry_failed:
        for unit in mine:
            store.forgive(unit.name)
    whole = {unit.scene for unit in plan.units if unit.rows is None and store.is_done(unit.name)}
    return [
        unit
        for unit in mine
        if unit.scene not in whole and not (store.is_done(unit.name) or store.is_failed(unit.name))
    ]


class Queue:
    """The units that this process has to see to, in the order of the plan."""

    def __init__(self, units: Sequence[Unit], plan: Plan, store: Store) -> None:
        self.waiting = list(units)
        self._store, self._parts = store, parts_of(plan)
        self._mine = {unit.name for unit in units}
        self._taken: dict[str, float] = {}

    def next(self) -> Unit | None:
        """Take out the next unit that can be done now; those that others have settled are dropped."""
        now = time.monotonic()
        for unit in list(self.waiting):
            if self._settled(unit):
                self.waiting.remove(unit)
            elif now - self._taken.get(unit.name, -POLL_SECONDS) >= POLL_SECONDS and not self._missing(unit):
                self.waiting.remove(unit)
                return unit
        return None

    def put_back(self, unit: Unit) -> None:
        """Have another look at a unit later: somebody else has it in hand."""
        self._taken[unit.name] = time.monotonic()
        self.waiting.append(unit)

    def only_others(self) -> bool:
        """Tell whether all that waits, waits for parts that are the business of others: the last one does the rest."""
        return all(any(part.name not in self._mine for part in self._missing(unit)) for unit in self.waiting)

    def _settled(self, unit: Unit) -> bool:
        parts = self._parts.get(unit.scene, []) if unit.rows is None else []
        failed = any(self._store.is_failed(one.name) and not self._store.is_done(one.name) for one in (unit, *parts))
        return failed or self._store.is_done(unit.name)

    def _missing(self, unit: Unit) -> list[Unit]:
        """Return the parts that a whole scene still lacks."""
        parts = self._parts.get(unit.scene, []) if unit.rows is None else []
        return [part for part in parts if not self._store.is_done(part.name)]


def _work(queue: Queue, crew: Crew, store: Store, progress: RunProgress) -> list[Outcome]:
    """Do units until none is left; return the failures that could not even be written down."""
    lost: list[Outcome] = []
    start, total, tiles = time.monotonic(), len(queue.waiting), sum(unit.tiles for unit in queue.waiting)
    busy: dict[str, Unit] = {}
    while queue.waiting or busy:
        while crew.free and (next_unit := queue.next()) is not None:
            busy[next_unit.name] = next_unit
            crew.start(next_unit)
        if not busy:
            if queue.only_others():
                break
            time.sleep(POLL_SECONDS)
            continue
        for outcome in crew.finish():
            unit = busy.pop(outcome.unit)
            if outcome.state == "taken":
                queue.put_back(unit)
                continue
            if outcome.state == "failed" and not store.is_failed(unit.name):
                lost.append(outcome)
            open_units = [*queue.waiting, *busy.values()]
            left = sum(other.tiles for other in open_units)
            pace = (time.monotonic() - start) / max(1, tiles - left)
            progress.finished(unit, outcome, total - len(open_units), total, pace * left)
    return lost


def summarise(store: Store, plan: Plan, leases: Leases, lost: Sequence[Outcome] = ()) -> RunResult:
    """Return how far a run is; put the results together once every scene is done or failed."""
    failed = failures(store, plan)
    scenes = {unit.name: plan.scenes[unit.scene] for unit in plan.units}
    for outcome in lost:
        scene = scenes[outcome.unit]
        failed.append({"scene": scene.name, "raster": scene.href, "unit": outcome.unit, **outcome.error})
    result = RunResult(str(store.folder), len(plan.scenes), failed=failed, left_out=plan.left_out)
    wholes = [unit for unit in plan.units if unit.rows is None]
    for unit in wholes:
        if store.is_done(unit.name):
            result.done += 1
            for found in (store.record(unit.name) or {})["found"]:
                name = found["phrase"]
                result.polygons[name] = result.polygons.get(name, 0) + found["polygons"]
                result.area_m2[name] = result.area_m2.get(name, 0.0) + (found["area_m2"] or 0.0)
    if result.done + len({entry["scene"] for entry in failed}) >= len(wholes):
        while result.results is None:
            with leases.claim("results") as ours:
                if ours:
                    collected = collect(store, plan)
                    result.results, result.unplaced = str(collected.path), collected.unplaced
            if not ours:
                time.sleep(POLL_SECONDS)
    return result
