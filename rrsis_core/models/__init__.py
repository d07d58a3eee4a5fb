"""The models: referring expressions and images in, logits out."""

import rrsis_core.models.torchvision_guard  # noqa: F401 # must run before anything imports timm or transformers

# isort: split
from rrsis_core.models.base import ReferringModel, SegmentationOutput, foreground_probability
from rrsis_core.models.loading import load_model, read_card, save_weights
from rrsis_core.models.presets import ARCHITECTURES, PRESETS, create_criterion, create_model, list_presets

__all__ = [
    "ARCHITECTURES",
    "PRESETS",
    "ReferringModel",
    "SegmentationOutput",
    "create_criterion",
    "create_model",
    "foreground_probability",
    "list_presets",
    "load_model",
    "read_card",
    "save_weights",
]
