"""A home is a small building: detached houses with gables and hips, town houses, huts, sheds."""

import math

import numpy as np

from .buildings import WALLS, Building, Part, raise_building
from .canvas import Canvas
from .look import varied
from .roofs import sample_roof
from .rooftop import equip_house, equip_terrace

Place = tuple[float, float, float]


def _wall_color(rng: np.random.Generator) -> np.ndarray:
    return varied(rng, WALLS[int(rng.integers(len(WALLS)))], 0.08)


def house(
    canvas: Canvas, rng: np.random.Generator, place: Place, sides: tuple[float, float], taste: dict[str, float]
) -> int:
    """A detached house of about (length, width) metres with its ridge along the angle; its owner mark comes back."""
    roof = sample_roof(rng, taste)
    kind = "hip" if rng.random() < (0.65 if roof.material == "tile" else 0.45) else "gable"
    if roof.material in ("membrane", "gravel", "concrete"):
        kind = "flat"
    pitch = rng.uniform(0.25, 0.6) if kind != "flat" else 0.3
    parts = _house_parts(rng, sides, kind, pitch)
    shape = kind if len(parts) == 1 else ("L" if len(parts) == 2 else "complex")
    building = Building(*place, parts, roof, _wall_color(rng), shape)
    owner = raise_building(canvas, building)
    if owner and canvas.gsd < 0.7:
        equip_house(canvas, rng, building)
    return owner


def _house_parts(rng: np.random.Generator, sides: tuple[float, float], kind: str, pitch: float) -> list[Part]:
    length, width = sides
    eave = float(rng.choice([3.0, 3.4, 5.6], p=[0.45, 0.25, 0.3]))
    parts = [Part(0, 0, length, width, kind, eave, pitch)]
    if rng.random() < 0.62:
        wing = rng.uniform(0.4, 0.6) * length
        out = rng.uniform(0.3, 0.6) * width
        side_u, side_v = rng.choice([-1.0, 1.0], 2)
        depth = width / 2 + out
        parts.append(
            Part(side_u * (length - wing) / 2, side_v * depth / 2, wing, depth, kind, eave, pitch, crosswise=True)
        )
    if len(parts) == 2 and rng.random() < 0.45:
        small = rng.uniform(0.25, 0.4) * length
        parts.append(
            Part(
                -parts[1].u * 0.9, -math.copysign(0.42 * width, parts[1].v), small, 0.5 * width, kind, eave, pitch, True
            )
        )
    return parts


def trailer_home(canvas: Canvas, rng: np.random.Generator, place: Place, taste: dict[str, float]) -> int:
    """A mobile home: long, narrow, low."""
    roof = sample_roof(rng, taste, float(rng.uniform(0.1, 0.6)))
    length, width = rng.uniform(12, 18), rng.uniform(4.2, 7.4)
    parts = [Part(0, 0, length, width, "gable", 3.0, rng.uniform(0.1, 0.22))]
    if rng.random() < 0.5:
        side = float(rng.choice([-1, 1]))
        parts.append(Part(rng.uniform(-2, 2), side * (width / 2 + 1.4), length * 0.5, 2.9, "shed", 2.4, 0.05))
    return raise_building(canvas, Building(*place, parts, roof, _wall_color(rng), "gable"))


_TERRACE_TASTE = {
    "concrete gray": 5.0,
    "concrete pale": 2.5,
    "concrete brown": 1.2,
    "concrete red": 0.35,
    "concrete green": 0.15,
}
_TIN_TASTE = {
    "tin gray": 3.2,
    "tin rust": 2.2,
    "tin blue": 2.4,
    "tin white": 0.8,
    "tin red": 1.1,
    "tin green": 0.35,
    "tin navy": 0.4,
    "tin brown": 0.5,
    "tin orange": 0.15,
    "tin yellow": 0.1,
}


def town_house(canvas: Canvas, rng: np.random.Generator, place: Place, sides: tuple[float, float]) -> int:
    """A house of a dense town: level concrete with a parapet and things on it, or tin."""
    if rng.random() < 0.36:
        return tin_roofed(canvas, rng, place, sides)
    roof = sample_roof(rng, _TERRACE_TASTE, float(rng.uniform(0.35, 1.0)))
    parts = _terraces(rng, sides)
    building = Building(*place, parts, roof, _wall_color(rng), "flat")
    owner = raise_building(canvas, building)
    if owner and canvas.gsd < 0.45:
        equip_terrace(canvas, rng, building)
        if rng.random() < 0.3:
            _roof_shed(canvas, rng, building)
    return owner


