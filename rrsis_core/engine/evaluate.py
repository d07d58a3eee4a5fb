"""Evaluation: a model and samples in, scores out."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from rrsis_core.data.samples import IGNORE, ReferringSample, collate
from rrsis_core.engine.metrics import ScoreCounter
from rrsis_core.models import ReferringModel, foreground_probability
from rrsis_core.models.layers import resize
from rrsis_core.text.tokenizer import ExpressionTokenizer


@torch.inference_mode()
def evaluate_samples(
    model: ReferringModel, samples: Dataset[ReferringSample], tokenizer: ExpressionTokenizer, batch_size: int = 8
) -> dict[str, float]:
    """Score a model on samples at their own size; pixels marked as doubtful do not count.

    Returns mIoU, oIoU, P@t (two empty masks count as 1) and mIoU per kind of expression as "mIoU:kind".
    """
    was_training = model.training
    model.eval()
    whole = ScoreCounter("strict_original")
    kinds: dict[str, ScoreCounter] = {}
    for group in _groups(samples, batch_size):
        masks = predict_masks(model, group, tokenizer)
        for sample, mask in zip(group, masks, strict=True):
            for counter in (whole, kinds.setdefault(sample.kind, ScoreCounter("strict_original"))):
                counter.add(mask, sample.mask == 1, sample.mask != IGNORE)
    model.train(was_training)
    return whole.scores() | {f"mIoU:{kind}": counter.scores()["mIoU"] for kind, counter in sorted(kinds.items())}


def predict_masks(model: ReferringModel, group: list[ReferringSample], tokenizer: ExpressionTokenizer) -> np.ndarray:
    """Return masks (B, S, S) bool for a few samples: foreground where its logit is the higher one."""
    config: Any = model.config
    batch = collate(group, tokenizer, config.max_tokens)
    device = model.pixel_mean.device
    with torch.autocast(device.type, torch.bfloat16):
        images = batch["images"].to(device).contiguous(memory_format=torch.channels_last)
        output = model(images, batch["token_ids"].to(device), batch["attention_mask"].to(device))
    logits = resize(output.logits.float(), batch["masks"].shape[-2:])
    return (foreground_probability(logits) > 0.5).cpu().numpy()


def _groups(samples: Any, size: int) -> Iterator[list[ReferringSample]]:
    for start in range(0, len(samples), size):
        yield [samples[index] for index in range(start, min(start + size, len(samples)))]
