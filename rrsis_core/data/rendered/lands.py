"""A land is open country: fields, farms, forest and rivers; golf courses and sports grounds."""

import math

import numpy as np

from .blocks import kerbed
from .boxes import drum
from .bridges import bridge
from .canvas import STRUCTURE, clutter
from .halls import metal_hall
from .homes import house, shed
from .look import rgb, varied
from .parking import parking_lot
from .plots import bare, field, forest, lawn, water_body, yard
from .shapes import Points, blob, resample, ribbon, smooth
from .site import Block, Site
from .sports import baseball_diamond, cart_path, golf_hole, pitch, tennis_courts
from .streets import Grid, divide, pave_line
from .towns import whole_area
from .vehicles import vehicle

_LONGEST_BRIDGE, _STEP = 130.0, 2.0  # metres


def meander(site: Site, swing: float, period: float, angle: float, shift: float) -> Points:
    """A winding line across the whole canvas."""
    rng = site.rng
    reach = math.hypot(*site.canvas.reach) + 40
    along = np.linspace(-reach, reach, max(int(reach / 4), 30))
    across = shift + swing * np.sin(2 * math.pi * along / period + rng.uniform(0, 6))
    across += 0.4 * swing * np.sin(2 * math.pi * along / (0.43 * period) + rng.uniform(0, 6))
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.stack([along * cosine - across * sine, along * sine + across * cosine], axis=1)


def countryside_place(site: Site) -> None:
    """Fields, farms and forest, a river (sometimes under a bridge) or a lake; or wild land without roads."""
    rng = site.rng
    lawn(site, site.outline(whole_area(site)), 0.0)
    extent = 2 * max(site.canvas.reach)
    wild = bool(rng.random() < 0.3)
    side = float(np.clip(rng.uniform(0.35, 0.9) * extent, 75, 320)) * (1.6 if wild else 1.0)
    grid = Grid(side * rng.uniform(1.0, 1.6), side, rng.uniform(6.5, 9), rng.uniform(3.2, 4.5), "dirt")
    streets, blocks = divide(rng, whole_area(site), grid)
    headings = [0.0, math.pi / 2, float(rng.uniform(0, math.pi))]
    seen = sorted((b for b in blocks if site.in_view(b)), key=lambda b: math.hypot(*b.center))
    for index, block in enumerate(seen):
        if wild:
            _wild_block(site, block.shrunk(-6), index)
        else:
            _country_block(site, block.shrunk(1.0), index, headings)
    watered = rng.random() * (0.85 if wild else 1.0)
    if watered < 0.55:
        _river(site, extent)
    elif watered < 0.85:
        _lake(site, extent)
    if wild:
        return
    spanned = bool(rng.random() < 0.55)
    for index, street in enumerate(streets):
        surface = "asphalt" if street.width > 6 and rng.random() < 0.7 else "dirt"
        line = site.line(street.u0, street.v0, street.u1, street.v1)
        cross_country(site, line, street.width, surface, spanned and index == len(streets) - 1)
    if seen and rng.random() < 0.6:
        _farm(site, seen[0])


def _wild_block(site: Site, block: Block, index: int) -> None:
    """Forest of some density, meadow with shrubs, or scrub."""
    rng = site.rng
    fate = 0.2 if index == 0 else rng.random()
    outline = site.outline(block)
    if fate < 0.6:
        forest(site, outline, None, float(rng.choice([0.0, 0.2, 0.5])))
        return
    (lawn if fate < 0.85 else yard)(site, outline)
    for u, v in site.scatter(block, float(rng.choice([10, 40, 200]))):
        x, y, _ = site.frame.place(float(u), float(v))
        site.plant(x, y, float(rng.lognormal(0.4, 0.5)), "bush" if rng.random() < 0.6 else None)


def _country_block(site: Site, block: Block, index: int, headings: list[float]) -> None:
    rng = site.rng
    fate = rng.random() if index else 0.2
    outline = site.outline(block)
    if fate < 0.62:
        heading = site.frame.angle + headings[int(rng.integers(3))]
        strips = 1 if rng.random() < 0.6 else int(rng.integers(2, 5))
        width = block.size[0] / strips
        for strip in range(strips):
            left = block.left + strip * width
            field(site, site.outline(Block(left, block.top, left + width - 0.6, block.bottom)), heading)
    elif fate < 0.82:
        forest(site, outline, open_share=float(rng.choice([0.0, 0.25])))
    else:
        lawn(site, outline, 0.1)
        for u, v in site.scatter(block, 8):
            x, y, _ = site.frame.place(float(u), float(v))
            site.plant(x, y, float(rng.uniform(2, 5)))
    if rng.random() < 0.4:
        _hedge(site, block)


def _hedge(site: Site, block: Block) -> None:
    """A row of trees and shrubs along a border."""
    rng = site.rng
    for u in np.arange(block.left, block.right, 3.4):
        if rng.random() < 0.75:
            x, y, _ = site.frame.place(float(u), block.top + rng.normal(0, 0.6))
            site.plant(x, y, float(rng.uniform(1.2, 4.0)))


