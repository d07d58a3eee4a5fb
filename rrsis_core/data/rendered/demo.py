"""A demo scene is the showcase: town, river, fields, forest and car parks in one picture, blue roofs among others."""

import math
from dataclasses import replace

import numpy as np

from .camera import Camera, sample_camera
from .lands import clear_water, cross_country, meander
from .look import Look, sample_look
from .plots import field, forest, lawn, water_body
from .render import empty_site, finish
from .scene import Scene
from .shapes import ribbon
from .site import Block, Site
from .streets import Grid, divide, pave, pave_line, poles
from .towns import USES, whole_area
from .trees import grow

DEMO_SIZE, DEMO_GSD = 1280, 0.3
_ATTEMPTS = 12
_SHARE = 0.005  # of the picture, for everything the demo asks for

_ROOFS = {
    "shingle gray": 2.0,
    "shingle brown": 1.6,
    "tile red": 2.2,
    "tin white": 1.2,
    "tin blue": 3.4,
    "tin gray": 1.0,
    "shingle tan": 1.0,
    "tile orange": 0.8,
}


def demo_scene(seed: int) -> Scene:
    """A 1280 x 1280 scene at 0.3 m that is varied enough to show what the product does.

    It surely has several blue roofs among others, a river or lake, a parking lot with cars, roads, green fields and
    trees, each kind on at least 0.5 % of the pixels.
    """
    for attempt in range(_ATTEMPTS):
        scene = _render(seed, attempt)
        if shows_everything(scene):
            return scene
    return scene


def shows_everything(scene: Scene) -> bool:
    """Whether a scene has all that the demo asks for."""
    pixels = scene.image.shape[0] * scene.image.shape[1]

    def share(categories: tuple[str, ...], color: str | None = None) -> float:
        wanted = [item for item in scene.objects if item.category in categories and color in (None, item.color)]
        return sum(int(item.mask.sum()) for item in wanted) / pixels

    blue = sum(item.category == "building" and item.color == "blue" for item in scene.objects)
    cars = sum(item.category == "vehicle" for item in scene.objects)
    return (
        blue >= 4
        and cars >= 20
        and share(("building",), "blue") > _SHARE
        and share(("field",), "green") > _SHARE
        and min(share(names) for names in (("river", "lake"), ("tree", "forest"), ("road",), ("parking lot",))) > _SHARE
    )


def _render(seed: int, attempt: int) -> Scene:
    rng = np.random.default_rng([seed, attempt, 99_991])
    site = empty_site(rng, (DEMO_SIZE, DEMO_SIZE), DEMO_GSD, "suburb")
    site.look = _look(rng)
    _demo_place(site)
    grow(site)
    return finish(site, seed, "demo", _camera(rng))


def _look(rng: np.random.Generator) -> Look:
    look = sample_look(rng, float(rng.uniform(0.05, 0.3)))
    water = str(rng.choice(["blue", "teal", "green", "dark"], p=[0.35, 0.25, 0.25, 0.15]))
    species = {"broad": 5.0, "conifer": 0.7, "bush": 1.5}
    return replace(look, water=water, species=species, roofs=_ROOFS, tree_density=1.1, sidewalks=True, drawn_lines=True)


def _camera(rng: np.random.Generator) -> Camera:
    camera = sample_camera(rng)
    clear = replace(camera, haze=min(camera.haze, 0.03), gains=(1.0, 1.0, 1.0), exposure=1.08, contrast=1.08)
    return replace(clear, saturation=0.95, blur_px=0.5, noise=1.0, jpeg_quality=None)


def _demo_place(site: Site) -> None:
    """A river between a town (v > 0) and open country (v < 0), joined by a bridge."""
    rng = site.rng
    area = whole_area(site)
    bank = -rng.uniform(20, 60)
    lawn(site, site.outline(area), 0.2)
    _country(site, Block(area.left, area.top, area.right, bank - 30))
    grid = Grid(rng.uniform(105, 130), rng.uniform(60, 70), 12.0, 8.0)
    streets, blocks = divide(rng, Block(area.left, bank + 38, area.right, area.bottom), grid)
    for street in streets:
        pave(site, street)
    seen = sorted((b for b in blocks if site.in_view(b) and min(b.size) > 10), key=lambda b: math.hypot(*b.center))
    uses = [
        "suburb",
        "shops",
        "suburb",
        "works",
        "apartments",
        "car park",
        "suburb",
        "park",
        "works",
        "suburb",
        "school",
    ]
    for index, block in enumerate(seen):
        USES[uses[index % len(uses)]](site, block)
    for street in streets:
        poles(site, street)
    _river(site, bank, [s for s in streets if s.u0 == s.u1])


def _country(site: Site, land: Block) -> None:
    rng = site.rng
    _, blocks = divide(rng, land, Grid(120, 85, 5, 4, "dirt"))
    for index, block in enumerate(sorted(blocks, key=lambda b: math.hypot(*b.center))):
        if index % 4 == 2 or rng.random() < 0.15:
            forest(site, site.outline(block.shrunk(2)), "broad")
        else:
            field(site, site.outline(block.shrunk(2)), site.frame.angle + float(rng.choice([0, math.pi / 2])))
    for v in {block.bottom for block in blocks}:
        pave_line(site, site.line(land.left, v, land.right, v), 3.5, "dirt", 0.0)


def _river(site: Site, bank: float, streets: list) -> None:
    rng = site.rng
    width = float(rng.uniform(22, 34))
    line = meander(site, 9.0, 260.0, site.frame.angle, bank)
    forest(site, ribbon(line, width + 26), "broad", 0.35)
    water_body(site, ribbon(line, width), "river", None, 1.5)
    clear_water(site)
    across = streets[0].u0 if streets else 0.0
    reach = math.hypot(*site.canvas.reach)
    cross_country(site, site.line(across, -reach, across, bank + 60), 9.0, "asphalt", True)
