"""A plot is a piece of ground with one cover: lawn, soil, field, forest, water, sand, court; most are objects."""

import math
from collections.abc import Callable

import numpy as np

from .canvas import CANOPY, DOUBTFUL, GROUND, Canvas, Window, clutter, paint
from .ground import crop, grass, mown, rubble, sand, scrub, slabs, soil
from .look import Color, Look, rgb, varied
from .noise import Floats
from .shapes import Points, polygon, ragged, ribbon
from .site import Block, Site
from .water import surface

_WEEDS = "weeds"  # stands for DOUBTFUL ground

Texture = Callable[[Canvas, Window], Floats]


def lay(site: Site, points: Points, texture: Texture, category: str | None, rough_m: float = 0.0) -> int:
    """Cover a polygon of image metres; the owner mark comes back, 0 for no category or outside."""
    canvas = site.canvas
    shape = polygon(canvas, points, rough_m * 2)
    if shape is None:
        return 0
    window, alpha = shape
    if rough_m:
        alpha = ragged(canvas, window, alpha, rough_m, 1.0, int(site.rng.integers(50)))
    owner = DOUBTFUL if category == _WEEDS else canvas.add(category, GROUND) if category else clutter(GROUND)
    paint(canvas, window, alpha, texture(canvas, window), owner, (0.0, 1.0))
    return max(owner, 0)


def lawn(site: Site, points: Points, tended: float | None = None, rough_m: float = 0.0) -> int:
    """Grass: `tended` 1 is a watered lawn with mowing stripes, 0 a meadow."""
    care = float(site.rng.beta(1.2, 1.6)) if tended is None else tended
    dry = site.look.dryness * (1 - 0.75 * care)
    salt = int(site.rng.integers(50))
    stripes = (
        float(site.rng.uniform(0, math.pi)),
        float(site.rng.uniform(1.0, 5.0)),
        0.035 * (site.rng.random() < 0.5),
    )

    def texture(canvas: Canvas, window: Window) -> Floats:
        if care > 0.55:
            return mown(canvas, window, site.look, dry, stripes)
        return grass(canvas, window, site.look, dry, salt)

    return lay(site, points, texture, "grass", rough_m)


def bare(
    site: Site, points: Points, category: str | None = "bare soil", rough_m: float = 1.5, color: Color | None = None
) -> int:
    """Open soil."""
    tone = varied(site.rng, site.look.soil, 0.03, 0.006) if color is None else color
    salt = int(site.rng.integers(50))
    return lay(site, points, lambda canvas, window: soil(canvas, window, tone, 1.0, salt), category, rough_m)


def yard(site: Site, points: Points, rough_m: float = 0.0) -> int:
    """Soil with weeds on it: neither grass nor bare, hence doubtful."""
    salt, cover = int(site.rng.integers(50)), float(site.rng.uniform(0.25, 0.7))
    return lay(site, points, lambda canvas, window: scrub(canvas, window, site.look, cover, salt), _WEEDS, rough_m)


def paved(site: Site, points: Points, side: float = 4.0, color: Color | None = None) -> int:
    """Concrete that is no road."""
    tone = varied(site.rng, site.look.concrete, 0.05) if color is None else color
    grid, salt = (site.frame.angle, side), int(site.rng.integers(50))
    return lay(site, points, lambda canvas, window: slabs(canvas, window, tone, grid, salt), None)


def debris(site: Site, points: Points) -> int:
    """A heap of rubbish or rubble."""
    tone, salt = varied(site.rng, rgb(140, 130, 118), 0.15), int(site.rng.integers(50))
    return lay(site, points, lambda canvas, window: rubble(canvas, window, tone, salt), None, 1.0)


_CROPS: tuple[tuple[Color, Color], ...] = (
    (rgb(88, 116, 66), rgb(138, 120, 98)),
    (rgb(104, 126, 74), rgb(150, 132, 106)),
    (rgb(74, 102, 62), rgb(120, 108, 92)),
    (rgb(186, 168, 112), rgb(164, 146, 108)),
    (rgb(150, 148, 92), rgb(148, 130, 100)),
    (rgb(128, 142, 120), rgb(124, 120, 112)),
    (rgb(120, 124, 112), rgb(104, 100, 96)),
)


def field(site: Site, points: Points, heading: float) -> int:
    """A field: a crop in rows, stubble or ploughed earth."""
    rng = site.rng
    plants, earth = _CROPS[int(rng.integers(len(_CROPS)))]
    colors = (varied(rng, plants, 0.09, 0.012), varied(rng, 0.5 * earth + 0.5 * site.look.soil, 0.08, 0.01))
    cover = float(np.clip(rng.beta(1.6, 1.0), 0.05, 1.0))
    rows = (heading, float(rng.choice([rng.uniform(0.4, 1.0), rng.uniform(1.0, 3.6)])), cover)
    return lay(site, points, lambda canvas, window: crop(canvas, window, colors, rows), "field", 0.5)


def forest(site: Site, points: Points, species: str | None = None, open_share: float = 0.0) -> int:
    """Closed trees over dark ground."""
    canvas, rng = site.canvas, site.rng
    shape = polygon(canvas, points, 4.0)
    if shape is None:
        return 0
    window, alpha = shape
    alpha = ragged(canvas, window, alpha, 3.0, 1.0, int(rng.integers(50)))
    kind = species or _forest_species(rng, site.look)
    litter = soil(canvas, window, rgb(150, 132, 114), 1.0, 3)
    floor = litter if kind == "bare" else grass(canvas, window, site.look, 0.6, 3) * np.float32(0.66)
    owner = canvas.add("forest", CANOPY)
    closed = open_share < 0.3  # small gaps belong to a forest, the ground of an open wood does not
    paint(canvas, window, alpha, floor, owner if closed else clutter(GROUND), (0.0, 1.0))
    _fill_with_trees(site, window, alpha, owner, (kind, open_share))
    return owner


