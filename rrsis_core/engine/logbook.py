"""A logbook: the numbers of a run as JSON lines, one line an iteration or epoch, and the same for TensorBoard."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rrsis_core.engine.tensorboard import EventFile


class Logbook:
    """Appends to log.jsonl and to TensorBoard's file in the run's folder.

    Lines that an earlier, killed run wrote after its last state (beyond `iteration`, or of an epoch that is not
    `epoch` or earlier) are dropped first, and TensorBoard's file is made anew from those that stay.
    """

    def __init__(self, folder: Path, iteration: int, epoch: int) -> None:
        self.path = folder / "log.jsonl"
        kept = [
            line for line in read_log(self.path) if line["iteration"] <= iteration and line.get("epoch", 0) <= epoch
        ]
        if self.path.exists():
            self.path.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self._events = EventFile(folder / "tensorboard/events.out.tfevents.0.rrsis")
        self._events.write([_event(line) for line in kept])

    def write(self, iteration: int, numbers: dict[str, float]) -> None:
        """Append one line."""
        rounded = {key: round(value, 6) for key, value in numbers.items()}
        line = {"iteration": iteration, "time": round(time.time(), 1), **rounded}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self._events.write([_event(line)])


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a log that are whole; nothing where there is none."""
    if not path.exists():
        return
    for text in path.read_text().splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue  # cut short by a kill
        if "iteration" in line:
            yield line


def _event(line: dict[str, Any]) -> tuple[int, float, dict[str, float]]:
    names = {key: f"val/{key[4:]}" if key.startswith("val_") else f"train/{key}" for key in line}
    numbers = {names[key]: value for key, value in line.items() if key not in ("iteration", "time", "epoch")}
    return line["iteration"], line.get("time", 0.0), numbers
