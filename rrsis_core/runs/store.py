"""The store is the folder of a run: what was planned, who is at work on what, and what became of it.

    plan.json                       what is to be done; made once
    units/<unit>.lease              somebody is at work on this unit
    units/<unit>.done.json          it is done: figures, and the size of every file that it made
    units/<unit>.failed.json        it failed: the error
    units/<unit>.tif                the stored rows of a part of a large scene, until that scene is whole
    scenes/<scene>-<unit>.*         what people want: polygons, and rasters if asked for, and a STAC item
    results.gpkg, failed.json       all polygons in one file; all failures in one file

Files are written beside their place and renamed, so that they are there whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rrsis_core.contract import SinkError
from rrsis_core.geo.staging import staged, write_errors


class Store:
    """The files of a run. Every method may be called by any number of processes at once."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.units, self.scenes = self.folder / "units", self.folder / "scenes"
        self._settled: set[str] = set()

    def make(self) -> None:
        """Create the folders. Raises SinkError output.folder."""
        try:
            for folder in (self.folder, self.units, self.scenes):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise SinkError(
                f"The folder {self.folder} cannot be made.",
                code="output.folder",
                hint="Create its parent, or give a folder that you may write to.",
                details=str(error),
            ) from error

    def is_done(self, unit: str) -> bool:
        """Tell whether a unit is done, and its files still what they were."""
        if unit in self._settled:
            return True
        record = read_json(self.units / f"{unit}.done.json")
        if record is None or not all(_has_size(self.folder / name, size) for name, size in record["files"].items()):
            return False
        self._settled.add(unit)
        return True

    def is_failed(self, unit: str) -> bool:
        """Tell whether a unit failed for good."""
        return (self.units / f"{unit}.failed.json").exists()

    def done(self, unit: str, files: Iterable[Path], figures: dict[str, Any]) -> None:
        """Mark a unit as done: the last thing that happens to it. Raises SinkError output.write."""
        sizes = {file.relative_to(self.folder).as_posix(): file.stat().st_size for file in files}
        write_json(self.units / f"{unit}.done.json", {"unit": unit, "files": sizes, **figures})
        self.forgive(unit)

    def failed(self, unit: str, error: dict[str, Any]) -> None:
        """Mark a unit as failed. Raises SinkError output.write."""
        write_json(self.units / f"{unit}.failed.json", {"unit": unit, **error})

    def forgive(self, unit: str) -> None:
        """Forget that a unit failed."""
        (self.units / f"{unit}.failed.json").unlink(missing_ok=True)

    def record(self, unit: str) -> dict[str, Any] | None:
        """Return what is on record of a unit that is done or failed."""
        return read_json(self.units / f"{unit}.done.json") or read_json(self.units / f"{unit}.failed.json")

    def clear_away(self, *stems: str) -> None:
        """Remove half-written files whose names begin so: somebody was killed over them."""
        for stem in stems:
            for folder in (self.folder, self.units, self.scenes):
                for part in folder.glob(f".{stem}*.part"):
                    shutil.rmtree(part, ignore_errors=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object of a JSON file; None where there is no file."""
    try:
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return data


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write an object as a JSON file that appears whole. Raises SinkError output.write."""
    with staged(path) as part, write_errors(path), part.open("w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
