"""A camera turns reflectance and heights into a photograph: sun, sky, shadows, haze, lens, sensor, compression."""

import io
import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from .canvas import Canvas, Sun
from .noise import Floats

_STRIP_ROWS = 256


@dataclass(frozen=True)
class Camera:
    """How one flight sees the world."""

    ambient: float
    """Share of the light on level ground that comes from the sky: how light the shadows are."""

    sky: tuple[float, float, float]
    """Colour of the sky light."""

    haze: float
    """Share of the picture that is haze."""

    haze_color: tuple[float, float, float]
    exposure: float
    contrast: float
    saturation: float
    gains: tuple[float, float, float]
    """Colour cast: factors of red, green and blue."""

    blur_px: float
    sharpen: float
    """Strength of the halo along edges, as delivered imagery has it."""

    noise: float
    """Deviation of the sensor noise in grey levels."""

    jpeg_quality: int | None
    stretch: tuple[float, float, float]
    """Grey levels that the darkest and lightest two percent are pulled to, and how strongly (0..1)."""


_CASTS = (
    # gains, weight: neutral, cool, greenish film, brownish, pinkish haze
    ((1.0, 1.0, 1.0), 4.0),
    ((0.97, 1.0, 1.05), 2.0),
    ((0.98, 1.02, 0.9), 2.0),
    ((1.06, 0.99, 0.9), 1.2),
    ((1.03, 0.98, 1.02), 1.0),
    ((0.93, 1.03, 0.99), 0.8),
)


def sample_sun(rng: np.random.Generator) -> Sun:
    """A sun of late morning to early afternoon anywhere on Earth, sometimes low."""
    elevation = math.radians(float(np.clip(rng.normal(47, 12), 24, 72)))
    azimuth = rng.uniform(0, 2 * math.pi)
    return Sun(math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth), math.sin(elevation))


def sample_camera(rng: np.random.Generator, vivid: float = 0.0) -> Camera:
    """One of the looks that aerial surveys, drones and satellites have; `vivid` is added to the usual saturation."""
    weights = np.array([weight for _, weight in _CASTS])
    cast = np.array(_CASTS[rng.choice(len(_CASTS), p=weights / weights.sum())][0])
    cast = cast * (1 + 0.015 * rng.standard_normal(3))
    hazy = rng.random() < 0.3
    punchy = not hazy and rng.random() < 0.5
    return Camera(
        ambient=float(rng.uniform(0.07, 0.17) if punchy else rng.uniform(0.13, 0.32)),
        sky=(float(rng.uniform(0.78, 0.95)), 0.97, float(rng.uniform(1.08, 1.3))),
        haze=float(rng.uniform(0.08, 0.24) if hazy else rng.uniform(0.0, 0.07)),
        haze_color=(float(rng.uniform(0.6, 0.72)), float(rng.uniform(0.64, 0.72)), float(rng.uniform(0.66, 0.76))),
        exposure=float(rng.lognormal(0.2, 0.2)),
        contrast=float(rng.uniform(1.15, 1.5) if punchy else rng.uniform(0.95, 1.22)),
        saturation=float(np.clip(rng.normal(0.68 + vivid, 0.17), 0.32, 1.1)),
        gains=(float(cast[0]), float(cast[1]), float(cast[2])),
        blur_px=float(rng.choice([rng.uniform(0.2, 0.55), rng.uniform(0.55, 0.95)], p=[0.65, 0.35])),
        sharpen=float(rng.uniform(0, 1.2) if rng.random() < 0.5 else 0.0),
        noise=float(rng.uniform(0.4, 2.4)),
        jpeg_quality=int(rng.integers(60, 95)) if rng.random() < 0.7 else None,
        stretch=(
            float(np.clip(rng.normal(62 if hazy else 38, 14), 8, 90)),
            float(np.clip(rng.normal(200 if hazy else 222, 16), 165, 252)),
            float(rng.uniform(0.4, 1.0)),
        ),
    )


