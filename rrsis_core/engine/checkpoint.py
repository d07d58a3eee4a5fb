"""Run state: everything that a resumed run needs to go on as if nothing had happened.

A state is a folder with the weights, the optimiser's moments (safetensors) and a JSON record. It is written beside
and renamed, so that it is there whole or not at all.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


def save_state(
    folder: Path, model: nn.Module, average: nn.Module | None, optimizer: torch.optim.Optimizer, record: dict[str, Any]
) -> None:
    """Write the state; `record` holds the counters, ready for JSON."""
    beside = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    save_file(_tensors(model), beside / "model.safetensors")
    if average is not None:
        save_file(_tensors(average), beside / "average.safetensors")
    moments = {
        f"{index}.{name}": value.contiguous()
        for index, entry in optimizer.state_dict()["state"].items()
        for name, value in entry.items()
    }
    save_file(moments, beside / "optimizer.safetensors")
    (beside / "record.json").write_text(json.dumps(record))
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    beside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def load_state(
    folder: Path, model: nn.Module, average: nn.Module | None, optimizer: torch.optim.Optimizer
) -> dict[str, Any] | None:
    """Fill model, average and optimiser from the folder and return the record; None where there is no state."""
    if not folder.exists():
        old = folder.with_name(folder.name + ".old")
        if not old.exists():
            return None
        old.rename(folder)  # killed between the two renames
    model.load_state_dict(load_file(folder / "model.safetensors"))
    if average is not None:
        average.load_state_dict(load_file(folder / "average.safetensors"))
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in load_file(folder / "optimizer.safetensors").items():
        index, name = key.split(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    record: dict[str, Any] = json.loads((folder / "record.json").read_text())
    return record


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
