"""A street is a straight line of street coordinates with a width, a surface, painted lines and traffic."""

import math
from dataclasses import dataclass

import numpy as np

from .boxes import box, patch, tinted
from .canvas import GROUND, MOVABLE, Canvas, clutter, paint
from .ground import asphalt, slabs, soil
from .look import Color, rgb, varied
from .shapes import Points, blurred, distances_along, lines, offset, resample
from .site import Block, Site
from .vehicles import vehicle

_WHITE, _YELLOW = rgb(206, 206, 200), rgb(206, 174, 92)


@dataclass(frozen=True)
class Street:
    """A street from (u0, v0) to (u1, v1)."""

    u0: float
    v0: float
    u1: float
    v1: float
    width: float
    surface: str = "asphalt"
    """asphalt, concrete or dirt."""


@dataclass(frozen=True)
class Grid:
    """How a place is divided: wanted block sides and the widths of main and minor streets (metres)."""

    along: float
    across: float
    main: float
    minor: float
    surface: str = "asphalt"


def divide(rng: np.random.Generator, whole: Block, grid: Grid) -> tuple[list[Street], list[Block]]:
    """Streets (minor ones first) and the blocks between them."""
    streets: list[Street] = []
    blocks: list[Block] = []
    pending: list[tuple[Block, tuple[float, ...], int]] = [(whole, (0.0, 0.0, 0.0, 0.0), 0)]
    while pending:
        area, margins, depth = pending.pop()
        length, width = area.size
        ratio_u, ratio_v = length / grid.along, width / grid.across
        if max(ratio_u, ratio_v) < 1.45:
            left, top, right, bottom = margins
            blocks.append(Block(area.left + left, area.top + top, area.right - right, area.bottom - bottom))
            continue
        wide = grid.main if depth < 1 else grid.minor * float(rng.uniform(0.9, 1.15))
        share = float(rng.uniform(0.4, 0.6)) if max(ratio_u, ratio_v) > 2.2 else float(rng.uniform(0.44, 0.56))
        left, top, right, bottom = margins
        if ratio_u > ratio_v:
            cut = area.left + share * length
            streets.append(Street(cut, area.top, cut, area.bottom, wide, grid.surface))
            pending.append((Block(area.left, area.top, cut, area.bottom), (left, top, wide / 2, bottom), depth + 1))
            pending.append((Block(cut, area.top, area.right, area.bottom), (wide / 2, top, right, bottom), depth + 1))
        else:
            cut = area.top + share * width
            streets.append(Street(area.left, cut, area.right, cut, wide, grid.surface))
            pending.append((Block(area.left, area.top, area.right, cut), (left, top, right, wide / 2), depth + 1))
            pending.append((Block(area.left, cut, area.right, area.bottom), (left, wide / 2, right, bottom), depth + 1))
    return sorted(streets, key=lambda street: street.width), blocks


def pave(site: Site, street: Street) -> None:
    """Paint a street with its wear and lines, and put traffic on it."""
    pave_line(site, site.line(street.u0, street.v0, street.u1, street.v1), street.width, street.surface)


def pave_line(site: Site, line: Points, width: float, surface: str = "asphalt", traffic: float = 1.0) -> int:
    """Pave any line of image metres; the owner mark of the road comes back (0 when outside)."""
    canvas = site.canvas
    shape = lines(canvas, [line], width)
    if shape is None or shape[1].max() < 0.5:
        return 0
    window, alpha = shape
    owner = canvas.add("road", GROUND, surface=surface)
    look = site.look
    if surface == "dirt":
        alpha = np.clip(alpha * (1.05 + 0.22 * canvas.grain(window, 6, 0.8, 1.0, 2)), 0, 1)
        color = np.clip(look.soil * np.float32(1.1), 0, 0.9)
        paint(canvas, window, alpha, soil(canvas, window, color, 0.7), owner, (0.0, 1.0))
        _tracks(site, line, width, 0.12)
        return owner
    base = varied(site.rng, look.asphalt if surface == "asphalt" else look.concrete * np.float32(0.88), 0.04, 0.004)
    if surface == "asphalt":
        texture = asphalt(canvas, window, base, site.rng.uniform(0.6, 1.5), int(site.rng.integers(99)))
    else:
        texture = slabs(canvas, window, base, (_heading(line), 5.0), int(site.rng.integers(99)))
    paint(canvas, window, alpha, texture, owner, (0.0, 1.0))
    _repairs(site, line, width)
    _tracks(site, line, width, -0.06)
    if look.drawn_lines and width > 6.4:
        _lane_lines(site, line, width)
    if traffic:
        drive(site, line, width, traffic)
    return owner