def _river(site: Site, extent: float) -> None:
    rng = site.rng
    width = float(np.clip(rng.uniform(0.08, 0.3) * extent, 9, 90))
    line = meander(
        site,
        rng.uniform(0.04, 0.12) * extent,
        rng.uniform(0.6, 1.6) * extent,
        rng.uniform(0, math.pi),
        rng.uniform(-0.15, 0.15) * extent,
    )
    if rng.random() < 0.6:
        forest(site, ribbon(line, width + rng.uniform(12, 50)), None, 0.15)
    else:
        bare(site, ribbon(line, width + rng.uniform(5, 16)), "bare soil", 3.0)
    water_body(site, ribbon(line, width), "river", None, 2.2)
    clear_water(site)


def _lake(site: Site, extent: float) -> None:
    rng = site.rng
    x, y = rng.uniform(-0.22, 0.22, 2) * extent
    radius = rng.uniform(0.12, 0.26) * extent
    outline = smooth(blob(rng, x, y, radius, 0.32))
    forest(site, (outline - [x, y]) * 1.15 + [x, y], None, 0.55)
    water_body(site, outline, "pond" if radius < 22 else "lake", None, 2.5)
    clear_water(site)


def clear_water(site: Site) -> None:
    """Nothing grows in the water."""
    canvas = site.canvas
    reach_x, reach_y = canvas.reach
    rows, cols = canvas.shape
    kept = []
    for plant in site.plants:
        row, col = int((plant.y + reach_y) / canvas.gsd), int((plant.x + reach_x) / canvas.gsd)
        if not (0 <= row < rows and 0 <= col < cols) or canvas.height[row, col] > -0.2:
            kept.append(plant)
    site.plants[:] = kept


def cross_country(site: Site, line: Points, width: float, surface: str, bridged: bool) -> None:
    """A road through open country; bridged, it gets over water, otherwise it ends at the bank."""
    canvas = site.canvas
    rows, cols = canvas.shape
    reach_x, reach_y = canvas.reach
    fine = resample(line, _STEP)
    row = np.clip(((fine[:, 1] + reach_y) / canvas.gsd).astype(int), 0, rows - 1)
    col = np.clip(((fine[:, 0] + reach_x) / canvas.gsd).astype(int), 0, cols - 1)
    wet = canvas.height[row, col] < -0.2
    edges = np.flatnonzero(np.diff(wet.astype(np.int8)))
    pieces = np.split(fine, edges + 1)
    states = np.split(wet, edges + 1)
    _cut_trees(site, fine, width)
    for piece, state in zip(pieces, states, strict=True):
        if len(piece) > 2 and not state[0]:
            pave_line(site, piece, width, surface, 0.5)
    for index, (piece, state) in enumerate(zip(pieces, states, strict=True)):
        spanned = 1 < len(piece) <= _LONGEST_BRIDGE / _STEP
        if bridged and state[0] and 0 < index < len(pieces) - 1 and spanned:
            first, last = edges[index - 1], edges[index] + 1
            margin = max(2, int(0.15 * len(piece)))
            bridge(site, fine[max(first - margin, 0) : last + margin + 1], width + 1.2, surface)


def _cut_trees(site: Site, line: Points, width: float) -> None:
    if not site.plants:
        return
    places = np.array([(plant.x, plant.y) for plant in site.plants])
    near = np.zeros(len(places), dtype=bool)
    for start in range(0, len(line), 3):
        near |= np.hypot(places[:, 0] - line[start, 0], places[:, 1] - line[start, 1]) < width / 2 + 1.0
    site.plants[:] = [plant for plant, cut in zip(site.plants, near.tolist(), strict=True) if not cut]


def _farm(site: Site, block: Block) -> None:
    """A farmyard at a corner of a block: house, barns, silo, machines."""
    rng = site.rng
    u, v = block.left + min(34, block.size[0] / 2), block.top + min(28, block.size[1] / 2)
    yard_block = Block(u - 30, v - 24, u + 30, v + 24)
    (bare if rng.random() < 0.5 else lawn)(site, site.outline(yard_block))
    house(
        site.canvas, rng, site.frame.place(u - 18, v - 12), (rng.uniform(11, 15), rng.uniform(8, 10)), site.look.roofs
    )
    taste = {
        "tin gray": 3.0,
        "tin red": 1.4,
        "tin white": 1.5,
        "tin rust": 1.5,
        "tin blue": 0.8,
        "tin green": 0.6,
        "tin brown": 0.6,
    }
    for spot in ((u + 10, v - 8), (u + 4, v + 12))[: int(rng.integers(1, 3))]:
        turn = float(rng.choice([0, math.pi / 2]))
        metal_hall(site.canvas, rng, site.frame.place(*spot, turn), (rng.uniform(18, 32), rng.uniform(10, 15)), taste)
    for silo in range(int(rng.integers(0, 3))):
        x, y, _ = site.frame.place(u + 24 + 6 * silo, v + 4)
        drum(site.canvas, x, y, (2.4, 11.0), varied(rng, rgb(196, 198, 198), 0.08), clutter(STRUCTURE))
    shed(site.canvas, rng, site.frame.place(u - 20, v + 10), rng.uniform(3, 5))
    for _ in range(int(rng.integers(1, 4))):
        vehicle(site.canvas, rng, site.frame.place(u + rng.uniform(-14, 2), v + rng.uniform(-2, 5), rng.uniform(0, 6)))
    for _ in range(int(rng.integers(2, 9))):
        x, y, _ = site.frame.place(u + rng.uniform(-29, 29), v + float(rng.choice([-23, 23])))
        site.plant(x, y, float(rng.uniform(2, 5)))


