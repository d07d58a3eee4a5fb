"""An airplane is a fuselage, swept wings, tail and engines, from a sports plane to a wide-body."""

import math
from dataclasses import dataclass

import numpy as np

from .canvas import MOVABLE, Canvas, Window, paint
from .look import Color, pick, rgb, varied
from .noise import Floats
from .shapes import Points, ellipse, polygons, turned


@dataclass(frozen=True)
class Model:
    """Proportions of a type: metres and shares of the length."""

    length: float
    span: float
    body: float
    """Diameter of the fuselage."""

    sweep: float
    """How far the wing tips lie behind the roots, as a share of the length."""

    chord: float
    """Depth of the wing at its root as a share of the length."""

    root: float
    """Where the wing begins, as a share of the length from the middle towards the nose."""

    engines: str
    """nose, wing2, wing4 or tail."""


MODELS = {
    "sports plane": Model(8.2, 11.0, 1.2, 0.0, 0.18, 0.22, "nose"),
    "twin": Model(11.0, 13.5, 1.5, 0.02, 0.17, 0.16, "wing2"),
    "business jet": Model(17.5, 16.5, 1.9, 0.16, 0.2, 0.06, "tail"),
    "regional jet": Model(30.0, 24.0, 2.8, 0.17, 0.19, 0.08, "tail"),
    "airliner": Model(38.0, 34.5, 3.9, 0.19, 0.2, 0.12, "wing2"),
    "wide-body": Model(60.0, 58.0, 5.8, 0.24, 0.2, 0.14, "wing2"),
    "jumbo": Model(70.0, 63.0, 6.5, 0.25, 0.2, 0.16, "wing4"),
}

_LIVERIES = {
    "white": 7.0,
    "blue": 1.2,
    "red": 0.5,
    "gray": 1.2,
    "yellow": 0.35,
    "navy": 0.6,
    "green": 0.25,
    "orange": 0.25,
}
_PAINTS = {
    "white": rgb(236, 236, 234),
    "gray": rgb(168, 172, 176),
    "blue": rgb(52, 78, 172),
    "navy": rgb(40, 52, 100),
    "red": rgb(182, 52, 46),
    "yellow": rgb(226, 186, 62),
    "green": rgb(66, 128, 92),
    "orange": rgb(216, 118, 52),
}


def airplane(canvas: Canvas, rng: np.random.Generator, place: tuple[float, float, float], model_name: str) -> int:
    """An airplane at (x, y, angle), its nose along the angle; its owner mark comes back, 0 when outside."""
    model = MODELS[model_name]
    size = rng.uniform(0.92, 1.08)
    parts = {
        name: [turned(points * size, *place) for points in outlines] for name, outlines in _outlines(model).items()
    }
    whole = polygons(canvas, [points for outlines in parts.values() for points in outlines], 1.0)
    if whole is None:
        return 0
    window, alpha = whole
    livery = pick(rng, _LIVERIES)
    paint_color = varied(rng, _PAINTS[livery], 0.04, 0.008)
    wing_color = varied(rng, rgb(206, 208, 208) if rng.random() < 0.6 else _PAINTS["white"], 0.05, 0.005)
    tail_color = paint_color if rng.random() < 0.5 else varied(rng, _PAINTS[pick(rng, _LIVERIES)], 0.05)
    owner = canvas.add("airplane", MOVABLE, type=model_name)
    paint(canvas, window, alpha, wing_color, owner, (0.055 * model.length**0.8 * size + 0.9, 1.0))
    _layer(canvas, parts["tail"], wing_color * np.float32(0.98), 0.09 * model.length + 1)
    _layer(canvas, parts["engines"], varied(rng, rgb(186, 188, 190), 0.1), 0.05 * model.length + 1)
    _fuselage(canvas, parts["body"], (place, model.body * size), paint_color)
    _layer(canvas, parts["fin"], tail_color, 0.17 * model.length + 2)
    if model.engines != "nose":
        _layer(canvas, parts["cockpit"], rgb(48, 52, 60), 0.08 * model.length + 1)
    return owner


