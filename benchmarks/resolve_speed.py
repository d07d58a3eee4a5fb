"""Time the geometry of scene phrases: `python benchmarks/resolve_speed.py`.

100,000 candidates against 10,000 landmarks, both scattered over 30 x 30 km, every relation once; seconds
of one core.
"""

import argparse
import time

import numpy as np
import shapely

from rrsis_core.inference.extent import Extent
from rrsis_core.inference.instances import Instances
from rrsis_core.inference.resolve import resolve
from rrsis_core.text.query import RANKINGS, RELATIONS, Query, Relation
from rrsis_core.text.saying import local_text

SIDE = 30_000.0


def scattered(count: int, seed: int, largest: float) -> Instances:
    """Return blobs of 40 corners at random places, 8 metres to `largest` across."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, SIDE, (count, 1, 2))
    turns = 2 * np.pi * np.arange(40) / 40
    radii = rng.uniform(4, largest / 2, (count, 1)) * rng.uniform(0.8, 1.2, (count, 40))
    corners = centres + radii[..., None] * np.column_stack([np.cos(turns), np.sin(turns)])
    polygons = shapely.polygons(corners)
    return Instances(polygons, polygons, np.ones(count), rng.random(count))


def main() -> None:
    """Print seconds and the number that is kept, relation by relation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--landmarks", type=int, default=10_000)
    args = parser.parse_args()
    house, lake = Query("house"), Query("lake")
    found = {local_text(house): scattered(args.candidates, 1, 30), local_text(lake): scattered(args.landmarks, 2, 300)}
    extent = Extent((0, 0, SIDE, SIDE))
    for kind in RELATIONS:
        amount = 120.0 if kind in ("within", "beyond") else None
        query = Query("house", number=10 if kind in RANKINGS else "all", relations=(Relation(kind, (lake,), amount),))
        start = time.process_time()
        kept = int(resolve(query, found, extent).kept.sum())
        print(f"{kind:16s} {time.process_time() - start:6.2f} s  {kept:7d} of {args.candidates}", flush=True)


if __name__ == "__main__":
    main()
