"""An estate is a block with large things: offices, shops, factories, yards, tank farms, parks, building sites."""

import math

import numpy as np

from .blocks import kerbed
from .boxes import box, drum, sheet, wall
from .canvas import GROUND, MOVABLE, clutter, paint
from .halls import apartments, metal_hall, storage_tank
from .halls import block as office
from .look import Color, rgb, varied
from .parking import parking_lot
from .plots import bare, debris, lawn, paved, water_body, yard
from .shapes import Points, blob, lines, smooth
from .site import Block, Site
from .sports import baseball_diamond, tennis_courts
from .streets import pave_line
from .vehicles import vehicle

CONTAINERS = (
    rgb(158, 66, 52),
    rgb(52, 94, 152),
    rgb(82, 124, 90),
    rgb(198, 194, 184),
    rgb(196, 120, 56),
    rgb(110, 112, 114),
    rgb(70, 126, 176),
)


def offices(site: Site, block: Block) -> None:
    """One to four large level roofs with car parks between them."""
    rng = site.rng
    inner = kerbed(site, block, 3.0)
    (paved if site.chance(0.6) else lawn)(site, site.outline(inner))
    packed = rng.random() < 0.4
    pieces = _quarter(rng, inner, float(rng.uniform(24, 40)) if packed else 48)
    parked = packed
    for piece in pieces:
        if (rng.random() < (0.1 if packed else 0.3) and len(pieces) > 1) or (
            not parked and piece is pieces[-1] and rng.random() < 0.6
        ):
            parking_lot(site, piece.shrunk(1.5))
            parked = True
            continue
        room = piece.shrunk(float(rng.uniform(0.0, 1.0) if packed else rng.uniform(1.5, 5)))
        if min(room.size) < 8:
            continue
        tall = float(np.clip(rng.lognormal(2.45, 0.6), 4.5, 60))
        if tall < 16 and rng.random() < 0.22:
            taste = {
                "tile red": 1.5,
                "tile brown": 1.0,
                "tile pale": 1.0,
                "shingle gray": 1.0,
                "shingle dark": 0.7,
                "tile orange": 0.7,
            }
            apartments(site.canvas, rng, site.frame.place(*room.center), room.size, taste)
        else:
            office(site.canvas, rng, site.frame.place(*room.center), room.size, tall)
        _street_trees(site, piece, 0.4)
    _street_trees(site, inner, 0.7)


def _quarter(rng: np.random.Generator, block: Block, wanted: float) -> list[Block]:
    """Pieces of a block of about a wanted side."""
    length, width = block.size
    if max(length, width) < 1.5 * wanted:
        return [block]
    share = rng.uniform(0.38, 0.62)
    if length > width:
        cut = block.left + share * length
        halves = Block(block.left, block.top, cut, block.bottom), Block(cut, block.top, block.right, block.bottom)
    else:
        cut = block.top + share * width
        halves = Block(block.left, block.top, block.right, cut), Block(block.left, cut, block.right, block.bottom)
    return [piece for half in halves for piece in _quarter(rng, half, wanted)]


def _street_trees(site: Site, block: Block, chance: float) -> None:
    rng = site.rng
    if rng.random() > chance * min(site.look.tree_density + 0.3, 1):
        return
    radius = float(rng.uniform(1.4, 3.4))
    for v in (block.top + 1.2, block.bottom - 1.2):
        for u in np.arange(block.left + 3, block.right - 2, radius * rng.uniform(2.4, 5)):
            x, y, _ = site.frame.place(float(u) + rng.normal(0, 0.3), v)
            site.plant(x, y, radius * float(rng.uniform(0.75, 1.2)))


def shops(site: Site, block: Block) -> None:
    """A supermarket or mall: one large level roof, a large car park."""
    rng = site.rng
    inner = kerbed(site, block, 2.0)
    paved(site, site.outline(inner))
    share = rng.uniform(0.34, 0.5)
    split = inner.top + share * inner.size[1]
    hall = Block(inner.left + 4, inner.top + 4, inner.right - 4, split)
    if min(hall.size) > 9:
        place = site.frame.place(*hall.center)
        maker = office if rng.random() < 0.8 else None
        if maker:
            maker(site.canvas, rng, place, hall.size, rng.uniform(6, 10))
        else:
            metal_hall(site.canvas, rng, place, hall.size)
    parking_lot(site, Block(inner.left + 2, split + 4, inner.right - 2, inner.bottom - 2))
    _street_trees(site, inner, 0.7)


def car_park(site: Site, block: Block) -> None:
    """A block that is all parking."""
    inner = kerbed(site, block, 2.0)
    lawn(site, site.outline(inner), 0.4)
    parking_lot(site, inner.shrunk(2.0))
    _street_trees(site, inner, 0.6)


