"""A worker does units, one after the other, with a model that it loads once."""

from __future__ import annotations

import contextlib
import platform
import time
import traceback
import warnings
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from rrsis_core.contract import (
    NullProgress,
    OperationCanceled,
    Progress,
    RasterError,
    RrsisError,
    RrsisWarning,
    SinkError,
)
from rrsis_core.contract.plain import to_plain
from rrsis_core.geo.staging import staged
from rrsis_core.inference.pipeline import segment_part, segment_raster
from rrsis_core.runs.inputs import identify, is_remote
from rrsis_core.runs.leases import LEASE_SECONDS, Leases
from rrsis_core.runs.plan import Plan, Unit
from rrsis_core.runs.stac import write_item
from rrsis_core.runs.store import Store

FIRST_PAUSE = 2.0  # seconds before the second try; it doubles with each


@dataclass(frozen=True)
class Outcome:
    """What became of a unit."""

    unit: str
    scene: str
    state: str
    """done, failed, or taken: somebody else has it in hand."""
    seconds: float = 0.0
    error: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Worker:
    """Does units of a plan. Whatever happens to one costs that one alone."""

    def __init__(
        self, folder: Path, plan: Plan, retries: int = 2, lease_seconds: float = LEASE_SECONDS, predictor: Any = None
    ) -> None:
        self.progress: Progress = NullProgress()
        self._store, self._plan, self._retries = Store(folder), plan, retries
        self._units = {unit.name: unit for unit in plan.units}
        self._parts = parts_of(plan)
        self._leases = Leases(self._store.units, lease_seconds, self._inherit)
        self._predictor = predictor

    def do(self, name: str) -> Outcome:
        """Do a unit, if nobody else is at it."""
        unit, start = self._units[name], time.monotonic()
        scene = self._plan.scenes[unit.scene].name
        try:
            with self._leases.claim(name) as ours:
                if not ours:
                    return Outcome(name, scene, "taken")
                if self._store.is_done(name):
                    self._drop_parts(unit)
                    return Outcome(name, scene, "done")
                return self._attempts(unit, start)
        except SinkError as error:  # not even its lease could be written
            return Outcome(name, scene, "failed", time.monotonic() - start, error.as_dict())

    def _attempts(self, unit: Unit, start: float) -> Outcome:
        notes: list[str] = []
        scene = self._plan.scenes[unit.scene].name
        for attempt in range(self._retries + 1):
            try:
                with _noted(notes):
                    self._do(unit, notes)
                return Outcome(unit.name, scene, "done", time.monotonic() - start, notes=tuple(notes))
            except OperationCanceled:
                raise
            except Exception as error:  # noqa: BLE001 # a door of its own: one unit's fault must not cost the others
                failure = _as_dict(error)
                if attempt == self._retries or not self._may_pass(unit, error):
                    break
            time.sleep(FIRST_PAUSE * 2**attempt)
        facts = {"attempts": attempt + 1, "host": platform.node(), "notes": notes}
        with contextlib.suppress(SinkError):  # of a full disk: it is told in the end, and tried again by the next run
            self._store.failed(unit.name, failure | facts)
        return Outcome(unit.name, scene, "failed", time.monotonic() - start, failure, tuple(notes))

    def _may_pass(self, unit: Unit, error: Exception) -> bool:
        """Tell whether another try may go better: on a network, or on a disk where somebody may make room."""
        remote = is_remote(self._plan.scenes[unit.scene].href)
        return (isinstance(error, RasterError) and remote) or getattr(error, "code", "") == "output.write"

    def _do(self, unit: Unit, notes: list[str]) -> None:
        """Make the files of a unit and mark it as done."""
        start, scene = time.monotonic(), self._plan.scenes[unit.scene]
        now = identify(scene.href)
        if None not in (now, scene.identity) and now != scene.identity:
            raise RasterError(
                f"{scene.href} is not the file any more that was planned.",
                code="raster.changed",
                hint="Put the old file back, or give another folder.",
                details=f"planned: {scene.identity}, now: {now}",
            )
        predictor = self._loaded()
        while True:
            size = predictor.batch_size
            files, figures = self._part(unit) if unit.rows else self._scene(unit)
            if predictor.batch_size == size:
                break
            notes.clear()  # batches were halved on the way: once more, so that one size made it all
        facts = {"seconds": round(time.monotonic() - start, 2), "host": platform.node(), "batch_size": size}
        self._store.done(unit.name, files, {**figures, **facts, "notes": notes})
        self._drop_parts(unit)

    def _drop_parts(self, unit: Unit) -> None:
        for part in self._parts.get(unit.scene, []) if unit.rows is None else []:
            (self._store.units / f"{part.name}.tif").unlink(missing_ok=True)

    def _part(self, unit: Unit) -> tuple[list[Path], dict[str, Any]]:
        target = self._store.units / f"{unit.name}.tif"
        assert unit.rows is not None
        segment_part(self._plan.options_of(unit), unit.rows, target, self._predictor, self.progress)
        return [target], {"tiles": unit.tiles}

    def _scene(self, unit: Unit) -> tuple[list[Path], dict[str, Any]]:
        scene, outputs = self._plan.scenes[unit.scene], self._plan.request.outputs
        files = {"output": self._store.scenes / f"{scene.name}.{outputs.format}"}
        for kind, suffix in (("mask", "-mask.tif"), ("probability", "-probability.tif"), ("preview", ".png")):
            if getattr(outputs, kind):
                files[kind] = self._store.scenes / f"{scene.name}{suffix}"
        options = self._plan.options_of(unit, **{kind: str(path) for kind, path in files.items()})
        parts = [self._store.units / f"{part.name}.tif" for part in self._parts.get(unit.scene, [])]
        result = segment_raster(options, self._predictor, self.progress, parts=parts)
        figures = {"found": [to_plain(found) for found in result.found], "tiles": result.tiles}
        facts = {"rrsis:phrases": list(options.expressions), "rrsis:polygons": [f.polygons for f in result.found]}
        item = self._store.scenes / f"{scene.name}.json"
        named = {"polygons" if kind == "output" else kind: path for kind, path in files.items()}
        with staged(item) as part:
            write_item(part, scene.href, scene.datetime, scene.item, named, facts)
        return [*files.values(), item], figures

    def _loaded(self) -> Any:
        if self._predictor is None:  # torch is loaded only where there is something to do
            options = self._plan.request.options
            load = import_module("rrsis_core.inference.predictor").load_predictor
            self._predictor = load(options["weights"], options["device"], options["batch_size"], self._plan.threads)
        return self._predictor

    def _inherit(self, name: str) -> None:
        if unit := self._units.get(name):
            self._store.clear_away(name, self._plan.scenes[unit.scene].name)


def parts_of(plan: Plan) -> dict[int, list[Unit]]:
    """Return the parts of every scene that is cut, from top to bottom."""
    parts: dict[int, list[Unit]] = {}
    for unit in plan.units:
        if unit.rows is not None:
            parts.setdefault(unit.scene, []).append(unit)
    return parts


@contextlib.contextmanager
def _noted(notes: list[str]) -> Any:
    """Collect what the user should know, each sentence once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", RrsisWarning)
        try:
            yield
        finally:
            notes += [text for text in dict.fromkeys(str(w.message) for w in caught) if text not in notes]


def _as_dict(error: Exception) -> dict[str, Any]:
    if isinstance(error, RrsisError):
        return error.as_dict()
    if isinstance(error, MemoryError):
        return {"code": "inference.out_of_memory", "message": "There is too little memory.", "hint": "", "details": ""}
    message = f"{type(error).__name__}: {error}"
    hint = "This is a fault of rrsis: please report it."
    return {"code": "internal", "message": message, "hint": hint, "details": traceback.format_exc()}
