"""Evaluation: a model and samples in, scores out.

`count_samples` scores training's own samples while a run goes on. `evaluate_records` scores the records of a data set
under both protocols: at the model's input size as the field's tables are made, and at the size of the truth.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from rrsis_core.contract import NullProgress, Progress, track
from rrsis_core.data.pictures import fitted, read_sample
from rrsis_core.data.records import Record
from rrsis_core.data.samples import IGNORE, ReferringSample, collate
from rrsis_core.engine.metrics import PROTOCOLS, ScoreCounter
from rrsis_core.models import ReferringModel
from rrsis_core.models.layers import resize
from rrsis_core.text.tokenizer import ExpressionTokenizer

# Share of the picture that a target covers: up to a hundredth is small, up to a tenth is medium.
SIZES = {"small": 0.01, "medium": 0.1, "large": 1.0}
Counters = dict[str, ScoreCounter]


@dataclass
class Evaluation:
    """What came of the records of a split: one accumulator a protocol, all in the order of `records`."""

    size: int
    """Side of the model's input."""
    records: list[Record] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    """Share of the picture that each target covers."""
    counters: Counters = field(default_factory=lambda: {name: ScoreCounter(name) for name in PROTOCOLS})

    def merge(self, other: "Evaluation") -> None:
        """Take in what another part, such as another GPU's, has seen."""
        self.records += other.records
        self.shares += other.shares
        for name, counter in self.counters.items():
            counter.merge(other.counters[name])

    def scores(self, places: Sequence[int] | None = None) -> dict[str, dict[str, float]]:
        """Return the scores a protocol, of all records or of some."""
        return {
            name: (counter if places is None else counter.subset(places)).scores()
            for name, counter in self.counters.items()
        }

    def by_category(self) -> dict[str, dict[str, dict[str, float]]]:
        """Return the scores of every category, by name; records without one are left out."""
        names = sorted({record.category for record in self.records if record.category})
        return {name: self.scores([i for i, r in enumerate(self.records) if r.category == name]) for name in names}

    def by_size(self) -> dict[str, dict[str, dict[str, float]]]:
        """Return the scores by size of the target; records without a target are left out."""
        bounds = list(SIZES.values())
        sizes = [bounds.index(next(b for b in bounds if share <= b)) if share else -1 for share in self.shares]
        return {
            name: self.scores([place for place, size in enumerate(sizes) if size == number])
            for number, name in enumerate(SIZES)
        }


@torch.inference_mode()
def count_samples(
    model: ReferringModel,
    groups: Iterable[list[list[ReferringSample]]],
    tokenizer: ExpressionTokenizer,
    protocol: str,
    bf16: bool = True,
) -> Counters:
    """Return accumulators of all samples ("") and of every kind, at the samples' own size.

    `groups` are a few chips each. Pixels marked as doubtful do not count.
    """
    was_training = model.training
    model.eval()
    counters = {"": ScoreCounter(protocol)}
    for group in groups:
        masks = predict_masks(model, group, tokenizer, bf16)
        for sample, mask in zip((sample for chip in group for sample in chip), masks, strict=True):
            for counter in (counters[""], counters.setdefault(sample.kind or "none", ScoreCounter(protocol))):
                counter.add(mask, sample.mask == 1, sample.mask != IGNORE)
    model.train(was_training)
    return counters


def merged(parts: Sequence[Counters]) -> Counters:
    """Merge what several processes have counted."""
    whole: Counters = {}
    for part in parts:
        for name, counter in part.items():
            whole.setdefault(name, ScoreCounter(counter.protocol)).merge(counter)
    return whole


def summary(counters: Counters) -> dict[str, float]:
    """Return the scores of all samples, and mIoU per kind as "mIoU:kind"."""
    kinds = {f"mIoU:{kind}": counter.scores()["mIoU"] for kind, counter in sorted(counters.items()) if kind}
    return counters[""].scores() | kinds


def predict_masks(
    model: ReferringModel, group: list[list[ReferringSample]], tokenizer: ExpressionTokenizer, bf16: bool = True
) -> np.ndarray:
    """Return masks (B K, S, S) bool for the samples of a few chips: foreground where its logit is the higher one."""
    logits = predict_logits(model, group, tokenizer, bf16)
    side = group[0][0].mask.shape
    return masks_of(logits, side).cpu().numpy()


def predict_logits(
    model: ReferringModel, group: list[list[ReferringSample]], tokenizer: ExpressionTokenizer, bf16: bool
) -> Tensor:
    """Return logits (B K, 2, h, w) float32 at the model's own output size."""
    batch = collate(group, tokenizer, *text_settings(model.config))
    device = model.pixel_mean.device
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        images = batch["images"].to(device).contiguous(memory_format=torch.channels_last)
        output = model(images, batch["token_ids"].to(device), batch["attention_mask"].to(device))
    return output.logits.float()


def masks_of(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize logits (B, 2, h, w) to a size and return masks (B, H, W) bool; equal logits are background."""
    resized = resize(logits, size)
    return resized[:, 1] > resized[:, 0]


def text_settings(config: Any) -> tuple[int, str]:
    """Return max_tokens and the scope of target words ("" where the model hides none)."""
    return config.max_tokens, config.masking.scope if hasattr(config, "masking") else ""


class RecordPictures(Dataset[tuple[ReferringSample, np.ndarray]]):
    """Records as samples at the model's size, each with its truth (H, W) bool as it is in the files."""

    def __init__(self, records: Sequence[Record], size: int) -> None:
        self.records, self.size = records, size

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> tuple[ReferringSample, np.ndarray]:
        sample = read_sample(self.records[index])
        return fitted(sample, self.size), sample.mask > 0


@torch.inference_mode()
def evaluate_records(
    model: ReferringModel,
    records: Sequence[Record],
    tokenizer: ExpressionTokenizer,
    batch_size: int = 8,
    workers: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a model on records under both protocols. Raises InputError data.image and data.mask."""
    model.eval()
    config: Any = model.config
    result = Evaluation(config.img_size, list(records))
    pictures = RecordPictures(records, config.img_size)
    groups = DataLoader(pictures, batch_size, num_workers=workers, collate_fn=list)
    for group in track(groups, progress or NullProgress(), "evaluate", len(groups)):
        logits = predict_logits(model, [[sample] for sample, _ in group], tokenizer, bf16=False)
        at_input = masks_of(logits, (result.size, result.size)).cpu().numpy()
        for place, ((sample, truth), mask) in enumerate(zip(group, at_input, strict=True)):
            original = masks_of(logits[place : place + 1], truth.shape)[0].cpu().numpy()
            result.counters["lavt"].add(mask, sample.mask > 0)
            result.counters["strict_original"].add(original, truth)
            result.shares.append(float(truth.mean()))
    return result