def _heading(line: Points) -> float:
    return math.atan2(line[-1, 1] - line[0, 1], line[-1, 0] - line[0, 0])


def lanes_of(width: float) -> int:
    """Lanes of a carriageway."""
    return max(1, min(10, int(width / 3.4)))


def _tracks(site: Site, line: Points, width: float, strength: float) -> None:
    """Wheel tracks and oil in the middle of the lanes: darker on asphalt, lighter on dirt."""
    canvas = site.canvas
    count = lanes_of(width)
    lane = width / count
    for index in range(count):
        middle = -width / 2 + (index + 0.5) * lane
        shape = lines(canvas, [offset(line, middle)], 0.5 * lane)
        if shape is not None:
            window, alpha = shape
            soft = blurred(canvas, alpha, 0.5) * (0.7 + 0.3 * canvas.grain(window, 40, 3, 1.2, index))
            tone = canvas.albedo[window.slices]
            tone *= 1 + np.float32(strength) * np.clip(soft, 0, 1.2)[..., None]


def _repairs(site: Site, line: Points, width: float) -> None:
    """Squares of newer and older asphalt, manholes, dark seams."""
    canvas, rng = site.canvas, site.rng
    length = float(distances_along(line)[-1])
    for _ in range(min(rng.poisson(length / 70), 40)):
        index = int(rng.integers(0, len(line) - 1))
        x, y = offset(line, rng.uniform(-0.4, 0.4) * width)[index]
        angle = math.atan2(*(line[index + 1] - line[index])[::-1])
        tone = site.look.asphalt * np.float32(rng.choice([0.78, 0.88, 1.1]))
        patch(canvas, (x, y, angle), (rng.uniform(1, 9), rng.uniform(0.6, 2.6)), tone)
    for _ in range(min(rng.poisson(length / 40), 60)):
        index = int(rng.integers(0, len(line) - 1))
        x, y = offset(line, rng.uniform(-0.35, 0.35) * width)[index]
        patch(canvas, (x, y, 0.0), (0.7, 0.7), rgb(62, 62, 62))
    if rng.random() < 0.4:
        tinted(canvas, lines(canvas, [offset(line, rng.uniform(-0.2, 0.2) * width)], 0.25), rgb(54, 54, 54), 0.45)


def dashes(line: Points, on: float, off: float) -> list[Points]:
    """Pieces of a line."""
    fine = resample(line, max(min(on, off) / 3, 0.5))
    along = distances_along(fine)
    marks = (along % (on + off)) < on
    starts = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(np.int8)])) == 1)
    ends = np.flatnonzero(np.diff(np.concatenate([marks.astype(np.int8), [0]])) == -1)
    return [fine[start : end + 1] for start, end in zip(starts, ends, strict=True) if end > start]


def stripe(canvas: Canvas, parts: list[Points], width: float, color: Color, strength: float = 0.8) -> None:
    """Paint worn stripes along lines."""
    for part in parts:
        shape = lines(canvas, [part], width)
        if shape is not None:
            window, alpha = shape
            worn = np.clip(0.85 + 0.25 * canvas.grain(window, 6, 0.5, 0.8, 1), 0.2, 1)
            paint(canvas, window, alpha * worn * np.float32(strength), color)


def _lane_lines(site: Site, line: Points, width: float) -> None:
    canvas, rng = site.canvas, site.rng
    count = lanes_of(width)
    lane = width / count
    strength = float(rng.uniform(0.45, 0.95))
    middle = _YELLOW if rng.random() < 0.55 else _WHITE
    for index in range(1, count):
        place = offset(line, -width / 2 + index * lane)
        if 2 * index == count:
            stripe(canvas, [place], 0.16, middle, strength)
            if count > 2:
                stripe(canvas, [offset(place, 0.35)], 0.16, middle, strength)
        else:
            stripe(canvas, dashes(place, 3.0, 6.0), 0.14, _WHITE, strength)
    if rng.random() < 0.5:
        for side in (-1, 1):
            stripe(canvas, [offset(line, side * (width / 2 - 0.35))], 0.14, _WHITE, strength * 0.8)


