"""A shape is a set of points in metres and the share of every pixel that it covers."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from .canvas import Canvas, Window
from .noise import Floats

Points = npt.NDArray[np.float64]


def _supersampling(window: Window) -> int:
    pixels = window.shape[0] * window.shape[1]
    return 4 if pixels < 60_000 else 2


def _pixels(canvas: Canvas, window: Window, points: Points, factor: int) -> list[tuple[float, float]]:
    reach_x, reach_y = canvas.reach
    x = ((points[:, 0] + reach_x) / canvas.gsd - window.left) * factor - 0.5
    y = ((points[:, 1] + reach_y) / canvas.gsd - window.top) * factor - 0.5
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _window_of(canvas: Canvas, points: Points, around: float = 0.0) -> Window | None:
    left, top = points.min(axis=0) - around
    right, bottom = points.max(axis=0) + around
    return canvas.window_of(left, top, right, bottom)


def _covered(picture: Image.Image, factor: int) -> Floats:
    return np.asarray(picture.reduce(factor), dtype=np.float32) * np.float32(1 / 255)


def polygon(canvas: Canvas, points: Points, around: float = 0.0) -> tuple[Window, Floats] | None:
    """Window and coverage of a polygon of (n, 2) points, with room around it; None when it lies outside."""
    return polygons(canvas, [points], around)


def polygons(canvas: Canvas, parts: Sequence[Points], around: float = 0.0) -> tuple[Window, Floats] | None:
    """Window and coverage of the union of some polygons; None when all lie outside."""
    window = _window_of(canvas, np.concatenate(parts), around)
    if window is None:
        return None
    factor = _supersampling(window)
    picture = Image.new("L", (window.shape[1] * factor, window.shape[0] * factor))
    draw = ImageDraw.Draw(picture)
    for points in parts:
        draw.polygon(_pixels(canvas, window, points, factor), fill=255)
    return window, _covered(picture, factor)


def lines(canvas: Canvas, parts: Sequence[Points], width: float) -> tuple[Window, Floats] | None:
    """Window and coverage of some lines of a width in metres; lines thinner than a pixel cover it partly."""
    ribbons = [ribbon(points, width) for points in parts if len(points) > 1]
    return polygons(canvas, ribbons) if ribbons else None


def ribbon(points: Points, width: float) -> Points:
    """Outline of a line of (n, 2) points with a width in metres."""
    side = normals(points) * (width / 2)
    return np.concatenate([points + side, (points - side)[::-1]])


def normals(points: Points) -> Points:
    """Unit vectors across a line at its points."""
    along = np.gradient(points, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    return np.stack([-along[:, 1], along[:, 0]], axis=1)


def offset(points: Points, across: float) -> Points:
    """A line moved sideways by metres."""
    return points + normals(points) * across


def distances_along(points: Points) -> npt.NDArray[np.float64]:
    """Metres from the start of a line at each of its points."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    return np.concatenate([[0.0], np.cumsum(steps)])


def resample(points: Points, spacing: float) -> Points:
    """A line with points every so many metres."""
    along = distances_along(points)
    count = max(int(along[-1] / spacing), 1) + 1
    wanted = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(wanted, along, points[:, 0]), np.interp(wanted, along, points[:, 1])], axis=1)


def smooth(points: Points, rounds: int = 3) -> Points:
    """A closed outline with its corners cut (Chaikin)."""
    for _ in range(rounds):
        following = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1).reshape(-1, 2)
    return points


def blob(
    rng: np.random.Generator, x: float, y: float, radius: float, roughness: float = 0.25, stretched: float = 1.7
) -> Points:
    """A closed natural outline around a place, up to `stretched` times as long as wide."""
    angles = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    radii = np.ones_like(angles)
    for waves in range(2, 6):
        radii += roughness / waves * 1.6 * rng.standard_normal() * np.cos(waves * angles + rng.uniform(0, 2 * math.pi))
    radii = radius * np.maximum(radii, 0.25)
    stretch, turn = math.sqrt(rng.uniform(1.0, stretched)), rng.uniform(0, math.pi)
    u, v = radii * np.cos(angles) * stretch, radii * np.sin(angles) / stretch
    return np.stack([x + u * math.cos(turn) - v * math.sin(turn), y + u * math.sin(turn) + v * math.cos(turn)], axis=1)


def ellipse(x: float, y: float, along: float, across: float, angle: float = 0.0, count: int = 32) -> Points:
    """An ellipse by its half axes."""
    angles = np.linspace(0, 2 * math.pi, count, endpoint=False)
    return turned(np.stack([along * np.cos(angles), across * np.sin(angles)], axis=1), x, y, angle)


def rectangle(x: float, y: float, length: float, width: float, angle: float = 0.0) -> Points:
    """A rectangle by its centre and sides, its length along the angle."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [length / 2, width / 2]
    return turned(corners, x, y, angle)


def turned(points: Points, x: float, y: float, angle: float) -> Points:
    """Points turned about the origin and then moved to a place."""
    cosine, sine = math.cos(angle), math.sin(angle)
    u, v = points[:, 0], points[:, 1]
    return np.stack([x + u * cosine - v * sine, y + u * sine + v * cosine], axis=1)


def within(outline: Points, places: Points) -> npt.NDArray[np.bool_]:
    """Which of some places, (n, 2), lie inside a closed outline."""
    x, y = places[:, :1], places[:, 1:]
    x0, y0 = outline[:, 0][None], outline[:, 1][None]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    upward = (y0 > y) != (y1 > y)
    rise = np.where(np.abs(y1 - y0) < 1e-12, 1e-12, y1 - y0)
    return np.asarray((upward & (x < (x1 - x0) * (y - y0) / rise + x0)).sum(axis=1) % 2 == 1)


def ragged(canvas: Canvas, window: Window, alpha: Floats, blur_m: float, strength: float, salt: int = 5) -> Floats:
    """A coverage whose edge wanders by about `blur_m` metres, as borders of plants and shores do."""
    radius = blur_m / canvas.gsd
    if radius < 0.4:
        return alpha
    picture = Image.fromarray(np.asarray(alpha * 255, dtype=np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    blurred = np.asarray(picture, dtype=np.float32) * np.float32(1 / 255)
    wander = canvas.grain(window, max(9 * blur_m, 6 * canvas.gsd), max(0.8 * blur_m, 2 * canvas.gsd), 1.5, salt)
    wander = np.clip(wander, -2.2, 2.2)  # wilder ones would tear islands and holes far from the edge
    return np.clip((blurred - 0.5 + strength * 0.18 * wander) * np.float32(max(radius, 1.0) * 2.2) + 0.5, 0.0, 1.0)


def blurred(canvas: Canvas, alpha: Floats, blur_m: float) -> Floats:
    """A coverage with soft edges."""
    picture = Image.fromarray(np.asarray(np.clip(alpha, 0, 1) * 255, dtype=np.uint8))
    soft = picture.filter(ImageFilter.GaussianBlur(max(blur_m / canvas.gsd, 0.1)))
    return np.asarray(soft, dtype=np.float32) * np.float32(1 / 255)