def satellite_camera(rng: np.random.Generator) -> Camera:
    """Satellite pictures as they are put on maps: hard contrast, blacks that close, a violet or olive cast."""
    camera = sample_camera(rng)
    cast = np.array(((1.0, 0.97, 1.06), (1.0, 1.0, 1.0), (1.02, 1.0, 0.92))[int(rng.integers(3))])
    red, green, blue = (cast * (1 + 0.015 * rng.standard_normal(3))).tolist()
    return replace(
        camera,
        ambient=float(rng.uniform(0.05, 0.14)),
        haze=0.0,
        contrast=float(rng.uniform(1.2, 1.6)),
        gains=(red, green, blue),
        stretch=(float(rng.uniform(2, 26)), float(rng.uniform(222, 252)), float(rng.uniform(0.7, 1.0))),
        sharpen=float(rng.uniform(0.2, 1.3)),
    )


def _shifted(values: Floats, rows: int, cols: int) -> Floats:
    """The array moved so that pixel (r, c) holds what was at (r + rows, c + cols); -1e3 comes in from outside."""
    moved = np.full_like(values, -1e3)
    height, width = values.shape
    if abs(rows) >= height or abs(cols) >= width:
        return moved
    target_rows, source_rows = slice(max(-rows, 0), height - max(rows, 0)), slice(max(rows, 0), height + min(rows, 0))
    target_cols, source_cols = slice(max(-cols, 0), width - max(cols, 0)), slice(max(cols, 0), width + min(cols, 0))
    moved[target_rows, target_cols] = values[source_rows, source_cols]
    return moved


def _between(values: Floats, rows: float, cols: float) -> Floats:
    """`_shifted` by parts of pixels: near obstacles need it, or thin walls would cast dotted shadows."""
    row, col = math.floor(rows), math.floor(cols)
    down, right = np.float32(rows - row), np.float32(cols - col)
    upper = (1 - right) * _shifted(values, row, col) + right * _shifted(values, row, col + 1)
    lower = (1 - right) * _shifted(values, row + 1, col) + right * _shifted(values, row + 1, col + 1)
    return np.asarray((1 - down) * upper + down * lower, dtype=np.float32)


def sunlit(canvas: Canvas) -> Floats:
    """Share of the sun that reaches every pixel: 0 in cast shadow, 1 in the open, (H, W).

    A point lies in shadow when something stands towards the sun higher than the ray. The highest obstacle along the ray
    is gathered by doubling steps, which takes the logarithm of the longest shadow.
    """
    sun = canvas.sun
    toward_x, toward_y = sun.x / sun.z + canvas.lean[0], sun.y / sun.z + canvas.lean[1]
    run = math.hypot(toward_x, toward_y)
    highest = float(canvas.height.max())
    if highest < 0.1 or run < 1e-3:
        return np.ones_like(canvas.height)
    drop = canvas.gsd / run  # metres the ray rises per pixel
    step_rows, step_cols = toward_y / run, toward_x / run
    obstacle = _between(canvas.height, step_rows, step_cols) - np.float32(drop)
    reached = 1
    while reached * drop < highest + canvas.gsd:
        if reached < 4:
            further = _between(obstacle, step_rows * reached, step_cols * reached)
        else:
            further = _shifted(obstacle, round(step_rows * reached), round(step_cols * reached))
        further -= np.float32(drop * reached)
        np.maximum(obstacle, further, out=obstacle)
        reached *= 2
    obstacle -= canvas.height
    softness = max(0.9 * drop, 0.25)
    obstacle -= 0.15
    obstacle *= np.float32(-1 / softness)
    obstacle += 1
    return np.clip(obstacle, 0.0, 1.0, out=obstacle)


def _openness(canvas: Canvas) -> Floats:
    """Share of the sky that is seen: less at the foot of walls and in lanes."""
    coarse = Image.fromarray(np.asarray(np.clip(canvas.height * 8, 0, 255), dtype=np.uint8))
    around = np.asarray(coarse.filter(ImageFilter.BoxBlur(max(2.5 / canvas.gsd, 1.0))), dtype=np.float32) / 8
    around -= canvas.height
    return 1 - 0.55 * np.clip(around / 6, 0.0, 1.0)