def sports_place(site: Site) -> None:
    """A golf course or a sports centre."""
    rng = site.rng
    lawn(site, site.outline(whole_area(site)), 0.3)
    (_golf if rng.random() < 0.55 else _sports_centre)(site)


def _golf(site: Site) -> None:
    site.disputed |= {"grass", "sand"}  # fairways are grass, bunkers are sand
    rng = site.rng
    extent = max(site.canvas.reach)
    angle = site.frame.angle
    spacing = rng.uniform(58, 82)
    for lane in range(-int(extent / spacing) - 1, int(extent / spacing) + 2):
        edge = (lane + 0.5) * spacing
        _rough(site, edge, spacing)
        if rng.random() < 0.6:
            cart_path(site, meander(site, 4, 120, angle, edge + rng.uniform(-6, 6)))
    for lane in range(-int(extent / spacing) - 1, int(extent / spacing) + 2):
        length = rng.uniform(110, 300)
        end = rng.uniform(-0.3, 0.3) * min(extent, 70) if lane == 0 else rng.uniform(-1.0, 1.0) * extent
        start = end - length
        while start < 1.3 * extent:
            along = np.linspace(start, start + length, 14)
            across = lane * spacing + rng.uniform(-10, 10) * np.sin(np.linspace(0, 3, 14) + rng.uniform(0, 3))
            line = np.stack(
                [
                    along * math.cos(angle) - across * math.sin(angle),
                    along * math.sin(angle) + across * math.cos(angle),
                ],
                axis=1,
            )
            golf_hole(site, line, rng.uniform(26, 40))
            start += length + rng.uniform(30, 60)
            length = rng.uniform(110, 300)


def _rough(site: Site, across: float, spacing: float) -> None:
    """Trees between two fairways."""
    rng = site.rng
    reach = max(site.canvas.reach) * 1.5
    angle = site.frame.angle
    count = rng.poisson(site.look.tree_density * 2 * reach / 6)
    for _ in range(int(count)):
        along, beside = rng.uniform(-reach, reach), across + rng.normal(0, 0.09 * spacing)
        x, y = along * math.cos(angle) - beside * math.sin(angle), along * math.sin(angle) + beside * math.cos(angle)
        window = site.canvas.around(x, y, 2.0)
        if window is not None and site.canvas.height[window.slices].min() > -0.2:
            site.plant(x, y, float(rng.uniform(2.0, 6.0)))


def _sports_centre(site: Site) -> None:
    """Ball fields, courts and pitches between paths and car parks."""
    rng = site.rng
    grid = Grid(rng.uniform(130, 190), rng.uniform(95, 130), 8.0, 6.0)
    streets, blocks = divide(rng, whole_area(site), grid)
    for street in streets:
        pave_line(site, site.line(street.u0, street.v0, street.u1, street.v1), street.width)
    seen = sorted((b for b in blocks if site.in_view(b)), key=lambda b: math.hypot(*b.center))
    first = ["courts", "diamond"] if rng.random() < 0.5 else ["diamond", "courts"]
    for index, block in enumerate(seen):
        inner = kerbed(site, block, 0.0)
        lawn(site, site.outline(inner), 0.4)
        use = first[index] if index < 2 else str(rng.choice(["courts", "diamond", "pitch", "parking", "grove", "pool"]))
        _sports_block(site, inner.shrunk(3.0), use)
        for u, v in site.scatter(inner, 12 * site.look.tree_density):
            near_edge = min(u - inner.left, inner.right - u, v - inner.top, inner.bottom - v) < 8
            if near_edge:
                x, y, _ = site.frame.place(float(u), float(v))
                site.plant(x, y, float(rng.uniform(1.8, 4.5)))


def _sports_block(site: Site, block: Block, use: str) -> None:
    rng = site.rng
    place = site.frame.place(*block.center, float(rng.choice([0, math.pi / 2, math.pi])))
    if use == "courts":
        tennis_courts(site, block)
    elif use == "diamond":
        baseball_diamond(site, *place)
    elif use == "pitch":
        pitch(site, place)
    elif use == "parking":
        parking_lot(site, block)
    elif use == "pool":
        water_body(site, smooth(blob(rng, *place[:2], 0.25 * min(block.size), 0.3)), "pond", rough_m=0.6)
    else:
        forest(site, site.outline(block.shrunk(6)), None, 0.3)
