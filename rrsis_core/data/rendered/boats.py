"""A boat is a hull with deck and cabin, sail or load; a ship is a boat longer than 40 metres."""

import math

import numpy as np

from .boxes import box, patch
from .canvas import KEEP, MOVABLE, Canvas, paint
from .look import Color, pick, rgb, varied
from .shapes import Points, blurred, polygon, turned

_HULLS = {"white": 9.0, "cream": 1.0, "blue": 0.7, "red": 0.35, "wood": 0.6, "gray": 0.6, "green": 0.25}
_PAINTS = {
    "white": rgb(232, 234, 234),
    "cream": rgb(216, 208, 188),
    "blue": rgb(70, 104, 152),
    "red": rgb(164, 66, 56),
    "wood": rgb(150, 120, 92),
    "gray": rgb(160, 164, 166),
    "green": rgb(86, 128, 104),
}
_CANVAS = {"blue": rgb(52, 84, 138), "tan": rgb(186, 170, 142), "white": rgb(224, 222, 216), "dark": rgb(58, 62, 68)}
_BOXES = (
    rgb(150, 66, 54),
    rgb(60, 96, 148),
    rgb(86, 122, 92),
    rgb(196, 190, 180),
    rgb(186, 118, 60),
    rgb(120, 122, 124),
)


def _hull(length: float, width: float, stern: float) -> Points:
    """Outline with the bow at +u; `stern` is the share of the width at the back."""
    along = np.linspace(-0.5, 0.5, 15)
    swell = np.clip(np.minimum(1.0, stern + (along + 0.5) * 3), 0, 1) * np.sqrt(
        np.clip(1 - ((along - 0.05) / 0.47) ** 4, 0, 1)
    )
    swell = np.where(along < -0.3, np.maximum(swell, stern), swell)
    upper = np.stack([along * length, swell * width / 2], axis=1)
    return np.concatenate([upper, (upper * [1, -1])[::-1]])


def boat(canvas: Canvas, rng: np.random.Generator, place: tuple[float, float, float], length: float) -> int:
    """A yacht, motor boat or dinghy with its bow along the angle; its owner mark comes back, 0 when outside."""
    width = length * rng.uniform(0.26, 0.34) if length < 9 else length * rng.uniform(0.22, 0.3)
    shape = polygon(canvas, turned(_hull(length, width, rng.uniform(0.6, 0.85)), *place), 0.3)
    if shape is None:
        return 0
    color = varied(rng, _PAINTS[pick(rng, _HULLS)], 0.05, 0.008)
    kind = pick(
        rng, {"motor boat": 3.0, "sailing boat": 1.5 if length > 7 else 0.0, "open boat": 1.0 if length < 8 else 0.1}
    )
    owner = canvas.add("boat", MOVABLE, type=kind)
    paint(canvas, *shape, color, owner, (0.09 * length + 0.3, 1.0))
    _deck(canvas, rng, place, (length, width), kind)
    return owner


def _ahead(place: tuple[float, float, float], along: float, across: float = 0.0) -> tuple[float, float, float]:
    x, y, angle = place
    return (
        x + along * math.cos(angle) - across * math.sin(angle),
        y + along * math.sin(angle) + across * math.cos(angle),
        angle,
    )


def _deck(
    canvas: Canvas, rng: np.random.Generator, place: tuple[float, float, float], sides: tuple[float, float], kind: str
) -> None:
    length, width = sides
    deck = 0.09 * length + 0.3
    cover = varied(rng, _CANVAS[pick(rng, {"blue": 2, "tan": 1, "white": 2, "dark": 1})], 0.1)
    if kind == "open boat":
        patch(canvas, _ahead(place, -0.05 * length), (0.62 * length, 0.58 * width), varied(rng, rgb(120, 104, 88), 0.2))
        return
    light = varied(rng, rgb(238, 238, 236), 0.04)
    patch(canvas, _ahead(place, 0.16 * length), (0.44 * length, 0.5 * width), light)
    if kind == "sailing boat":
        box(canvas, _ahead(place, 0.06 * length), (0.34 * length, 0.34 * width, deck + 0.5), light)
        patch(canvas, _ahead(place, -0.3 * length), (0.26 * length, 0.46 * width), varied(rng, rgb(150, 138, 122), 0.1))
        box(canvas, _ahead(place, -0.1 * length), (0.4 * length, 0.35, deck + 1.6), cover)
        box(canvas, _ahead(place, 0.1 * length), (0.22, 0.22, 1.15 * length), rgb(200, 200, 200))
        return
    box(canvas, _ahead(place, -0.02 * length), (0.34 * length, 0.6 * width, deck + 1.1), light)
    patch(canvas, _ahead(place, 0.13 * length), (0.1 * length, 0.54 * width), rgb(56, 62, 72))
    patch(canvas, _ahead(place, -0.32 * length), (0.22 * length, 0.62 * width), varied(rng, rgb(206, 200, 188), 0.1))
    if rng.random() < 0.4:
        box(canvas, _ahead(place, -0.14 * length), (0.3 * length, 0.64 * width, deck + 2.0), cover)


