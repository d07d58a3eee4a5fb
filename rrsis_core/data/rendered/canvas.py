"""A canvas is what a scene is painted on: reflectance, height and slope of every pixel, and who owns it.

Coordinates of things are metres from the middle of the image, x to the right and y down. Light and shadows come
later, from the heights (`camera`). Owners are kept on four layers, so that a car does not cut a hole into its road
while a tree cuts one into the roof below.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .noise import Floats, Noise

GROUND, STRUCTURE, MOVABLE, CANOPY = range(4)

KEEP = 0
"""Owner of paint that changes the look only: whoever owned the pixels still does."""


DOUBTFUL = -5
"""Owner of ground that people would name differently: weeds on soil are grass to some and bare soil to others."""


def clutter(layer: int) -> int:
    """Owner of paint on a layer that is no object of any category."""
    return -1 - layer


class Window(NamedTuple):
    """A box of pixels."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """The box as an index."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left


@dataclass(frozen=True)
class Sun:
    """Direction to the sun as a unit vector of image coordinates (x right, y down, z up)."""

    x: float
    y: float
    z: float

    def lambert(self, slope_x: Floats | float, slope_y: Floats | float) -> Floats:
        """Direct light on a surface of the given slopes (metres up per metre), 1 for level ground."""
        facing = (self.z - slope_x * self.x - slope_y * self.y) / np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
        return np.clip(facing / self.z, 0.0, 1.7).astype(np.float32)


@dataclass
class Record:
    """What is known about an object while it is painted."""

    category: str
    layer: int
    attributes: dict[str, str]
    window: Window | None = None
    painted: int = 0


@dataclass
class Canvas:
    """Buffers of one scene, all (H, W): see the module; `margin` pixels on each side are cut off in the end."""

    gsd: float
    margin: int
    sun: Sun
    lean: tuple[float, float]
    noise: Noise
    rng: np.random.Generator
    albedo: npt.NDArray[np.float32]
    height: npt.NDArray[np.float32]
    lambert: npt.NDArray[np.float32]
    owners: npt.NDArray[np.int32]
    records: list[Record] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, margins included."""
        return self.height.shape[0], self.height.shape[1]

    @property
    def reach(self) -> tuple[float, float]:
        """Half width and half height in metres, margins included."""
        return self.shape[1] * self.gsd / 2, self.shape[0] * self.gsd / 2

    def add(self, category: str, layer: int, **attributes: str) -> int:
        """Announce an object; the number that comes back is its owner mark for `paint`."""
        self.records.append(Record(category, layer, attributes))
        return len(self.records)

    def window_of(self, left: float, top: float, right: float, bottom: float) -> Window | None:
        """The pixels of a box in metres with one pixel around it, None when it lies outside."""
        reach_x, reach_y = self.reach
        window = Window(
            max(int((top + reach_y) / self.gsd) - 1, 0),
            max(int((left + reach_x) / self.gsd) - 1, 0),
            min(int((bottom + reach_y) / self.gsd) + 2, self.shape[0]),
            min(int((right + reach_x) / self.gsd) + 2, self.shape[1]),
        )
        return window if window.bottom > window.top and window.right > window.left else None

    def around(self, x: float, y: float, radius: float) -> Window | None:
        """The pixels of the square around a place, None when it lies outside."""
        return self.window_of(x - radius, y - radius, x + radius, y + radius)

    @property
    def everything(self) -> Window:
        """The whole canvas."""
        return Window(0, 0, *self.shape)

    def places(self, window: Window) -> tuple[Floats, Floats]:
        """Metres of the pixel centres: x as (1, columns), y as (rows, 1)."""
        reach_x, reach_y = self.reach
        x = (np.arange(window.left, window.right, dtype=np.float32) + 0.5) * self.gsd - reach_x
        y = (np.arange(window.top, window.bottom, dtype=np.float32) + 0.5) * self.gsd - reach_y
        return x[None, :], y[:, None]

    def local(self, window: Window, x: float, y: float, angle: float) -> tuple[Floats, Floats]:
        """Metres along and across a thing at (x, y) that points along the angle, both (rows, columns)."""
        grid_x, grid_y = self.places(window)
        cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        away_x, away_y = grid_x - np.float32(x), grid_y - np.float32(y)
        return away_x * cosine + away_y * sine, away_y * cosine - away_x * sine

    def soft(self, distance: Floats) -> Floats:
        """Coverage of pixels whose centres lie this many metres inside an edge (negative: outside)."""
        return np.clip(distance * np.float32(1 / self.gsd) + np.float32(0.5), 0.0, 1.0)

    def grain(self, window: Window, longest_m: float, shortest_m: float, slope: float = 1.0, salt: int = 0) -> Floats:
        """Noise of the pixels of a window."""
        return self.noise.window(window, longest_m, shortest_m, slope, salt)


def paint(
    canvas: Canvas,
    window: Window,
    alpha: Floats,
    color: Floats | tuple[float, float, float],
    owner: int = KEEP,
    relief: tuple[Floats | float, Floats | float] | None = None,
) -> None:
    """Lay one coat of paint.

    Parameters
    ----------
    alpha
        Coverage 0..1 of the window's pixels.
    color
        Reflectance 0..1, one colour or (rows, columns, 3).
    owner
        Number from `Canvas.add`, or `clutter(layer)`, or DOUBTFUL, or KEEP.
    relief
        Height in metres and direct light (`Sun.lambert`) of the new surface; without it the old ones stay.
    """
    region = canvas.albedo[window.slices]
    region += alpha[..., None] * (np.asarray(color, dtype=np.float32) - region)
    solid = alpha > 0.5
    if relief is not None:
        height, lambert = relief
        np.copyto(canvas.height[window.slices], np.float32(height), where=solid)
        light = canvas.lambert[window.slices]
        light += alpha * (np.asarray(lambert, dtype=np.float32) - light)
    if owner != KEEP:
        mark(canvas, window, solid, owner)


def mark(canvas: Canvas, window: Window, solid: npt.NDArray[np.bool_], owner: int) -> None:
    """Give pixels of a window to an owner; what lay on higher layers there is gone."""
    layer = canvas.records[owner - 1].layer if owner > 0 else (-1 - owner) % 4
    rows, cols = window.slices
    np.copyto(canvas.owners[layer, rows, cols], np.int32(owner), where=solid)
    for above in range(layer + 1, 4):
        np.copyto(canvas.owners[above, rows, cols], np.int32(0), where=solid)
    if owner > 0:
        record = canvas.records[owner - 1]
        record.painted += int(np.count_nonzero(solid))
        seen = record.window
        record.window = (
            window if seen is None else Window(*map(min, seen[:2], window[:2]), *map(max, seen[2:], window[2:]))
        )
