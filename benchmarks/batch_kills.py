"""Kill a batch (on Linux) with SIGKILL at random moments, start it again each time, and compare what it makes at last.

    python benchmarks/batch_kills.py RASTER... [--kills 20] [--modes alone shards ray] [--weights NAME]

Modes: one process; three processes with a third each, one of which is killed at a time; ray with two workers, where
either a worker is killed or the driver with all it started. The end is compared to a run that nobody disturbed: the
polygons of every scene and of the whole (phrase, score, normalised WKB, sorted), the bytes of the probability rasters
and of the STAC items. Without --weights a predictor stands in that looks at the mean of blocks of pixels and sleeps, as
a model would work, so that kills hit the midst of scenes. Scenes are cut into parts of 30 tiles.
"""

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pyogrio
import shapely

from rrsis_core.contract import SegmentOptions
from rrsis_core.runs import Outputs, RunOptions, run_batch

PHRASES = ("the bright ground", "the largest roof")
MODES = {"alone": [(1, 1)], "shards": [(1, 3), (2, 3), (3, 3)], "ray": [(1, 1)]}
FORK = multiprocessing.get_context("fork")


class SlowPredictor:
    """The probability is the mean of the red band over blocks of 16 pixels."""

    gsd = None
    tile = 128
    batch_size = 2

    def __init__(self, pause: float) -> None:
        self.pause = pause

    def __call__(self, chips: np.ndarray, expressions: list[str]) -> np.ndarray:
        """Return probabilities (B, P, h, w)."""
        time.sleep(self.pause * len(chips))
        red = np.pad(chips[:, 0], ((0, 0), (0, -chips.shape[2] % 16), (0, -chips.shape[3] % 16)), "edge")
        blocks = red.reshape(len(red), red.shape[1] // 16, 16, red.shape[2] // 16, 16).mean((2, 4), dtype=np.float32)
        large = blocks.repeat(16, 1).repeat(16, 2)[:, : chips.shape[2], : chips.shape[3]]
        return np.repeat(large[:, None], len(expressions), axis=1)


def work(arguments: argparse.Namespace, out: Path, shard: tuple[int, int], ray: bool) -> None:
    """Run the batch in this process, as `rrsis batch` does."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warnings.simplefilter("ignore")
    backend = {"backend": "ray", "workers": 2, "cpus_a_worker": 0.5} if ray else {}
    run = RunOptions(shard=shard, unit_tiles=30, retries=0, **backend)
    options = SegmentOptions("-", PHRASES, weights=arguments.weights, threads=1, min_area_m2=20)
    predictor = None if arguments.weights else SlowPredictor(arguments.pause)
    result = run_batch(arguments.rasters, options, out, Outputs(probability=True), run, predictor=predictor)
    sys.exit(7 if result.failed else 0)


def digest(folder: Path) -> dict[str, str]:
    """Return what a run has made, file by file."""
    made = {}
    for path in sorted([*folder.glob("scenes/*"), *folder.glob("results.*")]):
        content = path.read_bytes()
        if path.suffix == ".gpkg":
            frame = pyogrio.read_dataframe(path)
            wkb = shapely.to_wkb(shapely.normalize(frame.geometry.values))
            columns = [frame[name].astype(str) for name in frame.columns if name != "geometry"]
            content = b"".join(repr(row).encode() for row in sorted(zip(wkb, *columns, strict=True)))
        made[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()[:16]
    return made


def start(arguments: argparse.Namespace, out: Path, mode: str, index: int) -> BaseProcess:
    """Start one of the processes of a mode, in a group of its own; by forking, so that it is at work at once."""
    process = FORK.Process(target=work, args=(arguments, out, MODES[mode][index], mode == "ray"))
    process.start()
    return process


def holders(out: Path) -> list[int]:
    """Return the processes that live and have a unit in hand."""
    found = []
    for path in out.glob("units/*.lease"):
        with contextlib.suppress(FileNotFoundError, ValueError):  # given back just now
            found.append(json.loads(path.read_text())["pid"])
    return [pid for pid in found if os.path.exists(f"/proc/{pid}")]


def kill(crew: list[BaseProcess], out: Path, rng: random.Random) -> tuple[int | None, bool]:
    """Kill one process with all it started, or one of the workers of ray that has a unit in hand.

    Return the number of the process, None for a worker, and whether a unit was in hand.
    """
    busy, alive = holders(out), [index for index, one in enumerate(crew) if one.is_alive()]
    workers = [pid for pid in busy if pid not in [one.pid for one in crew]]
    if workers and rng.random() < 0.5:
        os.kill(rng.choice(workers), signal.SIGKILL)
        return None, True
    index = rng.choice([index for index in alive if crew[index].pid in busy] or alive)
    os.killpg(crew[index].pid, signal.SIGKILL)
    crew[index].join()
    return index, crew[index].pid in busy or bool(workers)


def disturbed(arguments: argparse.Namespace, folder: Path, mode: str, rng: random.Random) -> tuple[list[Path], int]:
    """Run until so many kills have hit; return the folders of finished runs, and how many kills hit a unit in hand."""
    finished: list[Path] = []
    hits = kills = 0
    failures = 20 if mode == "ray" else 0
    while kills < arguments.kills:
        out = folder / f"{mode}-{len(finished)}"
        crew = [start(arguments, out, mode, index) for index in range(len(MODES[mode]))]
        moment = None  # of the next kill: some time after somebody has begun
        while any(one.is_alive() for one in crew):
            time.sleep(0.02)
            if moment is None and holders(out):
                moment = time.monotonic() + rng.uniform(0, arguments.between)
            if kills < arguments.kills and moment is not None and time.monotonic() > moment:
                index, hit = kill(crew, out, rng)
                kills, hits, moment = kills + 1, hits + hit, None
                if index is not None:
                    crew[index] = start(arguments, out, mode, index)
            for index, one in enumerate(crew):
                if one.exitcode and failures:  # as ray on a busy computer, which gives its parts 30 s to start
                    failures -= 1
                    crew[index] = start(arguments, out, mode, index)
        codes = [one.exitcode for one in crew]
        assert not any(codes), f"{mode}: exit codes {codes}"
        finished.append(out)
    return finished, hits


def apart(function: Callable[[Path], dict[str, str]], out: Path) -> dict[str, str]:
    """Call a function in a process of its own: what forks must not have threads."""
    with ProcessPoolExecutor(1, FORK) as pool:
        return pool.submit(function, out).result()


def main() -> None:
    """Compare runs that were killed with one that was not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rasters", nargs="+")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=MODES)
    parser.add_argument("--weights")
    parser.add_argument("--pause", type=float, default=0.05, help="seconds a tile of the predictor that stands in")
    parser.add_argument("--between", type=float, default=6, help="seconds from the first unit to a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, began = Path(name), time.monotonic()
        calm_run = start(arguments, folder / "calm", "alone", 0)
        calm_run.join()
        assert calm_run.exitcode == 0
        calm = apart(digest, folder / "calm")
        units = len(list(folder.glob("calm/units/*.done.json")))
        print(f"{len(arguments.rasters)} rasters, {units} units, {len(calm)} files", flush=True)
        print(f"undisturbed: {time.monotonic() - began:.0f} s", flush=True)
        for mode in arguments.modes:
            began = time.monotonic()
            finished, hits = disturbed(arguments, folder, mode, random.Random(arguments.seed))
            same = [apart(digest, out) == calm for out in finished]
            left = [path.name for out in finished for path in out.rglob("*") if path.suffix in (".part", ".lease")]
            ends = f"{sum(same)} of {len(same)} finished runs identical; left behind: {left or 'nothing'}"
            seconds = time.monotonic() - began
            print(f"{mode}: {arguments.kills} kills, {hits} with a unit in hand; {ends}; {seconds:.0f} s", flush=True)
            if not all(same):
                shutil.copytree(folder, f"batch_kills_{mode}", dirs_exist_ok=True)
                sys.exit(1)


if __name__ == "__main__":
    main()
