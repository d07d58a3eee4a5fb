"""A look is what the things of one place have in common: season, soil, paving, plants, taste in roofs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Color = npt.NDArray[np.floating[Any]]


def rgb(red: float, green: float, blue: float) -> Color:
    """Reflectance (as the eye and the screen count it, 0..1) of a colour given as 0..255."""
    return np.array([red, green, blue], dtype=np.float32) / 255


def varied(rng: np.random.Generator, color: Color, light: float = 0.08, tint: float = 0.02) -> Color:
    """The colour a little lighter or darker and a little off."""
    changed = color * (1 + light * rng.standard_normal()) + tint * rng.standard_normal(3)
    return np.asarray(np.clip(changed, 0.02, 0.98), dtype=np.float32)


def pick(rng: np.random.Generator, table: dict[str, float]) -> str:
    """One key of a table of weights."""
    names = list(table)
    weights = np.array([table[name] for name in names])
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]


LUSH, MEADOW, DRY_GRASS = rgb(90, 113, 74), rgb(114, 123, 90), rgb(158, 147, 116)

SOILS = (rgb(150, 126, 102), rgb(168, 148, 122), rgb(138, 112, 92), rgb(170, 134, 108), rgb(150, 142, 128))

SANDS = (rgb(190, 180, 166), rgb(182, 170, 150), rgb(200, 192, 180), rgb(174, 158, 138), rgb(188, 170, 146))

ASPHALTS = (rgb(92, 91, 90), rgb(112, 110, 108), rgb(134, 131, 126), rgb(152, 148, 141), rgb(120, 112, 104))

CONCRETES = (rgb(188, 184, 174), rgb(172, 170, 164), rgb(200, 196, 186), rgb(180, 170, 154))


@dataclass(frozen=True)
class Look:
    """Shared colours and habits of one scene."""

    dryness: float
    """0: lush and green, 1: the grass is straw."""

    grass: Color
    grass_dry: Color
    soil: Color
    asphalt: Color
    concrete: Color
    water: str
    """Name of a water in `water.WATERS` for lakes and rivers."""

    species: dict[str, float]
    """Weights of the kinds of trees."""

    tree_density: float
    roofs: dict[str, float]
    """Weights of the names in `roofs.ROOFS` for small houses."""

    sidewalks: bool
    drawn_lines: bool
    """Whether roads have painted lines."""


_SPECIES = (
    ({"broad": 5.0, "conifer": 0.7, "bush": 1.5}, 4.0),
    ({"broad": 3.0, "conifer": 2.5, "bush": 1.0}, 1.5),
    ({"broad": 3.0, "palm": 1.5, "bush": 1.5}, 1.5),
    ({"bare": 3.0, "conifer": 0.8, "broad": 0.4}, 1.2),
)

_ROOF_TASTES = (
    # shingled towns, tiled towns, dark towns, pale towns, mixed
    {
        "shingle gray": 4.0,
        "shingle dark": 2.0,
        "shingle brown": 2.5,
        "shingle tan": 1.5,
        "shingle white": 0.8,
        "tile red": 0.3,
        "tin white": 0.4,
        "shingle green": 0.2,
    },
    {
        "tile red": 3.0,
        "tile orange": 2.2,
        "tile brown": 2.4,
        "tile pale": 1.6,
        "shingle tan": 1.2,
        "membrane white": 1.0,
        "shingle gray": 1.0,
    },
    {"shingle dark": 3.0, "shingle black": 1.5, "shingle gray": 2.0, "shingle brown": 2.0, "shingle blue": 0.8},
    {
        "shingle white": 3.0,
        "membrane white": 2.0,
        "shingle tan": 2.0,
        "shingle gray": 2.0,
        "membrane tan": 1.0,
        "tin white": 1.5,
    },
    {
        "shingle gray": 2.0,
        "shingle brown": 1.5,
        "tile red": 1.0,
        "tin white": 1.2,
        "tin gray": 1.0,
        "tin blue": 1.0,
        "tin red": 0.8,
        "tin green": 0.6,
        "membrane white": 1.0,
        "shingle blue": 0.5,
        "shingle black": 0.6,
        "tile orange": 0.6,
    },
)


def sample_look(rng: np.random.Generator, dryness: float | None = None, sandy: bool = False) -> Look:
    """A temperate place by default; dryness above 0.7 makes it Mediterranean to desert, `sandy` gives bright ground."""
    usual = rng.uniform(0.75, 1.0) if rng.random() < 0.15 else rng.beta(1.3, 2.4)
    dry = float(usual) if dryness is None else dryness
    species = _SPECIES[rng.choice(len(_SPECIES), p=np.array([w for _, w in _SPECIES]) / sum(w for _, w in _SPECIES))][0]
    if dry > 0.7:
        species = {"broad": 1.5, "palm": 1.5, "bush": 3.0}
    grounds = SANDS if sandy else SOILS
    return Look(
        dryness=dry,
        grass=varied(rng, LUSH + (MEADOW - LUSH) * np.float32(rng.uniform(0, 1)), 0.07, 0.012),
        grass_dry=varied(rng, DRY_GRASS, 0.06, 0.015),
        soil=varied(rng, grounds[rng.integers(len(grounds))], 0.06, 0.012),
        asphalt=varied(rng, ASPHALTS[rng.integers(len(ASPHALTS))], 0.08, 0.008),
        concrete=varied(rng, CONCRETES[rng.integers(len(CONCRETES))], 0.05, 0.01),
        water=pick(rng, {"dark": 3, "green": 2, "brown": 2, "gray": 2, "blue": 2, "teal": 0.7}),
        species=species,
        tree_density=float(rng.lognormal(0.0, 0.6) * (0.35 if dry > 0.7 else 1.0)),
        roofs=dict(_ROOF_TASTES[rng.integers(len(_ROOF_TASTES))]),
        sidewalks=bool(rng.random() < 0.65),
        drawn_lines=bool(rng.random() < 0.75),
    )