def _forest_species(rng: np.random.Generator, look: Look) -> str:
    if look.species.get("bare", 0) > 1:
        return "bare" if rng.random() < 0.7 else "conifer"
    return "conifer" if rng.random() < 0.3 else "broad"


def _fill_with_trees(site: Site, window: Window, alpha: Floats, owner: int, habit: tuple[str, float]) -> None:
    canvas, rng = site.canvas, site.rng
    kind, open_share = habit
    mean = float(rng.uniform(2.4, 4.6)) if kind != "conifer" else float(rng.uniform(1.7, 2.8))
    spacing = max(1.25 * mean, 2.2 * canvas.gsd)
    rows, cols = (max(int(side * canvas.gsd / spacing) + 1, 1) for side in window.shape)
    grid_r, grid_c = np.meshgrid(np.arange(rows), np.arange(cols), indexing="ij")
    places = np.stack([grid_r.ravel(), grid_c.ravel()], axis=1) + rng.uniform(-0.5, 0.5, (rows * cols, 2))
    pixels = np.asarray(places * spacing / canvas.gsd, dtype=np.int64)
    inside = (pixels >= 0).all(axis=1) & (pixels[:, 0] < window.shape[0]) & (pixels[:, 1] < window.shape[1])
    pixels = pixels[inside]
    pixels = pixels[alpha[pixels[:, 0], pixels[:, 1]] > 0.5]
    if open_share:
        pixels = pixels[rng.random(len(pixels)) > open_share]
    reach_x, reach_y = canvas.reach
    sizes = np.clip(rng.lognormal(math.log(mean), 0.25, len(pixels)), 1.0, 9.0)
    mixed = rng.random(len(pixels)) < 0.12
    for (row, col), size, other in zip(pixels.tolist(), sizes.tolist(), mixed.tolist(), strict=True):
        x, y = (window.left + col) * canvas.gsd - reach_x, (window.top + row) * canvas.gsd - reach_y
        site.plant(x, y, size, "broad" if other and kind != "bare" else kind, owner)


def water_body(site: Site, points: Points, category: str, name: str | None = None, rough_m: float = 1.5) -> int:
    """A lake, pond, river or sea within a polygon, with a damp shore."""
    canvas = site.canvas
    shape = polygon(canvas, points, 8.0)
    if shape is None:
        return 0
    window, alpha = shape
    salt = int(site.rng.integers(50))
    alpha = ragged(canvas, window, alpha, rough_m, 1.0, salt)
    shore = ragged(canvas, window, polygon_around(canvas, window, points, 3.0), rough_m, 1.0, salt)
    damp = soil(canvas, window, site.look.soil * np.float32(0.78), 1.0, salt)
    paint(canvas, window, np.clip(shore * 1.2 - alpha, 0, 0.85), damp, clutter(GROUND), (0.0, 1.0))
    owner = canvas.add(category, GROUND)
    paint(canvas, window, alpha, surface(canvas, window, alpha, name or site.look.water), owner, (-0.4, 1.0))
    return owner


def polygon_around(canvas: Canvas, window: Window, points: Points, by: float) -> Floats:
    """Coverage, on a given window, of a closed outline widened by some metres."""
    closed = np.concatenate([points, points[:1]])
    full = np.zeros(window.shape, dtype=np.float32)
    for part in (points, ribbon(closed, 2 * by)):
        shape = polygon(canvas, part)
        if shape is not None:
            other, alpha = shape
            top, left = max(other.top, window.top), max(other.left, window.left)
            bottom, right = min(other.bottom, window.bottom), min(other.right, window.right)
            if bottom > top and right > left:
                here = full[top - window.top : bottom - window.top, left - window.left : right - window.left]
                there = alpha[top - other.top : bottom - other.top, left - other.left : right - other.left]
                np.maximum(here, there, out=here)
    return full


_POOL = (rgb(96, 176, 196), rgb(120, 196, 206), rgb(76, 150, 184), rgb(60, 120, 150))


def swimming_pool(site: Site, points: Points, deck: Points | None) -> int:
    """A pool in a paved deck."""
    if deck is not None:
        paved(site, deck, 1.2, varied(site.rng, rgb(204, 192, 172), 0.08))
    color = varied(site.rng, _POOL[int(site.rng.integers(len(_POOL)))], 0.08, 0.015)

    def texture(canvas: Canvas, window: Window) -> Floats:
        tone = 1 + 0.05 * canvas.grain(window, 6, 1, 1.2) + 0.03 * canvas.grain(window, 1.2, 0.2, 0.6, 1)
        return np.asarray(color * tone[..., None], dtype=np.float32)

    return lay(site, points, texture, "swimming pool")


def sand_patch(site: Site, points: Points, category: str, color: Color, rough_m: float = 0.8) -> int:
    """Sand of a beach or a bunker."""
    salt = int(site.rng.integers(50))
    return lay(site, points, lambda canvas, window: sand(canvas, window, color, salt), category, rough_m)


def garden(site: Site, block: Block) -> None:
    """Beds and shrubs along a plot: greenery that is no lawn."""
    for u, v in site.scatter(block, 60):
        x, y, _ = site.frame.place(float(u), float(v))
        site.plant(x, y, float(site.rng.uniform(0.6, 1.5)), "bush")
