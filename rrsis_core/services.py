"""A service is something that a worker does when asked: the body of a request in, the body of the answer out.

`ANSWERS` are told at any moment and never load torch; `WORK` is done one after the other, on the main thread. Importing
this file loads what plans need; the models come with `warm_up`.
"""

from __future__ import annotations

import json
import os
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from rrsis_core.contract import ConfigError, Progress, SegmentOptions
from rrsis_core.contract.plain import from_plain, to_plain
from rrsis_core.inference.planning import plan_raster
from rrsis_core.inference.revectorising import revectorise
from rrsis_core.text.parse import read_phrase
from rrsis_core.text.saying import chips
from rrsis_core.weights import DEFAULT, find_weights
from rrsis_core.weights.card import card_of, read_header
from rrsis_core.weights.store import weight_files

PARTIAL_SECONDS = 0.5  # between two files of pieces, at least
_models: dict[tuple[str, float, str], Any] = {}  # one at most: the weights that the last run used


class Request(Progress, Protocol):
    """What a service sees of the job it serves."""

    body: dict[str, Any]

    @property
    def stopping(self) -> bool:
        """True where the run is to end with what it has."""

    def say(self, kind: str, **body: Any) -> None:
        """Send a message of this job."""


def warm_up() -> list[str]:
    """Import torch and all that a run needs; return the devices of this computer."""
    import_module("rrsis_core.inference.pipeline")
    devices: list[str] = import_module("rrsis_core.inference.devices").list_devices()
    return devices


def parse(request: Request) -> dict[str, Any]:
    """Return what was understood of an expression, piece by piece."""
    expression, understood = read_phrase(_field(request, "expression", str))
    return {
        "text": expression.text,
        "words": expression.words,
        "unknown": expression.unknown,
        "query": understood.query.as_dict(),
        "chips": [{"slot": chip.slot, "text": chip.text} for chip in chips(understood)],
        "corrected": understood.corrected,
        "unread": understood.unread,
    }


def plan(request: Request) -> dict[str, Any]:
    """Return the cost of a run."""
    return to_plain(plan_raster(_options(request)))


def weights(request: Request) -> dict[str, Any]:
    """Return the names of the weights on this computer, and the card of one of them if asked for."""
    wanted = request.body.get("weights")
    answer: dict[str, Any] = {"names": sorted(weight_files()), "default": DEFAULT}
    if wanted or DEFAULT in answer["names"]:
        path = find_weights(wanted)
        answer["card"] = to_plain(card_of(read_header(path), path))
        answer["path"] = str(path)
        answer["bytes"] = path.stat().st_size
    return answer


def segment(request: Request) -> dict[str, Any]:
    """Do the main job; with `partials`, a folder, show pieces of the answer as tiles are done."""
    options = _options(request)
    folder = request.body.get("partials")
    pipeline = import_module("rrsis_core.inference.pipeline")
    predictor = _predictor(options)
    gallery = Gallery(request, Path(folder)) if folder else None
    watch = pipeline.Watch(lambda *tile: (gallery is None or gallery.hang(*tile)) and not request.stopping)
    result = pipeline.segment_raster(options, predictor, request, watch)
    return {**to_plain(result), "seconds_a_phrase": predictor.seconds}


def anew(request: Request) -> dict[str, Any]:
    """Make the polygons of a stored probability raster anew."""
    return to_plain(revectorise(_field(request, "probability", str), _options(request), request))


def measure(request: Request) -> dict[str, Any]:
    """Try weights on a device: one tile of noise, twice; the second is the speed."""
    numpy = import_module("numpy")
    started = time.perf_counter()
    chosen, device = request.body.get("weights"), request.body.get("device", "auto")
    predictor = _predictor(SegmentOptions("-", ("the roofs",), weights=chosen, device=device))
    loaded = time.perf_counter() - started
    chip = numpy.random.default_rng(0).random((1, 3, predictor.tile, predictor.tile), numpy.float32)
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        predictor(chip, ["the roofs"])
        seconds.append(time.perf_counter() - started)
    return {"device": str(predictor.device), "tile": predictor.tile, "load_s": loaded, "seconds_a_tile": seconds[1]}


def samples(request: Request) -> dict[str, Any]:
    """Make a data set of a raster and outlines; return the records a split."""
    module = import_module("rrsis_core.data.folder")
    options = from_plain(module.FolderOptions, _field(request, "options", dict))
    counts = module.make_folder(options, Path(_field(request, "folder", str)), request)
    return {"records": counts}


class Gallery:
    """Where the pieces of a run hang for the host to look at: a file every half second at most."""

    def __init__(self, request: Request, folder: Path) -> None:
        self._request, self._folder = request, folder
        self._tile_pieces = import_module("rrsis_core.inference.pieces").tile_pieces
        self._to_wkb = import_module("shapely").to_wkb
        self._waiting: list[list[Any]] = []
        self._count, self._hung = 0, 0.0

    def hang(self, job: Any, tile: Any, probabilities: Any) -> bool:
        """Take the probabilities of a tile; never stops the run."""
        for index, batch in enumerate(self._tile_pieces(job, tile, probabilities, job.threshold)):
            outlines = self._to_wkb(batch.polygons, hex=True) if len(batch) else []
            self._waiting += [
                [index, outline, round(float(score), 4)] for outline, score in zip(outlines, batch.score, strict=True)
            ]
        if time.monotonic() - self._hung >= PARTIAL_SECONDS and self._waiting:
            path = self._folder / f"pieces-{self._count:05d}.json"
            # ASCII and renamed: the host reads it as soon as it is told.
            beside = path.with_suffix(".tmp")
            beside.write_text(json.dumps(self._waiting), encoding="ascii")
            os.replace(beside, path)
            self._request.say("partial", path=str(path), pieces=len(self._waiting))
            self._waiting, self._count, self._hung = [], self._count + 1, time.monotonic()
        return True


def _predictor(options: SegmentOptions) -> Any:
    """Return the predictor of the options, kept from the last run if it is the same."""
    path = find_weights(options.weights)
    devices = import_module("rrsis_core.inference.devices")
    device = devices.choose_device(options.device)
    key = (str(path), path.stat().st_mtime, str(device))
    if key not in _models:
        _models.clear()
        _models[key] = import_module("rrsis_core.inference.predictor").load_predictor(path, str(device))
    predictor = _models[key]
    predictor.threads = options.threads
    predictor.batch_size = options.batch_size or devices.default_batch_size(device)
    predictor.seconds = {}
    return predictor


def _options(request: Request) -> SegmentOptions:
    """Return the options of a request; those that only a newer host knows are an error by name."""
    return SegmentOptions.from_dict(_field(request, "options", dict))


def _field(request: Request, name: str, kind: type) -> Any:
    value = request.body.get(name)
    if not isinstance(value, kind):
        raise ConfigError(f"The request lacks '{name}'.", code=f"config.{name}", hint="Update plugin and engine.")
    return value


ANSWERS = {"parse": parse, "plan": plan, "weights": weights}
WORK = {"segment": segment, "revectorise": anew, "measure": measure, "samples": samples}
