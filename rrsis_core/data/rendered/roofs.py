"""A roof covering is a material with its own colour, courses, ribs, sheets, stains and rust."""

from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Window
from .look import Color, pick, rgb, varied
from .noise import Floats


@dataclass(frozen=True)
class Roof:
    """What covers a building."""

    material: str
    """shingle, tile, tin, concrete, membrane or gravel."""

    color: Color
    weathered: float
    """0: new, 1: stained, patched, rusty."""

    salt: int


ROOFS: dict[str, tuple[Color, ...]] = {
    "shingle gray": (rgb(128, 125, 120), rgb(146, 143, 138), rgb(110, 108, 104)),
    "shingle dark": (rgb(84, 82, 82), rgb(96, 92, 90), rgb(74, 74, 78)),
    "shingle black": (rgb(54, 54, 56), rgb(62, 60, 60)),
    "shingle brown": (rgb(118, 96, 80), rgb(134, 112, 94), rgb(98, 78, 66), rgb(126, 92, 76)),
    "shingle tan": (rgb(170, 152, 130), rgb(182, 166, 144), rgb(158, 144, 126)),
    "shingle blue": (rgb(96, 108, 124), rgb(86, 100, 120)),
    "shingle green": (rgb(98, 110, 94), rgb(82, 100, 86)),
    "shingle white": (rgb(196, 194, 188), rgb(210, 208, 202)),
    "tile red": (rgb(164, 90, 74), rgb(152, 80, 68), rgb(172, 98, 84), rgb(140, 74, 64)),
    "tile orange": (rgb(204, 134, 94), rgb(196, 122, 80), rgb(206, 146, 112), rgb(190, 136, 108)),
    "tile brown": (rgb(134, 92, 72), rgb(150, 108, 86), rgb(116, 84, 70)),
    "tile pale": (rgb(204, 176, 146), rgb(190, 164, 138)),
    "tile gray": (rgb(120, 118, 116), rgb(138, 134, 130)),
    "tin white": (rgb(216, 217, 214), rgb(228, 227, 222), rgb(202, 204, 204)),
    "tin gray": (rgb(150, 156, 160), rgb(168, 173, 176), rgb(132, 138, 142)),
    "tin blue": (rgb(62, 116, 178), rgb(84, 142, 192), rgb(48, 92, 154), rgb(100, 150, 186), rgb(56, 104, 190)),
    "tin navy": (rgb(44, 66, 122), rgb(52, 80, 136)),
    "tin red": (rgb(176, 70, 62), rgb(160, 60, 56), rgb(186, 88, 78), rgb(140, 52, 52)),
    "tin rust": (rgb(130, 94, 76), rgb(144, 100, 78), rgb(116, 88, 76)),
    "tin green": (rgb(88, 134, 104), rgb(74, 118, 92), rgb(124, 158, 134)),
    "tin brown": (rgb(112, 88, 74), rgb(98, 80, 70)),
    "tin yellow": (rgb(206, 178, 88),),
    "tin orange": (rgb(206, 122, 66),),
    "concrete gray": (rgb(150, 147, 140), rgb(166, 162, 153), rgb(132, 130, 124)),
    "concrete pale": (rgb(190, 184, 170), rgb(204, 198, 186)),
    "concrete brown": (rgb(152, 136, 116), rgb(138, 122, 106)),
    "concrete red": (rgb(164, 106, 88), rgb(154, 98, 84)),
    "concrete green": (rgb(122, 142, 118), rgb(108, 132, 112)),
    "membrane white": (rgb(226, 224, 216), rgb(216, 214, 208), rgb(234, 230, 220)),
    "membrane gray": (rgb(172, 171, 167), rgb(154, 153, 150), rgb(188, 186, 180)),
    "membrane tan": (rgb(196, 182, 156), rgb(208, 192, 166)),
    "gravel gray": (rgb(150, 146, 136), rgb(134, 130, 122)),
    "gravel dark": (rgb(84, 83, 84), rgb(70, 70, 72)),
}
"""Coverings by material and colour: the colours before weathering."""


def sample_roof(rng: np.random.Generator, taste: dict[str, float], weathered: float | None = None) -> Roof:
    """A covering out of a taste (weights of names in ROOFS)."""
    name = pick(rng, taste)
    colors = ROOFS[name]
    color = varied(rng, colors[int(rng.integers(len(colors)))], 0.06, 0.008)
    wear = float(rng.beta(1.4, 2.2)) if weathered is None else weathered
    return Roof(name.split()[0], color, wear, int(rng.integers(1 << 20)))


def skin(canvas: Canvas, window: Window, slope: tuple[Floats, Floats], roof: Roof) -> Floats:
    """Reflectance of a covering; `slope` are metres along the ridge and down the slope (or any for level roofs)."""
    along, across = slope
    textures = {"shingle": _shingle, "tile": _tile, "tin": _tin, "gravel": _gravel}
    return textures.get(roof.material, _level)(canvas, window, along, across, roof)


def _toned(color: Color | Floats, tone: Floats) -> Floats:
    return np.clip(color * tone[..., None], 0.02, 0.97).astype(np.float32)


def _visible(canvas: Canvas, spacing: float) -> float:
    """How far a pattern of this spacing (metres) survives the pixels: 1 well resolved, 0 not at all."""
    return float(np.clip(spacing / canvas.gsd / 2.0 - 1.0, 0.0, 1.0))


