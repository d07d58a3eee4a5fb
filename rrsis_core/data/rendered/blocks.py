"""A block use fills the ground between streets with plots, buildings, vehicles and trees of one way of living."""

import math
from collections.abc import Callable

import numpy as np

from .boxes import box, sheet, wall
from .canvas import GROUND, MOVABLE, clutter, paint
from .ground import asphalt, slabs
from .halls import apartments
from .homes import house, shed, trailer_home, villa
from .look import rgb, varied
from .parking import parking_lot
from .plots import bare, forest, lawn, paved, swimming_pool, yard
from .shapes import Points, blob, lines, polygon, rectangle, ribbon, smooth
from .site import Block, Site
from .vehicles import vehicle

Spot = Callable[..., tuple[float, float, float]]
"""Image place of metres along a street, metres behind its edge and a heading, as one lot counts them."""

_TARPS = (
    rgb(52, 104, 176),
    rgb(70, 132, 190),
    rgb(206, 206, 200),
    rgb(190, 104, 54),
    rgb(84, 132, 92),
    rgb(156, 52, 50),
)


def kerbed(site: Site, block: Block, sidewalk: float = 1.8, corner: float = 4.0) -> Block:
    """Lay the pavement of a block with rounded corners; the block inside it comes back."""
    outline = _rounded(site, block, corner)
    if site.look.sidewalks and sidewalk > 0:
        paved(site, outline, 1.8)
        return block.shrunk(sidewalk)
    return block


def _rounded(site: Site, block: Block, corner: float) -> Points:
    corner = min(corner, *(side / 3 for side in block.size))
    points = []
    for u, v, start in (
        (block.right - corner, block.bottom - corner, 0.0),
        (block.left + corner, block.bottom - corner, 0.5),
        (block.left + corner, block.top + corner, 1.0),
        (block.right - corner, block.top + corner, 1.5),
    ):
        turns = np.linspace(start, start + 0.5, 6) * math.pi
        points.append(np.stack([u + corner * np.cos(turns), v + corner * np.sin(turns)], axis=1))
    joined = np.concatenate(points)
    fine = [
        joined[index] + share * (joined[(index + 1) % len(joined)] - joined[index])
        for index in range(len(joined))
        for share in (0.0, 0.34, 0.67)
    ]
    return site.frame.world(np.array(fine))


def suburb(site: Site, block: Block) -> None:
    """Two rows of detached houses with lawns, drives, gardens and fences."""
    rng = site.rng
    inner = kerbed(site, block)
    (lawn if site.look.dryness < 0.75 or site.chance(0.3) else yard)(site, site.outline(inner))
    along_u = block.size[0] >= block.size[1] * 0.8
    depth = (inner.size[1] if along_u else inner.size[0]) / 2
    length = inner.size[0] if along_u else inner.size[1]
    compact = min(inner.size) < 50
    lot = float(rng.uniform(9.5, 14) if compact else rng.uniform(15, 25))
    count = max(1, round(length / lot))
    wooded = float(rng.uniform(20, 75))
    for row in (-1, 1):
        edge = rng.uniform(2.5, 5) if compact else rng.uniform(5, 9)
        for index in range(count):
            start = -length / 2 + index * length / count
            _lot(site, inner, (along_u, row), (start, start + length / count), (depth, edge))
    trees(site, inner, wooded)


def _lot(
    site: Site, block: Block, side: tuple[bool, int], span: tuple[float, float], depths: tuple[float, float]
) -> None:
    """A lot in its own coordinates: `a` along the street, `d` metres behind the street edge."""
    rng, canvas = site.rng, site.canvas
    along_u, row = side
    depth, setback = depths
    center = block.center

    def spot(a: float, d: float, turn: float = 0.0) -> tuple[float, float, float]:
        across = row * (depth - d)
        heading = turn if row > 0 else turn + math.pi
        if along_u:
            return site.frame.place(center[0] + a, center[1] + across, heading)
        return site.frame.place(center[0] + across, center[1] + a, heading + math.pi / 2)

    middle, wide = (span[0] + span[1]) / 2, span[1] - span[0]
    if canvas.around(*spot(middle, depth / 2)[:2], depth) is None or rng.random() < 0.03:
        return
    if wide < 14.5:
        front, deep, turn = wide - rng.uniform(1.0, 2.6), min(rng.uniform(10, 16), max(depth - setback - 2, 6.0)), 0.0
        _paved_side(site, spot, (middle, wide), depth)
    else:
        front, deep = min(wide - 2.2, rng.uniform(11, 19)), rng.uniform(8, 12.5)
        turn = 0.0 if rng.random() < 0.72 else math.pi / 2
    sides = (front, deep) if turn == 0 else (min(front, depth - setback - 8), min(deep, wide - 3))
    reach = setback + (deep if turn == 0 else sides[0]) / 2
    shift = rng.uniform(-0.5, 0.5) * max(wide - front - 2, 0)
    garage = middle + shift + rng.choice([-0.32, 0.32]) * front
    _driveway(site, (spot, garage, reach))
    house(canvas, rng, _tilted(rng, spot(middle + shift, reach, turn)), sides, site.look.roofs)
    _shrubs(site, (spot, middle + shift, front), reach - deep / 2 - 0.8)
    _back_yard(site, (spot, middle, wide), (reach + deep / 2 + 3.5, depth))