def _layer(canvas: Canvas, outlines: list[Points], color: Color, height: float) -> None:
    shape = polygons(canvas, outlines) if outlines else None
    if shape is not None:
        paint(canvas, *shape, color, 0, (height, 1.0))


def _fuselage(
    canvas: Canvas, outlines: list[Points], axis: tuple[tuple[float, float, float], float], color: Color
) -> None:
    shape = polygons(canvas, outlines)
    if shape is None:
        return
    window, alpha = shape
    place, diameter = axis
    _, v = canvas.local(window, *place)
    paint(canvas, window, alpha, color, 0, (1.1 * diameter + 0.8, _round_light(canvas, window, v, place[2], diameter)))


def _round_light(canvas: Canvas, window: Window, v: Floats, angle: float, diameter: float) -> Floats:
    """Light on a tube that lies along an angle."""
    bow = np.clip(v / (diameter / 2), -0.93, 0.93)
    slope = -bow / np.sqrt(1 - bow * bow) * 0.55
    return canvas.sun.lambert(slope * np.float32(-math.sin(angle)), slope * np.float32(math.cos(angle)))


def _outlines(model: Model) -> dict[str, list[Points]]:
    """Polygons by part, nose along +u, the middle of the fuselage at the origin."""
    half, wide = model.length / 2, model.body / 2
    nose = [(half - model.body * (1 - math.cos(t)) * 0.9, wide * math.sin(t)) for t in np.linspace(0, math.pi / 2, 7)]
    stern = [(-half * 0.45, wide), (-half * 0.85, wide * 0.55), (-half, wide * 0.2)]
    upper = np.array(nose + stern)
    body = np.concatenate([upper, (upper * [1, -1])[::-1]])
    straight = model.sweep < 0.05
    tail_span = model.span * (0.36 if not straight else 0.3)
    wing = _wing(model.root * model.length, model.span, model.chord * model.length, model.sweep * model.length, wide)
    tail = _wing(-0.4 * model.length, tail_span, 0.1 * model.length, (0.02 if straight else 0.075) * model.length, 0.0)
    fin_wide = max(0.035 * model.body + 0.12, 0.15)
    front, back = -0.34 * model.length, -half * 1.02
    fin = np.array([(front, fin_wide), (front, -fin_wide), (back, -fin_wide * 1.2), (back, fin_wide * 1.2)])
    cockpit = np.array(
        [
            (half - model.body * 0.55, wide * 0.62),
            (half - model.body * 0.85, wide * 0.8),
            (half - model.body * 0.85, -wide * 0.8),
            (half - model.body * 0.55, -wide * 0.62),
        ]
    )
    return {"body": [body], "wing": wing, "tail": tail, "engines": _engines(model), "fin": [fin], "cockpit": [cockpit]}


def _wing(root: float, span: float, chord: float, sweep: float, wide: float) -> list[Points]:
    """Both halves of a wing whose leading edge leaves the fuselage at u = root."""
    tip = chord * (0.34 if sweep > 0.5 else 0.7)
    crank = 0.36
    leading = np.array([(root + 0.04 * chord, wide * 0.3), (root - sweep, span / 2)])
    trailing = [(root - sweep - tip, span / 2)]
    if sweep > 3:
        trailing.append((root - sweep * crank - chord * 0.78, span / 2 * crank))
    trailing.append((root - chord, wide * 0.3))
    right = np.array([*leading.tolist(), *trailing])
    return [right, right * [1, -1]]


def _engines(model: Model) -> list[Points]:
    if model.engines == "nose":
        propeller = model.length / 2
        return [np.array([(propeller, -1.0), (propeller + 0.12, -1.0), (propeller + 0.12, 1.0), (propeller, 1.0)])]
    size = (0.055 * model.length, 0.29 * model.body)
    if model.engines == "tail":
        return [ellipse(-0.27 * model.length, side * model.body * 0.78, *size) for side in (-1, 1)]
    shares = (0.34,) if model.engines == "wing2" else (0.3, 0.58)
    return [
        ellipse(
            (model.root - model.sweep * share) * model.length + 0.02 * model.length,
            side * model.span / 2 * share,
            *size,
        )
        for share in shares
        for side in (-1, 1)
    ]
