"""A highway is two carriageways of several lanes with shoulders and a median, sometimes under an overpass."""

import math

import numpy as np

from .boxes import wall
from .bridges import bridge
from .canvas import GROUND, clutter, paint
from .estates import car_park, park, shops, works
from .ground import slabs, soil
from .lands import meander
from .look import rgb, varied
from .plots import bare, forest, lawn
from .shapes import Points, lines, offset, ribbon
from .site import Block, Site
from .streets import dashes, flow, pave_line, stripe
from .towns import pick_ground, whole_area

_WHITE, _YELLOW = rgb(214, 214, 208), rgb(206, 174, 92)


def highway_place(site: Site) -> None:
    """A highway across the picture, what lies beside it, and often a road over it."""
    rng = site.rng
    pick_ground(site)
    lanes = int(rng.integers(2, 5))
    width = 3.6 * lanes + 3.5
    median = float(rng.choice([1.2, 5.0, 14.0], p=[0.4, 0.35, 0.25]))
    extent = max(site.canvas.reach)
    line = meander(site, rng.uniform(0, 0.05) * extent, rng.uniform(2.2, 4.0) * extent, site.frame.angle, 0.0)
    _surroundings(site, line, width + median / 2 + 8)
    bare(site, ribbon(line, 2 * width + median + 10), None, 0.8)
    for side in (-1, 1):
        _carriageway(site, offset(line, side * (median + width) / 2), width, lanes, side)
    _median(site, line, median)
    if rng.random() < 0.6:
        _overpass(site, 2 * width + median)
    if rng.random() < 0.4:
        away = width + median / 2 + rng.uniform(14, 26)
        pave_line(site, offset(line, float(rng.choice([-1, 1])) * away), rng.uniform(6.5, 9))


def _surroundings(site: Site, line: Points, clear: float) -> None:
    """Woods, slopes and estates along both sides, beyond the verges."""
    rng = site.rng
    area = whole_area(site)
    for side in (-1, 1):
        fate = rng.random()
        if fate < 0.35:
            strip = offset(line, side * (clear + 14 + rng.uniform(0, 25)))
            forest(site, ribbon(strip, rng.uniform(14, 45)), None, float(rng.choice([0.0, 0.4])))
        elif fate < 0.7:
            near, far = side * (clear + 34), side * area.bottom
            block = Block(area.left, min(near, far), area.right, max(near, far))
            _estates(site, block)
        else:
            for _ in range(rng.poisson(max(site.canvas.reach) * site.look.tree_density / 4)):
                along = line[int(rng.integers(len(line)))]
                away = side * (clear + rng.exponential(18))
                x = along[0] - away * math.sin(site.frame.angle)
                y = along[1] + away * math.cos(site.frame.angle)
                site.plant(x, y, float(rng.lognormal(0.6, 0.5)))


def _estates(site: Site, block: Block) -> None:
    rng = site.rng
    left = block.left
    while left < block.right:
        length = rng.uniform(70, 130)
        piece = Block(left, block.top, left + length - 9, min(block.bottom, block.top + 90))
        if site.in_view(piece) and min(piece.size) > 25:
            use = (shops, works, car_park, park)[int(rng.integers(4))]
            use(site, piece)
        left += length


def _carriageway(site: Site, line: Points, width: float, lanes: int, side: int) -> None:
    """One direction: light concrete or asphalt, dark lanes, dashed lines, solid edges."""
    canvas, rng = site.canvas, site.rng
    pave_line(site, line, width, "asphalt" if rng.random() < 0.6 else "concrete", 0.0)
    shoulder = 1.75
    for index in range(1, lanes):
        place = offset(line, -width / 2 + shoulder + index * 3.6)
        stripe(canvas, dashes(place, 3.5, 9.0), 0.16, _WHITE, 0.9)
    for edge, color in ((-1, _YELLOW if side > 0 else _WHITE), (1, _WHITE if side > 0 else _YELLOW)):
        stripe(canvas, [offset(line, edge * (width / 2 - shoulder))], 0.16, color, 0.85)
    types = {"car": 6.0, "suv": 3.0, "pickup": 1.2, "van": 1.2, "truck": 1.3, "bus": 0.2, "lorry": 0.6}
    flow(site, line, (width - 2 * shoulder, lanes), 0.0 if side > 0 else math.pi, types)


def _median(site: Site, line: Points, width: float) -> None:
    """A concrete barrier, or a strip of grass or soil with guard rails."""
    canvas, rng = site.canvas, site.rng
    shape = lines(canvas, [line], width)
    if shape is None:
        return
    if width < 3:
        texture = slabs(canvas, shape[0], varied(rng, site.look.concrete, 0.05), (site.frame.angle, 6.0), 2)
        paint(canvas, *shape, texture, clutter(GROUND), (0.0, 1.0))
        wall(canvas, line, (0.6, 0.9), rgb(196, 192, 182))
        return
    if rng.random() < 0.5 and site.look.dryness < 0.75:
        lawn(site, ribbon(line, width), 0.2, 0.5)
    else:
        tone = site.look.soil * np.float32(1.05)
        paint(canvas, *shape, soil(canvas, shape[0], tone, 1.0, 3), clutter(GROUND), (0.0, 1.0))
        for _ in range(rng.poisson(len(line) / 3)):
            x, y = offset(line, rng.uniform(-0.35, 0.35) * width)[int(rng.integers(len(line)))]
            site.plant(x, y, float(rng.uniform(0.5, 1.6)), "bush")


def _overpass(site: Site, across: float) -> None:
    """A road that crosses on a bridge; its ramps rise from the verges."""
    rng = site.rng
    turn = math.pi / 2 + rng.normal(0, 0.25)
    u = rng.uniform(-0.3, 0.3) * min(site.canvas.reach)
    reach = math.hypot(*site.canvas.reach) + 20
    half = across / 2 / abs(math.sin(turn)) + 9
    width = rng.uniform(8, 16)

    def at(away: float) -> tuple[float, float]:
        return u + away * math.cos(turn), away * math.sin(turn)

    for side in (-1, 1):
        (u0, v0), (u1, v1) = at(side * half * 0.97), at(side * reach)
        ramp = site.line(u0, v0, u1, v1)
        site.clear(ribbon(ramp, width + 4))
        pave_line(site, ramp, width)
    (u0, v0), (u1, v1) = at(-half), at(half)
    deck = site.line(u0, v0, u1, v1)
    site.clear(ribbon(deck, width + 4))
    bridge(site, deck, width + 1.5, "asphalt", 6.5)
