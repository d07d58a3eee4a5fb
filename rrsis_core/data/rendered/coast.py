"""A coast is sea beside land: a beach with surf, a marina full of boats, a quay with ships."""

import math

import numpy as np

from .boats import boat, ship, wake
from .boxes import box
from .canvas import GROUND, MOVABLE, STRUCTURE, clutter, paint
from .estates import container_yard, works
from .ground import sand, slabs
from .look import rgb, varied
from .plots import lawn
from .shapes import Points, lines, polygon, ragged
from .site import Block, Site
from .streets import Grid, pave_line
from .towns import build_town, whole_area
from .water import surf, surface

_SEAS = ("blue", "teal", "dark", "green", "gray")


def coast_place(site: Site) -> None:
    """One of three coasts."""
    choice = site.rng.random()
    if choice < 0.42:
        _marina(site)
    elif choice < 0.72:
        _beach(site)
    else:
        _port(site)


def _behind(site: Site, shore: float) -> None:
    """A small town on the land side (v above `shore`)."""
    rng = site.rng
    grid = Grid(rng.uniform(90, 140), rng.uniform(56, 74), rng.uniform(9, 13), rng.uniform(7, 9))
    uses = {"suburb": 3.0, "offices": 1.5, "apartments": 2.0, "car park": 1.2, "park": 1.0, "shops": 1.0}
    build_town(site, grid, uses, ())


def _sea(site: Site, outline: Points, name: str, rough_m: float = 0.0) -> int:
    canvas = site.canvas
    shape = polygon(canvas, outline, 4.0)
    if shape is None:
        return 0
    window, alpha = shape
    if rough_m:
        alpha = ragged(canvas, window, alpha, rough_m, 1.0, 9)
    owner = canvas.add("sea", GROUND)
    paint(canvas, window, alpha, surface(canvas, window, alpha, name, 14.0), owner, (-0.4, 1.0))
    _clear(site, window, alpha)
    return owner


def _clear(site: Site, window: tuple, alpha: np.ndarray) -> None:
    """The sea takes everything that was built where it lies."""
    canvas = site.canvas
    reach_x, reach_y = canvas.reach
    wet = np.zeros(canvas.shape, dtype=bool)
    wet[window[0] : window[2], window[1] : window[3]] = alpha > 0.5
    kept = []
    for plant in site.plants:
        row, col = int((plant.y + reach_y) / canvas.gsd), int((plant.x + reach_x) / canvas.gsd)
        if not (0 <= row < wet.shape[0] and 0 <= col < wet.shape[1] and wet[row, col]):
            kept.append(plant)
    site.plants[:] = kept


def _marina(site: Site) -> None:
    """Piers with boats on both sides."""
    rng, canvas = site.rng, site.canvas
    area = whole_area(site)
    extent = min(canvas.reach)
    shore = float(rng.uniform(0.35, 0.95)) * extent
    lawn(site, site.outline(area), 0.3)
    _behind(site, shore)
    quay = Block(area.left, shore, area.right, shore + rng.uniform(6, 14))
    shape = polygon(canvas, site.outline(quay))
    if shape is not None:
        texture = slabs(canvas, shape[0], varied(rng, site.look.concrete, 0.06), (site.frame.angle, 4.0), 5)
        paint(canvas, *shape, texture, clutter(GROUND), (0.0, 1.0))
    _sea(site, site.outline(Block(area.left, area.top, area.right, shore)), str(rng.choice(_SEAS)))
    length = float(rng.choice([7.0, 10.0, 13.0, 17.0], p=[0.25, 0.4, 0.25, 0.1]))
    spacing = 2.5 * length + rng.uniform(11, 18)
    far = area.top + 0.1 * area.size[1]
    first = area.left + rng.uniform(0, spacing)
    count = int(area.size[0] / spacing)
    for index in range(count):
        if rng.random() < 0.93:
            _pier(
                site,
                first + index * spacing,
                (shore + 2, far if rng.random() < 0.7 else shore - rng.uniform(40, 120)),
                length,
            )
    for _ in range(int(rng.integers(0, 4))):
        u, v = rng.uniform(-extent, extent), shore - rng.uniform(12, 30 + extent)
        place = site.frame.place(u, v, rng.uniform(0, 6))
        window = canvas.around(*place[:2], length)
        if window is not None and not canvas.owners[1:, window.top : window.bottom, window.left : window.right].any():
            if rng.random() < 0.6:
                wake(canvas, place, 8.0)
            boat(canvas, rng, place, rng.uniform(6, 11))


