"""A town is a street grid whose blocks are put to use: suburb, dense town, city, industry, desert town."""

import math
from collections.abc import Callable

import numpy as np

from .blocks import apartment_court, suburb, trailer_park, villas, woodland
from .boxes import tinted
from .dense import dense_town
from .estates import building_site, car_park, offices, park, school, shops, tank_farm, works
from .look import pick, rgb
from .plots import bare, lawn, water_body, yard
from .shapes import blob, lines, offset, smooth
from .site import Block, Frame, Site
from .streets import Grid, crossings, divide, pave, poles

Use = Callable[[Site, Block], None]

USES: dict[str, Use] = {
    "suburb": suburb,
    "trailers": trailer_park,
    "woodland": woodland,
    "apartments": apartment_court,
    "dense": dense_town,
    "villas": villas,
    "offices": offices,
    "shops": shops,
    "car park": car_park,
    "park": park,
    "works": works,
    "tanks": tank_farm,
    "building site": building_site,
    "school": school,
    "pond": lambda site, block: pond_block(site, block),
    "desert": lambda site, block: desert_block(site, block),
}
"""How a block can be used, by name."""


def bent_frame(rng: np.random.Generator, strength: float) -> Frame:
    """Street directions of a town: any angle, bent by up to about `strength` times 20 metres."""

    def bend() -> tuple[float, float, float]:
        period = rng.uniform(260, 700)
        return strength * rng.uniform(0, 0.028) * period, period, rng.uniform(0, 2 * math.pi)

    return Frame(float(rng.uniform(0, 2 * math.pi)), bend(), bend())


def whole_area(site: Site) -> Block:
    """Street coordinates that surely cover the canvas."""
    reach = math.hypot(*site.canvas.reach) + 25
    return Block(-reach, -reach, reach, reach)


def build_town(site: Site, grid: Grid, uses: dict[str, float], first: tuple[str, ...]) -> None:
    """Streets and blocks; the blocks nearest to the middle get the uses in `first`, the others are drawn by weight."""
    rng = site.rng
    area = whole_area(site)
    shift_u, shift_v = rng.uniform(-0.5, 0.5, 2) * [grid.along, grid.across]
    area = Block(
        area.left + shift_u - grid.along / 2,
        area.top + shift_v - grid.across / 2,
        area.right + shift_u + grid.along / 2,
        area.bottom + shift_v + grid.across / 2,
    )
    streets, blocks = divide(rng, area, grid)
    for street in streets:
        pave(site, street)
    wide = [street for street in streets if street.width >= 9][-14:]
    for index, one in enumerate(wide):
        for other in wide[:index]:
            if (one.u0 == one.u1) != (other.u0 == other.u1):
                crossings(site, one, other)
    seen = [block for block in blocks if min(block.size) > 6 and site.in_view(block)]
    seen.sort(key=lambda block: math.hypot(*block.center))
    for index, block in enumerate(seen):
        name = first[index] if index < len(first) else pick(rng, uses)
        USES[name](site, block)
    for street in streets:
        poles(site, street)


def pick_ground(site: Site) -> None:
    """Cover the whole place with what grows there: grass, or soil with weeds where it is dry."""
    (lawn if site.look.dryness < 0.75 else yard)(site, site.outline(whole_area(site)))


def pond_block(site: Site, block: Block) -> None:
    """A lake with a green border that takes a whole block."""
    lawn(site, site.outline(block), 0.3)
    x, y, _ = site.frame.place(*block.center)
    water_body(
        site, smooth(blob(site.rng, x, y, 0.36 * min(block.size), 0.3)), "pond" if min(block.size) < 70 else "lake"
    )
    for u, v in site.scatter(block, 40 * site.look.tree_density):
        x, y, _ = site.frame.place(float(u), float(v))
        window = site.canvas.around(x, y, 1.0)
        if window is not None and site.canvas.height[window.slices].min() > -0.2:
            site.plant(x, y, float(site.rng.uniform(1.5, 4.5)))


def desert_block(site: Site, block: Block) -> None:
    """An unbuilt block: sand with tracks, scraped places and shrubs."""
    rng = site.rng
    bare(site, site.outline(block), "bare soil", 0.0)
    for _ in range(int(rng.integers(0, 5))):
        tracks(site, block)
    for u, v in site.scatter(block, float(rng.choice([4, 40]))):
        x, y, _ = site.frame.place(float(u), float(v))
        site.plant(x, y, float(rng.uniform(0.5, 1.6)), "bush")


def tracks(site: Site, block: Block) -> None:
    """Wheel tracks over open ground, lighter or darker than it."""
    rng = site.rng
    ends = rng.uniform((block.left, block.top), (block.right, block.bottom), (2, 2))
    u0, v0, u1, v1 = ends.ravel().tolist()
    line = site.line(u0, v0, u1, v1, 5.0)
    line = line + (rng.uniform(0, 5) * np.sin(np.linspace(0, rng.uniform(2, 7), len(line))))[:, None]
    tone = rgb(238, 230, 216) if rng.random() < 0.6 else rgb(120, 106, 90)
    for shift in (-0.9, 0.9):
        tinted(
            site.canvas,
            lines(site.canvas, [offset(line, shift)], rng.uniform(0.5, 1.4)),
            tone,
            float(rng.uniform(0.2, 0.6)),
        )