def park(site: Site, block: Block) -> None:
    """Grass, paths, trees, perhaps a pond or courts."""
    rng = site.rng
    inner = kerbed(site, block, 1.8)
    lawn(site, site.outline(inner), 0.5)
    for _ in range(2):
        path = site.line(
            inner.left, rng.uniform(inner.top, inner.bottom), inner.right, rng.uniform(inner.top, inner.bottom)
        )
        path = path + 3 * np.sin(np.linspace(0, 9, len(path)))[:, None]
        _path(site, path)
    u, v = inner.center
    if min(inner.size) > 40 and rng.random() < 0.45:
        x, y, _ = site.frame.place(u + rng.uniform(-0.15, 0.15) * inner.size[0], v)
        water_body(site, smooth(blob(rng, x, y, 0.2 * min(inner.size))), "pond", rough_m=0.6)
    elif min(inner.size) > 40 and rng.random() < 0.45:
        tennis_courts(site, Block(inner.left + 4, inner.top + 4, inner.left + 42, inner.top + 42))
    for u_place, v_place in site.scatter(inner, 55 * site.look.tree_density):
        x, y, _ = site.frame.place(float(u_place), float(v_place))
        site.plant(x, y, float(rng.uniform(1.5, 5.5)))


def _path(site: Site, line: Points) -> None:
    """A footpath; it has no name among the categories."""
    shape = lines(site.canvas, [line], float(site.rng.uniform(1.6, 2.6)))
    if shape is not None:
        paint(site.canvas, *shape, varied(site.rng, rgb(186, 178, 160), 0.08), clutter(GROUND), (0.0, 1.0))


def works(site: Site, block: Block) -> None:
    """Factory halls on concrete with lorries, containers and heaps."""
    rng = site.rng
    inner = kerbed(site, block, 1.0)
    ground = rng.random()
    if ground < 0.45:
        paved(site, site.outline(inner), 6.0, varied(rng, site.look.concrete * np.float32(0.85), 0.08))
    elif ground < 0.75:
        bare(site, site.outline(inner), rough_m=0.0)
    else:
        yard(site, site.outline(inner))
    for piece in _quarter(rng, inner, 62):
        fate = rng.random()
        if fate < 0.68:
            room = piece.shrunk(float(rng.uniform(4, 8)))
            if min(room.size) > 9:
                turn = 0.0 if room.size[0] > room.size[1] else math.pi / 2
                sides = (max(room.size), min(room.size))
                metal_hall(site.canvas, rng, site.frame.place(*room.center, turn), sides)
                _lorries(site, room)
        elif fate < 0.84:
            container_yard(site, piece.shrunk(3))
        elif fate < 0.93:
            parking_lot(site, piece.shrunk(3))
        else:
            heaps(site, piece)
    _scatter_junk(site, inner, 9)


def _lorries(site: Site, room: Block) -> None:
    """Lorries docked at the long side of a hall."""
    rng = site.rng
    for u in np.arange(room.left + 3, room.right - 3, 4.0):
        if rng.random() < 0.22:
            kinds = {"truck": 3.0, "lorry": 2.0, "van": 1.0}
            place = site.frame.place(float(u), room.bottom + 6.0, math.pi / 2 * float(rng.choice([-1, 1])))
            vehicle(site.canvas, rng, place, kinds)


def container_yard(site: Site, block: Block) -> None:
    """Stacks of containers: coloured boxes that are no buildings."""
    rng = site.rng
    for v in np.arange(block.top + 2, block.bottom - 2, 2.75 * int(rng.integers(3, 6))):
        for lane in range(int(rng.integers(1, 4))):
            for u in np.arange(block.left + 7, block.right - 7, 12.8):
                if rng.random() < 0.6:
                    tone = varied(rng, CONTAINERS[int(rng.integers(len(CONTAINERS)))], 0.12)
                    place = site.frame.place(float(u), float(v) + 2.6 * lane)
                    box(site.canvas, place, (12.1, 2.44, 2.6 * int(rng.integers(1, 4))), tone, clutter(MOVABLE))


def heaps(site: Site, block: Block) -> None:
    """Piles of gravel, sand and scrap."""
    rng = site.rng
    for u, v in site.scatter(block.shrunk(4), 30):
        x, y, _ = site.frame.place(float(u), float(v))
        outline = smooth(blob(rng, x, y, float(rng.uniform(2, 6)), 0.2))
        if rng.random() < 0.4:
            debris(site, outline)
        else:
            bare(site, outline, None, 0.4, varied(rng, rgb(170, 160, 144), 0.2))


