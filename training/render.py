"""Render training scenes: `python training/render.py FOLDER FIRST COUNT [demo]`, small ones or ones like the demo's.

Seeds are FIRST, FIRST + 1, ... Training uses seeds from 1,000,000 on, the demo and its tables those below 10,000.
A scene that is there already is left as it is.
"""

import sys
from multiprocessing import Pool
from pathlib import Path

from tqdm import tqdm

from rrsis_core.data.rendered import demo_scene, render_scene
from rrsis_core.data.scenes import scene_of_rendered, write_scene


def make(job: tuple[Path, int, bool]) -> None:
    """Render one seed into the folder."""
    folder, seed, large = job
    target = folder / f"rendered_{seed}.scene"
    if not target.exists():
        beside = target.with_suffix(".part")
        scene = demo_scene(seed) if large else render_scene(seed)
        write_scene(scene_of_rendered(scene, f"rendered_{seed}"), beside)
        beside.replace(target)


if __name__ == "__main__":
    out, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    with Pool(2) as pool:
        jobs = [(out, seed, "demo" in sys.argv[4:]) for seed in range(first, first + count)]
        for _ in tqdm(pool.imap_unordered(make, jobs), total=count):
            pass