def drive(site: Site, line: Points, width: float, density: float = 1.0) -> None:
    """Vehicles in the lanes, and parked along the edges of narrow streets."""
    rng = site.rng
    count = lanes_of(width)
    fine = resample(line, 2.0)
    angles = np.arctan2(*np.gradient(fine, axis=0).T[::-1])
    length = 2.0 * len(fine)
    for index in range(count):
        across = -width / 2 + (index + 0.5) * width / count
        places = offset(fine, across)
        forward = index >= count / 2
        for _ in range(rng.poisson(density * length / (190 if width < 9 else 75))):
            spot = int(rng.integers(1, len(fine) - 1)) if len(fine) > 2 else 0
            turn = float(angles[spot]) + (0 if forward else math.pi)
            types = {"car": 6, "suv": 3, "pickup": 1, "van": 1.2, "truck": 0.5, "bus": 0.3, "lorry": 0.5}
            _put(site, (*places[spot].tolist(), turn), types)
    if width < 12:
        _park_along(site, fine, angles, width, density)


def flow(
    site: Site, line: Points, lanes: tuple[float, int], turn: float, types: dict[str, float], density: float = 1.0
) -> None:
    """One-way traffic on (width, number) of lanes, along the line (turn 0) or against it (turn pi)."""
    rng = site.rng
    fine = resample(line, 2.0)
    angles = np.arctan2(*np.gradient(fine, axis=0).T[::-1])
    width, count = lanes
    for index in range(count):
        places = offset(fine, -width / 2 + (index + 0.5) * width / count)
        for _ in range(rng.poisson(density * 2.0 * len(fine) / rng.uniform(28, 110))):
            spot = int(rng.integers(len(fine)))
            x, y = places[spot].tolist()
            _put(site, (x, y, float(angles[spot]) + turn), types)


def _park_along(site: Site, fine: Points, angles: np.ndarray, width: float, density: float) -> None:
    rng = site.rng
    for side in (-1, 1):
        places = offset(fine, side * (width / 2 - 1.1))
        for spot in range(2, len(fine) - 2, 3):
            if rng.random() < 0.09 * density:
                turn = float(angles[spot]) + (math.pi if rng.random() < 0.3 else 0.0)
                _put(site, (*places[spot].tolist(), turn), None)


def _put(site: Site, place: tuple[float, float, float], types: dict[str, float] | None) -> None:
    """A vehicle, unless another one stands there."""
    window = site.canvas.around(place[0], place[1], 1.6)
    if window is not None and not site.canvas.owners[MOVABLE][window.slices].any():
        vehicle(site.canvas, site.rng, place, types)


def crossings(site: Site, first: Street, second: Street) -> None:
    """Zebra stripes of a crossing of two wide streets."""
    if min(first.width, second.width) < 9 or not site.look.drawn_lines:
        return
    u, v = (first.u0, second.v0) if first.u0 == first.u1 else (second.u0, first.v0)
    zebra = site.rng.random() < 0.35
    for street, other in ((first, second), (second, first)):
        upright = street.u0 == street.u1
        for side in (-1, 1):
            away = side * (other.width / 2 + 2.2)
            if not zebra:
                _crossing_lines(site, street, (u, v), away)
                continue
            for across in np.arange(-street.width / 2 + 0.8, street.width / 2 - 0.4, 1.2):
                spot = (u + across, v + away, math.pi / 2) if upright else (u + away, v + across, 0.0)
                patch(site.canvas, site.frame.place(*spot), (2.6, 0.55), _WHITE * np.float32(0.97))


def _crossing_lines(site: Site, street: Street, middle: tuple[float, float], away: float) -> None:
    """Two thin lines across a street, the plain form of a crossing."""
    u, v = middle
    upright = street.u0 == street.u1
    for shift in (-1.3, 1.3):
        spot = (u, v + away + shift, 0.0) if upright else (u + away + shift, v, math.pi / 2)
        patch(site.canvas, site.frame.place(*spot), (street.width - 1, 0.3), _WHITE * np.float32(0.93))


def poles(site: Site, street: Street) -> None:
    """Lamp posts: hardly seen themselves, but for their shadows."""
    length = math.hypot(street.u1 - street.u0, street.v1 - street.v0)
    heading = math.atan2(street.v1 - street.v0, street.u1 - street.u0)
    for along in np.arange(float(site.rng.uniform(5, 30)), length, 34.0):
        u = street.u0 + along * math.cos(heading) - (street.width / 2 + 0.8) * math.sin(heading)
        v = street.v0 + along * math.sin(heading) + (street.width / 2 + 0.8) * math.cos(heading)
        x, y, angle = site.frame.place(u, v, heading)
        thick = max(0.25, 0.75 * site.canvas.gsd)
        if site.canvas.gsd < 0.45:
            box(site.canvas, (x, y, angle), (thick, thick, 8.0), rgb(130, 130, 128), clutter(MOVABLE))
