"""A hall is a large building: office blocks, shops, factories, barns, terminals, storage tanks."""

import math

import numpy as np

from .buildings import WALLS, Building, Part, raise_building
from .canvas import STRUCTURE, Canvas, paint
from .homes import Place
from .look import Color, pick, rgb, varied
from .noise import Floats
from .roofs import sample_roof
from .rooftop import equip_flat

FLAT_TASTE = {
    "membrane white": 3.0,
    "membrane gray": 2.6,
    "membrane tan": 1.2,
    "gravel gray": 2.4,
    "gravel dark": 1.0,
    "concrete gray": 1.6,
    "concrete brown": 0.5,
    "concrete pale": 1.0,
    "concrete red": 0.15,
}
METAL_TASTE = {
    "tin white": 3.0,
    "tin gray": 3.0,
    "tin blue": 1.6,
    "tin red": 0.8,
    "tin green": 0.9,
    "tin brown": 0.6,
    "tin rust": 0.8,
    "tin navy": 0.4,
    "tin orange": 0.2,
    "tin yellow": 0.15,
}


def _wall_color(rng: np.random.Generator) -> Color:
    return varied(rng, WALLS[int(rng.integers(len(WALLS)))], 0.08)


def block(canvas: Canvas, rng: np.random.Generator, place: Place, sides: tuple[float, float], tall: float) -> int:
    """A level-roofed building with wings and set-backs, `tall` metres high."""
    roof = sample_roof(rng, FLAT_TASTE)
    length, width = sides
    parapet = rng.uniform(0.3, 1.0)
    shape = pick(rng, {"flat": 2.2, "L": 1.3, "U": 0.8, "stepped": 1.3, "complex": 1.6})
    parts = [Part(0, 0, length, width, "flat", tall, parapet)]
    if shape in ("L", "U"):
        arm = rng.uniform(0.32, 0.48) * length
        deep = rng.uniform(0.35, 0.5) * width
        side = float(rng.choice([-1, 1]))
        parts = [
            Part(0, -side * (width - deep) / 2, length, deep, "flat", tall, parapet),
            Part((length - arm) / 2, side * deep / 2, arm, width - deep + 0.5, "flat", tall, parapet),
        ]
        if shape == "U" and arm < 0.4 * length:
            parts.append(Part(-(length - arm) / 2, side * deep / 2, arm, width - deep + 0.5, "flat", tall, parapet))
    if shape == "complex":
        parts = _wings(rng, sides, tall, parapet)
    if shape == "stepped":
        for _ in range(int(rng.integers(1, 4))):
            size = (rng.uniform(0.25, 0.7) * length, rng.uniform(0.3, 0.7) * width)
            shift = rng.uniform(-0.5, 0.5, 2) * [length - size[0], width - size[1]]
            level = tall + rng.uniform(2.5, 9)
            parts.append(Part(float(shift[0]), float(shift[1]), size[0], size[1], "flat", level, parapet))
    building = Building(*place, parts, roof, _wall_color(rng), shape)
    owner = raise_building(canvas, building)
    if owner and canvas.gsd < 0.8:
        equip_flat(canvas, rng, building)
    return owner


def _wings(rng: np.random.Generator, sides: tuple[float, float], tall: float, parapet: float) -> list[Part]:
    """Many wings of different heights around a spine, with gaps for light between them."""
    length, width = sides
    spine = rng.uniform(0.3, 0.5) * width
    at = rng.uniform(-0.3, 0.3) * (width - spine)
    parts = [Part(0, at, length, spine, "flat", tall, parapet)]
    count = int(rng.integers(2, max(3, int(length / 12)) + 1))
    for index in range(count):
        share = rng.uniform(0.45, 0.85)
        u = (index + 0.5) * length / count - length / 2
        deep = width * rng.uniform(0.55, 1.0)
        v = float(np.clip(at + rng.uniform(-0.5, 0.5) * width, -(width - deep) / 2, (width - deep) / 2))
        level = max(tall + float(rng.choice([-6.4, -3.2, 0.0, 3.2, 6.4])), 4.0)
        parts.append(Part(u, v, share * length / count, deep, "flat", level, parapet))
    return parts


def metal_hall(
    canvas: Canvas,
    rng: np.random.Generator,
    place: Place,
    sides: tuple[float, float],
    taste: dict[str, float] | None = None,
) -> int:
    """A factory or storage hall: one or several ridges side by side, or a barrel."""
    roof = sample_roof(rng, taste or METAL_TASTE, float(rng.beta(1.3, 3.0)))
    length, width = sides
    spans = max(1, round(width / rng.uniform(14, 30)))
    kind = str(rng.choice(["gable", "barrel", "shed"], p=[0.78, 0.12, 0.1]))
    pitch = {"gable": rng.uniform(0.06, 0.22), "barrel": rng.uniform(0.3, 0.5), "shed": 0.05}[kind]
    tall = rng.uniform(5, 11)
    span = width / spans
    parts = [Part(0, (index + 0.5) * span - width / 2, length, span, kind, tall, pitch) for index in range(spans)]
    building = Building(*place, parts, roof, _wall_color(rng), "gable" if kind == "gable" else kind)
    owner = raise_building(canvas, building)
    if owner and canvas.gsd < 0.8 and rng.random() < 0.4:
        equip_flat(canvas, rng, building, 0.35)
    return owner


