"""TrainConfig: a training run as plain data, read from a TOML recipe."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rrsis_core.contract import ConfigError
from rrsis_core.contract.plain import from_plain
from rrsis_core.data.pictures import PictureConfig
from rrsis_core.data.samples import ChipConfig


@dataclass(frozen=True)
class DataConfig:
    """Where samples come from: a data set in `root`, or folders of scenes in `train` and `validation`."""

    root: str = ""
    """Folder of a data set: RRSIS-D, RefSegRS, RISBench, REFER, or JSON lines."""
    layout: str = "auto"
    """refer, refsegrs, risbench, jsonlines, or auto: told from the files."""
    train_split: str = "train"
    validation_split: str = "val"
    limit: int = 0
    """Records of each split that are used at most, to try things out; 0 is all."""
    skip_missing: bool = False
    """Leave out records whose files are missing, instead of refusing to start."""
    pictures: PictureConfig = field(default_factory=PictureConfig)
    """What happens to the pictures of a data set."""
    train: dict[str, float] = field(default_factory=dict)
    """Folder of .scene files -> share of the samples."""
    validation: dict[str, float] = field(default_factory=dict)
    """The same for the samples that choose the best checkpoint."""
    samples_per_epoch: int = 4000
    """Scenes: an epoch is a count of samples, new chips every time."""
    validation_samples: int = 400
    """Scenes: how many choose the best checkpoint."""
    workers: int = 1
    """Processes that make samples."""
    chips: ChipConfig = field(default_factory=ChipConfig)
    """Scenes: how chips are cut out."""


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
    """Samples an update, over all GPUs and accumulated parts: the same run whatever it runs on."""
    accumulation: int = 1
    """Parts that the batch of each GPU is cut into, where it does not fit at once."""
    seed: int = 0
    save_every: int = 250
    """Iterations between two run states: what a killed run loses at most."""
    select: str = "oIoU"
    """Validation score that chooses the best checkpoint."""
    mixed_precision: str = "bf16"
    """bf16 or no."""
    initial_weights: str = ""
    """Checkpoint to start from."""
    initial_encoders: str = ""
    """Weights to start from without a card, of all or some parts of the model, as training/pretrain.py writes them."""
    pretrained_backbone: str = ""
    """Pre-trained timm backbone to start the visual encoder from: a file, or timm's name of weights with their tag."""
    pretrained_bert: str = ""
    """Hugging Face BERT to start the linguistic encoder from: a folder, or its name."""
    vocabulary: str = ""
    """vocab.txt, or a BERT folder that holds one; the packaged one where nothing is given."""
    gsd: float | None = None
    """Ground resolution written into the card."""
    tile: int = 512
    """Tile side written into the card."""
    second_look: float = 0.0
    """Share of a second look at twice the size, written into the card (rrsis_core/weights/card.py)."""
    edge_radius: int = 0
    """Reach of the filter that draws answers onto edges, written into the card (rrsis_core/inference/edges.py)."""
    description: dict[str, Any] = field(default_factory=dict)
    """Data, licences and attributions for the card."""


def read_recipe(path: str | Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a TOML recipe; overrides look like "optim.lr=3e-5".

    A recipe may name another one with `extends`, relative to itself, and then says only what differs; the other one may
    not extend a third. Raises ConfigError config.recipe, config.unknown_key, config.value.
    """
    data = _read(Path(path))
    if "extends" in data:
        base = _read(Path(path).parent / data.pop("extends"))
        if "extends" in base:
            raise ConfigError(
                f"{path} extends a recipe that extends another one.",
                code="config.recipe",
                hint="One level is allowed: extend the first one.",
            )
        data = _merged(base, data)
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise ConfigError(
                f"'{override}' sets nothing.", code="config.value", hint="Write key=value, such as optim.lr=3e-5."
            )
        *parents, leaf = key.strip().split(".")
        place = data
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = _value(value)
    return from_plain(TrainConfig, data)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"The recipe {path} cannot be read.", code="config.recipe", hint="Give a TOML file of training/recipes."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}.", code="config.recipe", hint="Mend the named line.") from error


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the base with changes, table by table."""
    both = {key: _merged(base[key], changes[key]) for key in base if isinstance(base[key], dict) and key in changes}
    return base | changes | both


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
