"""Parameter groups and the learning-rate schedule."""

import torch
from torch import nn

from rrsis_core.engine.config import OptimConfig

_UNDECAYED = ("embedding", "prompts", "relative_position_bias_table", "background", "beta", "scale_weights")


def parameter_groups(model: nn.Module, config: OptimConfig) -> list[dict[str, object]]:
    """Split parameters by learning rate (encoders, rest) and weight decay (none for norms, biases, embeddings)."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            is_encoder = name.startswith(("visual.stem", "visual.stages", "linguistic."))
            decayed = parameter.ndim > 1 and not any(word in name for word in _UNDECAYED)
            groups.setdefault((is_encoder, decayed), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": config.encoder_lr if is_encoder else config.lr,
            "weight_decay": config.weight_decay if decayed else 0.0,
        }
        for (is_encoder, decayed), parameters in sorted(groups.items(), key=lambda item: item[0])
    ]


def poly_schedule(
    optimizer: torch.optim.Optimizer, iterations: int, config: OptimConfig, done: int = 0
) -> torch.optim.lr_scheduler.LambdaLR:
    """Linear warm-up from a thousandth, then (1 - it / iterations) ** power, stepped every iteration.

    `done` iterations have already been made by an earlier part of the run.
    """
    warmup = min(config.warmup, iterations // 20)

    def factor(iteration: int) -> float:
        ramp = max(1e-3, min(1.0, iteration / warmup)) if warmup else 1.0
        return ramp * max(0.0, 1 - iteration / iterations) ** config.power

    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor, last_epoch=done - 1)
