"""A run is one search and what came of it, in a folder of its own: it can be restored after a restart of QGIS."""

from __future__ import annotations

import datetime
import json
import shlex
import shutil
import uuid
from pathlib import Path
from typing import Any

from . import settings

KEPT = 20
_FLAGS = {
    "bbox": "--bbox", "aoi": "--aoi", "bands": "--bands", "gsd": "--gsd", "tile": "--tile", "looks": "--looks",
    "overlap": "--overlap", "threshold": "--threshold", "min_area_m2": "--min-area", "min_score": "--min-score",
    "simplify": "--simplify", "threads": "--threads", "weights": "--weights", "device": "--device",
}  # fmt: skip
_PARAMETERS = {
    "gsd": "GSD", "tile": "TILE", "looks": "LOOKS", "overlap": "OVERLAP", "threshold": "THRESHOLD",
    "min_area_m2": "MIN_AREA", "min_score": "MIN_SCORE", "simplify": "SIMPLIFY", "right_angles": "RIGHT_ANGLES",
    "threads": "THREADS", "weights": "WEIGHTS", "device": "DEVICE", "aoi": "MASK",
}  # fmt: skip


def folder_of_runs() -> Path:
    """Return where runs are kept."""
    return settings.home() / "runs"


def new_folder() -> Path:
    """Make the folder of a new run."""
    name = f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"
    folder = folder_of_runs() / name
    folder.mkdir(parents=True)
    return folder


def store(folder: Path, run: dict[str, Any]) -> None:
    """Write what a run was; forget the oldest ones."""
    (folder / "run.json").write_text(json.dumps(run, indent=1), encoding="utf-8")
    for old in sorted(folder_of_runs().iterdir())[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def stored() -> list[dict[str, Any]]:
    """Return the runs that can be restored, the latest first."""
    found = []
    for path in sorted(folder_of_runs().glob("*/run.json"), reverse=True):
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if (path.parent / "answer.gpkg").is_file():
            found.append({**run, "folder": str(path.parent)})
    return found


def title(run: dict[str, Any]) -> str:
    """Return a line for a list of runs."""
    count = sum(item["polygons"] for item in run["found"])
    return f"{', '.join(run['options']['expressions'])} · {count} · {run['raster']} · {run['when']}"


def as_command(run: dict[str, Any]) -> str:
    """Return the command line that does the same."""
    options = run["options"]
    words = ["rrsis", "segment", options["raster"], *options["expressions"], "-o", "found.gpkg"]
    for name, flag in _FLAGS.items():
        value = options.get(name)
        if value in (None, "", 0.0) or (name, value) == ("device", "auto"):
            continue
        if name == "bands":
            words += [flag, ",".join(str(band) for band in value)]
        else:
            words += [flag, *(repr(number) for number in value)] if name == "bbox" else [flag, str(value)]
    return shlex.join(words + ["--right-angles"] * bool(options.get("right_angles")))


def as_processing(run: dict[str, Any]) -> str:
    """Return the call of Processing that does the same."""
    options, crs = run["options"], run.get("crs", "")
    parameters = {"INPUT": options["raster"], "PHRASES": "\n".join(options["expressions"])}
    for name, parameter in _PARAMETERS.items():
        if options.get(name) not in (None, "", False):
            parameters[parameter] = options[name]
    if options.get("bands"):
        parameters["BANDS"] = ",".join(str(band) for band in options["bands"])
    if options.get("bbox"):
        left, bottom, right, top = options["bbox"]
        parameters["EXTENT"] = f"{left!r},{right!r},{bottom!r},{top!r}" + (f" [{crs}]" if crs else "")
    return f"processing.run('rrsis:segmentbyphrase', { ({**parameters, 'OUTPUT': 'TEMPORARY_OUTPUT'})!r})"
