"""Metrics as accumulators: counts per sample go in, scores come out; two accumulators merge into one.

The "lavt" protocol is that of LAVT, RMSIN and FIANet: intersection over union at the network's input size, 0 where
both masks are empty, thresholds met with >=. "strict_original" counts two empty masks as 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
PROTOCOLS = ("lavt", "strict_original")


@dataclass
class ScoreCounter:
    """Intersections and unions of samples seen so far, and the pixels of their truth."""

    protocol: str = "lavt"
    intersections: list[int] = field(default_factory=list)
    unions: list[int] = field(default_factory=list)
    truths: list[int] = field(default_factory=list)

    def add(self, predicted: np.ndarray, truth: np.ndarray, counts: np.ndarray | None = None) -> None:
        """Count one sample: bool masks (H, W) of one shape; `counts` (H, W) bool leaves pixels out."""
        if predicted.shape != truth.shape:
            raise ValueError(f"masks of shapes {predicted.shape} and {truth.shape} cannot be compared")
        if predicted.dtype != np.bool_ or truth.dtype != np.bool_:
            raise ValueError("masks must be bool, so that 255 cannot be counted as 255 pixels")
        inside = np.ones_like(truth) if counts is None else counts
        self.intersections.append(int((predicted & truth & inside).sum()))
        self.unions.append(int(((predicted | truth) & inside).sum()))
        self.truths.append(int((truth & inside).sum()))

    def merge(self, other: "ScoreCounter") -> None:
        """Take in what another accumulator has seen."""
        self.intersections += other.intersections
        self.unions += other.unions
        self.truths += other.truths

    def subset(self, places: Sequence[int]) -> "ScoreCounter":
        """Return an accumulator of some of the samples, by their places in the order of counting."""
        parts = ([values[place] for place in places] for values in (self.intersections, self.unions, self.truths))
        return ScoreCounter(self.protocol, *parts)

    def sample_ious(self) -> np.ndarray:
        """Return the IoU of every sample, float64."""
        intersections, unions = np.array(self.intersections, np.int64), np.array(self.unions, np.int64)
        empty = 0.0 if self.protocol == "lavt" else 1.0
        return np.where(unions > 0, intersections / np.maximum(unions, 1), empty)

    def scores(self) -> dict[str, float]:
        """Return mIoU, oIoU and P@t, each 0 to 1, and the number of samples n.

        Where some samples have no target, N-acc is the share of these for which nothing was predicted.
        """
        ious = self.sample_ious()
        if not len(ious):
            return {"n": 0}
        total = sum(self.unions)
        scores = {"n": len(ious), "mIoU": float(ious.mean()), "oIoU": sum(self.intersections) / total if total else 0.0}
        scores |= {f"P@{t}": float((ious >= t).mean()) for t in THRESHOLDS}
        without_target = [union for union, truth in zip(self.unions, self.truths, strict=True) if not truth]
        if without_target:
            scores["N-acc"] = without_target.count(0) / len(without_target)
        return scores
