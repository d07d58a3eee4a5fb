"""A ground is a texture of reflectance that covers pixels: grass, soil, asphalt, concrete, sand, crops.

Every function gives (rows, columns, 3) of 0..1 for the pixels of a window.
"""

import numpy as np

from .canvas import Canvas, Window
from .look import Color, Look
from .noise import Floats


def _shaded(color: Color | Floats, tone: Floats) -> Floats:
    return np.asarray(color * tone[..., None], dtype=np.float32)


def blend(first: Color | Floats, second: Color | Floats, share: Floats) -> Floats:
    """Mix of two colours, `share` of the second."""
    return np.asarray(first + share[..., None] * (second - first), dtype=np.float32)


def grass(canvas: Canvas, window: Window, look: Look, dryness: float | None = None, salt: int = 0) -> Floats:
    """Lawn or meadow: patches of dry and lush, tufts, wear."""
    dry = look.dryness if dryness is None else dryness
    broad = canvas.grain(window, 60, 6, 1.3, salt)
    patches = canvas.grain(window, 9, 1.2, 1.2, salt + 1)
    fine = canvas.grain(window, 1.6, 0.2, 0.6, salt + 2)
    share = np.clip(dry + 0.1 * broad + 0.04 * patches + 0.03 * fine, 0, 1)
    tone = 1 + 0.04 * broad + 0.02 * patches + 0.045 * fine
    return _shaded(blend(look.grass, look.grass_dry, share), tone)


def mown(canvas: Canvas, window: Window, look: Look, dryness: float, stripes: tuple[float, float, float]) -> Floats:
    """Tended grass with mowing stripes given as (angle, width in metres, strength)."""
    angle, width, strength = stripes
    u, _ = canvas.local(window, 0.0, 0.0, angle)
    fresh = np.array([0.95, 1.05, 0.9], dtype=np.float32) * grass(canvas, window, look, dryness)
    return _shaded(fresh, 1 + strength * np.tanh(4 * np.sin(u * np.float32(np.pi / width))))


def soil(canvas: Canvas, window: Window, color: Color, roughness: float = 1.0, salt: int = 0) -> Floats:
    """Bare earth: damp, dry and scraped patches, stones, grain."""
    huge = canvas.grain(window, 300, 30, 1.6, salt)
    broad = canvas.grain(window, 40, 5, 1.4, salt + 1)
    patches = canvas.grain(window, 6, 0.8, 1.1, salt + 2)
    fine = canvas.grain(window, 0.9, 0.15, 0.4, salt)
    tone = 1 + roughness * (0.05 * huge + 0.035 * broad + 0.025 * patches + 0.03 * fine)
    pale = np.clip(0.2 + 0.25 * huge + 0.2 * broad + 0.1 * patches, 0, 1) * roughness * 0.5
    return _shaded(blend(color, color * np.float32(0.8) + np.float32(0.16), pale), tone)


def scrub(canvas: Canvas, window: Window, look: Look, cover: float, salt: int = 0) -> Floats:
    """Soil with weeds and dry tufts on a share of it."""
    earth = soil(canvas, window, look.soil, salt=salt)
    weeds = grass(canvas, window, look, min(look.dryness + 0.2, 1.0), salt + 1) * np.float32(0.9)
    tufts = canvas.grain(window, 12, 0.4, 0.9, salt + 2)
    return blend(earth, weeds, np.clip((tufts + 3.2 * cover - 1.6) * 1.6 + 0.5, 0, 1))


def asphalt(canvas: Canvas, window: Window, color: Color, wear: float = 1.0, salt: int = 0) -> Floats:
    """Paving with stains, repaired patches and fine cracks."""
    broad = canvas.grain(window, 30, 4, 1.3, salt)
    stains = canvas.grain(window, 5, 0.6, 1.0, salt + 1)
    fine = canvas.grain(window, 0.7, 0.12, 0.3, salt + 2)
    tone = 1 + wear * (0.026 * broad + 0.014 * stains + 0.022 * fine)
    tone -= wear * 0.09 * np.clip(stains - 1.7, 0, 1.5)
    cracks = np.abs(canvas.grain(window, 22, 1.5, 1.1, salt + 1))
    tone -= wear * 0.1 * np.clip(1 - cracks * 28 * max(0.35, canvas.gsd), 0, 1)
    return _shaded(color, tone)