def develop(canvas: Canvas, camera: Camera) -> npt.NDArray[np.uint8]:
    """The photograph without margins, (H, W, 3)."""
    direct, openness = sunlit(canvas), _openness(canvas)
    result = np.empty((*canvas.shape, 3), dtype=np.uint8)
    for top in range(0, canvas.shape[0], _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        light = direct[rows] * canvas.lambert[rows]
        result[rows] = _expose(canvas.albedo[rows], light, openness[rows], camera)
    return _sense(canvas, _stretched(result, camera), camera)


def _stretched(photograph: npt.NDArray[np.uint8], camera: Camera) -> npt.NDArray[np.uint8]:
    """The contrast stretch with which imagery is delivered, within reason for pictures of one tone."""
    low, high, strength = camera.stretch
    sample = photograph[::7, ::5].mean(axis=2)
    darkest, middle, lightest = np.percentile(sample, [2, 50, 98])
    high = min(high, 205 + 50 * float(np.clip((lightest - middle) / 60, 0, 1)))  # bright ground keeps its texture
    gain = float(np.clip((high - low) / max(lightest - darkest, 1.0), 0.7, 1.6))
    levels = np.arange(256)
    pulled = (levels - (darkest + lightest) / 2) * gain + (low + high) / 2
    pulled = np.where(pulled > 225, 225 + 30 * np.tanh((pulled - 225) / 30), pulled)
    table = np.clip(levels + strength * (pulled - levels), 0, 255).astype(np.uint8)
    return table[photograph]


def _expose(albedo: Floats, direct: Floats, openness: Floats, camera: Camera) -> npt.NDArray[np.uint8]:
    sky = np.array(camera.sky, dtype=np.float32)
    sunlight = 1 - camera.ambient * sky  # so that level ground in the sun has exactly its own colour
    light = direct[..., None] * sunlight + openness[..., None] * (camera.ambient * sky)
    linear = albedo * albedo * light * np.float32(camera.exposure)
    haze = np.square(np.array(camera.haze_color, dtype=np.float32))
    linear += np.float32(camera.haze) * (haze - linear)
    tone = np.sqrt(np.maximum(linear, 0.0)) * np.array(camera.gains, dtype=np.float32)
    gray = tone @ np.array([0.3, 0.59, 0.11], dtype=np.float32)
    tone = gray[..., None] + camera.saturation * (tone - gray[..., None])
    tone = 0.46 + camera.contrast * (tone - 0.46)
    # highlights roll off instead of clipping hard
    tone = np.where(tone > 0.85, 0.85 + 0.15 * np.tanh((tone - 0.85) / 0.15), tone)
    return np.asarray(np.clip(tone, 0, 1) * 255 + 0.5, dtype=np.uint8)


def _sense(canvas: Canvas, photograph: npt.NDArray[np.uint8], camera: Camera) -> npt.NDArray[np.uint8]:
    picture = Image.fromarray(photograph).filter(ImageFilter.GaussianBlur(camera.blur_px))
    if camera.sharpen:
        picture = picture.filter(ImageFilter.UnsharpMask(1.2, int(camera.sharpen * 100), 1))
    edge = canvas.margin
    sharp = np.asarray(picture)[edge : canvas.shape[0] - edge, edge : canvas.shape[1] - edge]
    finished = np.empty_like(sharp)
    for top in range(0, sharp.shape[0], _STRIP_ROWS):
        strip = sharp[top : top + _STRIP_ROWS]
        grain = canvas.rng.standard_normal((*strip.shape[:2], 4), dtype=np.float32)
        speckle = camera.noise * (0.8 * grain[..., :1] + 0.45 * grain[..., 1:])
        finished[top : top + _STRIP_ROWS] = np.clip(strip + speckle + 0.5, 0, 255).astype(np.uint8)
    return finished if camera.jpeg_quality is None else _compressed(finished, camera.jpeg_quality)


def _compressed(photograph: npt.NDArray[np.uint8], quality: int) -> npt.NDArray[np.uint8]:
    memory = io.BytesIO()
    Image.fromarray(photograph).save(memory, format="JPEG", quality=quality)
    with Image.open(memory) as picture:
        return np.array(picture)