def _pier(site: Site, u: float, ends: tuple[float, float], length: float) -> None:
    """A pier along v with finger piers and a boat in most berths."""
    rng, canvas = site.rng, site.canvas
    near, far = ends
    parts = [site.line(u, near, u, far, 30)]
    width = rng.uniform(1.6, 3.2)
    beam = 0.36 * length + 0.6
    fingers = rng.random() < 0.7
    berths = []
    for step, v in enumerate(np.arange(near - 6 - beam, far, -beam)):
        for side in (-1, 1):
            berths.append((float(v), side))
            if fingers and step % 2 == 0:
                finger = float(v) + beam / 2
                parts.append(site.line(u, finger, u + side * (width / 2 + 0.85 * length), finger, 30))
    owner = canvas.add("pier", STRUCTURE)
    color = varied(rng, rgb(184, 176, 164) if rng.random() < 0.6 else rgb(150, 128, 106), 0.08)
    for index, part in enumerate(parts):
        shape = lines(canvas, [part], width if index == 0 else 0.9)
        if shape is not None:
            tone = (1 + 0.08 * canvas.grain(shape[0], 3, 0.3, 0.5, 1))[..., None]
            paint(canvas, *shape, np.clip(color * tone, 0, 0.95), owner, (0.9, 1.0))
    full = rng.uniform(0.5, 0.98)
    for v, side in berths:
        if rng.random() < full:
            size = length * float(np.clip(rng.normal(0.92, 0.12), 0.6, 1.1))
            bow = (0.0 if side > 0 else math.pi) + (math.pi if rng.random() < 0.3 else 0.0) + rng.normal(0, 0.03)
            boat(canvas, rng, site.frame.place(u + side * (width / 2 + 0.4 + size / 2), v, bow), size)


def _beach(site: Site) -> None:
    """Sand between the sea and a promenade, surf along the water."""
    rng, canvas = site.rng, site.canvas
    area = whole_area(site)
    extent = min(canvas.reach)
    shore = float(rng.uniform(-0.35, 0.35)) * extent
    width = float(rng.uniform(0.25, 0.7)) * extent
    lawn(site, site.outline(area), 0.1)
    if width + shore < 0.7 * extent:
        _behind(site, shore)
    _clear_band(site, Block(area.left, area.top, area.right, shore + width))
    tone = varied(
        rng,
        (rgb(206, 190, 164), rgb(188, 170, 146), rgb(216, 204, 184), rgb(178, 160, 142))[int(rng.integers(4))],
        0.05,
    )
    shape = polygon(canvas, site.outline(Block(area.left, area.top, area.right, shore + width)), 6.0)
    if shape is not None:
        window, alpha = shape
        alpha = ragged(canvas, window, alpha, 3.0, 1.0, 11)
        owner = canvas.add("sand", GROUND)
        paint(canvas, window, alpha, sand(canvas, window, tone, 2), owner, (0.0, 1.0))
    _water_line(site, area, shore, tone)
    _bathers(site, shore, width)


def _clear_band(site: Site, band: Block) -> None:
    shape = polygon(site.canvas, site.outline(band))
    if shape is not None:
        window, alpha = shape
        paint(site.canvas, window, alpha, site.look.soil, clutter(GROUND), (0.0, 1.0))
        _clear(site, window, alpha)


