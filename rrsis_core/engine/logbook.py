"""A logbook: the numbers of a run as JSON lines, one line an iteration or epoch."""

import json
import time
from pathlib import Path


class Logbook:
    """Appends to a file; lines after `iteration` of an earlier, killed run are dropped first."""

    def __init__(self, path: Path, iteration: int) -> None:
        self.path = path
        if path.exists():
            lines = [line for line in path.read_text().splitlines() if _iteration(line) <= iteration]
            path.write_text("".join(line + "\n" for line in lines))

    def write(self, iteration: int, numbers: dict[str, float]) -> None:
        """Append one line."""
        rounded = {key: round(value, 6) for key, value in numbers.items()}
        with self.path.open("a") as file:
            file.write(json.dumps({"iteration": iteration, "time": round(time.time(), 1), **rounded}) + "\n")


def _iteration(line: str) -> float:
    try:
        return float(json.loads(line)["iteration"])
    except ValueError:
        return float("inf")  # a line cut short by a kill
