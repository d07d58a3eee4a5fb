"""A vehicle is a car, pickup, van, bus or lorry of true size: body, windows, bonnet, load."""

import math

import numpy as np

from .canvas import MOVABLE, Canvas, Window, paint
from .look import Color, pick, rgb, varied
from .noise import Floats

_PAINTS = {
    "white": 5.0,
    "silver": 3.2,
    "gray": 2.2,
    "black": 3.0,
    "red": 1.5,
    "blue": 1.2,
    "beige": 0.7,
    "green": 0.4,
    "brown": 0.35,
    "yellow": 0.25,
    "orange": 0.25,
}
_COLORS = {
    "white": rgb(226, 228, 228),
    "silver": rgb(170, 174, 178),
    "gray": rgb(108, 110, 114),
    "black": rgb(38, 39, 43),
    "red": rgb(150, 42, 40),
    "blue": rgb(48, 74, 128),
    "beige": rgb(176, 166, 144),
    "green": rgb(52, 78, 62),
    "brown": rgb(96, 76, 62),
    "yellow": rgb(216, 178, 52),
    "orange": rgb(204, 104, 44),
}
_GLASS = rgb(34, 40, 48)
SIZES = {
    "car": (4.5, 1.8),
    "suv": (4.8, 1.95),
    "pickup": (5.4, 1.95),
    "van": (5.6, 2.05),
    "bus": (11.5, 2.6),
    "truck": (11.0, 2.55),
    "lorry": (7.5, 2.4),
}
"""Length and width in metres by type."""

_TYPES = {"car": 6.0, "suv": 2.5, "pickup": 1.2, "van": 1.0}


def vehicle(
    canvas: Canvas, rng: np.random.Generator, place: tuple[float, float, float], types: dict[str, float] | None = None
) -> int:
    """A vehicle at (x, y, angle), its front along the angle; its owner mark comes back, 0 when outside."""
    x, y, angle = place
    kind = pick(rng, types or _TYPES)
    length, width = (side * rng.uniform(0.93, 1.07) for side in SIZES[kind])
    window = canvas.around(x, y, length / 2 + 0.3)
    if window is None:
        return 0
    u, v = canvas.local(window, x, y, angle)
    corner = 0.25 * width
    beyond_u, beyond_v = np.abs(u) - (length / 2 - corner), np.abs(v) - (width / 2 - corner)
    distance = corner - np.hypot(np.maximum(beyond_u, 0), np.maximum(beyond_v, 0))
    alpha = canvas.soft(np.minimum(distance, -np.maximum(beyond_u, beyond_v) + corner))
    color = varied(rng, _COLORS[pick(rng, _PAINTS)], 0.08, 0.01)
    if kind in ("bus", "truck", "lorry"):
        texture, height = _large(canvas, rng, kind, (u, v), (length, width))
    else:
        texture, height = _small(canvas, kind, color, (u / length, v / width))
    owner = canvas.add("vehicle", MOVABLE, type=kind)
    _grounding(canvas, window, u, v, (length, width))
    paint(canvas, window, alpha, texture, owner, (height, 1.0))
    return owner


def _grounding(canvas: Canvas, window: Window, u: Floats, v: Floats, sides: tuple[float, float]) -> None:
    """The dark under a vehicle's edges."""
    near = np.clip(1 - np.maximum(np.abs(u) - sides[0] / 2, np.abs(v) - sides[1] / 2) / 0.35, 0, 1)
    paint(canvas, window, 0.35 * near, (0.12, 0.12, 0.13))


def _band(along: Floats, start: float, end: float, soft: float) -> Floats:
    return np.clip((along - start) / soft + 0.5, 0, 1) * np.clip((end - along) / soft + 0.5, 0, 1)


def _small(canvas: Canvas, kind: str, color: Color, shares: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Cars, pickups and vans by shares (-0.5..0.5) of their length and width."""
    along, across = shares
    soft = max(0.03, canvas.gsd / SIZES[kind][0])
    side = _band(across, -0.41, 0.41, max(0.05, canvas.gsd / SIZES[kind][1]))
    rear = {"car": -0.33, "suv": -0.43, "pickup": -0.02, "van": -0.46}[kind]
    front = 0.24 if kind != "van" else 0.34
    cabin = _band(along, rear, front, soft)
    glass = side * (_band(along, front - 0.12, front, soft) + _band(along, rear, rear + 0.08, soft))
    glass += cabin * (np.abs(across) > 0.4) * 0.6
    tone = 1 + 0.05 * cabin - 0.06 * (np.abs(across) > 0.42)
    texture = np.clip(color * tone[..., None] + 0.02 * cabin[..., None], 0.02, 0.98)
    texture = texture + np.clip(glass, 0, 0.92)[..., None] * (_GLASS - texture)
    if kind == "pickup":
        bed = side * _band(along, -0.45, -0.08, soft)
        texture = texture + 0.7 * bed[..., None] * (rgb(70, 70, 70) - texture)
    return texture.astype(np.float32), (0.8 + 0.75 * np.clip(cabin, 0, 1)).astype(np.float32)


def _large(
    canvas: Canvas, rng: np.random.Generator, kind: str, place: tuple[Floats, Floats], sides: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Buses and lorries: a cab and a box, a flat bed or a tank."""
    u, v = place
    length, width = sides
    load = _COLORS[
        pick(
            rng,
            {
                "white": 6,
                "silver": 2,
                "gray": 1,
                "blue": 1,
                "red": 0.7,
                "yellow": 0.5,
                "green": 0.5,
                "beige": 1,
                "orange": 0.5,
            },
        )
    ]
    load = varied(rng, load, 0.06)
    cab = varied(rng, _COLORS[pick(rng, _PAINTS)], 0.06)
    split = length / 2 - (2.3 if kind != "bus" else 0.4)
    in_cab = np.clip((u - split) / canvas.gsd + 0.5, 0, 1)
    texture = load + in_cab[..., None] * ((cab if kind != "bus" else load) - load)
    gap = np.clip(1 - np.abs(u - split) / max(0.35, 0.6 * canvas.gsd), 0, 1) * (kind != "bus")
    screen = np.clip(1 - np.abs(u - length / 2 + 0.5) / max(0.35, 0.6 * canvas.gsd), 0, 1) * (np.abs(v) < width * 0.42)
    texture = texture + np.clip(gap + screen, 0, 0.9)[..., None] * (_GLASS - texture)
    if kind == "bus":
        units = (np.abs(v) < 0.25 * width) * (np.abs(np.abs(u) - length * 0.2) < 1.0)
        texture = texture + 0.3 * units[..., None] * (0.5 - texture)
    ribs = 1 + 0.03 * np.sin(u * np.float32(2 * math.pi / 1.2)) * (canvas.gsd < 0.4)
    height = np.where(in_cab > 0.5, 2.6, 3.6 if kind != "bus" else 3.1)
    return np.asarray(texture * ribs[..., None], dtype=np.float32), height.astype(np.float32)
