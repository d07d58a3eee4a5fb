"""fit(): the training loop, to be read from top to bottom.

One loop for scenes and data sets, both models, one GPU or several. Samples, dropout and the order of an epoch are
functions of seed, epoch and index, so that a run that was killed at any moment goes on from its last state as if
nothing had happened: on a CPU, bit for bit.
"""

import functools
import logging
import math
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object, send_to_device
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from rrsis_core.contract import InferenceError, OperationCanceled, Progress
from rrsis_core.data.samples import SceneSamples, collate
from rrsis_core.engine.checkpoint import save_state
from rrsis_core.engine.config import TrainConfig
from rrsis_core.engine.curves import draw_curves
from rrsis_core.engine.evaluate import count_samples, merged, summary, text_settings
from rrsis_core.engine.logbook import Logbook
from rrsis_core.engine.run import Run, start
from rrsis_core.models import save_weights
from rrsis_core.models.loading import Card

Batch = dict[str, Tensor]
STARTS = ("initial_weights", "initial_encoders", "pretrained_backbone", "pretrained_bert")
logger = logging.getLogger(__name__)


def fit(config: TrainConfig, folder: Path, vocabulary: Path, progress: Progress) -> Path:
    """Train, or go on with the run in `folder`; return the best checkpoint by the validation score `config.select`.

    Raises InferenceError inference.not_finite (the batch is saved) and OperationCanceled (the run state is saved).
    """
    run = start(config, folder, vocabulary)
    log = Logbook(folder, run.record["iteration"], run.record["epoch"]) if run.accelerator.is_main_process else None
    while run.record["epoch"] < config.epochs:
        run.samples.epoch = run.record["epoch"]
        run.model.train()
        for parts in load(run):
            if is_stopped(run, progress):
                save(run)
                raise OperationCanceled("Stopped; the run goes on from here when started again.")
            numbers = step(run, parts)
            if log:
                log.write(run.record["iteration"], numbers | {"lr": run.schedule.get_last_lr()[-1]})
                progress.update("train", run.record["iteration"], run.steps * config.epochs)
            if run.record["iteration"] % config.save_every == 0:
                save(run)
        scores = validate(run)
        run.record["epoch"] += 1
        if log:
            keep(run, scores)
            log.write(run.record["iteration"], _as_logged(scores) | {"epoch": run.record["epoch"]})
            draw_curves(log.path, folder / "curves.png")
        save(run)
    return folder / "best.safetensors"


def load(run: Run) -> Iterator[list[Batch]]:
    """Yield the rest of this epoch: for each update, the parts of its batch that fall to this process."""
    config, accelerator = run.config, run.accelerator
    done = run.record["iteration"] - run.record["epoch"] * run.steps
    size = config.batch_size // (accelerator.num_processes * config.accumulation)
    places = [
        range(first, first + size)
        for update in range(done, run.steps)
        for first in range(
            update * config.batch_size + accelerator.process_index * size,
            (update + 1) * config.batch_size,
            accelerator.num_processes * size,
        )
    ]
    max_tokens, scope = text_settings(run.bare.config)
    loader: DataLoader[Any] = DataLoader(
        run.samples,
        batch_sampler=places,  # type: ignore[arg-type] # a list of ranges is what it wants
        num_workers=config.data.workers,
        collate_fn=functools.partial(collate, tokenizer=run.tokenizer, max_tokens=max_tokens, scope=scope),
        pin_memory=accelerator.device.type == "cuda",
    )
    batches = (send_to_device(batch, accelerator.device, non_blocking=True) for batch in loader)
    while parts := list(islice(batches, config.accumulation)):
        yield parts


