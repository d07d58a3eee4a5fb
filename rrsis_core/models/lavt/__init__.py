"""LAVT and its descendants as baselines, written from the papers' arithmetic: RMSIN-like and LGCE-like by switches."""

from rrsis_core.models.lavt.model import LAVT, LAVTConfig, LAVTCriterion, LAVTLossConfig

__all__ = ["LAVT", "LAVTConfig", "LAVTCriterion", "LAVTLossConfig"]
