"""A water is a surface with depth: shallow and muddy at the shore, darker outside, rippled, sometimes glinting."""

import numpy as np

from .canvas import Canvas, Window
from .ground import blend
from .look import Color, rgb
from .noise import Floats
from .shapes import blurred

WATERS: dict[str, tuple[Color, Color]] = {
    # deep, shallow
    "dark": (rgb(44, 54, 56), rgb(84, 88, 76)),
    "green": (rgb(66, 86, 66), rgb(104, 112, 82)),
    "brown": (rgb(112, 102, 88), rgb(138, 124, 104)),
    "gray": (rgb(98, 106, 108), rgb(122, 124, 116)),
    "blue": (rgb(50, 82, 112), rgb(92, 122, 128)),
    "teal": (rgb(44, 100, 106), rgb(112, 156, 142)),
    "black": (rgb(22, 26, 28), rgb(58, 62, 56)),
    "algae": (rgb(74, 104, 52), rgb(98, 118, 66)),
}


def surface(canvas: Canvas, window: Window, inside: Floats, name: str, shore_m: float = 6.0) -> Floats:
    """Reflectance of a water that covers `inside` of a window's pixels, (rows, columns, 3)."""
    deep, shallow = WATERS[name]
    broad = canvas.grain(window, 160, 20, 1.5, 1)
    depth = np.clip(2.2 * blurred(canvas, inside, shore_m) - 1.1 + 0.05 * broad, 0, 1)
    tone = 1 + 0.035 * broad + _ripples(canvas, window)
    return np.asarray(blend(shallow, deep, depth) * tone[..., None], dtype=np.float32)


def _ripples(canvas: Canvas, window: Window) -> Floats:
    wind = np.float32(canvas.noise.offset % 314) / 100
    u, v = canvas.local(window, 0.0, 0.0, float(wind))
    calm = np.clip(0.5 + 0.5 * canvas.grain(window, 90, 10, 1.3, 2), 0.1, 1.2)
    waves = canvas.noise.at(u * np.float32(2.2), v, 5.0, 0.5, 1)
    strength = 0.012 + 0.05 * ((canvas.noise.offset // 314) % 100 / 100) ** 2
    glint = np.clip(waves - 1.8, 0, 2) * min(0.25, 0.07 / canvas.gsd) * ((canvas.noise.offset // 31400) % 10 > 6)
    return np.asarray(calm * (strength * waves + glint), dtype=np.float32)


def surf(canvas: Canvas, window: Window, off_shore: Floats) -> Floats:
    """Share of foam (0..1) by metres off the shore line: a lacy belt at the beach, broken wave crests further out."""
    width = np.clip(9 + 6 * canvas.grain(window, 120, 25, 1.5, 2), 1.5, 30)
    lace = canvas.grain(window, 9.0, 0.4, 1.0, 1)
    fray = canvas.grain(window, 14.0, 1.0, 1.2, 0)
    inside = (off_shore + 1.2 * fray) / width
    belt = np.clip(1.25 - inside, 0, 1) * np.clip((off_shore + 1.0) / 1.5, 0, 1)
    foam = np.clip(belt * 1.5 + 0.4 * lace * (inside < 1.4) - 0.55, 0, 1)
    reach = off_shore + 2.5 * canvas.grain(window, 150, 30, 1.6, 0) - 1.6 * width
    crests = (
        np.clip(1 - np.abs(np.mod(reach, 21.0) - 3.0) / 2.6, 0, 1) * (reach > 0) * np.exp(-np.clip(reach, 0, None) / 30)
    )
    breaking = np.clip(canvas.grain(window, 60, 10, 1.4, 1) - 0.2, 0, 1)
    foam = np.maximum(foam, crests * breaking * (0.8 + 0.5 * lace))
    return np.clip(foam, 0, 0.93).astype(np.float32)
