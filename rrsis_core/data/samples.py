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
from rrsis_core.data.directions import mirror_expression
from rrsis_core.data.scenes import Scene, SceneObject, read_scene, union_mask
from rrsis_core.data.transforms import resize_image, resize_mask, turn, turn_point, void, weather
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
    expressions: int = 1
    """Expressions a chip: its image is encoded once for all of them."""
    void_share: float = 0.04
    """Share of chips with an empty area, as at the edge of a mosaic."""


def draw_samples(
    scene: Scene, rng: np.random.Generator, config: ChipConfig, count: int = 1
) -> list[ReferringSample] | None:
    """Cut a chip out of a scene and say `count` true things about it; None where nothing can be said.

    The samples share their image. They may say the same where there is little to say.
    """
    if scene.expressions and rng.random() < config.written_share:
        return _written_samples(scene, rng, config, count)
    top, left, side = window(scene, rng, config)
    turned = int(rng.integers(4)), bool(rng.integers(2))
    inside = objects_in(scene.objects, top, left, side)
    objects = dict(inside)
    seen = tuple(see(index, item, side, config.size / side, turned) for index, item in inside)
    view = View(seen, scene.complete, scene.absent)
    descriptions = [describe(view, rng) for _ in range(count)]
    if None in descriptions:
        return None
    unlabelled = np.zeros((side, side), bool)
    if scene.unlabelled is not None:
        unlabelled = scene.unlabelled[top : top + side, left : left + side]
    masks, expressions, kinds = [], [], []
    for description in filter(None, descriptions):
        meant = union_mask((objects[i] for i in description.objects), (side, side))
        doubtful = union_mask((objects[i] for i in description.doubtful), (side, side)) & ~meant
        masks.append(_mask(meant, doubtful | unlabelled, config.size))
        expressions.append(say(description.referent, rng))
        kinds.append(description.kind)
    chip, masks = _finish(scene.image[top : top + side, left : left + side], masks, rng, config)
    chip, *masks = (np.ascontiguousarray(turn(x, *turned)) for x in (chip, *masks))
    return [ReferringSample(chip, *rest) for rest in zip(masks, expressions, kinds, strict=True)]


def _written_samples(scene: Scene, rng: np.random.Generator, config: ChipConfig, count: int) -> list[ReferringSample]:
    """Use the whole scene and expressions that people wrote, mirrored where all the words allow it."""
    chosen = [scene.expressions[i] for i in rng.integers(len(scene.expressions), size=count)]
    shape = scene.image.shape[:2]
    meant = [union_mask((scene.objects[i] for i in indexes), shape) for _, indexes in chosen]
    masks = [_mask(mask, np.zeros(shape, bool), config.size) for mask in meant]
    chip, masks = _finish(scene.image, masks, rng, config)
    texts = [text for text, _ in chosen]
    for axis, flip in (("horizontal", np.fliplr), ("vertical", np.flipud)):
        mirrored = [mirror_expression(text, axis) for text in texts]
        if None not in mirrored and rng.random() < 0.5:
            texts = [text for text in mirrored if text is not None]
            chip, *masks = (np.ascontiguousarray(flip(x)) for x in (chip, *masks))
    return [ReferringSample(chip, mask, text, "written") for mask, text in zip(masks, texts, strict=True)]


def window(scene: Scene, rng: np.random.Generator, config: ChipConfig) -> tuple[int, int, int]:
    """Choose where the chip lies: top, left and side in scene pixels."""
    height, width = scene.image.shape[:2]
    low, high = config.gsd_range if scene.gsd else config.zoom_range
    zoom = float(np.exp(rng.uniform(np.log(low), np.log(high)))) / (scene.gsd or 1.0)
    side = int(np.clip(round(config.size * zoom), 32, min(height, width)))
    return int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1)), side


def objects_in(objects: Sequence[SceneObject], top: int, left: int, side: int) -> list[tuple[int, SceneObject]]:
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


def see(index: int, item: SceneObject, side: int, scale: float, turned: tuple[int, bool]) -> Seen:
    """Say where and how large an object of a window of `side` pixels is, once the chip is turned."""
    rows, columns = np.nonzero(item.mask)
    x, y = (item.left + float(columns.mean()) + 0.5) / side, (item.top + float(rows.mean()) + 0.5) / side
    height, width = item.mask.shape
    cut = item.top == 0 or item.left == 0 or item.top + height == side or item.left + width == side
    x, y = turn_point(x, y, *turned)
    if turned[0] % 2:
        height, width = width, height
    return Seen(index, item.category, item.color, x, y, width / side, height / side, len(rows) * scale * scale, cut)


def _mask(meant: np.ndarray, doubtful: np.ndarray, size: int) -> np.ndarray:
    """Return a mask (size, size) uint8 with 0, 1 and IGNORE."""
    mask = resize_mask(meant, size).astype(np.uint8)
    if doubtful.any():
        mask[resize_mask(doubtful, size) & (mask == 0)] = IGNORE
    return mask


def _finish(
    image: np.ndarray, masks: list[np.ndarray], rng: np.random.Generator, config: ChipConfig
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Resize the image to the chip's size, change the weather, perhaps add an empty area."""
    chip = weather(resize_image(np.ascontiguousarray(image), config.size), rng)
    if rng.random() < config.void_share:
        empty = void(chip.shape[:2], rng)
        chip = chip.copy()
        chip[empty] = rng.choice([0, 255, 255])
        masks = [np.where(empty, 0, mask).astype(np.uint8) for mask in masks]
    return chip, masks


class SceneSamples(Dataset[list[ReferringSample]]):
    """Samples from folders of .scene files, each with its share; an item is a list of samples of one chip."""

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

    def __getitem__(self, index: int) -> list[ReferringSample]:
        rng = np.random.default_rng([self.seed, self.epoch, index])
        while True:
            files = self.files[self.folders[rng.choice(len(self.folders), p=self.shares)]]
            scene = read_scene(files[rng.integers(len(files))])
            samples = draw_samples(scene, rng, self.chips, self.chips.expressions)
            if samples is not None:
                return samples


def collate(
    groups: Sequence[Sequence[ReferringSample]], tokenizer: Any, max_tokens: int, scope: str = ""
) -> dict[str, torch.Tensor]:
    """Stack B chips with K expressions each.

    images (B, 3, S, S) float in [0, 1]; masks (B K, S, S); token_ids and attention_mask (B K, N), chip by chip. With a
    `scope`, the attention mask is 2 on tokens of target words.
    """
    samples = [sample for group in groups for sample in group]
    ids, attention_mask = encode(tokenizer, [sample.expression for sample in samples], max_tokens, scope)
    images = np.stack([group[0].image for group in groups]).transpose(0, 3, 1, 2)
    return {
        "images": torch.from_numpy(np.ascontiguousarray(images)).float() / 255,
        "masks": torch.from_numpy(np.stack([sample.mask for sample in samples])),
        "token_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(attention_mask),
    }


def encode(
    tokenizer: Any, expressions: Sequence[str], max_tokens: int, scope: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Return token ids and attention mask; with a `scope`, the mask is 2 on tokens of target words."""
    if scope:
        return tokenizer.encode_targets(expressions, max_tokens, scope)
    return tokenizer.encode(expressions, max_tokens)
