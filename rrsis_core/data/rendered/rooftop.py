"""A rooftop is what stands on a roof: units, stair heads, water tanks, panels, skylights, plants, tarps."""

import math

import numpy as np

from .boxes import box, drum, patch, sheet
from .buildings import Building, Part
from .canvas import KEEP, Canvas
from .look import Color, rgb, varied

_UNITS = (rgb(206, 206, 202), rgb(176, 178, 178), rgb(150, 150, 148), rgb(110, 110, 110))
_PANEL, _FRAME = rgb(38, 46, 66), rgb(150, 154, 160)
_TANKS = (
    rgb(40, 42, 44),
    rgb(44, 46, 48),
    rgb(60, 140, 110),
    rgb(58, 104, 160),
    rgb(214, 212, 206),
    rgb(226, 206, 120),
)
_TARPS = (
    rgb(60, 108, 170),
    rgb(64, 120, 190),
    rgb(196, 110, 60),
    rgb(90, 140, 100),
    rgb(206, 204, 196),
    rgb(170, 60, 60),
)
_GREENS = (rgb(76, 104, 54), rgb(92, 116, 66), rgb(64, 88, 52))


def _spot(building: Building, part: Part, share_u: float, share_v: float) -> tuple[float, float, float]:
    """Image place of a point of a part given by shares -1..1 of its half sides."""
    u, v = part.u + share_u * part.length / 2, part.v + share_v * part.width / 2
    cosine, sine = math.cos(building.angle), math.sin(building.angle)
    return building.x + u * cosine - v * sine, building.y + u * sine + v * cosine, building.angle


def _lifted(canvas: Canvas, place: tuple[float, float, float], top: float) -> tuple[float, float, float]:
    return place[0] + canvas.lean[0] * top, place[1] + canvas.lean[1] * top, place[2]


def equip_flat(canvas: Canvas, rng: np.random.Generator, building: Building, density: float = 1.0) -> None:
    """Units, ducts, hatches and skylights on the level roof of a large building."""
    for part in building.parts:
        area = part.length * part.width
        level = part.eave - part.pitch
        for _ in range(min(rng.poisson(density * area / 110), 60)):
            place = _lifted(canvas, _spot(building, part, *rng.uniform(-0.82, 0.82, 2).tolist()), level)
            length, width = rng.uniform(0.9, 3.4), rng.uniform(0.8, 2.2)
            if rng.random() < 0.3:
                patch(canvas, place, (length, width), varied(rng, _UNITS[0] if rng.random() < 0.6 else _UNITS[3], 0.1))
                continue
            color = varied(rng, _UNITS[int(rng.integers(len(_UNITS)))], 0.08)
            box(canvas, place, (length, width, level + rng.uniform(0.6, 1.8)), color)
        if rng.random() < 0.09 * density and min(part.length, part.width) > 9:
            _panels(canvas, rng, building, part, level)
        if rng.random() < 0.3 and area > 300:
            _head(canvas, rng, building, part, level)


def _head(canvas: Canvas, rng: np.random.Generator, building: Building, part: Part, level: float) -> None:
    """A stair or lift head: a small storey of its own."""
    place = _lifted(canvas, _spot(building, part, *rng.uniform(-0.6, 0.6, 2).tolist()), level)
    color = np.clip(building.roof.color * rng.uniform(0.85, 1.15), 0, 0.95)
    box(canvas, place, (rng.uniform(3, 7), rng.uniform(3, 6), level + rng.uniform(2.2, 3.4)), color)


def _panels(canvas: Canvas, rng: np.random.Generator, building: Building, part: Part, level: float) -> None:
    """Rows of solar panels."""
    rows = int(rng.integers(2, 6))
    length = part.length * rng.uniform(0.25, 0.6)
    start = rng.uniform(-0.5, 0.1)
    for row in range(rows):
        share = start + row * 2.6 / (part.width / 2)
        if share < 0.8:
            place = _lifted(canvas, _spot(building, part, rng.uniform(-0.02, 0.02), share), level)
            box(canvas, place, (length, 1.5, level + 0.5), varied(rng, _PANEL, 0.1))