def suburb_place(site: Site) -> None:
    """Detached houses, some apartments, parks and schools."""
    rng = site.rng
    (lawn if site.look.dryness < 0.75 else yard)(site, site.outline(whole_area(site)))
    style = pick(
        rng, {"houses": 5.0, "trailers": 1.0, "mixed": 1.6, "woodland": 1.3 if site.look.dryness < 0.75 else 0.0}
    )
    uses = {
        "houses": {"suburb": 12.0, "park": 0.6, "school": 0.4, "pond": 0.25, "apartments": 0.3},
        "compact": {"suburb": 12.0, "apartments": 0.8, "park": 0.5, "shops": 0.4, "car park": 0.2},
        "trailers": {"trailers": 8.0, "suburb": 1.0, "park": 0.5},
        "woodland": {"woodland": 6.0, "suburb": 1.0, "park": 0.4},
        "mixed": {"suburb": 5.0, "apartments": 2.5, "park": 0.8, "shops": 0.9, "school": 0.5, "car park": 0.3},
    }[style]
    across = rng.uniform(38, 49) if style == "compact" else rng.uniform(56, 76)
    grid = Grid(rng.uniform(120, 210), across, rng.uniform(9, 13), rng.uniform(6.5, 9))
    build_town(site, grid, uses, (style if style in ("trailers", "woodland") else "suburb",))


def dense_place(site: Site) -> None:
    """A packed town with narrow lanes."""
    rng = site.rng
    yard(site, site.outline(whole_area(site)))
    lanes = "dirt" if rng.random() < 0.35 else ("concrete" if rng.random() < 0.2 else "asphalt")
    grid = Grid(rng.uniform(45, 80), rng.uniform(32, 60), rng.uniform(5.5, 10), rng.uniform(2.8, 4.5), lanes)
    uses = {"dense": 14.0, "works": 0.6, "building site": 0.4, "park": 0.3, "desert": 0.3}
    build_town(site, grid, uses, ("dense", "dense"))


def city_place(site: Site) -> None:
    """Large level roofs, wide roads, car parks."""
    rng = site.rng
    yard(site, site.outline(whole_area(site)))
    grid = Grid(rng.uniform(90, 150), rng.uniform(70, 115), rng.uniform(18, 27), rng.uniform(11, 16))
    uses = {
        "offices": 6.0,
        "shops": 2.0,
        "car park": 1.6,
        "park": 0.8,
        "apartments": 1.2,
        "building site": 0.5,
        "works": 0.6,
        "suburb": 0.6,
    }
    build_town(site, grid, uses, ("offices", "car park") if rng.random() < 0.5 else ("offices", "shops"))


def industrial_place(site: Site) -> None:
    """Halls, tanks, yards and bare soil."""
    rng = site.rng
    yard(site, site.outline(whole_area(site)))
    grid = Grid(rng.uniform(120, 200), rng.uniform(80, 130), rng.uniform(11, 16), rng.uniform(7, 10))
    uses = {"works": 5.0, "tanks": 2.2, "building site": 1.0, "car park": 0.7, "desert": 0.6, "park": 0.2}
    build_town(site, grid, uses, ("tanks", "works") if rng.random() < 0.6 else ("works", "tanks"))


def desert_place(site: Site) -> None:
    """Villas on bright sand, wide roads, dark water."""
    rng = site.rng
    site.disputed.add("sand")
    bare(site, site.outline(whole_area(site)), "bare soil", 0.0)
    grid = Grid(rng.uniform(110, 180), rng.uniform(52, 80), rng.uniform(14, 24), rng.uniform(7.5, 10))
    empty = float(rng.uniform(1, 8))
    uses = {
        "villas": 8.0,
        "desert": empty,
        "offices": 1.0,
        "building site": 0.9,
        "pond": 0.3,
        "park": 0.4,
        "shops": 0.3,
    }
    build_town(site, grid, uses, ("villas", "desert"))
    if rng.random() < 0.45:
        _lagoon(site)


def _lagoon(site: Site) -> None:
    """A large dark water with a sandy shore, which takes what was built there."""
    rng = site.rng
    extent = min(site.canvas.reach)
    turn, away = rng.uniform(0, 2 * math.pi), rng.uniform(0.75, 1.25) * extent
    x, y = away * math.cos(turn), away * math.sin(turn)
    outline = smooth(blob(rng, x, y, rng.uniform(0.45, 0.8) * extent, 0.35))
    shore = (outline - [x, y]) * 1.16 + [x, y]
    site.clear(shore)
    bare(site, shore, "bare soil", 3.0)
    water_body(
        site, outline, "lake", pick(rng, {"black": 3.0, "dark": 2.0, "green": 2.0, "algae": 1.0, "teal": 0.7}), 2.0
    )
