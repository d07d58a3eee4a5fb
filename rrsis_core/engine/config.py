"""TrainConfig: a training run as plain data, read from a TOML recipe."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rrsis_core.contract import ConfigError
from rrsis_core.contract.plain import from_plain
from rrsis_core.data.samples import ChipConfig


@dataclass(frozen=True)
class DataConfig:
    """Where samples come from."""

    train: dict[str, float] = field(default_factory=dict)
    """Folder of .scene files -> share of the samples."""
    validation: dict[str, float] = field(default_factory=dict)
    """The same for the samples that choose the best checkpoint."""
    samples_per_epoch: int = 4000
    """An epoch is a count of samples: scenes give new chips every time."""
    validation_samples: int = 400
    workers: int = 1
    """Processes that make samples."""
    chips: ChipConfig = field(default_factory=ChipConfig)


@dataclass(frozen=True)
class OptimConfig:
    """AdamW and its schedule."""

    lr: float = 1e-4
    """Learning rate of the new modules."""
    encoder_lr: float = 1e-5
    """Learning rate of the visual and linguistic encoders."""
    weight_decay: float = 1e-2
    """Zero for norms, biases, embeddings and prompts."""
    power: float = 0.9
    """Of the polynomial decay to zero, per iteration."""
    warmup: int = 1500
    """Iterations of linear warm-up, at most 5 % of the run."""
    clip: float = 1.0
    """Largest gradient norm."""
    ema: float = 0.0
    """Decay of the exponential moving average of the weights; 0 keeps none."""


@dataclass(frozen=True)
class TrainConfig:
    """A whole run."""

    preset: str
    """What to build."""
    tag: str = "default"
    """Name of the result after the preset's dot."""
    model: dict[str, Any] = field(default_factory=dict)
    """Changes to the preset's config."""
    loss: dict[str, Any] = field(default_factory=dict)
    """Changes to the criterion's config."""
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    epochs: int = 40
    batch_size: int = 8
    seed: int = 0
    select: str = "oIoU"
    """Validation score that chooses the best checkpoint."""
    mixed_precision: str = "bf16"
    """bf16 or no."""
    initial_weights: str = ""
    """Checkpoint to start from."""
    initial_visual: str = ""
    """Weights of the visual encoder alone to start from, as training/pretrain.py writes them."""
    gsd: float | None = None
    """Ground resolution written into the card."""
    tile: int = 512
    """Tile side written into the card."""
    description: dict[str, Any] = field(default_factory=dict)
    """Data, licences and attributions for the card."""


def read_recipe(path: str | Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a TOML recipe; overrides look like "optim.lr=3e-5". Raises ConfigError."""
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"The recipe {path} cannot be read.", code="config.recipe", hint="Give a TOML file of training/recipes."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}.", code="config.recipe", hint="Mend the named line.") from error
    for override in overrides:
        key, _, value = override.partition("=")
        *parents, leaf = key.strip().split(".")
        place = data
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = _value(value)
    return from_plain(TrainConfig, data)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
