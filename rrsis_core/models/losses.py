"""Losses as pure functions of logits (B, 2, H, W) and masks (B, H, W) with 0, 1 and IGNORE."""

import torch
from torch import Tensor
from torch.nn import functional as F

IGNORE = 255


def weighted_cross_entropy(logits: Tensor, masks: Tensor, weights: tuple[float, float]) -> Tensor:
    """Cross-entropy with class weights (background, foreground), weighted mean over pixels that count."""
    weight = torch.tensor(weights, device=logits.device, dtype=logits.dtype)
    return F.cross_entropy(logits, masks.long(), weight=weight, ignore_index=IGNORE)


def dice_loss(logits: Tensor, masks: Tensor, reduction: str = "mean", smooth: float = 1e-6) -> Tensor:
    """1 - dice on the soft-max of both channels, per image and class.

    reduction "sum" adds over batch and classes as RMSIN does, so that its weight grows with the batch; "mean" averages.
    """
    counts = (masks != IGNORE).to(logits.dtype)[:, None]
    probabilities = logits.softmax(dim=1) * counts
    targets = torch.stack([masks == 0, masks == 1], dim=1).to(logits.dtype)
    overlap = (probabilities * targets).sum(dim=(2, 3))
    total = probabilities.sum(dim=(2, 3)) + targets.sum(dim=(2, 3))
    losses = 1 - (2 * overlap + smooth) / (total + smooth)
    return losses.sum() if reduction == "sum" else losses.mean()


def presence_loss(margins: Tensor, masks: Tensor, share: float = 0.0025) -> Tensor:
    """Binary cross-entropy of "is there anything": the mean of a map's surest pixels against 0. Ours, of no paper.

    `margins` (N, H, W) are foreground minus background, `share` is that of the pixels that decide. Only maps count that
    hold something, or of which every pixel counts; 0 where there is no such map.
    """
    surest = max(1, round(share * masks[0].numel()))
    peaks = margins.masked_fill(masks == IGNORE, -20).flatten(1).topk(surest).values.mean(dim=1)
    there = (masks == 1).flatten(1).any(dim=1)
    counts = there | (masks == 0).flatten(1).all(dim=1)
    losses = F.binary_cross_entropy_with_logits(peaks, there.to(peaks.dtype), reduction="none")
    return (losses * counts).sum() / counts.sum().clamp(min=1)
