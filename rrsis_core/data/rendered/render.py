"""Rendering takes a seed to a finished scene: look, layout, plants, photograph, truth."""

import math
from collections.abc import Callable

import numpy as np

from rrsis_core.data.colors import color_name, color_shade

from .airport import airport_place
from .camera import Camera, develop, sample_camera, sample_sun, satellite_camera
from .canvas import CANOPY, DOUBTFUL, GROUND, MOVABLE, STRUCTURE, Canvas, Record
from .coast import coast_place
from .highway import highway_place
from .lands import countryside_place, sports_place
from .look import pick, sample_look
from .noise import Noise
from .scene import Scene, SceneObject
from .site import Site
from .towns import bent_frame, city_place, dense_place, desert_place, industrial_place, suburb_place
from .trees import grow

_MARGIN = 32
_SMALLEST = 4  # pixels of an object that still counts as seen

KINDS: dict[str, tuple[Callable[[Site], None], float, tuple[float, float]]] = {
    # layout, weight, usual metres per pixel
    "suburb": (suburb_place, 2.4, (0.15, 0.6)),
    "town": (dense_place, 2.2, (0.12, 0.4)),
    "city": (city_place, 1.6, (0.2, 0.7)),
    "industrial": (industrial_place, 1.3, (0.2, 0.7)),
    "airport": (airport_place, 1.1, (0.25, 0.8)),
    "highway": (highway_place, 0.9, (0.2, 0.6)),
    "coast": (coast_place, 1.2, (0.2, 0.7)),
    "countryside": (countryside_place, 1.8, (0.2, 1.0)),
    "desert": (desert_place, 1.4, (0.25, 1.0)),
    "sports": (sports_place, 1.3, (0.2, 0.6)),
}
"""Scene kinds: how they are laid out, how often they are drawn, at which ground resolution."""

_TRAFFIC_SURFACES = frozenset(
    {"road", "driveway", "parking lot", "runway", "taxiway", "bridge", "tennis court", "pier"}
)


