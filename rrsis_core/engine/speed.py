"""Speed: how long an answer takes beside the floor that no model of its kind can go below.

The floor is the same timm backbone at the same size, its attention fused, plus one BERT pass over the expression.
Model and floor take turns, so that a busy machine slows both alike; the ratio is the median over the rounds.
"""

import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from rrsis_core.models import create_model  # before timm: it lets it be imported

# isort: split
import timm
import torch

from rrsis_core.models.cost import TOKENS, Cost, cost_of
from rrsis_core.models.linguistic import LinguisticEncoder
from rrsis_core.models.presets import preset_config

MANY = 8  # expressions on one image


@dataclass(frozen=True)
class Speed:
    """One line of the table; times in milliseconds, medians."""

    preset: str
    cost: Cost
    floor_ms: float
    one_ms: float
    many_ms: float
    """For `MANY` expressions on one image."""
    to_floor: float
    """one_ms to floor_ms, median of the rounds' own ratios."""
    many_to_one: float
    memory_mb: float
    """Peak of the process (of the GPU's memory on CUDA) for one answer, without the floor."""


def measure_speed(preset: str, device: str, rounds: int, bf16: bool = False) -> Speed:
    """Time a preset with random weights, memory in a process of its own. Raises ConfigError config.preset."""
    cost = cost_of(preset)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        memory = pool.submit(_memory, preset, device, bf16).result()
        floor, one, many = pool.submit(_times, preset, device, rounds, bf16).result()
    return Speed(
        preset,
        cost,
        floor_ms=1000 * statistics.median(floor),
        one_ms=1000 * statistics.median(one),
        many_ms=1000 * statistics.median(many),
        to_floor=statistics.median(a / b for a, b in zip(one, floor, strict=True)),
        many_to_one=statistics.median(a / b for a, b in zip(many, one, strict=True)),
        memory_mb=memory,
    )


def _memory(preset: str, device: str, bf16: bool) -> float:
    answer = _answers(preset, device)
    with torch.inference_mode(), _precision(device, bf16):
        answer(1)
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def _times(preset: str, device: str, rounds: int, bf16: bool) -> tuple[list[float], list[float], list[float]]:
    answer, floor = _answers(preset, device), _floor(preset, device)
    work: tuple[Callable[[], Any], ...] = (floor, lambda: answer(1), lambda: answer(MANY))
    times: tuple[list[float], ...] = ([], [], [])
    with torch.inference_mode(), _precision(device, bf16):
        for round_ in range(rounds + 1):
            for job, seconds in zip(work, times, strict=True):
                started = time.perf_counter()
                job()
                if device.startswith("cuda"):
                    torch.cuda.synchronize(device)
                if round_:  # the first round warms up
                    seconds.append(time.perf_counter() - started)
    return times  # type: ignore[return-value] # three of them


def _precision(device: str, bf16: bool) -> Any:
    return torch.autocast(device.partition(":")[0], torch.bfloat16, enabled=bf16)


def _answers(preset: str, device: str) -> Callable[[int], Any]:
    """Return a function that answers so many expressions on one image."""
    model = create_model(preset).eval().to(device)
    size: int = model.config.img_size
    image = torch.rand(1, 3, size, size, device=device).contiguous(memory_format=torch.channels_last)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing from torch's stubs
    ids = torch.randint(5, 1000, (MANY, TOKENS), device=device)
    return lambda count: model(image, ids[:count], torch.ones_like(ids[:count]))


def _floor(preset: str, device: str) -> Callable[[], Any]:
    config = preset_config(preset)
    size = {"img_size": config.img_size} if config.backbone.name.startswith("swin") else {}
    backbone: Any = timm.create_model(config.backbone.name, num_classes=0, **size).eval().to(device)
    backbone.to(memory_format=torch.channels_last)
    bert = LinguisticEncoder(config.bert).eval().to(device)
    image = torch.rand(1, 3, config.img_size, config.img_size, device=device)
    image = image.contiguous(memory_format=torch.channels_last)
    ids = torch.randint(5, 1000, (1, TOKENS), device=device)
    mask = torch.ones_like(ids, dtype=torch.bool)
    return lambda: (backbone.forward_features(image), bert(ids, mask))
