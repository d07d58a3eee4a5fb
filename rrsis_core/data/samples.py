"""Samples: what training sees. A sample is a chip with one expression and the mask of what it means.

Every sample is a function of seed, epoch and index alone, so that a resumed run sees what an uninterrupted one saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from rrsis_core.contract import InputError
from rrsis_core.data.describe import Seen, View, describe
from rrsis_core.data.scenes import Scene, SceneObject, read_scene, union_mask
from rrsis_core.data.transforms import (
    mirror_expression,
    resize_image,
    resize_mask,
    turn,
    turn_point,
    void,
    weather,
)
from rrsis_core.text.grammar import say

IGNORE = 255


@dataclass(frozen=True)
class ReferringSample:
    """image (S, S, 3) uint8, mask (S, S) uint8 with 0, 1 and 255 for pixels that do not count, expression, kind."""

    image: np.ndarray
    mask: np.ndarray
    expression: str
    kind: str


@dataclass(frozen=True)
class ChipConfig:
    """How chips are cut out of scenes."""

    size: int = 256
    """Side of a chip, pixels."""
    gsd_range: tuple[float, float] = (0.2, 0.45)
    """Ground resolution of chips, metres a pixel, where the scene's is known."""
    zoom_range: tuple[float, float] = (0.75, 1.5)
    """Scene pixels a chip pixel, where it is not."""
    written_share: float = 0.6
    """Share of expressions written by people, in scenes that have them."""
    void_share: float = 0.04
    """Share of chips with an empty area, as at the edge of a mosaic."""


def draw_sample(scene: Scene, rng: np.random.Generator, config: ChipConfig) -> ReferringSample | None:
    """Cut a chip out of a scene and say something true about it; None where nothing can be said."""
    if scene.expressions and rng.random() < config.written_share:
        return _written_sample(scene, rng, config)
    top, left, side = _window(scene, rng, config)
    quarter_turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
    inside = _objects_in(scene.objects, top, left, side)
    scale = config.size / side
    seen = tuple(_see(index, item, side, scale, (quarter_turns, mirrored)) for index, item in inside)
    description = describe(View(seen, scene.complete, scene.absent), rng)
    if description is None:
        return None
    objects = dict(inside)
    meant = union_mask((objects[i] for i in description.objects), (side, side))
    doubtful = union_mask((objects[i] for i in description.doubtful), (side, side)) & ~meant
    if scene.unlabelled is not None:
        doubtful |= scene.unlabelled[top : top + side, left : left + side]
    image = scene.image[top : top + side, left : left + side]
    expression = say(description.referent, rng)
    chip, mask = _finish(image, meant, doubtful, rng, config)
    chip, mask = (np.ascontiguousarray(turn(x, quarter_turns, mirrored)) for x in (chip, mask))
    return ReferringSample(chip, mask, expression, description.kind)


def _written_sample(scene: Scene, rng: np.random.Generator, config: ChipConfig) -> ReferringSample | None:
    """Use the whole scene and an expression that a person wrote, mirrored where the words allow it."""
    expression, indexes = scene.expressions[rng.integers(len(scene.expressions))]
    meant = union_mask((scene.objects[i] for i in indexes), scene.image.shape[:2])
    nothing = np.zeros_like(meant)
    chip, mask = _finish(scene.image, meant, nothing, rng, config)
    for axis, flip in (("horizontal", np.fliplr), ("vertical", np.flipud)):
        mirrored = mirror_expression(expression, axis)
        if mirrored is not None and rng.random() < 0.5:
            expression, chip, mask = mirrored, flip(chip), flip(mask)
    return ReferringSample(np.ascontiguousarray(chip), np.ascontiguousarray(mask), expression, "written")


def _window(scene: Scene, rng: np.random.Generator, config: ChipConfig) -> tuple[int, int, int]:
    """Choose where the chip lies: top, left and side in scene pixels."""
    height, width = scene.image.shape[:2]
    low, high = config.gsd_range if scene.gsd else config.zoom_range
    zoom = float(np.exp(rng.uniform(np.log(low), np.log(high)))) / (scene.gsd or 1.0)
    side = int(np.clip(round(config.size * zoom), 32, min(height, width)))
    return int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1)), side


