"""A lease is a file that says: somebody is at work on this unit. It is touched while they live, and runs out after.

Creating the file is the claim: one process succeeds. If ever two work on one unit, as when a computer sleeps longer
than its lease, both make the same files, and each appears whole: nothing is lost but time.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rrsis_core.geo.staging import write_errors

LEASE_SECONDS = 60.0


class Leases:
    """The leases that one worker holds or waits for, in a folder; `inherit` is told of each that a dead one held."""

    def __init__(self, folder: Path, seconds: float, inherit: Callable[[str], None]) -> None:
        self._folder, self._seconds, self._inherit = folder, seconds, inherit
        self._name = {"host": platform.node(), "pid": os.getpid(), "token": uuid.uuid4().hex}
        self._seen: dict[Path, tuple[int, float]] = {}

    @contextmanager
    def claim(self, unit: str) -> Iterator[bool]:
        """Yield whether the unit is ours for the time of the block. Raises SinkError output.write."""
        path = self._folder / f"{unit}.lease"
        if not (self._create(path) or (self._abandoned(path) and self._create(path))):
            yield False
            return
        ended = threading.Event()
        beat = threading.Thread(target=self._touch, args=(path, ended), daemon=True)
        beat.start()
        try:
            yield True
        finally:
            ended.set()
            beat.join()
            if _owner(path) == self._name:
                path.unlink(missing_ok=True)

    def _create(self, path: Path) -> bool:
        with write_errors(path):
            try:
                with path.open("x", encoding="ascii") as file:
                    json.dump(self._name, file)
            except FileExistsError:
                return False
        return True

    def _abandoned(self, path: Path) -> bool:
        """Remove a lease whose holder is gone: a process of this computer that ended, or one that ceased to touch it.

        How long it was not touched is told by our own clock alone, as computers rarely agree on the time.
        """
        try:
            touched = path.stat().st_mtime_ns
        except FileNotFoundError:
            return True
        before, since = self._seen.setdefault(path, (touched, time.monotonic()))
        if before != touched:
            self._seen[path] = touched, time.monotonic()
        silent = before == touched and time.monotonic() - since > self._seconds
        if not (silent or self._holder_ended(path)):
            return False
        del self._seen[path]
        path.unlink(missing_ok=True)
        self._inherit(path.stem)
        return True

    def _holder_ended(self, path: Path) -> bool:
        owner = _owner(path)
        if owner is None or owner["host"] != self._name["host"]:
            return False
        if owner["pid"] == self._name["pid"]:
            return True  # our number, in an earlier life
        try:
            os.kill(int(owner["pid"]), 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass  # it lives, as somebody else's
        return False

    def _touch(self, path: Path, ended: threading.Event) -> None:
        while not ended.wait(self._seconds / 4):
            with contextlib.suppress(OSError):  # a moment without the network drive costs nothing yet
                os.utime(path)


def _owner(path: Path) -> dict[str, str | int] | None:
    """Return who holds a lease; None if it is gone, or cannot be read yet."""
    try:
        owner: dict[str, str | int] = json.loads(path.read_text("ascii"))
    except (OSError, ValueError):
        return None
    return owner
