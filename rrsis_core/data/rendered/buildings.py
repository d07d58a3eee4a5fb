"""A building is a union of roof parts on walls; light and shadow follow from the slopes and heights of the parts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .canvas import STRUCTURE, Canvas, Window, clutter, paint
from .look import Color, rgb
from .noise import Floats
from .roofs import Roof, skin
from .shapes import Points, turned


@dataclass(frozen=True)
class Part:
    """A rectangle of roof in the building's own coordinates (metres along u and across v)."""

    u: float
    v: float
    length: float
    width: float
    kind: str = "flat"
    """flat, gable, hip, shed or barrel."""

    eave: float = 4.0
    """Height of the edge of the roof above the ground."""

    pitch: float = 0.0
    """Metres up per metre across; for flat roofs the height of the parapet."""

    crosswise: bool = False
    """The ridge runs along v instead of u."""

    floor: float = 0.0
    """Height at which the walls begin."""


@dataclass(frozen=True)
class Building:
    """Where the parts stand and what covers them."""

    x: float
    y: float
    angle: float
    parts: Sequence[Part]
    roof: Roof
    wall: Color
    shape: str


@dataclass(frozen=True)
class _Surface:
    """The roof on the pixels of a window: coverage, height, light, coordinates along and across the slope."""

    alpha: Floats
    height: Floats
    lambert: Floats
    along: Floats
    across: Floats


def corners(building: Building, part: Part) -> Points:
    """The rectangle of a part in image metres."""
    half_u, half_v = part.length / 2, part.width / 2
    box = np.array([[-half_u, -half_v], [half_u, -half_v], [half_u, half_v], [-half_u, half_v]])
    return turned(box + np.array([part.u, part.v]), building.x, building.y, building.angle)


def raise_building(canvas: Canvas, building: Building) -> int:
    """Paint walls and roof; the owner mark of the building comes back (0 when it lies outside)."""
    tallest = max(part.eave for part in building.parts)
    outline = np.concatenate([corners(building, part) for part in building.parts])
    lean = np.array(canvas.lean) * tallest
    low, high = outline.min(axis=0) + np.minimum(lean, 0) - 1, outline.max(axis=0) + np.maximum(lean, 0) + 1
    window = canvas.window_of(*low.tolist(), *high.tolist())
    if window is None:
        return 0
    if math.hypot(*lean) > 0.7 * canvas.gsd:
        for part in building.parts:
            _walls(canvas, window, building, part)
    surface = _union([_roof_part(canvas, window, building, part) for part in building.parts])
    owner = canvas.add("building", STRUCTURE, material=building.roof.material, shape=building.shape)
    texture = skin(canvas, window, (surface.along, surface.across), building.roof)
    paint(canvas, window, surface.alpha, texture, owner, (surface.height, surface.lambert))
    return owner


def _union(surfaces: Sequence[_Surface]) -> _Surface:
    """Where parts overlap the higher one is seen."""
    merged = surfaces[0]
    for other in surfaces[1:]:
        wins = other.alpha * 100 + other.height > merged.alpha * 100 + merged.height
        wins |= (other.alpha > 0.5) & (other.height > merged.height)
        wins &= ~((merged.alpha > 0.5) & (merged.height > other.height))
        merged = _Surface(
            np.maximum(merged.alpha, other.alpha),
            *(
                np.where(wins, getattr(other, name), getattr(merged, name))
                for name in ("height", "lambert", "along", "across")
            ),
        )
    return merged


class _Plan(NamedTuple):
    """Coordinates of pixels in a part: along the ridge, across it, metres to the ends and to the sides, the angle."""

    u: Floats
    v: Floats
    edge_u: Floats
    edge_v: Floats
    angle: float


def _plan(canvas: Canvas, window: Window, building: Building, part: Part, up: float) -> _Plan:
    """The plan of a part lifted by `up` metres, which shifts it when the view leans."""
    cosine, sine = math.cos(building.angle), math.sin(building.angle)
    x = building.x + part.u * cosine - part.v * sine + canvas.lean[0] * up
    y = building.y + part.u * sine + part.v * cosine + canvas.lean[1] * up
    angle = building.angle + (math.pi / 2 if part.crosswise else 0.0)
    u, v = canvas.local(window, x, y, angle)
    half_u, half_v = _sides(part)
    return _Plan(u, v, half_u - np.abs(u), half_v - np.abs(v), angle)


def _sides(part: Part) -> tuple[float, float]:
    """Half length along the ridge and half width across."""
    return (part.width / 2, part.length / 2) if part.crosswise else (part.length / 2, part.width / 2)


def _roof_part(canvas: Canvas, window: Window, building: Building, part: Part) -> _Surface:
    plan = _plan(canvas, window, building, part, part.eave)
    alpha = canvas.soft(np.minimum(plan.edge_u, plan.edge_v))
    height, lambert = _RELIEFS[part.kind](canvas, part, plan)
    if part.kind == "flat":
        return _Surface(alpha, height, lambert, plan.u, plan.v)
    along, across = plan.u, _sides(part)[1] - np.abs(plan.v)
    if part.kind == "hip":
        ends = plan.edge_u < plan.edge_v
        along, across = np.where(ends, plan.v, along), np.where(ends, plan.edge_u, across)
    return _Surface(alpha, height, lambert, along, across)


