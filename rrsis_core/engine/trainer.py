"""fit(): the training loop, to be read from top to bottom."""

import copy
import functools
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from rrsis_core.contract import InferenceError, OperationCanceled, Progress
from rrsis_core.contract.plain import to_plain
from rrsis_core.data.samples import ReferringSample, SceneSamples, collate
from rrsis_core.engine.checkpoint import load_state, save_state
from rrsis_core.engine.config import TrainConfig
from rrsis_core.engine.evaluate import evaluate_samples
from rrsis_core.engine.logbook import Logbook
from rrsis_core.engine.optim import parameter_groups, poly_schedule
from rrsis_core.models import ReferringModel, create_criterion, create_model, load_model, save_weights
from rrsis_core.models.loading import Card
from rrsis_core.text.tokenizer import ExpressionTokenizer

SAVE_EVERY = 250  # iterations between two run states
Batch = dict[str, Tensor]


@dataclass
class Run:
    """The moving parts of a run."""

    config: TrainConfig
    folder: Path
    tokenizer: ExpressionTokenizer
    accelerator: Accelerator
    model: ReferringModel
    average: ReferringModel | None
    criterion: nn.Module
    optimizer: Any
    schedule: Any
    record: dict[str, Any]


def fit(config: TrainConfig, folder: Path, vocabulary: Path, progress: Progress) -> Path:
    """Train, or go on with the run in `folder`; return the best checkpoint by the validation score `config.select`.

    Raises InferenceError inference.not_finite (the batch is saved) and OperationCanceled (the run state is saved).
    """
    run = start(config, folder, vocabulary)
    samples = SceneSamples(config.data.train, config.data.samples_per_epoch, config.data.chips, config.seed)
    steps = len(samples) // config.batch_size
    log = Logbook(folder / "log.jsonl", run.record["iteration"])
    while run.record["iteration"] < steps * config.epochs:
        samples.epoch, done = divmod(run.record["iteration"], steps)
        run.model.train()
        for batch in load(run, samples, done):
            if progress.is_canceled():
                save(run)
                raise OperationCanceled("Stopped; the run goes on from here when started again.")
            terms = step(run, batch)
            log.write(run.record["iteration"], terms | {"lr": run.schedule.get_last_lr()[-1]})
            progress.update("train", run.record["iteration"], steps * config.epochs)
            if run.record["iteration"] % SAVE_EVERY == 0:
                save(run)
        scores = finish_epoch(run)
        log.write(run.record["iteration"], {f"val_{name}": value for name, value in scores.items()})
    return folder / "best.safetensors"


def start(config: TrainConfig, folder: Path, vocabulary: Path) -> Run:
    """Build everything, or restore it from the run state in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(to_plain(config), indent=1))
    set_seed(config.seed)
    accelerator = Accelerator(mixed_precision=config.mixed_precision)
    if config.initial_weights:
        model = load_model(config.initial_weights, config.preset)[0].train()
    else:
        model = create_model(config.preset, **config.model)
    if config.initial_visual:
        model.visual.load_state_dict(load_file(config.initial_visual))
    average = copy.deepcopy(model).requires_grad_(False).eval() if config.optim.ema else None
    optimizer = torch.optim.AdamW(parameter_groups(model, config.optim))
    record = load_state(folder / "state", model, average, optimizer) or {"iteration": 0, "best": -1.0}
    iterations = config.data.samples_per_epoch // config.batch_size * config.epochs
    schedule = poly_schedule(optimizer, iterations, config.optim, done=record["iteration"])
    criterion = create_criterion(config.preset, config.loss)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing from torch's stubs
    model, optimizer = accelerator.prepare(model, optimizer)
    tokenizer = ExpressionTokenizer(vocabulary)
    return Run(config, folder, tokenizer, accelerator, model, average, criterion, optimizer, schedule, record)


def load(run: Run, samples: SceneSamples, done: int) -> DataLoader[ReferringSample]:
    """Return the rest of an epoch in batches; samples are functions of their index, so their order is fixed."""
    config = run.config
    rest = Subset(samples, range(done * config.batch_size, len(samples)))
    max_tokens = run.accelerator.unwrap_model(run.model).config.max_tokens
    loader = DataLoader(
        rest,
        batch_size=config.batch_size,
        num_workers=config.data.workers,
        drop_last=True,
        collate_fn=functools.partial(collate, tokenizer=run.tokenizer, max_tokens=max_tokens),
    )
    prepared: DataLoader[ReferringSample] = run.accelerator.prepare(loader)
    return prepared


def step(run: Run, batch: Batch) -> dict[str, float]:
    """Forward, backward, update; return the loss terms and the gradient norm."""
    # Dropout is a function of seed and iteration, as samples are: a resumed run needs no generator's state.
    torch.manual_seed(run.config.seed * 1_000_003 + run.record["iteration"])
    images = batch["images"].contiguous(memory_format=torch.channels_last)
    with run.accelerator.autocast():
        output = run.model(images, batch["token_ids"], batch["attention_mask"])
    terms = run.criterion(output, batch["masks"])
    if not math.isfinite(terms["loss"].item()):
        save_file({name: value.contiguous() for name, value in batch.items()}, run.folder / "not_finite.safetensors")
        raise InferenceError(
            f"The loss is {terms['loss'].item()} at iteration {run.record['iteration']}.",
            code="inference.not_finite",
            hint=f"Lower optim.lr; the batch is in {run.folder / 'not_finite.safetensors'}.",
        )
    run.accelerator.backward(terms["loss"])
    norm = run.accelerator.clip_grad_norm_(run.model.parameters(), run.config.optim.clip)
    run.optimizer.step()
    run.schedule.step()
    run.optimizer.zero_grad(set_to_none=True)
    run.record["iteration"] += 1
    if run.average is not None:
        update_average(run.average, run.accelerator.unwrap_model(run.model), run.config.optim.ema, run.record)
    return {name: value.item() for name, value in terms.items()} | {"norm": float(norm)}


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float, record: dict[str, Any]) -> None:
    """Move the averaged weights a little towards the model's; faster at the start of a run."""
    decay = min(decay, (1 + record["iteration"]) / (10 + record["iteration"]))
    for mean, value in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if value.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def finish_epoch(run: Run) -> dict[str, float]:
    """Score the weights on the validation samples, keep the best, save the run state."""
    config = run.config
    trained = run.average if run.average is not None else run.accelerator.unwrap_model(run.model)
    samples = SceneSamples(config.data.validation, config.data.validation_samples, config.data.chips, seed=10_000)
    scores = evaluate_samples(trained, samples, run.tokenizer, config.batch_size)
    card = Card(
        preset=config.preset,
        name=f"{config.preset}.{config.tag}",
        vocabulary_sha256=run.tokenizer.sha256,
        gsd=config.gsd,
        tile=config.tile,
        description={**config.description, "iterations": run.record["iteration"], "validation": scores},
    )
    save_weights(trained, run.folder / "last.safetensors", card)
    if scores[config.select] > run.record["best"]:
        run.record["best"] = scores[config.select]
        save_weights(trained, run.folder / "best.safetensors", card)
    save(run)
    return scores


def save(run: Run) -> None:
    """Write the run state."""
    model = run.accelerator.unwrap_model(run.model)
    save_state(run.folder / "state", model, run.average, run.optimizer, run.record)