def wake(canvas: Canvas, place: tuple[float, float, float], length: float) -> None:
    """The white trail of a moving boat."""
    for side in (-1, 1):
        start = _ahead(place, 0.4 * length, side * 0.1 * length)[:2]
        end = _ahead(place, -3.2 * length, side * 0.75 * length)[:2]
        inner = _ahead(place, -2.4 * length, side * 0.15 * length)[:2]
        shape = polygon(canvas, np.array([start, end, inner]), 1.0)
        if shape is not None:
            window, alpha = shape
            foam = np.clip(0.3 + 0.3 * canvas.grain(window, 5, 0.5, 1.2, 1), 0, 0.8)
            paint(canvas, window, blurred(canvas, alpha, 0.8) * foam * 0.7, rgb(206, 214, 214), KEEP)


def ship(canvas: Canvas, rng: np.random.Generator, place: tuple[float, float, float], length: float) -> int:
    """A freighter, tanker or ferry of at least 40 m; its owner mark comes back, 0 when outside."""
    width = length * rng.uniform(0.14, 0.18)
    shape = polygon(canvas, turned(_hull(length, width, 0.9), *place), 0.5)
    if shape is None:
        return 0
    kind = pick(rng, {"container ship": 1.5, "tanker": 1.0, "bulk carrier": 1.2, "ferry": 0.6})
    hull = varied(
        rng, {"ferry": rgb(224, 224, 222)}.get(kind, rgb(96, 62, 56) if rng.random() < 0.5 else rgb(76, 84, 88)), 0.1
    )
    deck = {"tanker": rgb(134, 72, 60), "bulk carrier": rgb(118, 84, 70), "container ship": rgb(104, 102, 98)}
    owner = canvas.add("ship", MOVABLE, type=kind)
    paint(canvas, *shape, hull, owner, (7.0, 1.0))
    inner = polygon(canvas, turned(_hull(length * 0.97, width * 0.9, 0.9), *place))
    if inner is not None:
        window, alpha = inner
        tone = (1 + 0.06 * canvas.grain(window, 8, 0.6, 1.0))[..., None]
        paint(canvas, window, alpha, varied(rng, deck.get(kind, rgb(206, 206, 204)), 0.08) * tone)
    _load(canvas, rng, place, (length, width), kind)
    bridge = -0.38 if kind != "ferry" else 0.3
    box(canvas, _ahead(place, bridge * length), (0.09 * length, 0.82 * width, 18.0), rgb(222, 222, 218))
    box(
        canvas,
        _ahead(place, (bridge - 0.055) * length),
        (0.03 * length, 0.2 * width, 21.0),
        varied(rng, rgb(160, 80, 60), 0.2),
    )
    return owner


def _load(
    canvas: Canvas, rng: np.random.Generator, place: tuple[float, float, float], sides: tuple[float, float], kind: str
) -> None:
    length, width = sides
    if kind == "container ship":
        for along in np.arange(-0.28 * length, 0.36 * length, 13.2):
            for across in np.arange(-0.4 * width + 1.3, 0.4 * width, 2.55):
                if rng.random() < 0.85:
                    color: Color = varied(rng, _BOXES[int(rng.integers(len(_BOXES)))], 0.1)
                    box(
                        canvas,
                        _ahead(place, float(along), float(across)),
                        (12.2, 2.4, 9 + rng.integers(1, 4) * 2.6),
                        color,
                    )
    elif kind == "bulk carrier":
        for along in np.arange(-0.24 * length, 0.4 * length, 0.13 * length):
            box(
                canvas,
                _ahead(place, float(along)),
                (0.09 * length, 0.56 * width, 9.0),
                varied(rng, rgb(140, 132, 120), 0.12),
            )
    elif kind == "tanker":
        box(canvas, _ahead(place, 0.03 * length), (0.7 * length, 1.4, 8.2), varied(rng, rgb(180, 176, 168), 0.1))
        box(canvas, _ahead(place, 0.05 * length), (1.2, 0.8 * width, 8.4), varied(rng, rgb(180, 176, 168), 0.1))
    else:
        box(canvas, _ahead(place, 0.0), (0.8 * length, 0.78 * width, 16.0), rgb(216, 218, 218))