def render_scene(
    seed: int, size: int | tuple[int, int] = 512, gsd: float | None = None, kind: str | None = None
) -> Scene:
    """Render the scene of a seed.

    Parameters
    ----------
    size
        Pixels of the side, or (rows, columns).
    gsd
        Metres per pixel, 0.1 to 1.5; by default drawn from what is usual for the kind.
    kind
        One of KINDS; by default drawn.

    Raises
    ------
    ValueError
        The kind is not one of KINDS.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"unknown scene kind {kind!r}: one of {', '.join(KINDS)}")
    rng = np.random.default_rng([seed, 20_317])
    drawn_kind = pick(rng, {name: weight for name, (_, weight, _) in KINDS.items()})
    kind = kind or drawn_kind
    layout, _, (finest, coarsest) = KINDS[kind]
    drawn_gsd = math.exp(rng.uniform(math.log(finest), math.log(coarsest)))
    rows, cols = (size, size) if isinstance(size, int) else size
    site = empty_site(rng, (rows, cols), gsd or drawn_gsd, kind)
    layout(site)
    grow(site)
    satellite = rng.random() < (0.65 if kind == "desert" else 0.3 if site.canvas.gsd > 0.45 else 0.0)
    camera = satellite_camera(rng) if satellite else sample_camera(rng, 0.17 if kind == "town" else 0.0)
    return finish(site, seed, kind, camera)


def empty_site(rng: np.random.Generator, size: tuple[int, int], gsd: float, kind: str) -> Site:
    """Bare ground with a sun, a view, a look and street directions."""
    shape = (size[0] + 2 * _MARGIN, size[1] + 2 * _MARGIN)
    side = 512 if max(shape) <= 640 else 1024
    tilt = float(rng.uniform(0, 0.16) ** 1.0 if rng.random() < 0.7 else 0.0)
    toward = rng.uniform(0, 2 * math.pi)
    canvas = Canvas(
        gsd=gsd,
        margin=_MARGIN,
        sun=sample_sun(rng),
        lean=(tilt * math.cos(toward), tilt * math.sin(toward)),
        noise=Noise(gsd, side, int(rng.integers(1 << 30))),
        rng=rng,
        albedo=np.full((*shape, 3), 0.45, dtype=np.float32),
        height=np.zeros(shape, dtype=np.float32),
        lambert=np.ones(shape, dtype=np.float32),
        owners=np.zeros((4, *shape), dtype=np.int32),
    )
    dryness = float(rng.uniform(0.8, 1.0)) if kind == "desert" else None
    look = sample_look(rng, dryness, kind == "desert")
    strength = {
        "suburb": 1.0,
        "desert": 1.2,
        "town": 0.7,
        "countryside": 0.6,
        "airport": 0.0,
        "coast": 0.0,
        "highway": 0.0,
    }.get(kind, 0.3)
    return Site(canvas, bent_frame(rng, strength), look, rng)


def finish(site: Site, seed: int, kind: str, camera: Camera) -> Scene:
    """Photograph, map placement and objects of a site on which everything has been built and grown."""
    canvas = site.canvas
    image = develop(canvas, camera)
    objects = tuple(item for item in _objects(canvas, image) if item is not None)
    map_rng = np.random.default_rng([seed, 5])
    zone = int(map_rng.integers(1, 61))
    north = bool(map_rng.random() < 0.7)
    left = round(float(map_rng.uniform(300_000, 700_000)))
    top = round(float(map_rng.uniform(1_000_000, 7_000_000)))
    transform = (canvas.gsd, 0.0, float(left), 0.0, -canvas.gsd, float(top))
    epsg = (32_600 if north else 32_700) + zone
    return Scene(image, canvas.gsd, transform, epsg, kind, seed, objects, _doubtful(canvas), frozenset(site.disputed))


def _doubtful(canvas: Canvas) -> np.ndarray:
    edge = canvas.margin
    layers = canvas.owners[:, edge : canvas.shape[0] - edge, edge : canvas.shape[1] - edge]
    return (layers[GROUND] == DOUBTFUL) & (layers[STRUCTURE] == 0) & (layers[MOVABLE] == 0) & (layers[CANOPY] == 0)


def _objects(canvas: Canvas, image: np.ndarray) -> list[SceneObject | None]:
    return [_object(canvas, image, number + 1, record) for number, record in enumerate(canvas.records)]


def _object(canvas: Canvas, image: np.ndarray, owner: int, record: Record) -> SceneObject | None:
    """What is seen of an object inside the margins, None when that is next to nothing."""
    if record.window is None:
        return None
    edge = canvas.margin
    top, left = max(record.window.top, edge), max(record.window.left, edge)
    bottom = min(record.window.bottom, canvas.shape[0] - edge)
    right = min(record.window.right, canvas.shape[1] - edge)
    if bottom <= top or right <= left:
        return None
    layers = canvas.owners[:, top:bottom, left:right]
    seen = layers[record.layer] == owner
    for above in _hiding_layers(record):
        seen &= layers[above] == 0
    rows, cols = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if len(rows) == 0 or np.count_nonzero(seen) < _SMALLEST:
        return None
    mask = seen[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1].copy()
    first_row, first_col = int(top - edge + rows[0]), int(left - edge + cols[0])
    span_r, span_c = (first_row, first_row + mask.shape[0]), (first_col, first_col + mask.shape[1])
    median = np.median(image[slice(*span_r), slice(*span_c)][mask], axis=0)
    attributes = dict(record.attributes)
    shade = color_shade(median)
    if shade:
        attributes["shade"] = shade
    attributes["visible"] = f"{min(np.count_nonzero(mask) / max(record.painted, 1), 1.0):.2f}"
    return SceneObject(record.category, color_name(median), attributes, span_r, span_c, mask)


def _hiding_layers(record: Record) -> tuple[int, ...]:
    if record.layer == GROUND:
        return (STRUCTURE, CANOPY) if record.category in _TRAFFIC_SURFACES else (STRUCTURE, MOVABLE, CANOPY)
    return () if record.layer == CANOPY else (CANOPY,)
