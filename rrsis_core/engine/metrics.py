"""Metrics as accumulators: counts per sample go in, scores come out; two accumulators merge into one.

The "lavt" protocol is that of LAVT, RMSIN and FIANet: intersection over union at the network's input size, 0 where
both masks are empty, thresholds met with >=. "strict_original" counts two empty masks as 1.
"""

from dataclasses import dataclass, field

import numpy as np

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass
class ScoreCounter:
    """Intersections and unions of samples seen so far."""

    protocol: str = "lavt"
    intersections: list[int] = field(default_factory=list)
    unions: list[int] = field(default_factory=list)

    def add(self, predicted: np.ndarray, truth: np.ndarray, counts: np.ndarray | None = None) -> None:
        """Count one sample: bool masks (H, W) of one shape; `counts` (H, W) bool leaves pixels out."""
        if predicted.shape != truth.shape:
            raise ValueError(f"masks of shapes {predicted.shape} and {truth.shape} cannot be compared")
        if predicted.dtype != np.bool_ or truth.dtype != np.bool_:
            raise ValueError("masks must be bool, so that 255 cannot be counted as 255 pixels")
        inside = np.ones_like(truth) if counts is None else counts
        self.intersections.append(int((predicted & truth & inside).sum()))
        self.unions.append(int(((predicted | truth) & inside).sum()))

    def merge(self, other: "ScoreCounter") -> None:
        """Take in what another accumulator has seen."""
        self.intersections += other.intersections
        self.unions += other.unions

    def sample_ious(self) -> np.ndarray:
        """Return the IoU of every sample, float64."""
        intersections, unions = np.array(self.intersections, np.int64), np.array(self.unions, np.int64)
        empty = 0.0 if self.protocol == "lavt" else 1.0
        return np.where(unions > 0, intersections / np.maximum(unions, 1), empty)

    def scores(self) -> dict[str, float]:
        """Return mIoU, oIoU and P@t, each 0 to 1, and the number of samples n."""
        ious = self.sample_ious()
        if not len(ious):
            return {"n": 0}
        total = sum(self.unions)
        scores = {"n": len(ious), "mIoU": float(ious.mean()), "oIoU": sum(self.intersections) / total if total else 0.0}
        return scores | {f"P@{t}": float((ious >= t).mean()) for t in THRESHOLDS}