def _paved_side(site: Site, spot: Spot, lot: tuple[float, float], depth: float) -> None:
    """On small lots the ground beside and behind a house is often paved or soil, with things standing about."""
    rng = site.rng
    middle, wide = lot
    fate = rng.random()
    x, y, angle = spot(middle, depth / 2, 0.0)
    if fate < 0.35:
        paved(site, rectangle(x, y, wide, depth, angle), 1.5, varied(rng, site.look.concrete * np.float32(0.92), 0.08))
    elif fate < 0.6:
        yard(site, rectangle(x, y, wide, depth, angle))
    for _ in range(int(rng.integers(0, 4))):
        place = spot(middle + rng.uniform(-0.5, 0.5) * wide, rng.uniform(0.6, 1.0) * depth, rng.uniform(0, 3))
        tone = np.asarray(rng.uniform(0.1, 0.75, 3) * 0.3 + rng.uniform(0.1, 0.5), dtype=np.float32)
        box(
            site.canvas,
            place,
            (rng.uniform(0.8, 3), rng.uniform(0.6, 1.6), rng.uniform(0.5, 1.6)),
            tone,
            clutter(MOVABLE),
        )


def _shrubs(site: Site, facade: tuple, d: float) -> None:
    """Beds along the front of a house and single shrubs in the front garden."""
    spot, middle, front = facade
    rng = site.rng
    for _ in range(rng.poisson(3.5 * min(site.look.tree_density, 1.6))):
        away = d + rng.normal(0, 0.3) if rng.random() < 0.7 else rng.uniform(1.0, max(d, 1.5))
        x, y, _ = spot(middle + rng.uniform(-0.6, 0.6) * front, away)
        site.plant(x, y, float(rng.uniform(0.45, 1.1)), "bush")


def _tilted(rng: np.random.Generator, place: tuple[float, float, float]) -> tuple[float, float, float]:
    return place[0], place[1], place[2] + rng.normal(0, 0.02)


def _driveway(site: Site, drive: tuple) -> None:
    spot, a, reach = drive
    rng, canvas = site.rng, site.canvas
    width = rng.uniform(2.8, 6.2)
    x, y, angle = spot(a, reach / 2 - 1.2, math.pi / 2)
    shape = polygon(canvas, rectangle(x, y, reach + 1.5, width, angle))
    if shape is None:
        return
    window, alpha = shape
    owner = canvas.add("driveway", GROUND)
    if rng.random() < 0.7:
        texture = slabs(
            canvas, window, varied(rng, site.look.concrete, 0.06, 0.01), (angle, 3.0), int(rng.integers(50))
        )
    else:
        texture = asphalt(canvas, window, varied(rng, site.look.asphalt, 0.1), 1.0, int(rng.integers(50)))
    paint(canvas, window, alpha, texture, owner, (0.0, 1.0))
    slots = [0.0] if width < 4.6 else [-1.4, 1.4]
    for slot in slots:
        if rng.random() < 0.38:
            d = rng.uniform(2.6, max(reach - 6.5, 2.8))
            place = spot(a + slot, d, math.pi / 2 * rng.choice([-1, 1]))
            vehicle(canvas, rng, place)


