"""How a long job tells where it is, and asks whether to go on.

A stage is a named part of a job ("infer", "write"); done and total count its steps. The library only ever calls the
two methods below; bars, pipes and QGIS feedback are adapters that live with their doors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from .errors import OperationCanceled

T = TypeVar("T")

# Share of the whole job that each stage of a segmentation takes, in order.
STAGE_SHARES = {"read": 0.02, "infer": 0.93, "write": 0.05}


class Progress(Protocol):
    """Anything that can be told about progress and be asked whether the job was stopped."""

    def update(self, stage: str, done: int, total: int) -> None:
        """Say that `done` of `total` steps of `stage` are finished."""

    def is_canceled(self) -> bool:
        """Return True once the user wants the job to stop."""


class NullProgress:
    """Progress for callers who do not look."""

    def update(self, stage: str, done: int, total: int) -> None:
        """Do nothing."""

    def is_canceled(self) -> bool:
        """Never stop."""
        return False


def track(items: Iterable[T], progress: Progress, stage: str, total: int | None = None) -> Iterator[T]:
    """Yield items, reporting each finished one; raise OperationCanceled between items once the user stops."""
    count = len(items) if total is None else total  # type: ignore[arg-type]
    progress.update(stage, 0, count)
    for done, item in enumerate(items, start=1):
        if progress.is_canceled():
            raise OperationCanceled
        yield item
        progress.update(stage, done, count)


def overall(stage: str, done: int, total: int) -> float:
    """Turn a position in a stage into the share of the whole job, 0 to 1."""
    before = 0.0
    for name, share in STAGE_SHARES.items():
        if name == stage:
            return before + share * (done / total if total else 1.0)
        before += share
    return before
