"""Simulate a batch of 10,000 scenes on 64 GPUs, event by event: what shards, leases, parts and restarts cost.

    python benchmarks/simulate_batch.py [--scenes 10000] [--gpus 64] [--svg docs/batch_simulation.svg]

Scenes have as many tiles as the log-normal distribution says (median 400, the largest some hundred times that), GPUs
answer 40 tiles a second and differ by a tenth; a scene costs 2 s beside its tiles, a process 30 s to start. The cutting
into units and the shares of shards are those of the product (rrsis_core.runs.plan). Of each way: the time until the
last GPU is done, its ratio to the ideal (every tile once, shared out evenly, nothing lost), how long the first GPU to
finish waits for the last, and, where GPUs die, the share of work that was lost, and the most that was lost at once. A
GPU that dies is back after a while and goes on with its process started anew; the unit in hand is begun again.
"""

import argparse
import heapq
import statistics
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rrsis_core.inference.planning import RasterPlan
from rrsis_core.runs.plan import UNIT_TILES, Unit, share_of, units_of

TILES_A_SECOND = 40.0
SCENE_SECONDS = 2.0
START_SECONDS = 30.0
BACK_SECONDS = 120.0
COLUMNS_SHARE = 0.5  # of the logarithm: scenes are about square


@dataclass
class Ran:
    """What one way of running took."""

    hours: float
    to_ideal: float
    tail_minutes: float
    units: int
    deaths: int
    lost_share: float
    worst_loss_minutes: float
    finished: list[float]