def slabs(canvas: Canvas, window: Window, color: Color, grid: tuple[float, float], salt: int = 0) -> Floats:
    """Concrete slabs: a grid given as (angle, side in metres), each slab of its own tone, dark joints, stains."""
    angle, side = grid
    u, v = canvas.local(window, 0.0, 0.0, angle)
    u, v = u / np.float32(side) + 500, v / np.float32(side) + 500
    tones = 0.018 * np.random.default_rng(17 + salt).standard_normal((64, 64)).astype(np.float32)
    tone = 1 + tones[u.astype(np.int32) % 64, v.astype(np.int32) % 64]
    edge = np.minimum(np.abs(u - np.round(u)), np.abs(v - np.round(v))) * side
    tone -= min(0.1, 0.022 / canvas.gsd) * np.clip(1.2 - edge / max(canvas.gsd, 0.12), 0, 1)
    broad = canvas.grain(window, 50, 4, 1.2, salt)
    stains = canvas.grain(window, 8, 0.8, 1.0, salt + 1)
    tone += 0.04 * broad + 0.022 * stains - 0.1 * np.clip(stains - 1.6, 0, 1.5)
    return _shaded(color, tone + 0.02 * canvas.grain(window, 0.8, 0.15, 0.3, salt + 2))


def sand(canvas: Canvas, window: Window, color: Color, salt: int = 0) -> Floats:
    """Smooth bright sand with faint undulation."""
    broad = canvas.grain(window, 50, 6, 1.3, salt + 1)
    ripple = canvas.grain(window, 3.5, 0.5, 0.8, salt)
    fine = canvas.grain(window, 0.8, 0.15, 0.3, salt + 2)
    return _shaded(color, 1 + 0.03 * broad + 0.01 * ripple + 0.016 * fine)


def crop(canvas: Canvas, window: Window, colors: tuple[Color, Color], rows: tuple[float, float, float]) -> Floats:
    """Crop rows over soil (colours of plants and soil); rows as (angle, spacing in metres, cover 0..1).

    Machines leave pairs of wheel lines; growth differs between wet and dry parts and, a little, from row to row.
    """
    angle, spacing, cover = rows
    u, v = canvas.local(window, 0.0, 0.0, angle)
    bent = v + np.float32(0.6 * spacing) * canvas.grain(window, 200, 40, 1.8, 1)
    phase = np.sin(bent * np.float32(2 * np.pi / spacing))
    visible = np.float32(np.clip((spacing / canvas.gsd - 2) / 2.5, 0.0, 1.0))
    broad = canvas.grain(window, 130, 12, 1.5)
    clumps = canvas.noise.at(u * np.float32(0.35), v, 3.0, 0.3, 2)
    fine = canvas.grain(window, 0.8, 0.15, 0.3, 2)
    level = np.float32(2.4 * cover - 1.2) + visible * phase + 0.3 * broad + 0.2 * clumps
    share = np.clip(0.5 + 0.75 * level, 0, 1)
    tone = 1 + 0.05 * broad + 0.025 * clumps + 0.04 * fine + 0.05 * visible * phase
    lane = np.float32(12 + 6 * (spacing * 7 % 2))
    wheels = np.abs(np.abs(np.mod(bent, lane) - lane / 2) - 0.95)
    share *= 1 - 0.6 * np.clip(1.3 - wheels / max(0.3, 0.6 * canvas.gsd), 0, 1) * min(1.0, 0.5 / canvas.gsd)
    return _shaded(blend(colors[1], colors[0], share), tone)


def rubble(canvas: Canvas, window: Window, color: Color, salt: int = 0) -> Floats:
    """Rubbish and debris: a confusion of small light, dark and coloured pieces."""
    light = canvas.grain(window, 2.0, 0.25, 0.3, salt)
    tint = np.stack([canvas.grain(window, 2.5, 0.3, 0.3, salt + shift) for shift in (0, 1, 2)], axis=-1)
    return np.clip(color * (1 + 0.28 * light[..., None]) + 0.045 * tint, 0.03, 0.95).astype(np.float32)
