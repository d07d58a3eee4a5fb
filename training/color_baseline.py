"""The baseline that any model must beat: a pixel is of a category if its colour is more usual there than elsewhere.

It is a predictor like any other. Colour words narrow it to pixels of that name; places and relations it does not hear.
"""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from rrsis_core.data.colors import color_name
from rrsis_core.data.scenes import read_scene, union_mask
from rrsis_core.text.lexicon import GROUPS, NOUNS
from rrsis_core.text.parse import parse

BINS = 12  # a band
SOURCES = ("dubai", "banepa", "chips", "kit", "harvey")


class ColorPredictor:
    """Holds the share of each category in each bin of colour."""

    gsd = 0.3
    tile = 256
    batch_size = 2

    def __init__(self, inside: dict[str, np.ndarray], outside: dict[str, np.ndarray]) -> None:
        self.inside, self.outside = inside, outside
        middles = (np.arange(BINS) + 0.5) * 256 / BINS
        grid = np.stack(np.meshgrid(middles, middles, middles, indexing="ij"), axis=-1).reshape(-1, 3)
        self.names = np.array([color_name(color) or "" for color in grid])

    def __call__(self, chips: np.ndarray, expressions: list[str]) -> np.ndarray:
        """Return probabilities (B, P, h, w)."""
        bins = binned(chips.transpose(0, 2, 3, 1))
        return np.stack([self.table(text)[bins] for text in expressions], axis=1)

    def table(self, text: str) -> np.ndarray:
        """Return the probability of each bin of colour."""
        query = parse(text).query
        category = next((name for name, nouns in NOUNS.items() if query.target in nouns), query.target)
        names = [name for name in {category, *GROUPS.get(category, ())} if name in self.inside]
        if not names:
            return np.zeros(BINS**3, np.float32)
        inside, outside = (sum(part[name] for name in names) + 1.0 for part in (self.inside, self.outside))
        chance = inside / inside.sum() / (inside / inside.sum() + outside / outside.sum())
        colors = [color for color in query.attributes if color in self.names]
        return (chance * np.isin(self.names, colors) if colors else chance).astype(np.float32)


def binned(pixels: np.ndarray) -> np.ndarray:
    """Return the number of the bin of each colour (..., 3) in [0, 1]."""
    step = np.minimum((pixels * BINS).astype(np.int64), BINS - 1)
    return (step[..., 0] * BINS + step[..., 1]) * BINS + step[..., 2]


def fitted(folder: Path) -> ColorPredictor:
    """Count colours inside and outside of every category that is known of a scene."""
    inside: dict[str, np.ndarray] = {}
    outside: dict[str, np.ndarray] = {}
    for path in tqdm(
        [path for source in SOURCES for path in sorted((folder / source).glob("*.scene"))], desc="colours"
    ):
        scene = read_scene(path)
        bins = binned(scene.image / 255)
        for name in scene.complete:
            mask = union_mask([item for item in scene.objects if item.category == name], bins.shape)
            known = ~mask if scene.unlabelled is None else ~mask & ~scene.unlabelled
            for counts, where in ((inside, mask), (outside, known)):
                counts[name] = counts.get(name, 0) + np.bincount(bins[where], minlength=BINS**3)
    return ColorPredictor(inside, outside)