def _scatter_junk(site: Site, block: Block, per_hectare: float) -> None:
    """Pallets, tarps, drums."""
    rng = site.rng
    for u, v in site.scatter(block, per_hectare):
        x, y, angle = site.frame.place(float(u), float(v), float(rng.choice([0, math.pi / 2])))
        window = site.canvas.around(x, y, 2.0)
        if window is None or site.canvas.owners[1:, window.top : window.bottom, window.left : window.right].any():
            continue
        tone: Color = varied(rng, CONTAINERS[int(rng.integers(len(CONTAINERS)))], 0.15)
        if rng.random() < 0.4:
            sheet(site.canvas, (x, y, angle), (rng.uniform(1.5, 4), rng.uniform(1.5, 3)), tone, clutter(MOVABLE))
        else:
            box(
                site.canvas,
                (x, y, angle),
                (rng.uniform(1, 4), rng.uniform(1, 2.4), rng.uniform(0.6, 2.2)),
                tone,
                clutter(MOVABLE),
            )


def tank_farm(site: Site, block: Block) -> None:
    """Storage tanks in rows with pipes, on gravel or bare soil inside low walls."""
    rng = site.rng
    inner = kerbed(site, block, 0.0)
    if rng.random() < 0.5:
        bare(site, site.outline(inner), "bare soil", 0.0)
    else:
        paved(site, site.outline(inner), 9.0, varied(rng, rgb(156, 152, 142), 0.12))
    radius = float(rng.choice([4.5, 7.0, 11.0, 16.0, 24.0], p=[0.12, 0.25, 0.28, 0.2, 0.15]))
    radius = min(radius, 0.42 * min(inner.size))
    pitch = radius * rng.uniform(2.3, 2.9)
    columns = max(1, min(int((inner.size[0] - 4) / pitch), 8))
    lanes = max(1, min(int((inner.size[1] - 4) / pitch), 8))
    centers = []
    for column in range(columns):
        for lane in range(lanes):
            u = inner.center[0] + (column - (columns - 1) / 2) * pitch
            v = inner.center[1] + (lane - (lanes - 1) / 2) * pitch
            centers.append((u, v))
    _pipes(site, inner, sorted({v for _, v in centers}), pitch)
    for u, v in centers:
        if rng.random() < 0.9 or len(centers) < 3:
            x, y, _ = site.frame.place(u, v)
            storage_tank(site.canvas, rng, x, y, radius * float(rng.choice([1.0, 1.0, 0.8, 0.62])))
    border = site.outline(inner.shrunk(1.0))
    wall(site.canvas, np.concatenate([border, border[:1]]), (0.5, 1.2), varied(rng, rgb(176, 168, 152), 0.1))


def _pipes(site: Site, block: Block, rows: list[float], pitch: float) -> None:
    rng = site.rng
    for v in rows:
        for shift in (0.0, 0.7, 1.4):
            line = site.line(block.left + 2, v + pitch / 2 + shift, block.right - 2, v + pitch / 2 + shift, 40)
            wall(site.canvas, line, (0.35, 0.8), varied(rng, rgb(176, 174, 168), 0.1))
    for _ in range(4):
        u, v = rng.uniform(block.left + 3, block.right - 3), rng.uniform(block.top + 3, block.bottom - 3)
        x, y, _ = site.frame.place(float(u), float(v))
        drum(site.canvas, x, y, (rng.uniform(0.6, 1.3), 3.0), varied(rng, rgb(196, 196, 190), 0.1), clutter(MOVABLE))


def building_site(site: Site, block: Block) -> None:
    """Open soil with tracks, heaps, huts and diggers."""
    rng = site.rng
    inner = kerbed(site, block, 1.0)
    bare(site, site.outline(inner), "bare soil", 1.0)
    line = site.line(
        inner.left, rng.uniform(inner.top, inner.bottom), inner.right, rng.uniform(inner.top, inner.bottom)
    )
    pave_line(site, line, 4.0, "dirt", 0.0)
    heaps(site, inner)
    container_yard(
        site, Block(inner.left + 3, inner.top + 3, min(inner.left + 32, inner.right), min(inner.top + 12, inner.bottom))
    )
    _scatter_junk(site, inner, 25)


def school(site: Site, block: Block) -> None:
    """A large building, lawns, a ball field and a car park."""
    rng = site.rng
    inner = kerbed(site, block)
    lawn(site, site.outline(inner), 0.6)
    half = inner.left + 0.5 * inner.size[0]
    left = Block(inner.left + 5, inner.top + 5, half - 3, inner.bottom - 26)
    if min(left.size) > 14:
        office(site.canvas, rng, site.frame.place(*left.center), left.size, rng.uniform(5, 9))
    parking_lot(site, Block(inner.left + 5, inner.bottom - 22, half - 3, inner.bottom - 3))
    if min(inner.right - half, inner.size[1]) > 44:
        baseball_diamond(
            site, *site.frame.place((half + inner.right) / 2, inner.center[1], float(rng.choice([0, math.pi / 2])))
        )
    _street_trees(site, inner, 0.8)
