"""A run is everything that moves while a model is trained; here it is built, or restored from its folder.

The folder of a run holds config.json and vocab.txt, log.jsonl and its copies for people (tensorboard/, curves.png),
state/ for going on after a kill, and the checkpoints last.safetensors and best.safetensors.
"""

import copy
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, set_seed
from safetensors.torch import load_file
from torch import nn

from rrsis_core.contract import ConfigError
from rrsis_core.contract.plain import to_plain
from rrsis_core.data.datasets import usable
from rrsis_core.data.opening import open_dataset
from rrsis_core.data.pictures import PictureSamples
from rrsis_core.data.records import Record
from rrsis_core.data.samples import SceneSamples
from rrsis_core.engine.checkpoint import load_state
from rrsis_core.engine.config import TrainConfig
from rrsis_core.engine.encoders import load_backbone, load_bert
from rrsis_core.engine.optim import parameter_groups, poly_schedule
from rrsis_core.models import ReferringModel, create_criterion, create_model, load_model
from rrsis_core.text.tokenizer import ExpressionTokenizer

Samples = SceneSamples | PictureSamples


@dataclass
class Run:
    """The moving parts of a run."""

    config: TrainConfig
    folder: Path
    tokenizer: ExpressionTokenizer
    accelerator: Accelerator
    model: Any
    """The model as it is trained: perhaps wrapped for several GPUs."""
    average: ReferringModel | None
    criterion: nn.Module
    optimizer: Any
    schedule: Any
    samples: Samples
    validation: Samples
    record: dict[str, Any]
    """iteration: updates made; epoch: epochs made and scored; best: the best validation score."""

    @property
    def steps(self) -> int:
        """Updates of an epoch."""
        return len(self.samples) // self.config.batch_size

    @property
    def bare(self) -> ReferringModel:
        """The model without its wrapping."""
        model: ReferringModel = self.accelerator.unwrap_model(self.model)
        return model

    @property
    def trained(self) -> ReferringModel:
        """What is scored and kept: the averaged weights where there are some."""
        return self.bare if self.average is None else self.average


def start(config: TrainConfig, folder: Path, vocabulary: Path) -> Run:
    """Build everything, or restore it from the run state in the folder.

    Raises ConfigError config.run (the folder holds a run of another model) and what building raises.
    """
    check_folder(config, folder)
    # A switched-off part may leave parameters without a gradient, which several GPUs must be told beforehand.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    AcceleratorState._reset_state()  # or a second run in this process, of another precision, would be refused
    accelerator = Accelerator(mixed_precision=config.mixed_precision, kwargs_handlers=[unused])
    tokenizer = ExpressionTokenizer(vocabulary)
    set_seed(config.seed)
    model = build_model(config, tokenizer).to(accelerator.device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing from torch's stubs
    if accelerator.num_processes > 1 and accelerator.device.type == "cuda":
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    samples, validation = make_samples(config, model.config.img_size)
    check_batches(config, len(samples), accelerator.num_processes)
    if accelerator.is_main_process:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(to_plain(config), indent=1))
        shutil.copyfile(vocabulary / "vocab.txt" if vocabulary.is_dir() else vocabulary, folder / "vocab.txt")
    average = copy.deepcopy(model).requires_grad_(False).eval() if config.optim.ema else None
    optimizer = torch.optim.AdamW(parameter_groups(model, config.optim))
    steps = len(samples) // config.batch_size
    record = load_state(folder / "state", model, average, optimizer) or {"iteration": 0, "best": -1.0}
    record.setdefault("epoch", record["iteration"] // steps)
    schedule = poly_schedule(optimizer, steps * config.epochs, config.optim, done=record["iteration"])
    criterion = create_criterion(config.preset, config.loss)
    wrapped, optimizer = accelerator.prepare(model, optimizer)
    return Run(
        config,
        folder,
        tokenizer,
        accelerator,
        wrapped,
        average,
        criterion,
        optimizer,
        schedule,
        samples,
        validation,
        record,
    )


def check_folder(config: TrainConfig, folder: Path) -> None:
    """Refuse to go on with the run of another model."""
    if not (folder / "config.json").exists():
        return
    before = json.loads((folder / "config.json").read_text())
    if (before["preset"], before["model"]) != (config.preset, to_plain(config)["model"]):
        raise ConfigError(
            f"{folder} holds a run of another model ({before['preset']}).",
            code="config.run",
            hint="Give another folder with --out, or the recipe that the run was started with.",
        )


def build_model(config: TrainConfig, tokenizer: ExpressionTokenizer) -> ReferringModel:
    """Build the model with what it starts from."""
    if config.initial_weights:
        model = load_model(config.initial_weights, config.preset)[0].train()
    else:
        model = create_model(config.preset, **config.model)
    if config.pretrained_backbone:
        load_backbone(model, config.pretrained_backbone)
    if config.pretrained_bert:
        load_bert(model, config.pretrained_bert)
    if config.initial_encoders:
        unknown = model.load_state_dict(load_file(config.initial_encoders), strict=False).unexpected_keys
        if unknown:
            raise ConfigError(
                f"{config.initial_encoders} does not fit the model: {unknown[0]}.",
                code="config.initial_encoders",
                hint="Give encoders of the same preset.",
            )
    words: int = model.config.bert.vocab_size
    if tokenizer.size > words:
        raise ConfigError(
            f"The vocabulary has {tokenizer.size} entries, the model's embeddings {words}.",
            code="config.vocabulary",
            hint="Set vocabulary, or model.bert.vocab_size, so that they belong together.",
        )
    return model


def make_samples(config: TrainConfig, img_size: int) -> tuple[Samples, Samples]:
    """Return training and validation samples, of a data set or of scenes. Raises ConfigError config.data."""
    data = config.data
    if not (data.root or data.train):
        raise ConfigError(
            "The recipe names no data.", code="config.data", hint="Give --data FOLDER, or set data.train to scenes."
        )
    if not data.root:
        training = SceneSamples(data.train, data.samples_per_epoch, data.chips, config.seed)
        return training, SceneSamples(data.validation, data.validation_samples, data.chips, seed=10_000)
    dataset = open_dataset(data.root, data.layout)
    pictures = replace(data.pictures, size=data.pictures.size or img_size)

    def records(split: str) -> tuple[Record, ...]:
        return usable(dataset, split, data.skip_missing)[: data.limit or None]

    return (
        PictureSamples(records(data.train_split), pictures, training=True, seed=config.seed),
        PictureSamples(records(data.validation_split), pictures, training=False),
    )


def check_batches(config: TrainConfig, samples: int, processes: int) -> None:
    """Refuse batches that cannot be shared out, or that an epoch does not fill once."""
    parts = processes * config.accumulation
    if config.batch_size % parts or config.batch_size > samples:
        raise ConfigError(
            f"Batches of {config.batch_size} cannot be made of {samples} samples in {processes} x "
            f"{config.accumulation} parts.",
            code="config.batch_size",
            hint="batch_size counts all GPUs and accumulated parts: a multiple of both, and at most an epoch.",
        )