def _water_line(site: Site, area: Block, shore: float, tone: np.ndarray) -> None:
    """Wet sand, the sea and its foam."""
    rng, canvas = site.rng, site.canvas
    window = canvas.everything
    _, across = canvas.local(window, 0.0, 0.0, site.frame.angle)
    off = (
        np.float32(shore)
        - across
        + 5 * canvas.grain(window, 200, 40, 1.8, 4)
        + 0.5 * canvas.grain(window, 20, 3, 1.3, 1)
    )
    wet = np.clip((off + 3 * canvas.grain(window, 90, 12, 1.5, 5) + 11) / 5, 0, 1) * float(rng.uniform(0.5, 0.9))
    paint(canvas, window, wet.astype(np.float32), tone * np.float32(0.66))
    alpha = canvas.soft(off)
    name = str(rng.choice(_SEAS))
    owner = canvas.add("sea", GROUND)
    paint(canvas, window, alpha, surface(canvas, window, alpha, name, 16.0), owner, (-0.3, 1.0))
    foam = surf(canvas, window, off) * float(rng.uniform(0.5, 1.0))
    paint(canvas, window, foam, rgb(226, 228, 224))


def _bathers(site: Site, shore: float, width: float) -> None:
    """Umbrellas, towels and huts: specks of colour."""
    rng = site.rng
    for _ in range(int(rng.poisson(0.25 * max(site.canvas.reach)))):
        u, v = rng.uniform(-1.2, 1.2) * site.canvas.reach[0], shore + rng.uniform(0.2, 0.9) * width
        x, y, angle = site.frame.place(float(u), float(v), rng.uniform(0, 3))
        tone = np.clip(rng.uniform(0.1, 0.9, 3), 0, 1).astype(np.float32)
        box(site.canvas, (x, y, angle), (rng.uniform(0.8, 2.2), rng.uniform(0.8, 1.8), 1.2), tone, clutter(MOVABLE))


def _port(site: Site) -> None:
    """A quay with ships, cranes, containers and halls."""
    rng, canvas = site.rng, site.canvas
    area = whole_area(site)
    extent = min(canvas.reach)
    shore = float(rng.uniform(-0.1, 0.4)) * extent
    apron = rng.uniform(25, 45)
    lawn(site, site.outline(area), 0.1)
    paved_block = Block(area.left, shore, area.right, shore + apron)
    v = shore + apron + 14
    u = area.left
    while u < area.right:
        length = rng.uniform(70, 140)
        works(site, Block(u, v, u + length, v + 90))
        u += length + 9
    pave_line(site, site.line(area.left, shore + apron + 7, area.right, shore + apron + 7), 10)
    shape = polygon(canvas, site.outline(paved_block))
    if shape is not None:
        texture = slabs(
            canvas, shape[0], varied(rng, site.look.concrete * np.float32(0.9), 0.05), (site.frame.angle, 6.0), 8
        )
        paint(canvas, *shape, texture, clutter(GROUND), (0.0, 1.0))
    container_yard(site, Block(-extent, shore + 14, extent, shore + apron - 3))
    _sea(site, site.outline(Block(area.left, area.top, area.right, shore)), str(rng.choice(_SEAS)))
    _berths(site, shore, area)


def _berths(site: Site, shore: float, area: Block) -> None:
    """Ships along the quay with cranes beside them, and some at anchor."""
    rng, canvas = site.rng, site.canvas
    room = 2 * max(canvas.reach)
    largest = float(np.clip(0.8 * room, 45, 220))
    u = -0.5 * room - rng.uniform(0, 0.3) * largest
    while u < 0.6 * room:
        length = float(np.clip(rng.uniform(0.45, 1.0) * largest, 42, 220))
        gap = 0.5 * 0.18 * length + 2.5
        ship(canvas, rng, site.frame.place(u + length / 2, shore - gap, math.pi * int(rng.integers(0, 2))), length)
        for along in np.arange(u + 12, u + length - 8, 32.0):
            if rng.random() < 0.5:
                place = site.frame.place(float(along), shore + 2, math.pi / 2)
                crane = varied(rng, rgb(190, 110, 60) if rng.random() < 0.4 else rgb(90, 120, 160), 0.1)
                box(canvas, place, (26, 2.2, 28.0), crane, clutter(MOVABLE))
        u += length + rng.uniform(10, 60)
    for _ in range(int(rng.integers(1, 5))):
        place = site.frame.place(
            rng.uniform(-0.5, 0.5) * room, shore - rng.uniform(50, 90 + 0.5 * room), rng.uniform(0, 6)
        )
        window = canvas.around(*place[:2], 10)
        if window is not None and not canvas.owners[1:, window.top : window.bottom, window.left : window.right].any():
            boat(canvas, rng, place, rng.uniform(7, 18))
