"""Pictures of a data set as samples: read, changed a little in training, resized to the model's input.

Like scenes' samples, each is a function of seed, epoch and index alone. Image and mask are resized independently to a
square, because in RRSIS-D their sizes differ by a few pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.data import Dataset

from rrsis_core.data.directions import names_a_place, turn_expression
from rrsis_core.data.records import Record, read_mask, read_picture
from rrsis_core.data.samples import ReferringSample
from rrsis_core.data.transforms import black_boxes, nearest_mask, resize_image, turn, weather, zoom


@dataclass(frozen=True)
class PictureConfig:
    """What happens to a picture on its way to the model; the defaults are the field's: resize and nothing else."""

    size: int = 0
    """Side of the model's input; 0 takes the one of its preset."""
    boxes: float = 0.0
    """Share of the training records whose picture gets black boxes at each look (0.2 in RMSIN)."""
    weather: float = 0.0
    """Chance that light, cast, haze, sharpness and noise change."""
    mirror: float = 0.0
    """Chance of a mirror, and of a half turn, where the expression allows it."""
    rotate: float = 0.0
    """Chance of a quarter turn, where the expression allows it."""
    zoom: tuple[float, float] = (1.0, 1.0)
    """Least and greatest magnification. Pictures are only enlarged where the expression names no place or rank."""


class PictureSamples(Dataset[list[ReferringSample]]):
    """Records as samples; an item is a list of one. In training they come in another order each epoch, and changed."""

    def __init__(self, records: Sequence[Record], config: PictureConfig, training: bool, seed: int = 0) -> None:
        self.records, self.config, self.training, self.seed = records, config, training, seed
        self.epoch = 0
        # As in RMSIN, the records with boxes are chosen once; the boxes are drawn anew at each look.
        chosen = np.random.default_rng([seed, len(records)]).permutation(len(records))
        self.boxed = set(chosen[: round(config.boxes * len(records))].tolist())
        self._order: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> list[ReferringSample]:
        if not self.training:
            return [fitted(read_sample(self.records[index]), self.config.size)]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        place = int(self.order()[index])
        sample = changed(read_sample(self.records[place]), self.config, rng, boxed=place in self.boxed)
        sample = fitted(sample, self.config.size)
        return [replace(sample, image=weather(sample.image, rng)) if rng.random() < self.config.weather else sample]

    def order(self) -> np.ndarray:
        """Return the order of this epoch."""
        if self._order is None or self._order[0] != self.epoch:
            self._order = self.epoch, np.random.default_rng([self.seed, self.epoch]).permutation(len(self.records))
        return self._order[1]


def read_sample(record: Record) -> ReferringSample:
    """Read a record as its files have it: the sizes of mask and image may differ. Raises InputError data.*."""
    return ReferringSample(
        read_picture(record.image), read_mask(record).astype(np.uint8), record.expression, record.category
    )


def fitted(sample: ReferringSample, size: int) -> ReferringSample:
    """Resize to (size, size): the image antialiased, the mask by the nearest pixel, as the field does."""
    mask = nearest_mask(sample.mask, (size, size)).astype(np.uint8)
    return replace(sample, image=resize_image(np.ascontiguousarray(sample.image), size), mask=mask)


def changed(
    sample: ReferringSample, config: PictureConfig, rng: np.random.Generator, boxed: bool = False
) -> ReferringSample:
    """Draw what happens to a training sample before it is resized: boxes, zoom, turns that its expression allows."""
    if boxed:
        sample = replace(sample, image=black_boxes(sample.image, rng))
    factor = float(np.exp(rng.uniform(*np.log(config.zoom))))
    if factor < 1 or (factor > 1 and not names_a_place(sample.expression)):
        shape = sample.image.shape[:2]
        mask = sample.mask if sample.mask.shape == shape else nearest_mask(sample.mask, shape).astype(np.uint8)
        image, mask = zoom(sample.image, mask, factor, rng)
        sample = replace(sample, image=image, mask=mask)
    for turned, chance in (((1, False), config.rotate), ((2, False), config.mirror), ((0, True), config.mirror)):
        if rng.random() < chance:
            sample = turn_sample(sample, *turned) or sample
    return sample


def turn_sample(sample: ReferringSample, quarter_turns: int, mirrored: bool) -> ReferringSample | None:
    """Turn image, mask and expression together; None where the expression does not allow it."""
    expression = turn_expression(sample.expression, quarter_turns, mirrored)
    if expression is None:
        return None
    image, mask = (np.ascontiguousarray(turn(x, quarter_turns, mirrored)) for x in (sample.image, sample.mask))
    return replace(sample, image=image, mask=mask, expression=expression)
