"""Encoders that a run starts from: a pre-trained timm backbone and a Hugging Face BERT.

Each is a file or folder on this computer, or the name by which timm or Hugging Face fetch it. The file of the field,
`swin_base_patch4_window12_384_22k.pth`, is read as it is: timm renames what moved and resizes bias tables. Only plain
tensors are loaded, never code; what is missing, unknown or does not fit is an error that names it.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from rrsis_core.models import ReferringModel  # before timm and transformers: it lets them be imported

# isort: split
import timm
from timm.models import convnext, load_checkpoint, swin_transformer
from torch import nn
from transformers import BertModel

from rrsis_core.contract import WeightsError
from rrsis_core.models.visual import stem_and_stages


def load_backbone(model: ReferringModel, source: str | Path) -> None:
    """Fill the visual encoder from a timm file (.pth, .safetensors) of the backbone that the model is built with.

    Or from timm's name of such weights, tag included: "swin_base_patch4_window12_384.ms_in22k". Raises WeightsError
    weights.not_found and weights.keys.
    """
    encoder: Any = model.visual
    config: Any = model.config
    name = config.backbone.name
    size = {"img_size": config.img_size, "strict_img_size": False} if encoder.is_swin else {}
    if str(source).startswith(f"{name}.") and not Path(source).exists():
        try:
            body: Any = timm.create_model(str(source), pretrained=True, num_classes=0, **size)
        except (OSError, RuntimeError) as error:
            raise _not_fetched(source) from error
    else:
        _check_there(Path(source))
        body = timm.create_model(name, num_classes=0, **size)
        families = {"convnext": convnext, "swin_": swin_transformer}  # whose published files name things in another way
        family = next((module for start, module in families.items() if name.startswith(start)), None)
        try:
            renamed = getattr(family, "checkpoint_filter_fn", None)
            keys = load_checkpoint(body, str(source), strict=False, filter_fn=renamed)
        except (OSError, RuntimeError, LookupError, ValueError, UnpicklingError) as error:
            raise _not_fitting(source, name, str(error)) from error
        _check_keys(source, name, keys.missing_keys, keys.unexpected_keys, ("norm.", "head.", "fc."))
    stem, stages = stem_and_stages(body)
    encoder.stem.load_state_dict(stem.state_dict())
    encoder.stages.load_state_dict(stages.state_dict())


def load_bert(model: ReferringModel, source: str | Path) -> None:
    """Fill the linguistic encoder from a BERT folder (config.json and model.safetensors) of the same size.

    Or from Hugging Face's name of one: "google-bert/bert-base-uncased". Raises WeightsError weights.not_found and
    weights.keys.
    """
    encoder: Any = model.linguistic
    here = Path(source).exists()
    if not here and not re.fullmatch(r"[\w-][\w.-]*(/[\w.-]+)?", str(source)):
        _check_there(Path(source))
    try:
        loaded: Any = BertModel.from_pretrained(
            str(source), add_pooling_layer=False, local_files_only=here, output_loading_info=True
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise _not_fitting(source, "the model's BERT", str(error)) if here else _not_fetched(source) from error
    bert, keys = loaded
    # A file may hold what BERT was pre-trained with; here it is not used.
    _check_keys(source, "BERT", keys["missing_keys"], keys["unexpected_keys"], ("cls.", "pooler.", "bert.pooler."))
    try:
        _fill(encoder.embeddings, bert.embeddings)
        _fill(encoder.layers, bert.encoder.layer)
    except RuntimeError as error:
        raise _not_fitting(source, "the model's BERT", str(error)) from error


def _check_keys(
    source: str | Path, what: str, missing: Iterable[str], extra: Iterable[str], unused: tuple[str, ...]
) -> None:
    """Refuse a file that lacks a tensor or has one that nobody knows; `unused` begin those that do not count."""
    for kind, keys in (("missing", missing), ("not in the model", extra)):
        if wrong := sorted(key for key in keys if not key.startswith(unused)):
            raise _not_fitting(source, what, f"{kind}: {', '.join(wrong[:5])}")


def _fill(target: nn.Module, source: nn.Module) -> None:
    target.load_state_dict(source.state_dict())


def _check_there(path: Path) -> None:
    if not path.exists():
        raise WeightsError(
            f"There are no pre-trained weights at {path}.",
            code="weights.not_found",
            hint="Fetch them as docs/training.md says, or leave the setting empty to start from nothing.",
        )


def _not_fetched(source: str | Path) -> WeightsError:
    return WeightsError(
        f"The pre-trained weights {source} could not be fetched.",
        code="weights.not_found",
        hint="Check the name and the network, or fetch the files as docs/training.md says and give their path.",
    )


def _not_fitting(path: str | Path, what: str, details: str) -> WeightsError:
    return WeightsError(
        f"The weights {path} do not fit {what}.",
        code="weights.keys",
        hint="Give the file that was made for it; the details name what is missing or of another shape.",
        details=details,
    )
