"""Transforms change an image as a camera or a day would, or turn it; `directions` turns its expression with it."""

import io

import numpy as np
from PIL import Image


def turn(array: np.ndarray, quarter_turns: int, mirrored: bool) -> np.ndarray:
    """Rotate (H, W, ...) counter-clockwise by quarter turns, then mirror left-right."""
    turned = np.rot90(array, quarter_turns)
    return turned[:, ::-1] if mirrored else turned


def turn_point(x: float, y: float, quarter_turns: int, mirrored: bool) -> tuple[float, float]:
    """Move a point with coordinates in [0, 1] as `turn` moves the pixels."""
    for _ in range(quarter_turns % 4):
        x, y = y, 1 - x
    return (1 - x if mirrored else x), y


def resize_image(image: np.ndarray, size: int) -> np.ndarray:
    """Resize (H, W, 3) uint8 to (size, size, 3), antialiased."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def resize_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """Resize (H, W) bool to (size, size) bool: a pixel belongs to the mask where more than half of it is covered."""
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR)) > 127


def nearest_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize (H, W) bool to (height, width) bool by the nearest pixel, as the field's tables are made.

    By PIL: torch's two kinds of nearest differ from it on up to half of the pixels (480 of 800 or 512).
    """
    picture = Image.fromarray(mask.astype(np.uint8))
    return np.asarray(picture.resize(size[::-1], Image.Resampling.NEAREST)).astype(bool)


def turned_back(quarter_turns: int, mirrored: bool) -> tuple[int, bool]:
    """Return the turn that undoes one: a mirror, however rotated, undoes itself."""
    return (quarter_turns, True) if mirrored else (-quarter_turns % 4, False)


def zoom(image: np.ndarray, mask: np.ndarray, factor: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Look closer (factor > 1: a part that holds the whole mask) or from further away (< 1: with an empty rim).

    image (H, W, 3) uint8 and mask (H, W) bool keep their sides' ratio, not their size. Where the mask fills more than
    the part would show, the part grows to hold it.
    """
    height, width = mask.shape
    if factor <= 1:
        tall, wide = round(height / factor), round(width / factor)
        top, left = (tall - height) // 2, (wide - width) // 2
        rim = (top, tall - height - top), (left, wide - width - left)
        return np.pad(image, (*rim, (0, 0))), np.pad(mask, rim)
    rows, columns = (_part(np.asarray(mask.any(axis=axis)), factor, rng) for axis in (1, 0))
    return image[rows, columns], mask[rows, columns]


def _part(covered: np.ndarray, factor: float, rng: np.random.Generator) -> slice:
    """Draw a part of an axis that holds every covered place."""
    places = np.flatnonzero(covered)
    first, last = (int(places[0]), int(places[-1]) + 1) if len(places) else (len(covered), 0)
    length = max(round(len(covered) / factor), last - first, 1)
    start = int(rng.integers(max(0, last - length), min(first, len(covered) - length) + 1))
    return slice(start, start + length)


def black_boxes(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Black out 20 to 60 squares of 32 pixels, as RMSIN does before it resizes; the mask stays."""
    image = image.copy()
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(20, 61))):
        top, left = int(rng.integers(max(1, height - 31))), int(rng.integers(max(1, width - 31)))
        image[top : top + 32, left : left + 32] = 0
    return image


def weather(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change light, cast, haze, sharpness and noise of (H, W, 3) uint8, mildly enough for colour names to hold."""
    x = image.astype(np.float32) / 255
    gray = x.mean(axis=2, keepdims=True)
    x = gray + (x - gray) * rng.uniform(0.75, 1.25)
    x = (x - 0.5) * rng.uniform(0.75, 1.3) + 0.5 + rng.uniform(-0.1, 0.1)
    x = x * rng.uniform(0.94, 1.06, size=3).astype(np.float32)
    if rng.random() < 0.3:
        x = x + (np.float32(rng.uniform(0.6, 0.9)) - x) * rng.uniform(0.05, 0.3)
    x = np.clip(x, 0, 1) ** np.float32(rng.uniform(0.75, 1.35))
    if rng.random() < 0.4:
        x = x + rng.normal(0, rng.uniform(0.005, 0.03), x.shape).astype(np.float32)
    changed = (np.clip(x, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.35:
        changed = _blur(changed, rng)
    return _jpeg(changed, int(rng.integers(35, 95))) if rng.random() < 0.4 else changed


def _blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lose detail as a coarser sensor does: down and up again."""
    height, width = image.shape[:2]
    factor = rng.uniform(1.2, 2.2)
    small = Image.fromarray(image).resize((int(width / factor), int(height / factor)), Image.Resampling.BILINEAR)
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def _jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def void(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return an area (H, W) bool as mosaics have it outside their data: everything beyond a slanted line."""
    height, width = shape
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:height, :width]
    along = (columns / width - 0.5) * np.cos(angle) + (rows / height - 0.5) * np.sin(angle)
    return along > rng.uniform(-0.1, 0.5)
