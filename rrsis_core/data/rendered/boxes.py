"""A box is a simple solid of no category of its own: a roof unit, a container, a wall, a tank, a tarp, a pole."""

import math

import numpy as np

from .canvas import KEEP, Canvas, Window, paint
from .look import Color
from .noise import Floats
from .shapes import Points


def box(
    canvas: Canvas,
    place: tuple[float, float, float],
    sides: tuple[float, float, float],
    color: Color | tuple[float, float, float],
    owner: int = KEEP,
) -> None:
    """A block at (x, y, angle) with (length, width, top height above the ground) in metres."""
    x, y, angle = place
    length, width, top = sides
    window = canvas.around(x, y, math.hypot(length, width) / 2)
    if window is None:
        return
    u, v = canvas.local(window, x, y, angle)
    alpha = canvas.soft(length / 2 - np.abs(u)) * canvas.soft(width / 2 - np.abs(v))
    paint(canvas, window, alpha, color, owner, (top, 1.0))


def drum(canvas: Canvas, x: float, y: float, sides: tuple[float, float], color: Color, owner: int = KEEP) -> None:
    """A standing cylinder of (radius, top height): lighter towards the sun."""
    radius, top = sides
    window = canvas.around(x, y, radius)
    if window is None:
        return
    u, v = canvas.local(window, x, y, 0.0)
    alpha = canvas.soft(radius - np.hypot(u, v))
    light = 1 + 0.3 * (u * np.float32(canvas.sun.x) + v * np.float32(canvas.sun.y)) / radius
    paint(canvas, window, alpha, color, owner, (top, light))


def sheet(
    canvas: Canvas, place: tuple[float, float, float], sides: tuple[float, float], color: Color, owner: int
) -> None:
    """A wrinkled tarp of (length, width) close to the ground or to whatever it lies on."""
    x, y, angle = place
    window = canvas.around(x, y, math.hypot(*sides) / 2)
    if window is None:
        return
    u, v = canvas.local(window, x, y, angle)
    wrinkles = canvas.noise.at(u, v * np.float32(0.4), 1.5, 0.2, 1)
    bulge = canvas.grain(window, 3.0, 0.6, 1.0, 2)
    edge = np.minimum(sides[0] / 2 - np.abs(u), sides[1] / 2 - np.abs(v)) + 0.12 * bulge
    alpha = canvas.soft(edge)
    base = canvas.height[window.slices]
    tone = (1 + 0.08 * wrinkles + 0.05 * bulge)[..., None]
    paint(canvas, window, alpha, np.clip(color * tone, 0, 1), owner, (base + 0.4, 1.0))


def wall(canvas: Canvas, points: Points, sides: tuple[float, float], color: Color) -> None:
    """A wall or fence of (thickness, height) along a line of few points; one thinner than a pixel is seen as a tint."""
    thick = max(sides[0], 1.5 * canvas.gsd)
    strength = np.float32(np.clip(1.4 * sides[0] / thick, 0.3, 1.0))
    for (x0, y0), (x1, y1) in zip(points[:-1].tolist(), points[1:].tolist(), strict=True):
        length = math.hypot(x1 - x0, y1 - y0)
        x, y, angle = (x0 + x1) / 2, (y0 + y1) / 2, math.atan2(y1 - y0, x1 - x0)
        window = canvas.around(x, y, length / 2 + thick) if length > 0.2 else None
        if window is None:
            continue
        u, v = canvas.local(window, x, y, angle)
        alpha = canvas.soft((length + thick) / 2 - np.abs(u)) * canvas.soft(thick / 2 - np.abs(v))
        paint(canvas, window, alpha * strength, color)
        height = canvas.height[window.slices]
        np.copyto(height, np.float32(sides[1]), where=(alpha > 0.5) & (height < sides[1]))


def patch(
    canvas: Canvas,
    place: tuple[float, float, float],
    sides: tuple[float, float],
    color: Color | Floats,
    owner: int = KEEP,
) -> None:
    """A flat rectangle of paint at (x, y, angle) that keeps heights and light as they are."""
    window = canvas.around(place[0], place[1], math.hypot(*sides) / 2)
    if window is None:
        return
    u, v = canvas.local(window, *place)
    alpha = canvas.soft(sides[0] / 2 - np.abs(u)) * canvas.soft(sides[1] / 2 - np.abs(v))
    paint(canvas, window, alpha, color, owner)


def tinted(canvas: Canvas, shape: tuple[Window, Floats] | None, color: Color, strength: float) -> None:
    """Lay a transparent tint over a shape."""
    if shape is not None:
        paint(canvas, shape[0], shape[1] * np.float32(strength), color)