def _terraces(rng: np.random.Generator, sides: tuple[float, float]) -> list[Part]:
    """Level roofs of one to three heights, sometimes around a notch."""
    length, width = sides
    parapet = rng.uniform(0.5, 1.1)
    level = 3.1 * int(rng.integers(1, 5)) + parapet
    choice = rng.random()
    if choice < 0.42:
        return [Part(0, 0, length, width, "flat", level, parapet)]
    share = rng.uniform(0.4, 0.65)
    side, other = rng.choice([-1.0, 1.0], 2)
    main = Part(side * length * (1 - share) / 2, 0, length * share, width, "flat", level, parapet)
    rest_length, rest_u = length * (1 - share) + 0.2, -side * length * share / 2
    deep = width * (rng.uniform(0.45, 0.85) if choice > 0.6 else 1.0)
    step = float(rng.choice([-3.1, 0.0, 3.1]))
    rest = Part(rest_u, other * (width - deep) / 2, rest_length, deep, "flat", max(level + step, 3.0), parapet)
    return [main, rest]


def _roof_shed(canvas: Canvas, rng: np.random.Generator, building: Building) -> None:
    """A tin roof over a part of a terrace: another roof colour on the same building, hence no building of its own."""
    part = building.parts[0]
    length, width = part.length * rng.uniform(0.35, 0.6), part.width * rng.uniform(0.4, 0.7)
    shift = (rng.choice([-1, 1]) * (part.length - length) / 2, rng.choice([-1, 1]) * (part.width - width) / 2)
    cover = Part(part.u + shift[0], part.v + shift[1], length, width, "shed", part.eave + 1.6, 0.08, floor=part.eave)
    roof = sample_roof(rng, _TIN_TASTE)
    raise_building(canvas, Building(building.x, building.y, building.angle, [cover], roof, building.wall, "shed"))


def tin_roofed(
    canvas: Canvas,
    rng: np.random.Generator,
    place: Place,
    sides: tuple[float, float],
    taste: dict[str, float] | None = None,
) -> int:
    """A low building under corrugated sheets."""
    roof = sample_roof(rng, taste or _TIN_TASTE)
    kind = str(rng.choice(["shed", "gable", "hip"], p=[0.5, 0.42, 0.08]))
    part = Part(0, 0, *sides, kind, rng.uniform(2.4, 7.5), rng.uniform(0.06, 0.3))
    return raise_building(canvas, Building(*place, [part], roof, _wall_color(rng), kind))


def shed(canvas: Canvas, rng: np.random.Generator, place: Place, side: float) -> int:
    """A garden shed."""
    taste = {
        "tin white": 1.0,
        "tin gray": 1.2,
        "shingle brown": 1.0,
        "shingle gray": 1.0,
        "tin green": 0.3,
        "tin blue": 0.3,
        "tin red": 0.3,
    }
    roof = sample_roof(rng, taste)
    part = Part(0, 0, side, side * rng.uniform(0.6, 1.0), "gable", 2.2, 0.3)
    return raise_building(canvas, Building(*place, [part], roof, _wall_color(rng), "gable"))


def villa(canvas: Canvas, rng: np.random.Generator, place: Place, sides: tuple[float, float]) -> int:
    """A villa of the desert: level roofs of several heights behind parapets, pale."""
    taste = {
        "concrete pale": 3.0,
        "membrane white": 2.5,
        "membrane tan": 2.5,
        "membrane gray": 1.5,
        "tile orange": 1.1,
        "tile pale": 1.0,
        "tile red": 0.6,
        "concrete gray": 1.0,
    }
    roof = sample_roof(rng, taste)
    length, width = sides
    kind, pitch = ("hip", 0.35) if roof.material == "tile" else ("flat", 0.7)
    eave = float(rng.choice([4.2, 7.6]))
    parts = [Part(0, 0, length, width * 0.72, kind, eave, pitch)]
    for _ in range(int(rng.integers(1, 4))):
        size = (rng.uniform(0.3, 0.55) * length, rng.uniform(0.35, 0.6) * width)
        shift = rng.uniform(-0.5, 0.5, 2) * [length - size[0], width]
        lower = max(eave + float(rng.choice([-3.2, 0.0, 2.6])), 3.4)
        parts.append(Part(shift[0], shift[1], *size, kind, lower, pitch))
    building = Building(*place, parts, roof, _wall_color(rng), "complex")
    owner = raise_building(canvas, building)
    if owner and canvas.gsd < 0.6 and kind == "flat":
        equip_terrace(canvas, rng, building)
    return owner