def _back_yard(site: Site, lot: tuple, depths: tuple[float, float]) -> None:
    spot, middle, wide = lot
    rng, canvas = site.rng, site.canvas
    near, far = depths
    room = far - near
    if room < 3:
        return
    if rng.random() < 0.6:
        x, y, angle = spot(middle + rng.uniform(-2, 2), near, 0)
        paved(
            site,
            rectangle(x, y, rng.uniform(4, 9), rng.uniform(3, 5), angle),
            1.5,
            varied(rng, rgb(176, 166, 152), 0.1),
        )
    if room > 9 and rng.random() < 0.3:
        _pool(site, spot(middle + rng.uniform(-0.2, 0.2) * wide, near + room * rng.uniform(0.4, 0.6)))
    elif rng.random() < 0.12:
        place = spot(middle, near + room / 2)
        tone = varied(rng, rgb(70, 72, 78) if rng.random() < 0.5 else rgb(80, 116, 160), 0.1)
        box(canvas, place, (2.6, 2.6, 0.8), tone, clutter(MOVABLE))
    if room > 6 and rng.random() < 0.4:
        place = spot(middle + rng.choice([-0.36, 0.36]) * wide, far - 2.6)
        shed(canvas, rng, place, rng.uniform(2.4, 4.6))
    if rng.random() < 0.08:
        place = spot(middle + rng.uniform(-0.3, 0.3) * wide, near + 2, rng.uniform(0, 3))
        sheet(
            canvas,
            place,
            (rng.uniform(2, 5), rng.uniform(2, 4)),
            varied(rng, _TARPS[int(rng.integers(6))], 0.1),
            clutter(MOVABLE),
        )
    if rng.random() < 0.55:
        fence = varied(rng, rgb(162, 148, 130), 0.15)
        edge = np.array(
            [spot(middle + wide / 2, near - 6)[:2], spot(middle + wide / 2, far)[:2], spot(middle - wide / 2, far)[:2]]
        )
        wall(canvas, edge, (0.15, rng.uniform(0.9, 1.7)), fence)


def _pool(site: Site, place: tuple[float, float, float]) -> None:
    rng = site.rng
    x, y, angle = place
    length, width = rng.uniform(6.5, 11), rng.uniform(3.4, 5.5)
    if rng.random() < 0.5:
        points, deck = rectangle(x, y, length, width, angle), rectangle(x, y, length + 3.4, width + 3.4, angle)
    else:
        points = smooth(blob(rng, x, y, rng.uniform(2.6, 3.8), 0.2, 1.3))
        deck = (points - [x, y]) * 1.5 + [x, y]
    swimming_pool(site, points, deck if rng.random() < 0.85 else None)


def trees(site: Site, block: Block, per_hectare: float, sizes: tuple[float, float] = (1.8, 6.5)) -> None:
    """Scatter trees and shrubs over a block, by number per hectare in a place of usual greenness."""
    for u, v in site.scatter(block, per_hectare * site.look.tree_density):
        x, y, _ = site.frame.place(float(u), float(v))
        site.plant(x, y, float(site.rng.uniform(*sizes)))
    for u, v in site.scatter(block, 0.8 * per_hectare * site.look.tree_density):
        x, y, _ = site.frame.place(float(u), float(v))
        site.plant(x, y, float(site.rng.uniform(0.5, 1.3)), "bush")


def woodland(site: Site, block: Block) -> None:
    """Single houses in clearings of a wood, each with a long drive."""
    rng, canvas = site.rng, site.canvas
    inner = kerbed(site, block, 0.0)
    forest(site, site.outline(inner), None, float(rng.uniform(0.0, 0.35)))
    rows = max(1, round(inner.size[1] / 55))
    for row in range(rows):
        v = inner.top + (row + 0.5) * inner.size[1] / rows
        for u0, u1 in cuts(rng, inner.left, inner.right, (34.0, 60.0)):
            u = (u0 + u1) / 2 + rng.normal(0, 3)
            place = site.frame.place(u, v + rng.normal(0, 3), rng.uniform(-0.5, 0.5))
            clearing = smooth(blob(rng, *place[:2], rng.uniform(12, 19), 0.25, 1.4))
            site.clear(clearing)
            lawn(site, clearing, 0.4, 1.0)
            edge = inner.top if row < rows / 2 else inner.bottom
            drive = site.line(u + 5, v, u + rng.uniform(-8, 8), edge)
            drive = drive + (2.5 * np.sin(np.linspace(0, 5, len(drive))))[:, None]
            site.clear(ribbon(drive, 5.0))
            _lane(site, drive)
            house(canvas, rng, place, (rng.uniform(12, 21), rng.uniform(9, 13)), site.look.roofs)
            if rng.random() < 0.25:
                _pool(site, (place[0] + rng.choice([-11, 11]), place[1] + rng.uniform(-4, 4), place[2]))


def _lane(site: Site, line: Points) -> None:
    """A drive that winds."""
    shape = lines(site.canvas, [line], float(site.rng.uniform(2.6, 3.6)))
    if shape is not None:
        window, alpha = shape
        owner = site.canvas.add("driveway", GROUND)
        color = varied(site.rng, site.look.concrete if site.chance(0.5) else site.look.asphalt, 0.08)
        paint(site.canvas, window, alpha, asphalt(site.canvas, window, color, 1.0, 4), owner, (0.0, 1.0))


