"""Encoders that a run starts from: a pre-trained timm backbone and a Hugging Face BERT, from files on this computer.

The file of the field, `swin_base_patch4_window12_384_22k.pth`, is read as it is: timm renames what moved and resizes
bias tables. Only plain tensors are loaded, never code; what is missing or does not fit is an error that names it.
"""

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


def load_backbone(model: ReferringModel, path: str | Path) -> None:
    """Fill the visual encoder from a timm file (.pth, .safetensors) of the backbone that the model is built with.

    Raises WeightsError weights.not_found and weights.keys.
    """
    encoder: Any = model.visual
    config: Any = model.config
    _check_there(Path(path))
    size = {"img_size": config.img_size, "strict_img_size": False} if encoder.is_swin else {}
    body: Any = timm.create_model(config.backbone.name, num_classes=0, **size)
    family = swin_transformer if encoder.is_swin else convnext
    try:
        keys = load_checkpoint(body, str(path), strict=False, filter_fn=family.checkpoint_filter_fn)
    except (OSError, RuntimeError, LookupError, ValueError, UnpicklingError) as error:
        raise _not_fitting(path, config.backbone.name, str(error)) from error
    # The last norm and the classifier are not used here.
    lacking = [key for key in keys.missing_keys if not key.startswith(("norm.", "head."))]
    if lacking:
        raise _not_fitting(path, config.backbone.name, f"missing: {', '.join(lacking[:5])}")
    encoder.stem.load_state_dict((body.patch_embed if encoder.is_swin else body.stem).state_dict())
    encoder.stages.load_state_dict((body.layers if encoder.is_swin else body.stages).state_dict())


def load_bert(model: ReferringModel, folder: str | Path) -> None:
    """Fill the linguistic encoder from a BERT folder (config.json and model.safetensors) of the same size.

    Raises WeightsError weights.not_found and weights.keys.
    """
    encoder: Any = model.linguistic
    _check_there(Path(folder))
    try:
        bert = BertModel.from_pretrained(str(folder), add_pooling_layer=False, local_files_only=True)
        _fill(encoder.embeddings, bert.embeddings)
        _fill(encoder.layers, bert.encoder.layer)
    except (OSError, RuntimeError, ValueError) as error:
        raise _not_fitting(folder, "the model's BERT", str(error)) from error


def _fill(target: nn.Module, source: nn.Module) -> None:
    target.load_state_dict(source.state_dict())


def _check_there(path: Path) -> None:
    if not path.exists():
        raise WeightsError(
            f"There are no pre-trained weights at {path}.",
            code="weights.not_found",
            hint="Fetch them as docs/training.md says, or leave the setting empty to start from nothing.",
        )


def _not_fitting(path: str | Path, what: str, details: str) -> WeightsError:
    return WeightsError(
        f"The weights {path} do not fit {what}.",
        code="weights.keys",
        hint="Give the file that was made for it; the details name what is missing or of another shape.",
        details=details,
    )
