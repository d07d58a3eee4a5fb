"""Transforms change an image as a camera or a day would, or turn it over; a turned image turns its expression too."""

import io
import re

import numpy as np
from PIL import Image

_MIRRORS = {
    "horizontal": ("left right", "leftmost rightmost", "west east", "western eastern", "westernmost easternmost"),
    "vertical": (
        "top bottom",
        "upper lower",
        "topmost bottommost",
        "uppermost lowermost",
        "highest lowest",
        "above below",
        "north south",
        "northern southern",
        "northernmost southernmost",
        "up down",
    ),
}
_COMPASS = {"horizontal": (("west", "east"),), "vertical": (("north", "south"),)}


def _swaps(axis: str) -> dict[str, str]:
    pairs = [tuple(pair.split()) for pair in _MIRRORS[axis]]
    for first, second in _COMPASS[axis]:
        for suffix in ("", "ern", "ernmost"):
            for north in ("north", "south"):
                for west in ("west", "east"):
                    other = [second if part == first else first if part == second else part for part in (north, west)]
                    pairs.append((f"{north}{west}{suffix}", "".join(other) + suffix))
    return {a: b for pair in pairs for a, b in (pair, pair[::-1])}


_SWAPS = {axis: _swaps(axis) for axis in _MIRRORS}
_UNTURNABLE = re.compile(r"\b(under|beneath|underneath|over|clockwise|number|letter|\d+)\b")


def mirror_expression(expression: str, axis: str) -> str | None:
    """Rewrite an expression for an image mirrored along "horizontal" (left-right) or "vertical" (top-bottom).

    Returns None where a word could be a place or not ("the road under the bridge"), so that nothing false is said.
    """
    if axis == "vertical" and _UNTURNABLE.search(expression):
        return None
    return re.sub(r"[a-z]+", lambda match: _SWAPS[axis].get(match[0], match[0]), expression)


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
