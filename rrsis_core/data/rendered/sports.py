"""A sports ground is a court, a ball field or a golf hole with true measures."""

import math

import numpy as np

from .boxes import box, patch, wall
from .canvas import GROUND, MOVABLE, clutter, paint
from .ground import asphalt, mown, soil
from .look import rgb, varied
from .plots import lay, sand_patch, water_body
from .shapes import Points, blob, lines, normals, polygon, polygons, rectangle, ribbon, smooth, turned
from .site import Block, Site

_COURT_COLORS = (
    # court, surround
    (rgb(96, 136, 108), rgb(158, 92, 78)),
    (rgb(84, 128, 96), rgb(104, 144, 112)),
    (rgb(74, 108, 160), rgb(100, 144, 108)),
    (rgb(84, 118, 168), rgb(84, 118, 168)),
    (rgb(128, 138, 136), rgb(140, 146, 142)),
    (rgb(176, 116, 88), rgb(176, 116, 88)),
    (rgb(110, 140, 116), rgb(122, 146, 124)),
    (rgb(134, 112, 98), rgb(134, 112, 98)),
)
_LINE = rgb(222, 224, 220)
COURT_LENGTH, COURT_WIDTH = 23.77, 10.97
"""Metres of a tennis court for doubles."""


def tennis_courts(site: Site, block: Block) -> None:
    """As many tennis courts as fit into a block, on one paved surround with a fence."""
    rng = site.rng
    colors = _COURT_COLORS[int(rng.integers(len(_COURT_COLORS)))]
    court, surround = (varied(rng, color, 0.07, 0.008) for color in colors)
    along_u = block.size[0] >= block.size[1]
    long_side, short_side = (block.size[0], block.size[1]) if along_u else (block.size[1], block.size[0])
    rows = max(1, min(int(short_side / 36.0), int(rng.integers(1, 3))))
    count = max(1, min(int(long_side / 17.5), int(rng.integers(1, 6))))
    whole_u, whole_v = (count * 17.5, rows * 35.5) if along_u else (rows * 35.5, count * 17.5)
    u0, v0 = block.center
    x, y, angle = site.frame.place(u0, v0)
    salt = int(rng.integers(50))
    lay(site, rectangle(x, y, whole_u, whole_v, angle), lambda c, w: asphalt(c, w, surround, 0.5, salt), None)
    for index in range(count):
        for row in range(rows):
            a, b = (index - (count - 1) / 2) * 17.5, (row - (rows - 1) / 2) * 35.5
            u, v = (a, b) if along_u else (b, a)
            place = turned(np.array([[u, v]]), x, y, angle)[0]
            _court(site, (*place.tolist(), angle + (math.pi / 2 if along_u else 0.0)), court)
    fence = rectangle(x, y, whole_u, whole_v, angle)
    ring = np.concatenate([fence, fence[:1]])
    wall(site.canvas, ring, (0.15, 0.0), rgb(62, 72, 66))


def _court(site: Site, place: tuple[float, float, float], color: np.ndarray) -> int:
    canvas = site.canvas
    shape = polygon(canvas, rectangle(*place[:2], COURT_LENGTH + 0.1, COURT_WIDTH + 0.1, place[2]))
    if shape is None:
        return 0
    owner = canvas.add("tennis court", GROUND)
    paint(canvas, *shape, asphalt(canvas, shape[0], color, 0.6, 3), owner, (0.0, 1.0))
    half_l, half_w, single = COURT_LENGTH / 2, COURT_WIDTH / 2, 4.115
    marks = [
        [(-half_l, -half_w), (half_l, -half_w)],
        [(-half_l, half_w), (half_l, half_w)],
        [(-half_l, -half_w), (-half_l, half_w)],
        [(half_l, -half_w), (half_l, half_w)],
        [(-half_l, -single), (half_l, -single)],
        [(-half_l, single), (half_l, single)],
        [(-6.4, -single), (-6.4, single)],
        [(6.4, -single), (6.4, single)],
        [(-6.4, 0), (6.4, 0)],
    ]
    ribbons = [turned(ribbon(np.array(mark, dtype=float), 0.12), *place) for mark in marks]
    drawn = polygons(canvas, ribbons)
    if drawn is not None:
        paint(canvas, drawn[0], np.clip(drawn[1] * 1.3, 0, 1), _LINE)
    net = turned(np.array([[0.0, -half_w - 0.9], [0.0, half_w + 0.9]]), *place)
    wall(canvas, net, (0.12, 0.5), rgb(56, 62, 60))
    return owner


