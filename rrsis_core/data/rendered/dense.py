"""A dense town is houses wall to wall on dusty ground, with lanes, leftover green and the things of daily life."""

import math

import numpy as np

from .blocks import cuts
from .boxes import box, sheet, wall
from .canvas import MOVABLE, STRUCTURE, clutter
from .homes import tin_roofed, town_house
from .look import rgb, varied
from .plots import bare, debris, lawn, yard
from .site import Block, Site

_TARPS = (
    rgb(52, 104, 176),
    rgb(70, 132, 190),
    rgb(206, 206, 200),
    rgb(190, 104, 54),
    rgb(84, 132, 92),
    rgb(156, 52, 50),
)


def dense_town(site: Site, block: Block) -> None:
    """Fill a block with rows of houses of every height, material and angle."""
    rng = site.rng
    yard(site, site.outline(block.shrunk(-0.6)), 0.7)
    open_share = float(rng.uniform(0.06, 0.24))
    for v0, v1 in cuts(rng, block.top + 0.6, block.bottom - 0.6, (7.0, 16.0)):
        alley = rng.uniform(1.2, 2.4) if rng.random() < 0.3 else 0.0
        for u0, u1 in cuts(rng, block.left + 0.6, block.right - 0.6, (5.0, 13.0)):
            _lot(site, Block(u0, v0, u1, v1 - alley), open_share)
    _street_life(site, block)


def _lot(site: Site, lot: Block, open_share: float) -> None:
    rng, canvas = site.rng, site.canvas
    x, y, angle = site.frame.place(lot.center[0] + rng.normal(0, 0.3), lot.center[1] + rng.normal(0, 0.4))
    if canvas.around(x, y, max(lot.size) + 4) is None:
        return
    angle += rng.normal(0, 0.045) + (rng.normal(0, 0.2) if rng.random() < 0.06 else 0.0)
    sides = (max(lot.size[0] * rng.uniform(0.9, 1.04), 3.0), max(lot.size[1] * rng.uniform(0.78, 1.04), 3.0))
    fate = rng.random()
    if fate < open_share:
        _leftover(site, lot, (x, y, angle))
    elif fate < open_share + 0.12:
        part = (sides[0] * rng.uniform(0.4, 0.9), sides[1] * rng.uniform(0.4, 0.9))
        tin_roofed(canvas, rng, (x, y, angle + float(rng.choice([0, math.pi / 2]))), part)
        _greenery(site, lot, 2)
    else:
        town_house(canvas, rng, (x, y, angle), sides)


def _leftover(site: Site, lot: Block, place: tuple[float, float, float]) -> None:
    """An unbuilt lot: weeds, soil, rubble, junk under tarps, a tree."""
    rng = site.rng
    outline = site.outline(lot)
    choice = rng.random()
    if choice < 0.25:
        bare(site, outline, rough_m=0.6)
    elif choice < 0.7:
        lawn(site, outline, 0.25, 0.7)
        _greenery(site, lot, 7)
    elif choice < 0.82:
        debris(site, outline)
    for _ in range(int(rng.integers(0, 4))):
        spot = (place[0] + rng.uniform(-3, 3), place[1] + rng.uniform(-3, 3), rng.uniform(0, 3))
        tone = varied(rng, _TARPS[int(rng.integers(len(_TARPS)))], 0.12)
        sheet(site.canvas, spot, (rng.uniform(1.2, 4), rng.uniform(1.2, 3)), tone, clutter(MOVABLE))
    if rng.random() < 0.5:
        wall(site.canvas, np.concatenate([outline, outline[:1]]), (0.25, 1.8), varied(rng, rgb(158, 142, 126), 0.12))


def _greenery(site: Site, lot: Block, mean: float) -> None:
    rng = site.rng
    for _ in range(rng.poisson(mean)):
        x, y, _ = site.frame.place(float(rng.uniform(lot.left, lot.right)), float(rng.uniform(lot.top, lot.bottom)))
        site.plant(x, y, float(rng.lognormal(-0.1, 0.5)), "bush" if rng.random() < 0.75 else None)


def _street_life(site: Site, block: Block) -> None:
    """Heaps, stalls, motorcycles, pots and scrap on the ground, trees in the gaps."""
    rng, canvas = site.rng, site.canvas
    if canvas.gsd < 0.5:
        for u, v in site.scatter(block.shrunk(-2), 170):
            x, y, angle = site.frame.place(float(u), float(v), rng.uniform(0, 3))
            window = canvas.around(x, y, 0.8)
            if window is None or canvas.owners[STRUCTURE][window.slices].any():
                continue
            tone = np.asarray(rng.uniform(0.1, 0.75, 3) * 0.35 + rng.uniform(0.05, 0.45), dtype=np.float32)
            box(
                canvas,
                (x, y, angle),
                (rng.uniform(0.4, 2.2), rng.uniform(0.3, 0.9), rng.uniform(0.3, 1.3)),
                tone,
                clutter(MOVABLE),
            )
    for u, v in site.scatter(block, 42 * site.look.tree_density):
        x, y, _ = site.frame.place(float(u), float(v))
        window = canvas.around(x, y, 0.5)
        if window is not None and not canvas.owners[STRUCTURE][window.slices].any():
            site.plant(x, y, float(rng.uniform(0.8, 3.4)))
