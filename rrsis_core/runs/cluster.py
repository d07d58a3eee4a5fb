"""A ray cluster as a crew: actors that hold the model and do units. Pixels never pass through it: files are shared.

An actor that dies is started again by ray, and its unit done again; a unit over which actors die more than twice fails.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rrsis_core.contract import ConfigError, WorkerError
from rrsis_core.runs.plan import Plan, Unit
from rrsis_core.runs.working import Outcome, Worker

if TYPE_CHECKING:
    from rrsis_core.runs.running import RunOptions

RESTARTS = 2  # of an actor over one unit


class RayCrew:
    """Actors of a ray cluster, which is started on this computer where no address is given."""

    def __init__(self, folder: Path, plan: Plan, run: RunOptions, predictor: Any = None) -> None:
        self._ray, self._plan = _ray(), plan
        if not self._ray.is_initialized():
            self._ray.init(address=run.address, log_to_driver=False, include_dashboard=False, logging_level="warning")
        gpus = run.gpus_a_worker if self._ray.cluster_resources().get("GPU") else 0
        count = run.workers or max(1, int(self._ray.cluster_resources().get("GPU", 0) / (gpus or 1)))
        settings = {"num_gpus": gpus, "num_cpus": run.cpus_a_worker, "max_restarts": -1, "max_task_retries": RESTARTS}
        actor = self._ray.remote(**settings)(Worker)
        given = folder.absolute(), plan, run.retries, run.lease_seconds, predictor
        self._idle = [actor.remote(*given) for _ in range(count)]
        self._busy: dict[Any, tuple[Any, Unit]] = {}

    @property
    def free(self) -> int:
        """How many actors wait for work."""
        return len(self._idle)

    def start(self, unit: Unit) -> None:
        """Hand a unit to an actor."""
        actor = self._idle.pop()
        self._busy[actor.do.remote(unit.name)] = actor, unit

    def finish(self) -> list[Outcome]:
        """Wait for the first actor that is finished."""
        ready, _ = self._ray.wait(list(self._busy), num_returns=1)
        outcomes = []
        for reference in ready:
            actor, unit = self._busy.pop(reference)
            self._idle.append(actor)
            try:
                outcomes.append(self._ray.get(reference))
            except self._ray.exceptions.RayError as error:
                scene = self._plan.scenes[unit.scene].name
                outcomes.append(Outcome(unit.name, scene, "failed", error=_crashed(error).as_dict()))
        return outcomes


def _ray() -> Any:
    try:
        return import_module("ray")
    except ImportError as error:
        raise ConfigError(
            "The backend ray is not installed.", code="config.backend", hint="pip install 'rrsis-core[ray]'"
        ) from error


def _crashed(error: Exception) -> WorkerError:
    return WorkerError(
        "The worker died over it, again and again.",
        code="worker.crashed",
        hint="Look into ray's logs; most often memory ran out: give --cpus-a-worker or --tile.",
        details=str(error),
    )