def apartments(
    canvas: Canvas, rng: np.random.Generator, place: Place, sides: tuple[float, float], taste: dict[str, float]
) -> int:
    """A long pitched building with cross wings."""
    roof = sample_roof(rng, taste)
    length, width = sides
    level = roof.material in ("membrane", "gravel", "concrete")
    kind, pitch = ("flat", 0.4) if level else (str(rng.choice(["gable", "hip"])), rng.uniform(0.25, 0.5))
    eave = rng.uniform(5.5, 9)
    parts = [Part(0, 0, length, width, kind, eave, pitch)]
    wings = int(rng.integers(0, max(2, int(length / 14))))
    for index in range(wings):
        u = (index + 0.5) / wings * length - length / 2
        parts.append(Part(u, 0, width * 0.45, width * 1.3, kind, eave, pitch, crosswise=True))
    return raise_building(canvas, Building(*place, parts, roof, _wall_color(rng), "complex" if wings else kind))


TANK_COLORS = {"white": 6.0, "gray": 1.6, "beige": 1.0, "rust": 0.8, "green": 0.35, "blue": 0.35, "dark": 0.4}
_TANK_PAINT = {
    "white": rgb(222, 222, 216),
    "gray": rgb(164, 168, 168),
    "beige": rgb(204, 190, 162),
    "rust": rgb(140, 104, 84),
    "green": rgb(110, 142, 118),
    "blue": rgb(92, 142, 178),
    "dark": rgb(74, 74, 76),
}


def storage_tank(canvas: Canvas, rng: np.random.Generator, x: float, y: float, radius: float) -> int:
    """A round tank: a wall, a cone or a floating roof behind a rim, seams, a stair."""
    tall = float(np.clip(radius * rng.uniform(0.5, 1.2), 4, 16))
    lean_x, lean_y = canvas.lean[0] * tall, canvas.lean[1] * tall
    window = canvas.around(x + lean_x / 2, y + lean_y / 2, radius + math.hypot(lean_x, lean_y) / 2 + 1)
    if window is None:
        return 0
    owner = canvas.add("storage tank", STRUCTURE, shape="round")
    color = varied(rng, _TANK_PAINT[pick(rng, TANK_COLORS)], 0.06, 0.008)
    steps = max(int(math.hypot(lean_x, lean_y) / canvas.gsd), 1)
    for step in range(steps):
        up = (step + 0.5) / steps
        u, v = canvas.local(window, x + lean_x * up, y + lean_y * up, 0.0)
        lit = np.clip((u * np.float32(canvas.sun.x) + v * np.float32(canvas.sun.y)) / radius + 0.2, 0, 1)
        relief = (tall * up, 0.55 + 0.45 * lit)
        paint(canvas, window, canvas.soft(radius - np.hypot(u, v)), color * np.float32(0.9), owner, relief)
    u, v = canvas.local(window, x + lean_x, y + lean_y, 0.0)
    floating = bool(rng.random() < 0.25)
    tone = _tank_tone(canvas, rng, u, v, radius)
    roof = np.clip(color * (0.8 if floating else 1.0) * tone[..., None], 0, 0.97)
    relief_of_roof = _tank_roof(canvas, rng, (u, v), (radius, tall), floating)
    paint(canvas, window, canvas.soft(radius - np.hypot(u, v)), roof, owner, relief_of_roof)
    return owner


def _tank_roof(
    canvas: Canvas, rng: np.random.Generator, place: tuple[Floats, Floats], sides: tuple[float, float], floating: bool
) -> tuple[Floats, Floats]:
    """Height and light of a cone, or of a roof that floats below the rim."""
    u, v = place
    radius, tall = sides
    distance = np.hypot(u, v)
    if floating:
        rim = max(0.4, canvas.gsd)
        return np.where(distance < radius - rim, tall * rng.uniform(0.3, 0.85), tall), np.ones_like(u)
    slope = rng.uniform(0.05, 0.3)
    safe = np.maximum(distance, 0.05)
    return tall + slope * (radius - distance), canvas.sun.lambert(-slope * u / safe, -slope * v / safe)


def _tank_tone(canvas: Canvas, rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """Sectors, rings and dirt on a tank's roof."""
    distance, turn = np.hypot(u, v), np.arctan2(v, u)
    sectors = int(rng.integers(8, 24))
    seam = np.abs(np.sin(turn * (sectors / 2))) * distance
    tone = 1 - 0.1 * np.clip(1 - seam / max(0.35, canvas.gsd), 0, 1) * min(1.0, 0.4 / canvas.gsd)
    dirt = canvas.noise.at(u, v, 8.0, 0.6, int(rng.integers(99)))
    tone += rng.uniform(0.004, 0.03) * dirt - 0.1 * np.clip(dirt - rng.uniform(1.0, 2.6), 0, 1)
    tone -= 0.25 * (distance < max(0.05 * radius, 0.5))
    tone -= 0.2 * np.clip(1 - np.abs(distance - 0.93 * radius) / max(0.25, 0.7 * canvas.gsd), 0, 1) * (radius > 5)
    return np.asarray(tone, dtype=np.float32)