def _objects_in(objects: Sequence[SceneObject], top: int, left: int, side: int) -> list[tuple[int, SceneObject]]:
    """Return the objects that reach into the window, cut to it and placed in its coordinates."""
    inside = []
    for index, item in enumerate(objects):
        height, width = item.mask.shape
        first_row, first_column = max(top - item.top, 0), max(left - item.left, 0)
        last_row, last_column = min(top + side - item.top, height), min(left + side - item.left, width)
        if first_row >= last_row or first_column >= last_column:
            continue
        mask = item.mask[first_row:last_row, first_column:last_column]
        if mask.any():
            place = (max(item.top - top, 0), max(item.left - left, 0))
            inside.append((index, SceneObject(item.category, item.color, *place, mask)))
    return inside


def _see(index: int, item: SceneObject, side: int, scale: float, turned: tuple[int, bool]) -> Seen:
    rows, columns = np.nonzero(item.mask)
    x, y = (item.left + columns.mean() + 0.5) / side, (item.top + rows.mean() + 0.5) / side
    height, width = item.mask.shape
    cut = item.top == 0 or item.left == 0 or item.top + height == side or item.left + width == side
    x, y = turn_point(x, y, *turned)
    if turned[0] % 2:
        height, width = width, height
    return Seen(index, item.category, item.color, x, y, width / side, height / side, len(rows) * scale * scale, cut)


def _finish(
    image: np.ndarray, meant: np.ndarray, doubtful: np.ndarray, rng: np.random.Generator, config: ChipConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Resize to the chip's size, change the weather, perhaps add an empty area."""
    chip = weather(resize_image(np.ascontiguousarray(image), config.size), rng)
    mask = resize_mask(meant, config.size).astype(np.uint8)
    if doubtful.any():
        mask[resize_mask(doubtful, config.size)] = IGNORE
    if rng.random() < config.void_share:
        empty = void(mask.shape, rng)
        chip, mask = chip.copy(), mask.copy()
        chip[empty] = rng.choice([0, 255, 255])
        mask[empty] = 0
    return chip, mask


class SceneSamples(Dataset[ReferringSample]):
    """Samples from folders of .scene files, each with its share."""

    def __init__(self, sources: dict[str, float], length: int, chips: ChipConfig, seed: int = 0) -> None:
        self.files = {folder: sorted(Path(folder).glob("*.scene")) for folder in sources}
        for folder, files in self.files.items():
            if not files:
                raise InputError(
                    f"There are no .scene files in {folder}.",
                    code="data.empty",
                    hint="Make them first: see training/README.md.",
                )
        shares = np.array(list(sources.values()))
        self.folders, self.shares = list(sources), shares / shares.sum()
        self.length, self.chips, self.seed = length, chips, seed
        self.epoch = 0

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> ReferringSample:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        while True:
            files = self.files[self.folders[rng.choice(len(self.folders), p=self.shares)]]
            sample = draw_sample(read_scene(files[rng.integers(len(files))]), rng, self.chips)
            if sample is not None:
                return sample


def collate(samples: Sequence[ReferringSample], tokenizer: Any, max_tokens: int) -> dict[str, torch.Tensor]:
    """Stack samples: images (B, 3, S, S) float in [0, 1], masks (B, S, S), token_ids and attention_mask (B, N)."""
    ids, attention_mask = tokenizer.encode([sample.expression for sample in samples], max_tokens)
    images = np.stack([sample.image for sample in samples]).transpose(0, 3, 1, 2)
    return {
        "images": torch.from_numpy(np.ascontiguousarray(images)).float() / 255,
        "masks": torch.from_numpy(np.stack([sample.mask for sample in samples])),
        "token_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(attention_mask),
    }
