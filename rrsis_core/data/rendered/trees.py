"""A tree is a crown seen from above: lobes with a lit and a dark side, on a height that casts a shadow.

A handful of crowns per kind and size is modelled once per scene and stamped many times.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .canvas import CANOPY, STRUCTURE, Canvas, Window, mark, paint
from .look import Color, Look, rgb
from .noise import Floats
from .site import Plant, Site

_VARIANTS = 5
_RADIUS_STEP = 1.22

_LEAVES: dict[str, tuple[Color, ...]] = {
    "broad": (rgb(78, 102, 60), rgb(94, 114, 66), rgb(68, 90, 58), rgb(108, 122, 76), rgb(84, 104, 72)),
    "conifer": (rgb(58, 80, 62), rgb(70, 88, 64), rgb(62, 84, 70)),
    "palm": (rgb(84, 100, 62), rgb(98, 108, 72)),
    "bush": (rgb(84, 98, 62), rgb(98, 106, 76), rgb(70, 88, 54), rgb(88, 92, 70)),
    "bare": (rgb(132, 118, 106), rgb(142, 130, 120), rgb(120, 106, 96)),
}


@dataclass(frozen=True)
class _Crown:
    """A modelled crown, all (side, side)."""

    alpha: Floats
    height: Floats
    lambert: Floats
    tone: Floats
    envelope: Floats
    """Coverage by the whole crown, for leafless ones with the gaps between their twigs."""


def _dome(u: Floats, v: Floats, lobes: npt.NDArray[np.float64]) -> Floats:
    """Upper envelope of spheres given as rows of (u, v, base, radius); negative where there is none."""
    surface = np.full(np.broadcast_shapes(u.shape, v.shape), -1.0, dtype=np.float32)
    for centre_u, centre_v, base, radius in lobes.astype(np.float32):
        inside = radius * radius - (u - centre_u) ** 2 - (v - centre_v) ** 2
        np.maximum(surface, np.where(inside > 0, base + np.sqrt(np.maximum(inside, 0)), -1), out=surface)
    return surface


def _lobes(rng: np.random.Generator, radius: float, count: int, spread: float) -> npt.NDArray[np.float64]:
    """Lobes of a broad crown: a core and smaller lumps around it."""
    angles = rng.uniform(0, 2 * math.pi, count)
    distances = spread * radius * np.sqrt(rng.uniform(0.08, 1, count))
    sizes = radius * rng.uniform(0.28, 0.48, count)
    bases = 0.55 * np.sqrt(np.maximum(radius**2 - distances**2, 0)) * rng.uniform(0.6, 1.1, count)
    lumps = np.stack([distances * np.cos(angles), distances * np.sin(angles), bases, sizes], axis=1)
    return np.concatenate([[[0, 0, 0, 0.72 * radius]], lumps])


def _surface(rng: np.random.Generator, species: str, radius: float, u: Floats, v: Floats) -> Floats:
    distance = np.hypot(u, v)
    angle = np.arctan2(v, u)
    if species == "conifer":
        spikes = 1 + 0.07 * np.cos(angle * rng.integers(7, 12) + rng.uniform(0, 6))
        spikes += 0.06 * np.cos(angle * rng.integers(13, 20) + rng.uniform(0, 6))
        return np.asarray(1.7 * (radius * spikes - distance), dtype=np.float32)
    if species == "palm":
        fronds = np.abs(np.cos(angle * rng.integers(4, 6) + rng.uniform(0, 6) + 0.2 * distance))
        reach = radius * (0.35 + 0.65 * fronds**1.5)
        return np.asarray(np.where(distance < reach, 0.9 * radius * (1.2 - distance / radius), -1), dtype=np.float32)
    count = int(np.clip(radius * 4, 5, 22)) if species != "bush" else 4
    return _dome(u, v, _lobes(rng, radius, count, 0.72))


def _model(canvas: Canvas, rng: np.random.Generator, species: str, radius: float) -> _Crown:
    half = int(radius * 1.25 / canvas.gsd) + 2
    axis = np.arange(-half, half + 1, dtype=np.float32) * np.float32(canvas.gsd)
    u, v = axis[None, :], axis[:, None]
    surface = _surface(rng, species, radius, u, v)
    box = Window(0, 0, *surface.shape)
    clumps = canvas.noise.window(box, 1.3, 0.25, 0.7, int(rng.integers(1000)))
    coarse = canvas.noise.window(box, max(radius, 1.0), 0.6, 1.0, int(rng.integers(1000)))
    surface = surface + np.float32(0.1 * radius) * (0.55 * clumps + 0.5 * coarse) * (surface > -0.5)
    slope_y, slope_x = (np.asarray(slope) for slope in np.gradient(surface, canvas.gsd))
    lambert = canvas.sun.lambert(np.clip(slope_x, -1.4, 1.4), np.clip(slope_y, -1.4, 1.4))
    depth = np.clip(surface / (0.9 * radius), 0, 1)
    tone = (0.66 + 0.4 * depth) * (1 + 0.1 * clumps + 0.05 * coarse)
    alpha = np.clip(surface / np.float32(max(canvas.gsd, 0.1) * 1.5) + 0.3, 0, 1)
    envelope = alpha
    if species == "bare":
        along = u * np.float32(canvas.sun.x) + v * np.float32(canvas.sun.y)
        across = v * np.float32(canvas.sun.x) - u * np.float32(canvas.sun.y)
        streaks = canvas.noise.at(across + 50, 0.25 * along + 50, 1.4, 0.25, int(rng.integers(1000)))
        alpha = alpha * np.clip(0.5 + 0.22 * streaks + 0.1 * clumps, 0.1, 0.85)
        lambert, tone = 0.9 + 0.12 * (lambert - 0.9), 1 + 0.1 * streaks + 0.05 * clumps
    trunk = {"broad": 1.6, "palm": 2.6, "conifer": 0.6, "bush": 0.1, "bare": 1.2}[species] * radius**0.5
    height = np.maximum(trunk + surface, 0)
    light = (0.25 + 0.75 * lambert).astype(np.float32)
    return _Crown(alpha.astype(np.float32), height, light, tone, envelope)


class _Nursery:
    """Crowns of a scene by kind and size, modelled when first asked for."""

    def __init__(self, canvas: Canvas, rng: np.random.Generator):
        self._canvas = canvas
        self._rng = rng
        self._crowns: dict[tuple[str, int, int], _Crown] = {}

    def crown(self, plant: Plant) -> _Crown:
        size = round(math.log(max(plant.radius, 0.4)) / math.log(_RADIUS_STEP))
        key = (plant.species, size, int(self._rng.integers(_VARIANTS)))
        if key not in self._crowns:
            self._crowns[key] = _model(self._canvas, self._rng, plant.species, _RADIUS_STEP**size)
        return self._crowns[key]


def grow(site: Site) -> None:
    """Paint everything that was planted; where crowns meet, the higher one is seen."""
    rng = site.rng
    nursery = _Nursery(site.canvas, rng)
    for plant in site.plants:
        _stamp(site, nursery.crown(plant), plant, _leaf_color(rng, plant.species, site.look))
    site.plants.clear()


def _leaf_color(rng: np.random.Generator, species: str, look: Look) -> Color:
    leaves = _LEAVES[species]
    color = leaves[int(rng.integers(len(leaves)))] * (1 + 0.1 * rng.standard_normal())
    if species in ("broad", "bush") and rng.random() < 0.05:
        color = color * np.array([1.18, 0.98, 0.85])
    dull = 0.35 * look.dryness
    return np.asarray(color * (1 - dull) + dull * np.array([0.44, 0.41, 0.32]), dtype=np.float32)


def _stamp(site: Site, crown: _Crown, plant: Plant, color: Color) -> None:
    canvas = site.canvas
    reach_x, reach_y = canvas.reach
    half = crown.alpha.shape[0] // 2
    row, col = round((plant.y + reach_y) / canvas.gsd) - half, round((plant.x + reach_x) / canvas.gsd) - half
    side = crown.alpha.shape[0]
    window = Window(max(row, 0), max(col, 0), min(row + side, canvas.shape[0]), min(col + side, canvas.shape[1]))
    if window.bottom <= window.top or window.right <= window.left:
        return
    part = (slice(window.top - row, window.bottom - row), slice(window.left - col, window.right - col))
    height = crown.height[part]
    alpha = crown.alpha[part] * (height >= canvas.height[window.slices] - 0.3)
    owner = plant.owner or canvas.add("tree", CANOPY, type=plant.species)
    tone = crown.tone[part]
    tinted = color * tone[..., None]
    if plant.species == "bare":
        _thin_shadow(canvas, crown, (row, col), float(height.max()))
        paint(canvas, window, alpha, tinted)
        open_ground = canvas.owners[STRUCTURE][window.slices] == 0  # roofs show through the twigs
        mark(canvas, window, (crown.envelope[part] > 0.5) & open_ground, owner)
        return
    paint(canvas, window, alpha, tinted, owner, (height, crown.lambert[part]))


def _thin_shadow(canvas: Canvas, crown: _Crown, corner: tuple[int, int], height: float) -> None:
    """Twigs let most light through: their shadow is a faint copy of the crown, no cast shadow."""
    reach = 0.6 * height / canvas.sun.z / canvas.gsd
    row, col = corner[0] - round(canvas.sun.y * reach), corner[1] - round(canvas.sun.x * reach)
    side = crown.alpha.shape[0]
    window = Window(max(row, 0), max(col, 0), min(row + side, canvas.shape[0]), min(col + side, canvas.shape[1]))
    if window.bottom > window.top and window.right > window.left:
        part = crown.alpha[window.top - row : window.bottom - row, window.left - col : window.right - col]
        light = canvas.lambert[window.slices]
        np.maximum(light * (1 - 0.5 * part), 0.25, out=light)