def baseball_diamond(site: Site, x: float, y: float, angle: float) -> int:
    """A ball field: dirt infield (the object, with the infield grass), worn base lines, backstop, mown outfield."""
    canvas, rng = site.canvas, site.rng
    base = float(rng.choice([18.3, 27.4], p=[0.6, 0.4]))  # softball or baseball
    fan = [(0.0, 0.0)] + [
        (2.9 * base * math.cos(turn), 2.9 * base * math.sin(turn))
        for turn in np.linspace(-math.pi / 4, math.pi / 4, 24)
    ]
    stripes = (angle + 0.6, 4.0, 0.05 if rng.random() < 0.5 else 0.0)
    outfield = turned(np.array(fan), x - 1.2 * base * math.cos(angle), y - 1.2 * base * math.sin(angle), angle)
    dry = site.look.dryness * 0.4
    lay(site, outfield, lambda c, w: mown(c, w, site.look, dry, stripes), "grass", 0.4)
    tone = varied(
        rng, (rgb(190, 164, 132), rgb(168, 116, 84), rgb(178, 152, 128), rgb(150, 90, 66))[int(rng.integers(4))], 0.08
    )
    home = np.array([x - 1.2 * base * math.cos(angle), y - 1.2 * base * math.sin(angle)])
    middle = home + 0.72 * base * np.array([math.cos(angle), math.sin(angle)]) * 1.0
    arc = [(1.0 * base * math.cos(t), 1.0 * base * math.sin(t)) for t in np.linspace(-2.0, 2.0, 40)]
    outline = np.concatenate(
        [turned(np.array(arc), middle[0], middle[1], angle), (home - 0.1 * base * (middle - home) / base)[None]]
    )
    owner = lay(site, outline, lambda c, w: soil(c, w, tone, 0.6, 2), "baseball diamond", 0.4)
    if rng.random() < 0.5:
        side = 0.93 * base
        inner = rectangle(0.0, 0.0, side, side, math.pi / 4)
        grass_at = home + 0.72 * base * np.array([math.cos(angle), math.sin(angle)])
        shape = polygon(canvas, turned(inner * 0.88, grass_at[0], grass_at[1], angle))
        if shape is not None:
            paint(canvas, *shape, mown(canvas, shape[0], site.look, dry, stripes))
            _mound(site, grass_at, tone)
    behind = [(-0.25 * base, -0.45 * base), (-0.42 * base, 0.0), (-0.25 * base, 0.45 * base)]
    wall(canvas, turned(np.array(behind), home[0], home[1], angle), (0.2, 5.0), rgb(120, 122, 120))
    for side in (-1, 1):
        spot = turned(np.array([[0.25 * base, side * 0.75 * base]]), home[0], home[1], angle)[0]
        box(
            canvas,
            (*spot.tolist(), angle + side * math.pi / 4),
            (7.0, 2.2, 2.4),
            varied(rng, rgb(160, 160, 156), 0.15),
            clutter(MOVABLE),
        )
    return owner


def _mound(site: Site, place: np.ndarray, tone: np.ndarray) -> None:
    shape = polygon(site.canvas, blob(site.rng, place[0], place[1], 2.6, 0.05))
    if shape is not None:
        paint(site.canvas, *shape, tone)