def make_units(tiles: np.ndarray, unit_tiles: int) -> list[Unit]:
    """Return the units of scenes with so many tiles, largest scenes first, as a plan has them."""
    order = np.argsort(-tiles, kind="stable")
    units: list[Unit] = []
    for scene in order:
        count = int(tiles[scene])
        rows = max(1, round(count**COLUMNS_SHARE))
        layout = RasterPlan(count // rows * rows, rows, 256, 0, 0, (0, 0, 0, 0), None, None, 0, (1,), 3, "uint8", None)
        units += units_of(int(scene), ["scene", int(scene)], layout, unit_tiles)
    return units


def cost(unit: Unit) -> float:
    """Return the seconds that a unit takes on a GPU of speed 1; a part has a row of tiles more than it keeps."""
    if unit.rows is None:
        return SCENE_SECONDS + unit.tiles / TILES_A_SECOND
    columns = unit.tiles / (unit.rows[1] - unit.rows[0])
    return (unit.tiles + (columns if unit.rows[0] else 0)) / TILES_A_SECOND


def run(units: list[Unit], gpus: int, shards: bool, days_to_death: float | None, seed: int = 0) -> Ran:
    """Let GPUs take units, from their own share or from all, until none is left.

    Wholes of scenes that are cut into parts wait for these; as they cost next to nothing, they are taken for ready.
    """
    rng = np.random.default_rng(seed)
    speed = np.clip(rng.normal(1, 0.1, gpus), 0.5, 1.5)
    queues = [share_of(units, (index + 1, gpus)) for index in range(gpus)] if shards else [list(units)]
    places = [0] * len(queues)
    waiting = [(START_SECONDS, index) for index in range(gpus)]
    heapq.heapify(waiting)
    rate = None if days_to_death is None else days_to_death * 86400
    dies = rng.exponential(rate, gpus) if rate else np.full(gpus, np.inf)
    again: list[list[Unit]] = [[] for _ in queues]
    finished, losses = [0.0] * gpus, [0.0]
    while waiting:
        now, gpu = heapq.heappop(waiting)
        own = gpu if shards else 0
        if again[own]:
            unit = again[own].pop()
        elif places[own] < len(queues[own]):
            unit = queues[own][places[own]]
            places[own] += 1
        else:
            finished[gpu] = now
            continue
        end = now + cost(unit) / speed[gpu]
        if dies[gpu] < end:
            losses.append(max(0.0, dies[gpu] - now))
            again[own].append(unit)
            back = max(now, dies[gpu]) + BACK_SECONDS + START_SECONDS
            dies[gpu] = back + rng.exponential(rate)
            heapq.heappush(waiting, (back, gpu))
            continue
        heapq.heappush(waiting, (end, gpu))
    work = sum(unit.tiles / TILES_A_SECOND + (SCENE_SECONDS if unit.rows is None else 0) for unit in units)  # once
    last = max(finished)
    ideal = work / speed.sum() + START_SECONDS
    lost = sum(losses) * float(speed.mean()) / work
    tail = (last - min(finished)) / 60
    return Ran(last / 3600, last / ideal, tail, len(units), len(losses) - 1, lost, max(losses) / 60, finished)


WAYS = {
    "64 shards, whole scenes": (True, None, None),
    "64 shards, parts": (True, UNIT_TILES, None),
    "leases, whole scenes": (False, None, None),
    "leases, parts": (False, UNIT_TILES, None),
    "leases, parts, a GPU dies every 2 days": (False, UNIT_TILES, 2.0),
    "leases, whole scenes, the same": (False, None, 2.0),
}


def chart(ways: dict[str, Ran]) -> str:
    """Return an SVG: for each way, how many GPUs are still at work as time goes by."""
    longest = max(ran.hours for ran in ways.values())
    lines, colours = [], ("#b2182b", "#ef8a62", "#4393c3", "#2166ac")
    for number, (name, ran) in enumerate(ways.items()):
        points = [(0.0, len(ran.finished))]
        for left, moment in enumerate(sorted(ran.finished), start=1):
            points += [(moment / 3600, points[-1][1]), (moment / 3600, len(ran.finished) - left)]
        path = " ".join(f"{60 + 560 * x / longest:.1f},{240 - 200 * y / len(ran.finished):.1f}" for x, y in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colours[number]}" stroke-width="2"/>')
        lines.append(f'<text x="80" y="{150 + 18 * number}" fill="{colours[number]}">{name}</text>')
    ticks = [f'<text x="{60 + 560 * x / longest:.0f}" y="258">{x}</text>' for x in range(0, int(longest) + 1, 2)]
    axes = '<path d="M60 40V240H620" fill="none" stroke="#555"/><text x="640" y="258" text-anchor="end">hours</text>'
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 270" font-family="sans-serif" font-size="13">'
    title = '<rect width="660" height="270" fill="#fff"/><text x="60" y="28">GPUs still at work</text>'
    return "\n".join([head, title, axes, *ticks, *lines, "</svg>", ""])


def main() -> None:
    """Print the table, and write the chart if asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=10_000)
    parser.add_argument("--gpus", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--svg", type=Path)
    arguments = parser.parse_args()
    ways: dict[str, list[Ran]] = {name: [] for name in WAYS}
    for seed in range(arguments.seeds):
        tiles = np.exp(np.random.default_rng(seed).normal(np.log(400), 1.8, arguments.scenes)).astype(int) + 1
        cut = {size: make_units(tiles, size or tiles.max()) for size in (None, UNIT_TILES)}
        for name, (shards, size, days) in WAYS.items():
            ways[name].append(run(cut[size], arguments.gpus, shards, days, seed))
    print(f"{arguments.scenes:,} scenes, {arguments.gpus} GPUs, medians of {arguments.seeds} seeds")
    print(f"the last of them: {tiles.sum():,} tiles, the largest scene {tiles.max():,}\n")
    print("| way | units | hours | to ideal | first to last GPU, min | deaths | lost | worst, min |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, runs in ways.items():
        units, hours, ideal, tail, deaths, lost, worst = (
            statistics.median(getattr(one, key) for one in runs)
            for key in ("units", "hours", "to_ideal", "tail_minutes", "deaths", "lost_share", "worst_loss_minutes")
        )
        cells = f"{units:,.0f} | {hours:.2f} | {ideal:.3f} | {tail:.1f} | {deaths:.0f} | {lost:.2%} | {worst:.1f}"
        print(f"| {name} | {cells} |")
    if arguments.svg:
        arguments.svg.write_text(chart({name: runs[0] for name, runs in list(ways.items())[:4]}))


if __name__ == "__main__":
    main()