def _facing(canvas: Canvas, uphill: float, pitch: float) -> float:
    """Direct light on a plane that rises towards an angle."""
    return float(canvas.sun.lambert(pitch * math.cos(uphill), pitch * math.sin(uphill)))


def _two_sides(canvas: Canvas, across: Floats, uphill: float, pitch: float) -> Floats:
    """Light on two planes that rise towards the line across = 0, the negative one towards an angle."""
    near, far = _facing(canvas, uphill, pitch), _facing(canvas, uphill + math.pi, pitch)
    return np.where(across < 0, np.float32(near), np.float32(far))


def _flat(canvas: Canvas, part: Part, plan: _Plan) -> tuple[Floats, Floats]:
    """A level roof behind a parapet."""
    thick = max(0.3, canvas.gsd)
    inward = np.clip((np.minimum(plan.edge_u, plan.edge_v) - thick) / (0.8 * thick), 0, 1)
    return part.eave - part.pitch * inward, np.ones_like(plan.u)


def _gable(canvas: Canvas, part: Part, plan: _Plan) -> tuple[Floats, Floats]:
    light = _two_sides(canvas, plan.v, plan.angle + math.pi / 2, part.pitch)
    return part.eave + part.pitch * plan.edge_v, light


def _hip(canvas: Canvas, part: Part, plan: _Plan) -> tuple[Floats, Floats]:
    long_sides = _two_sides(canvas, plan.v, plan.angle + math.pi / 2, part.pitch)
    ends = _two_sides(canvas, plan.u, plan.angle, part.pitch)
    height = part.eave + part.pitch * np.minimum(plan.edge_u, plan.edge_v)
    return height, np.where(plan.edge_u < plan.edge_v, ends, long_sides)


def _shed(canvas: Canvas, part: Part, plan: _Plan) -> tuple[Floats, Floats]:
    """One plane that rises along v."""
    light = np.full_like(plan.u, _facing(canvas, plan.angle + math.pi / 2, part.pitch))
    return part.eave + part.pitch * (plan.v + _sides(part)[1]), light


def _barrel(canvas: Canvas, part: Part, plan: _Plan) -> tuple[Floats, Floats]:
    half = _sides(part)[1]
    bow = np.clip(plan.v / half, -0.98, 0.98)
    round_ = np.sqrt(1 - bow * bow)
    slope = np.clip(-part.pitch * bow / round_, -1.5, 1.5)
    uphill = plan.angle + math.pi / 2
    light = canvas.sun.lambert(slope * np.float32(math.cos(uphill)), slope * np.float32(math.sin(uphill)))
    return part.eave + part.pitch * half * round_, light


_RELIEFS = {"flat": _flat, "gable": _gable, "hip": _hip, "shed": _shed, "barrel": _barrel}


def _walls(canvas: Canvas, window: Window, building: Building, part: Part) -> None:
    """Sides that are seen because the view leans: the footprint drawn again and again up to the roof."""
    shift = math.hypot(*canvas.lean) * (part.eave - part.floor) / canvas.gsd
    steps = max(int(shift), 1)
    for step in range(steps):
        up = part.floor + (part.eave - part.floor) * (step + 0.5) / steps
        plan = _plan(canvas, window, building, part, up)
        angle = plan.angle
        on_end = plan.edge_u < plan.edge_v
        toward = -(canvas.lean[0] * math.cos(angle) + canvas.lean[1] * math.sin(angle))
        across = -(-canvas.lean[0] * math.sin(angle) + canvas.lean[1] * math.cos(angle))
        end_light = _wall_light(canvas, angle + (0 if toward > 0 else math.pi))
        side_light = _wall_light(canvas, angle + math.pi / 2 + (0 if across > 0 else math.pi))
        light = np.where(on_end, np.float32(end_light), np.float32(side_light))
        windows = 0.62 if up % 3.1 > 1.1 and up % 3.1 < 2.2 and canvas.gsd < 0.6 else 1.0
        alpha = canvas.soft(np.minimum(plan.edge_u, plan.edge_v))
        paint(canvas, window, alpha, building.wall * np.float32(windows), clutter(STRUCTURE), (up, light))


def _wall_light(canvas: Canvas, outward: float) -> float:
    facing = (canvas.sun.x * math.cos(outward) + canvas.sun.y * math.sin(outward)) / canvas.sun.z
    return float(np.clip(facing, 0.0, 1.3))


WALLS = (rgb(196, 186, 168), rgb(170, 160, 146), rgb(150, 110, 90), rgb(206, 200, 190), rgb(150, 148, 144))
"""Plaster, brick and concrete of walls."""