def golf_hole(site: Site, line: Points, width: float) -> None:
    """A fairway along a line, a green at its end, bunkers, maybe a pond beside it."""
    rng = site.rng
    stripes = (float(rng.uniform(0, math.pi)), float(rng.uniform(4, 8)), 0.03)
    dry = site.look.dryness * 0.35
    lay(site, _fairway(rng, line, width), lambda c, w: mown(c, w, site.look, dry, stripes), "fairway", 0.8)
    x, y = line[-1]
    green = smooth(blob(rng, x, y, float(rng.uniform(8, 12)), 0.15))
    lay(
        site,
        green,
        lambda c, w: mown(c, w, site.look, dry * 0.5, (stripes[0] + 1, 2.0, 0.02)) * np.float32(1.08),
        "green",
        0.3,
    )
    tone = varied(rng, rgb(222, 212, 188) if rng.random() < 0.7 else rgb(208, 190, 160), 0.05)
    spots = [(line[-1], 15.0, int(rng.integers(2, 4))), (line[len(line) // 2], 0.62 * width, int(rng.integers(0, 3)))]
    for centre, away, count in spots:
        for _ in range(count):
            turn = rng.uniform(0, 2 * math.pi)
            place = centre + (away + rng.uniform(0, 5)) * np.array([math.cos(turn), math.sin(turn)])
            outline = smooth(blob(rng, place[0], place[1], float(rng.uniform(3.0, 7.0)), 0.3))
            sand_patch(site, outline, "bunker", tone, 0.0)
    if rng.random() < 0.35:
        turn = rng.uniform(0, 2 * math.pi)
        place = line[len(line) // 2] + (width + 18) * np.array([math.cos(turn), math.sin(turn)])
        water_body(site, smooth(blob(rng, place[0], place[1], float(rng.uniform(12, 26)), 0.3)), "pond", rough_m=0.8)


def _fairway(rng: np.random.Generator, line: Points, width: float) -> Points:
    """A long outline with a waist and round ends."""
    share = np.linspace(0, 1, len(line))
    swell = np.clip(np.sin(np.pi * np.clip(share, 0.04, 0.96)), 0, 1) ** 0.35
    swell *= 1 + 0.25 * np.sin(share * rng.uniform(4, 9) + rng.uniform(0, 6))
    side = normals(line) * (width / 2 * swell)[:, None]
    other = normals(line) * (width / 2 * swell * (1 + 0.2 * np.sin(share * rng.uniform(4, 9))))[:, None]
    return smooth(np.concatenate([line + side, (line - other)[::-1]]), 2)


def cart_path(site: Site, line: Points) -> None:
    """The narrow paved path of a golf course."""
    shape = lines(site.canvas, [line], 2.2)
    if shape is not None:
        color = varied(site.rng, rgb(184, 176, 160), 0.06)
        owner = clutter(GROUND)
        paint(site.canvas, *shape, asphalt(site.canvas, shape[0], color, 0.5, 1), owner, (0.0, 1.0))


def pitch(site: Site, place: tuple[float, float, float]) -> None:
    """A football pitch: mown grass with white lines; the lines belong to nobody, the grass is grass."""
    stripes = (place[2], 5.5, 0.05)
    dry = site.look.dryness * 0.4
    lay(site, rectangle(*place[:2], 105, 68, place[2]), lambda c, w: mown(c, w, site.look, dry, stripes), "grass")
    for length, width in ((105.0, 68.0), (72.0, 40.0)):
        border = rectangle(*place[:2], length, width, place[2])
        ring = np.concatenate([border, border[:1]])
        shape = lines(site.canvas, [ring[index : index + 2] for index in range(4)], 0.15)
        if shape is not None and length > 100:
            paint(site.canvas, shape[0], shape[1] * np.float32(0.7), _LINE)
    patch(site.canvas, (*place[:2], place[2] + math.pi / 2), (68, 0.15), _LINE)