def step(run: Run, parts: list[Batch]) -> dict[str, float]:
    """Forward and backward for each part, then one update; return the loss terms and the gradient norm."""
    config, accelerator = run.config, run.accelerator
    # Dropout is a function of seed, iteration and process: a resumed run needs no generator's state.
    torch.manual_seed(config.seed * 1_000_003 + run.record["iteration"] + accelerator.process_index * 7_777_777)
    total: dict[str, Tensor] = {}
    for batch in parts:
        # Gradients travel between GPUs once an update, with the last part.
        with nullcontext() if batch is parts[-1] else accelerator.no_sync(run.model):
            images = batch["images"].contiguous(memory_format=torch.channels_last)
            with accelerator.autocast():
                output = run.model(images, batch["token_ids"], batch["attention_mask"])
            terms = run.criterion(output, batch["masks"])
            accelerator.backward(terms["loss"] / len(parts))
        total = {name: total.get(name, 0) + value.detach() / len(parts) for name, value in terms.items()}
    norm = accelerator.clip_grad_norm_(run.model.parameters(), config.optim.clip or math.inf)
    check_finite(run, parts, total["loss"].item(), float(norm))
    run.optimizer.step()
    run.schedule.step()
    run.optimizer.zero_grad(set_to_none=True)
    run.record["iteration"] += 1
    if run.average is not None:
        update_average(run.average, run.bare, config.optim.ema, run.record)
    shared: dict[str, Tensor] = accelerator.reduce(total, "mean")
    return {name: value.item() for name, value in shared.items()} | {"norm": float(norm)}


def check_finite(run: Run, parts: list[Batch], loss: float, norm: float) -> None:
    """Stop a run whose loss or gradient is no number before it spoils the weights; the batch is saved."""
    if math.isfinite(loss) and math.isfinite(norm):
        return
    path = run.folder / f"not_finite{run.accelerator.process_index or ''}.safetensors"
    save_file({name: torch.cat([part[name] for part in parts]).contiguous() for name in parts[0]}, path)
    raise InferenceError(
        f"At iteration {run.record['iteration']} the loss is {loss:g} and the gradient's norm {norm:g}.",
        code="inference.not_finite",
        hint=f"Lower optim.lr; the batch is in {path}.",
    )


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float, record: dict[str, Any]) -> None:
    """Move the averaged weights a little towards the model's; faster at the start of a run."""
    decay = min(decay, (1 + record["iteration"]) / (10 + record["iteration"]))
    for mean, value in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if value.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def validate(run: Run) -> dict[str, float]:
    """Score the weights on the validation samples, each process on its share.

    Scenes count as "strict_original", because a target may be absent; data sets as the field counts: "lavt".
    """
    config, accelerator = run.config, run.accelerator
    share = Subset(run.validation, range(accelerator.process_index, len(run.validation), accelerator.num_processes))
    size = max(1, config.batch_size // (accelerator.num_processes * config.accumulation))
    groups: DataLoader[Any] = DataLoader(share, size, num_workers=config.data.workers, collate_fn=list)
    protocol = "strict_original" if isinstance(run.validation, SceneSamples) else "lavt"
    bf16 = config.mixed_precision == "bf16"
    counters = count_samples(run.trained, groups, run.tokenizer, protocol, bf16)
    return summary(merged(gather_object([counters])))


def keep(run: Run, scores: dict[str, float]) -> None:
    """Write the last checkpoint, and the best one where it is."""
    config = run.config
    card = Card(
        preset=config.preset,
        name=f"{config.preset}.{config.tag}",
        vocabulary_sha256=run.tokenizer.sha256,
        gsd=config.gsd,
        tile=config.tile,
        second_look=config.second_look,
        edge_radius=config.edge_radius,
        description={
            **config.description,
            **{name: getattr(config, name) for name in STARTS if getattr(config, name)},
            "iterations": run.record["iteration"],
            "validation": scores,
        },
    )
    save_weights(run.trained, run.folder / "last.safetensors", card)
    if scores[config.select] > run.record["best"]:
        run.record["best"] = scores[config.select]
        save_weights(run.trained, run.folder / "best.safetensors", card)
    told = ", ".join(f"{name} {scores[name]:.4f}" for name in ("mIoU", "oIoU"))
    logger.info(
        "epoch %d of %d: %s, best %s %.4f", run.record["epoch"], config.epochs, told, config.select, run.record["best"]
    )


def is_stopped(run: Run, progress: Progress) -> bool:
    """Tell whether the user wants to stop; several processes agree on it, or some would wait for others for ever."""
    if run.accelerator.num_processes == 1:
        return progress.is_canceled()
    flag = torch.tensor(float(progress.is_canceled()), device=run.accelerator.device)
    return bool(run.accelerator.reduce(flag, "sum").item())


def save(run: Run) -> None:
    """Write the run state."""
    if run.accelerator.is_main_process:
        save_state(run.folder / "state", run.bare, run.average, run.optimizer, run.record)
    run.accelerator.wait_for_everyone()


def _as_logged(scores: dict[str, float]) -> dict[str, float]:
    return {f"val_{name}": value for name, value in scores.items()}