def equip_house(canvas: Canvas, rng: np.random.Generator, building: Building) -> None:
    """Chimney, vents, perhaps skylights or panels on a pitched roof."""
    part = building.parts[0]
    ridge = part.eave + part.pitch * min(part.width, part.length) * 0.4
    if rng.random() < 0.45:
        place = _spot(building, part, rng.uniform(-0.7, 0.7), rng.uniform(-0.35, 0.35))
        box(canvas, _lifted(canvas, place, ridge), (0.9, 0.6, ridge + 1.4), varied(rng, rgb(150, 120, 104), 0.15))
    for _ in range(int(rng.integers(0, 4))):
        place = _lifted(canvas, _spot(building, part, *rng.uniform(-0.75, 0.75, 2).tolist()), part.eave)
        light = rgb(214, 214, 210) if rng.random() < 0.6 else rgb(70, 70, 70)
        patch(canvas, place, (0.5, 0.5), light)
    if rng.random() < 0.1:
        side = float(rng.choice([-0.5, 0.5]))
        place = _lifted(canvas, _spot(building, part, rng.uniform(-0.4, 0.4), side), part.eave)
        patch(canvas, place, (part.length * rng.uniform(0.2, 0.5), part.width * 0.26), varied(rng, _PANEL, 0.12))


def equip_terrace(canvas: Canvas, rng: np.random.Generator, building: Building) -> None:
    """The lived-on concrete roof of a dense town: stair head, water tanks, tin lean-to, plants, tarps, laundry."""
    part = building.parts[0]
    level = part.eave - part.pitch
    if rng.random() < 0.75:
        _stair_head(canvas, rng, building, part, level)
    for _ in range(int(rng.integers(0, 4))):
        x, y, _angle = _lifted(canvas, _edge_spot(rng, building, part), level)
        drum(
            canvas,
            x,
            y,
            (rng.uniform(0.5, 0.8), level + 1.6),
            varied(rng, _TANKS[int(rng.integers(len(_TANKS)))], 0.08),
        )
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(3, 14))):
            x, y, _angle = _lifted(canvas, _edge_spot(rng, building, part), level)
            green = varied(rng, _GREENS[int(rng.integers(len(_GREENS)))], 0.15)
            drum(canvas, x, y, (rng.uniform(0.25, 0.6), level + rng.uniform(0.4, 1.0)), green)
    if rng.random() < 0.12:
        place = _lifted(canvas, _spot(building, part, *rng.uniform(-0.5, 0.5, 2).tolist()), level)
        color = varied(rng, _TARPS[int(rng.integers(len(_TARPS)))], 0.1)
        sheet(canvas, place, (rng.uniform(1.2, 2.6), rng.uniform(1.0, 2.0)), color, KEEP)
    if rng.random() < 0.18:
        place = _lifted(canvas, _spot(building, part, *rng.uniform(-0.4, 0.4, 2).tolist()), level)
        box(canvas, place, (2.0, 1.2, level + 0.8), varied(rng, _PANEL, 0.1))
    for _ in range(min(rng.poisson(part.length * part.width / 7), 24)):
        place = _lifted(canvas, _spot(building, part, *rng.uniform(-0.85, 0.85, 2).tolist()), level)
        junk: Color = np.asarray(rng.uniform(0.15, 0.75, 3) * 0.4 + rng.uniform(0.1, 0.4), dtype=np.float32)
        box(canvas, place, (rng.uniform(0.3, 1.2), rng.uniform(0.2, 0.7), level + rng.uniform(0.2, 0.8)), junk)


def _edge_spot(rng: np.random.Generator, building: Building, part: Part) -> tuple[float, float, float]:
    along, across = rng.uniform(-0.85, 0.85), float(rng.choice([-0.78, 0.78]))
    return _spot(building, part, *((along, across) if rng.random() < 0.5 else (across, along)))


def _stair_head(canvas: Canvas, rng: np.random.Generator, building: Building, part: Part, level: float) -> None:
    share = rng.choice([-1.0, 1.0], 2)
    length, width = rng.uniform(0.28, 0.5) * part.length, rng.uniform(0.28, 0.5) * part.width
    place = _spot(building, part, share[0] * (1 - length / part.length), share[1] * (1 - width / part.width))
    top = level + rng.uniform(2.2, 3.0)
    taste = rng.random()
    color = varied(rng, rgb(176, 170, 160) if taste < 0.6 else building.roof.color, 0.1)
    if taste > 0.85:
        color = varied(rng, _TARPS[int(rng.integers(4))], 0.08)
    box(canvas, _lifted(canvas, place, top), (length, width, top), color)