def _shingle(canvas: Canvas, window: Window, along: Floats, across: Floats, roof: Roof) -> Floats:
    noise = canvas.noise
    streaks = noise.at(along, across * np.float32(0.3), 5.0, 0.5, roof.salt)
    mottle = noise.at(along, across, 0.9, 0.15, roof.salt + 1)
    broad = canvas.grain(window, 8, 1.5, 1.2, roof.salt + 2)
    courses = np.sin(across * np.float32(2 * np.pi / 0.45)) * _visible(canvas, 0.45)
    tone = 1 + roof.weathered * (0.05 * streaks + 0.05 * broad) + 0.04 * mottle + 0.025 * courses
    return _toned(roof.color, tone)


def _tile(canvas: Canvas, window: Window, along: Floats, across: Floats, roof: Roof) -> Floats:
    noise = canvas.noise
    ribs = np.sin(along * np.float32(2 * np.pi / 0.33)) * _visible(canvas, 0.33)
    courses = np.sin(across * np.float32(2 * np.pi / 0.4)) * _visible(canvas, 0.4)
    single = noise.at(along, across, 0.8, 0.25, roof.salt)
    patches = canvas.grain(window, 6, 1.0, 1.1, roof.salt + 1)
    tone = 1 + 0.05 * ribs + 0.06 * courses + 0.06 * single + 0.07 * roof.weathered * patches
    moss = np.clip(roof.weathered * (0.12 + 0.16 * patches), 0, 0.4)[..., None]
    return _toned(roof.color + moss * (_MOSS - roof.color), tone)


_SHEETS = np.random.default_rng(5).standard_normal((3, 256)).astype(np.float32)
_RUST = rgb(126, 84, 64)
_MOSS, _FADED = rgb(92, 89, 76), rgb(158, 156, 153)
_MENDED = (rgb(160, 164, 166), rgb(132, 96, 78), rgb(150, 120, 100), rgb(120, 124, 128))


def _tin(canvas: Canvas, window: Window, along: Floats, across: Floats, roof: Roof) -> Floats:
    """Corrugated sheets: each with its own tone, ribs down the slope, rust that runs down."""
    noise = canvas.noise
    sheet = np.asarray(along / np.float32(0.95), dtype=np.int32) + (across > 3.2) * 37 + roof.salt % 256
    tone = 1 + (0.015 + 0.05 * roof.weathered) * _SHEETS[0][sheet % 256]
    wide = _visible(canvas, 0.95)
    tone = tone + 0.05 * wide * np.sin(along * np.float32(2 * np.pi / 0.95))
    tone += 0.05 * _visible(canvas, 0.3) * np.sin(along * np.float32(2 * np.pi / 0.3))
    streaks = noise.at(along, across * np.float32(0.22), 2.5, 0.25, roof.salt)
    blots = canvas.grain(window, 7, 0.7, 1.1, roof.salt + 1)
    tone += (0.012 + 0.035 * roof.weathered) * streaks + 0.03 * roof.weathered * blots
    rust = np.clip(0.5 * streaks + 0.8 * blots + 0.5 * _SHEETS[1][sheet % 256] - 2.6 + 2.3 * roof.weathered, 0, 0.85)
    color = roof.color + rust[..., None] * (_RUST - roof.color)
    if roof.weathered > 0.55:  # mended with odd sheets
        odd = (_SHEETS[2][(sheet * 5 + roof.salt) % 256] > 1.15)[..., None] * np.float32(0.8)
        color = color + odd * (_MENDED[roof.salt % len(_MENDED)] - color)
    faded = np.clip(0.16 * roof.weathered * (1 + blots), 0, 0.35)[..., None]
    return _toned(color + faded * (_FADED - color), tone)


def _level(canvas: Canvas, window: Window, along: Floats, across: Floats, roof: Roof) -> Floats:
    """Flat roofs of concrete or membrane: water stains, seams, patches of another age."""
    noise = canvas.noise
    broad = canvas.grain(window, 14, 2.0, 1.3, roof.salt)
    stains = canvas.grain(window, 4, 0.4, 1.0, roof.salt + 1)
    strength = roof.weathered * (1.0 if roof.material == "concrete" else 0.55)
    tone = 1 + 0.02 * broad + strength * (0.07 * broad + 0.07 * stains) - strength * 0.18 * np.clip(stains - 1.1, 0, 2)
    spacing = 3.0 if roof.material == "concrete" else 2.0
    seam = np.abs(along / np.float32(spacing) - np.round(along / np.float32(spacing))) * spacing
    tone -= 0.05 * np.clip(1 - seam / max(canvas.gsd, 0.1), 0, 1) * min(1.0, 0.2 / canvas.gsd)
    cells = np.asarray(along / 4.5 + 100, np.int32) * 7 + np.asarray(across / 6.0 + 100, np.int32) * 13 + roof.salt
    tone += (0.015 + 0.03 * strength) * _SHEETS[2][cells % 256]
    tone += 0.025 * noise.at(along, across, 0.7, 0.15, roof.salt + 2)
    return _toned(roof.color, tone)


def _gravel(canvas: Canvas, window: Window, along: Floats, across: Floats, roof: Roof) -> Floats:
    broad = canvas.grain(window, 12, 1.5, 1.2, roof.salt)
    fine = canvas.noise.at(along, across, 0.8, 0.15, roof.salt + 1)
    return _toned(roof.color, 1 + (0.03 + 0.06 * roof.weathered) * broad + 0.05 * fine)
