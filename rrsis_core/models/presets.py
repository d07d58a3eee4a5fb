"""Presets: the table of names and numbers. A preset says what to build; weights say what was learned.

Names follow timm: architecture, backbone, input size. Weights add a tag after a dot.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from rrsis_core.contract import ConfigError
from rrsis_core.contract.plain import from_plain, to_plain
from rrsis_core.models.base import ReferringModel
from rrsis_core.models.btdnet import BTDNet, BTDNetConfig, BTDNetCriterion, BTDNetLossConfig
from rrsis_core.models.btdnet.config import BscConfig, ReconstructionConfig
from rrsis_core.models.crobim import CroBIM, CroBIMConfig, CroBIMCriterion
from rrsis_core.models.crobim.config import CapmConfig, LgfaConfig
from rrsis_core.models.crobim.criterion import CroBIMLossConfig
from rrsis_core.models.lavt import LAVT, LAVTConfig, LAVTCriterion, LAVTLossConfig
from rrsis_core.models.linguistic import BertSize
from rrsis_core.models.mask_decoder import DecoderConfig
from rrsis_core.models.visual import BackboneConfig


@dataclass(frozen=True)
class Architecture:
    """The classes that belong together under one name."""

    config: type
    model: type[ReferringModel]
    loss_config: type
    criterion: type[nn.Module]


ARCHITECTURES = {
    "btdnet": Architecture(BTDNetConfig, BTDNet, BTDNetLossConfig, BTDNetCriterion),
    "crobim": Architecture(CroBIMConfig, CroBIM, CroBIMLossConfig, CroBIMCriterion),
    "lavt": Architecture(LAVTConfig, LAVT, LAVTLossConfig, LAVTCriterion),
}
# Baselines are presets of the architecture that holds their parts.
ARCHITECTURES |= {name: ARCHITECTURES["lavt"] for name in ("rmsin", "lgce")}
ARCHITECTURES["caris"] = ARCHITECTURES["crobim"]

_SMALL_BERT = BertSize(vocab_size=2048, hidden=256, layers=4, heads=4, intermediate=1024, max_positions=64)


def _crobim_small(backbone: str) -> CroBIMConfig:
    """CroBIM for CPUs: every part of the full-size model, narrower and shallower."""
    return CroBIMConfig(
        backbone=BackboneConfig(name=backbone, drop_path=0.05, layer_scale=0.1),
        bert=_SMALL_BERT,
        dim=128,
        img_size=256,
        max_tokens=24,
        capm=CapmConfig(heads=4),
        lgfa=LgfaConfig(heads=4),
        mid=DecoderConfig(layers=2, heads=4, inner_ratio=1, ffn_ratio=2),
    )


def _caris(backbone: BackboneConfig) -> CroBIMConfig:
    """CARIS-like: pooled last-stage tokens are added to the prompts, and there is no LGFA."""
    capm = CapmConfig(interaction="add", scales="last", num_prompts=5)
    return CroBIMConfig(backbone=backbone, capm=capm, lgfa=LgfaConfig(enabled=False))


def _lavt_small(backbone: str) -> LAVTConfig:
    """LAVT for CPUs, about as large as the small CroBIM."""
    config = BackboneConfig(name=backbone, drop_path=0.05, layer_scale=0.1)
    return LAVTConfig(backbone=config, bert=_SMALL_BERT, img_size=256, max_tokens=24, decoder_dim=96)


def _btdnet_small(backbone: str) -> BTDNetConfig:
    """BTDNet for CPUs: every part of the full-size model, narrower and shallower."""
    return BTDNetConfig(
        backbone=BackboneConfig(name=backbone, drop_path=0.05, layer_scale=0.1),
        bert=_SMALL_BERT,
        dim=128,
        img_size=256,
        max_tokens=24,
        bsc=BscConfig(dim=64),
        mci=DecoderConfig(layers=2, heads=4, inner_ratio=1, ffn_ratio=2),
        rec=ReconstructionConfig(dim=128, heads=4),
    )


PRESETS: dict[str, Any] = {
    "btdnet_convnext_pico_256": _btdnet_small("convnext_pico"),
    "btdnet_resnet18_256": _btdnet_small("resnet18"),
    "btdnet_swin_base_512": BTDNetConfig(),
    "crobim_convnext_pico_256": _crobim_small("convnext_pico"),
    "crobim_resnet18_256": _crobim_small("resnet18"),
    "crobim_convnext_base_480": CroBIMConfig(backbone=BackboneConfig(name="convnext_base")),
    "crobim_swin_base_480": CroBIMConfig(),
    "caris_swin_base_480": _caris(BackboneConfig()),
    "lavt_convnext_pico_256": _lavt_small("convnext_pico"),
    "lavt_resnet18_256": _lavt_small("resnet18"),
    "lavt_swin_base_480": LAVTConfig(),
    "lgce_swin_base_480": LAVTConfig(cross_scale="lgce"),
    "rmsin_swin_base_480": LAVTConfig(fusion="iim", cross_scale="cim"),
}


def list_presets() -> list[str]:
    """Return the preset names, sorted."""
    return sorted(PRESETS)


def preset_config(preset: str) -> Any:
    """Return the config of a preset. Raises ConfigError config.preset, naming the nearest one."""
    if preset not in PRESETS:
        near = difflib.get_close_matches(preset, PRESETS, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"Presets: {', '.join(list_presets())}."
        raise ConfigError(f"There is no preset '{preset}'.", code="config.preset", hint=hint)
    return PRESETS[preset]


def architecture_of(preset: str) -> Architecture:
    """Return the architecture that a preset belongs to: the part of its name before the first underscore."""
    return ARCHITECTURES[preset.split("_", 1)[0]]


def create_model(preset: str, **changes: Any) -> ReferringModel:
    """Build a model with random weights; `changes` replace keys of the preset's config.

    A change is a value or a dictionary for a nested config: create_model("crobim_swin_base_480", mid={"layers": 3}).
    Raises ConfigError for an unknown preset or key.
    """
    return architecture_of(preset).model(changed(preset_config(preset), changes))


def changed(config: Any, changes: Mapping[str, Any]) -> Any:
    """Return a config with nested changes applied."""
    plain = to_plain(config)
    for key, value in changes.items():
        plain[key] = {**plain[key], **value} if isinstance(value, Mapping) and key in plain else value
    return from_plain(type(config), plain)


def create_criterion(preset: str, changes: Mapping[str, Any] | None = None) -> nn.Module:
    """Build the loss that belongs to a preset's architecture."""
    architecture = architecture_of(preset)
    return architecture.criterion(replace(architecture.loss_config(), **(changes or {})))
