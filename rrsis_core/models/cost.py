"""Cost: the size of a model and the work of one answer, counted without computing anything."""

from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from rrsis_core.models.presets import create_model, preset_config

TOKENS = 20


@dataclass(frozen=True)
class Cost:
    """Parameters, and the multiply-accumulate operations of one image of the preset's size with one expression."""

    parameters: int
    macs: int
    image_size: int


def cost_of(preset: str) -> Cost:
    """Count on torch's meta device: shapes only. Raises ConfigError config.preset."""
    size: int = preset_config(preset).img_size
    with torch.device("meta"):
        model: Any = create_model(preset).eval().requires_grad_(False)
        ids = torch.zeros(1, TOKENS, dtype=torch.long)
        with FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, 3, size, size), ids, torch.ones_like(ids))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Cost(parameters, counter.get_total_flops() // 2, size)