def trailer_park(site: Site, block: Block) -> None:
    """Rows of mobile homes set across narrow lanes."""
    rng = site.rng
    ground = kerbed(site, block, 0.0)
    (lawn if site.chance(0.5) else yard)(site, site.outline(ground))
    taste = {
        "tin white": 4,
        "tin gray": 2,
        "shingle tan": 1,
        "shingle gray": 1,
        "shingle brown": 0.8,
        "tin rust": 0.3,
        "tin blue": 0.25,
        "tin red": 0.3,
        "tin brown": 0.5,
    }
    tilt = float(rng.choice([0.0, 0.3, -0.3, 0.5]))
    for v in np.arange(block.top + 9.5, block.bottom - 8, rng.uniform(19, 23)):
        for u in np.arange(block.left + 5, block.right - 4, rng.uniform(7.5, 10.5)):
            place = site.frame.place(float(u), float(v) + rng.normal(0, 0.5), math.pi / 2 + tilt + rng.normal(0, 0.02))
            trailer_home(site.canvas, rng, place, taste)
            if rng.random() < 0.5:
                vehicle(
                    site.canvas,
                    rng,
                    site.frame.place(float(u) + 4.6, float(v) + rng.uniform(-5, 5), math.pi / 2 + tilt),
                )
    trees(site, block, 30, (1.5, 4))


def cuts(rng: np.random.Generator, start: float, end: float, sides: tuple[float, float]) -> list[tuple[float, float]]:
    """Random pieces of a stretch."""
    pieces, at = [], start
    while at < end - 3.5:
        stop = min(at + rng.uniform(*sides), end)
        if end - stop < 3.5:
            stop = end
        pieces.append((at, stop))
        at = stop
    return pieces


def apartment_court(site: Site, block: Block) -> None:
    """Long pitched buildings around lawns and a car park."""
    rng = site.rng
    inner = kerbed(site, block)
    lawn(site, site.outline(inner), 0.6)
    lot = Block(inner.left + 6, inner.center[1] - 9, inner.right - 6, inner.center[1] + 9)
    if inner.size[1] > 62:
        parking_lot(site, lot)
    taste = dict(site.look.roofs)
    for row in (inner.top + 13, inner.bottom - 13):
        for u0, u1 in cuts(rng, inner.left + 3, inner.right - 3, (26.0, 48.0)):
            place = site.frame.place((u0 + u1) / 2, float(row))
            apartments(site.canvas, rng, place, (max(u1 - u0 - 6, 8.0), rng.uniform(10, 14)), taste)
    if site.chance(0.5):
        _pool(site, site.frame.place(inner.center[0], inner.center[1] + rng.uniform(14, 18)))
    trees(site, inner, 45)


def villas(site: Site, block: Block) -> None:
    """Walled villas of a dry place: pale roofs, paved yards, pools, few palms."""
    rng = site.rng
    inner = kerbed(site, block, 1.5)
    bare(site, site.outline(inner), "bare soil", 0.0)
    rows = max(1, round(inner.size[1] / 27))
    for index in range(rows):
        v0 = inner.top + index * inner.size[1] / rows
        v1 = v0 + inner.size[1] / rows
        for u0, u1 in cuts(rng, inner.left, inner.right, (18.0, 25.0)):
            _villa_lot(site, Block(u0, v0, u1, v1))
    trees(site, inner, 30, (1.0, 2.6))


def _villa_lot(site: Site, lot: Block) -> None:
    rng, canvas = site.rng, site.canvas
    u, v = lot.center
    x, y, angle = site.frame.place(u, v, float(rng.choice([0.0, math.pi])))
    if canvas.around(x, y, max(lot.size)) is None or rng.random() < 0.06:
        return
    plot = site.outline(lot.shrunk(0.4))
    ground = rng.random()
    if ground < 0.4:
        paved(site, plot, 2.0, varied(rng, rgb(186, 174, 154), 0.08))
    elif ground < 0.54:
        lawn(site, plot, 0.7)
    size = (min(lot.size[0] - 3, rng.uniform(12, 17)), min(lot.size[1] - 6, rng.uniform(11, 16)))
    villa(canvas, rng, (x, y, angle), size)
    if rng.random() < 0.22:
        _pool(site, site.frame.place(u + rng.uniform(-3, 3), lot.bottom - 4))
    if rng.random() < 0.6:
        wall(canvas, np.concatenate([plot, plot[:1]]), (0.25, 2.2), varied(rng, rgb(196, 184, 164), 0.08))
    if rng.random() < 0.5:
        vehicle(canvas, rng, site.frame.place(lot.left + 2.6, v + rng.uniform(-6, 6), math.pi / 2))
