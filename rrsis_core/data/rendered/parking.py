"""A parking lot is paved ground with marked bays, cars in many of them, islands and lamps."""

import math

import numpy as np

from .boxes import patch
from .canvas import GROUND, paint
from .ground import asphalt, slabs
from .look import rgb, varied
from .shapes import polygon
from .site import Block, Site
from .vehicles import vehicle

_BAY = 2.6
_ROW = 17.5  # two rows of bays of 5.2 m and an aisle


def parking_lot(site: Site, block: Block, fullness: float | None = None) -> int:
    """Fill a block with a parking lot; its owner mark comes back (0 when outside)."""
    canvas, rng = site.canvas, site.rng
    shape = polygon(canvas, site.outline(block))
    if shape is None:
        return 0
    window, alpha = shape
    owner = canvas.add("parking lot", GROUND, surface="asphalt")
    base = varied(rng, site.look.asphalt, 0.1, 0.006)
    if rng.random() < 0.15:
        texture = slabs(canvas, window, varied(rng, site.look.concrete, 0.05), (site.frame.angle, 5.0))
    else:
        texture = asphalt(canvas, window, base, rng.uniform(0.8, 1.6), int(rng.integers(99)))
    paint(canvas, window, alpha, texture, owner, (0.0, 1.0))
    full = float(rng.beta(2.6, 1.1)) if fullness is None else fullness
    width = block.size[1]
    lots = max(1, int((width - 4) / _ROW)) if width > 12 else 0
    start = block.top + (width - lots * _ROW) / 2
    for lot in range(lots):
        middle = start + (lot + 0.5) * _ROW
        for row, heading in ((middle - 6.1, math.pi / 2), (middle + 6.1, -math.pi / 2)):
            _bays(site, block, row, heading, full)
    if not lots:
        _bays(site, block, (block.top + block.bottom) / 2, math.pi / 2, full)
    return owner


def _bays(site: Site, block: Block, row: float, heading: float, full: float) -> None:
    rng = site.rng
    length = block.size[0]
    count = int((length - 6) / _BAY)
    start = block.left + (length - count * _BAY) / 2
    lined = rng.random() < 0.85
    islands = rng.random() < 0.35
    full = float(np.clip(full + 0.12 * rng.standard_normal(), 0.02, 0.97))
    for bay in range(count + 1):
        u = start + bay * _BAY
        if lined and site.canvas.gsd < 0.8:
            patch(site.canvas, site.frame.place(u, row, heading), (5.0, 0.13), rgb(204, 204, 198))
        if bay == count:
            continue
        if islands and bay % 14 in (0,):
            _island(site, u + _BAY / 2, row, heading)
        elif rng.random() < full:
            nose = heading if rng.random() < 0.75 else heading + math.pi
            along, across = rng.normal(0, 0.12), rng.normal(0, 0.25)
            x, y, angle = site.frame.place(u + _BAY / 2 + along, row + across, nose)
            vehicle(site.canvas, rng, (x, y, angle + rng.normal(0, 0.02)))


def _island(site: Site, u: float, row: float, heading: float) -> None:
    place = site.frame.place(u, row, heading)
    patch(site.canvas, place, (5.2, 2.4), varied(site.rng, site.look.grass, 0.1))
    if site.chance(0.6):
        site.plant(place[0], place[1], float(site.rng.uniform(1.3, 3.0)))
