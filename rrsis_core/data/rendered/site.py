"""A site is a canvas with street directions, a look and a memory of what is to be planted."""

import math
from dataclasses import dataclass, field

import numpy as np

from .canvas import Canvas
from .look import Look
from .noise import Floats
from .shapes import Points, within


@dataclass(frozen=True)
class Frame:
    """Street coordinates (u, v) in metres: turned and gently bent against the image, so that streets curve."""

    angle: float = 0.0
    bend_u: tuple[float, float, float] = (0.0, 400.0, 0.0)
    """Amplitude, period (metres) and phase of the sideways swing of lines along v."""

    bend_v: tuple[float, float, float] = (0.0, 400.0, 0.0)
    """The same for lines along u."""

    def world(self, points: Points) -> Points:
        """Image metres of street coordinates, (n, 2)."""
        u, v = points[:, 0], points[:, 1]
        swung_u = u + self.bend_u[0] * np.sin(v * (2 * math.pi / self.bend_u[1]) + self.bend_u[2])
        swung_v = v + self.bend_v[0] * np.sin(u * (2 * math.pi / self.bend_v[1]) + self.bend_v[2])
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return np.stack([swung_u * cosine - swung_v * sine, swung_u * sine + swung_v * cosine], axis=1)

    def place(self, u: float, v: float, heading: float = 0.0) -> tuple[float, float, float]:
        """Image metres of a place, and the image angle of a heading there."""
        ahead = (u + 0.5 * math.cos(heading), v + 0.5 * math.sin(heading))
        (x, y), (ahead_x, ahead_y) = self.world(np.array([(u, v), ahead])).tolist()
        return x, y, math.atan2(ahead_y - y, ahead_x - x)


@dataclass(frozen=True)
class Block:
    """A rectangle of street coordinates."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def size(self) -> tuple[float, float]:
        """Metres along u and along v."""
        return self.right - self.left, self.bottom - self.top

    @property
    def center(self) -> tuple[float, float]:
        """The middle as (u, v)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def shrunk(self, by: float) -> "Block":
        """The block without a strip along its border."""
        return Block(self.left + by, self.top + by, self.right - by, self.bottom - by)


@dataclass(frozen=True)
class Plant:
    """A tree to be grown: where, how wide, which kind, and the owner mark if it belongs to a forest."""

    x: float
    y: float
    radius: float
    species: str
    owner: int = 0


@dataclass
class Site:
    """Everything a painter of blocks needs."""

    canvas: Canvas
    frame: Frame
    look: Look
    rng: np.random.Generator
    plants: list[Plant] = field(default_factory=list)
    disputed: set[str] = field(default_factory=set)
    """Categories that could also be said of things here which carry another one."""

    def outline(self, block: Block, step: float = 12.0) -> Points:
        """A block's border as a polygon in image metres, with points along its sides so that it bends."""
        corners = [
            (block.left, block.top),
            (block.right, block.top),
            (block.right, block.bottom),
            (block.left, block.bottom),
        ]
        sides = []
        for (u0, v0), (u1, v1) in zip(corners, corners[1:] + corners[:1], strict=True):
            count = max(int(math.hypot(u1 - u0, v1 - v0) / step), 1)
            share = np.arange(count)[:, None] / count
            sides.append(np.array([[u0, v0]]) + share * np.array([[u1 - u0, v1 - v0]]))
        return self.frame.world(np.concatenate(sides))

    def line(self, u0: float, v0: float, u1: float, v1: float, step: float = 8.0) -> Points:
        """A straight street line as points in image metres."""
        count = max(int(math.hypot(u1 - u0, v1 - v0) / step), 2)
        share = np.linspace(0, 1, count)[:, None]
        return self.frame.world(np.array([[u0, v0]]) + share * np.array([[u1 - u0, v1 - v0]]))

    def in_view(self, block: Block, around: float = 30.0) -> bool:
        """Whether a block can be seen."""
        corners = self.outline(block, 1e9)
        reach_x, reach_y = self.canvas.reach
        low, high = corners.min(axis=0) - around, corners.max(axis=0) + around
        return bool(low[0] < reach_x and high[0] > -reach_x and low[1] < reach_y and high[1] > -reach_y)

    def chance(self, probability: float) -> bool:
        """A coin."""
        return bool(self.rng.random() < probability)

    def plant(self, x: float, y: float, radius: float, species: str | None = None, owner: int = 0) -> None:
        """Plant a tree at image metres; it grows in the end, above everything else."""
        if species is None:
            names = list(self.look.species)
            weights = np.array([self.look.species[name] for name in names])
            species = names[int(self.rng.choice(len(names), p=weights / weights.sum()))]
        self.plants.append(Plant(x, y, radius, species, owner))

    def clear(self, outline: Points) -> None:
        """Take back what was planted inside a polygon."""
        if not self.plants:
            return
        low, high = outline.min(axis=0), outline.max(axis=0)
        places = np.array([(plant.x, plant.y) for plant in self.plants])
        near = ((places >= low) & (places <= high)).all(axis=1)
        inside = near.copy()
        inside[near] = within(outline, places[near])
        self.plants[:] = [plant for plant, gone in zip(self.plants, inside.tolist(), strict=True) if not gone]

    def scatter(self, block: Block, per_hectare: float) -> Floats:
        """Random street places in a block, (n, 2)."""
        count = self.rng.poisson(max(block.size[0] * block.size[1], 0.0) / 10_000 * per_hectare)
        low, high = (block.left, block.top), (max(block.right, block.left), max(block.bottom, block.top))
        return self.rng.uniform(low, high, (count, 2)).astype(np.float32)
