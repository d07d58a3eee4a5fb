"""Checkpoints: one safetensors file with the weights, and in its header everything that is needed to use them.

The header holds the format version, the preset, the resolved config, the vocabulary's sha256 and the card. No pickle
is ever read. Weights may be stored in half precision; models run in float32.
"""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from rrsis_core.contract import ConfigError, WeightsError
from rrsis_core.contract.plain import from_plain, to_plain
from rrsis_core.models.base import ReferringModel
from rrsis_core.models.presets import architecture_of, preset_config
from rrsis_core.weights.card import FORMAT, Card, card_of, read_header

__all__ = ["Card", "load_model", "read_card", "save_weights"]


def save_weights(model: ReferringModel, path: str | Path, card: Card, half: bool = False) -> None:
    """Write a checkpoint: beside, then renamed."""
    path = Path(path)
    tensors = {name: x.detach().cpu().contiguous() for name, x in model.state_dict().items()}
    if half:
        tensors = {name: x.half() if x.is_floating_point() else x for name, x in tensors.items()}
    header = {"format": FORMAT, "config": json.dumps(to_plain(model.config)), "card": json.dumps(to_plain(card))}
    beside = path.with_name(path.name + ".tmp")
    save_file(tensors, beside, metadata=header)
    beside.replace(path)


def read_card(path: str | Path) -> Card:
    """Read a checkpoint's card without its weights. Raises WeightsError."""
    return _card(read_header(path), Path(path))


def load_model(path: str | Path, preset: str | None = None) -> tuple[ReferringModel, Card]:
    """Build the checkpoint's model in eval mode and fill it.

    Raises WeightsError: weights.not_found, weights.corrupt (truncated, not safetensors, not ours), weights.preset
    (another preset than asked for), weights.keys (missing, extra or wrongly shaped tensors, all named).
    """
    path = Path(path)
    header = read_header(path)
    card = _card(header, path)
    if preset is not None and card.preset != preset:
        raise WeightsError(
            f"{path} holds weights of '{card.preset}', not of '{preset}'.",
            code="weights.preset",
            hint=f"Use preset '{card.preset}', or other weights.",
        )
    try:
        config = from_plain(type(preset_config(card.preset)), json.loads(header["config"]))
    except (ConfigError, ValueError, KeyError) as error:
        raise WeightsError(
            f"The config inside {path} cannot be used: {error}",
            code="weights.preset",
            hint="The file was written by another version of rrsis.",
        ) from error
    model = architecture_of(card.preset).model(config)
    _fill(model, path)
    return model.eval(), card


def _card(header: dict[str, str], path: Path) -> Card:
    card = card_of(header, path)
    try:
        preset_config(card.preset)
    except ConfigError as error:
        raise WeightsError(
            f"The card inside {path} cannot be used: {error}",
            code="weights.preset",
            hint="The file was written by another version of rrsis.",
        ) from error
    return card


def _fill(model: ReferringModel, path: Path) -> None:
    """Copy every tensor of the file into the model, exactly."""
    state = model.state_dict()
    with safe_open(path, framework="pt") as file:
        names = set(file.keys())
        wrong = [name for name in names & set(state) if tuple(file.get_slice(name).get_shape()) != state[name].shape]
        problems = {"missing": set(state) - names, "not in the model": names - set(state), "of another shape": wrong}
        found = "; ".join(f"{what}: {', '.join(sorted(keys)[:5])}" for what, keys in problems.items() if keys)
        if found:
            raise WeightsError(
                f"The tensors of {path} do not fit its preset ({found}).",
                code="weights.keys",
                hint="Use weights made for this preset and version.",
            )
        with torch.no_grad():
            for name in names:
                state[name].copy_(file.get_tensor(name))
