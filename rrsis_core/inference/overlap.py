"""Reading, inference and writing at the same time: a thread reads one batch ahead, another writes one row behind.

The model stays in the caller's thread, where an interrupt reaches it. Order and results are those of a plain loop.
"""

from __future__ import annotations

import queue
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import rasterio
from rasterio.env import getenv, hasenv
from rasterio.errors import NotGeoreferencedWarning

Item = TypeVar("Item")
Result = TypeVar("Result")

_END, _ABANDONED = object(), object()
_PATIENCE = 0.2  # seconds until we look whether the writer is still there


class Abandoned(Exception):
    """Raised in the writer when no further rows will come, so that it leaves nothing half-written."""


@contextmanager
def ahead(items: Generator[Item, None, None]) -> Iterator[Iterator[Item]]:
    """Take items in a thread, one ahead of who uses them; an error in it is raised where the item would come."""
    with _thread() as pool:
        coming: Future[Any] = pool.submit(next, items, _END)

        def arriving() -> Iterator[Item]:
            nonlocal coming
            while (item := coming.result()) is not _END:
                coming = pool.submit(next, items, _END)
                yield item

        try:
            yield arriving()
        finally:
            pool.submit(items.close).result()  # after the one under way


def behind(consume: Callable[[Iterator[Item]], Result], items: Iterable[Item]) -> Result:
    """Return consume(items), called in a thread: one item waits for it while the next is made here.

    An error there is raised here, at the next item; an error here ends it there, by Abandoned.
    """
    waiting: queue.Queue[Any] = queue.Queue(1)

    def arriving() -> Iterator[Item]:
        while (item := waiting.get()) is not _END:
            if item is _ABANDONED:
                raise Abandoned
            yield item

    with _thread() as pool:
        future = pool.submit(consume, arriving())

        def hand_over(item: Any) -> None:
            while not future.done():
                try:
                    return waiting.put(item, timeout=_PATIENCE)
                except queue.Full:
                    continue

        try:
            for item in items:
                hand_over(item)
                if future.done():
                    break
        except BaseException:
            hand_over(_ABANDONED)
            raise
        hand_over(_END)
        return future.result()


@contextmanager
def said_elsewhere() -> Iterator[None]:
    """Ignore what rasterio and pyogrio warn of and we say ourselves, for all threads that run inside.

    Both, and our sinks, ignore it call by call too; as Python's filters belong to the process, threads undo that for
    each other.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        warnings.filterwarnings("ignore", message=".*crs.* was not provided")
        yield


def _thread() -> ThreadPoolExecutor:
    """Return a pool of one thread with the GDAL settings of this one."""
    settings = getenv() if hasenv() else {}
    return ThreadPoolExecutor(1, initializer=lambda: rasterio.Env(**settings).__enter__())
