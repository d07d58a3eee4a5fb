"""The visual encoder: a timm ConvNeXt, Swin or ResNet that gives four visual feature maps, strides 4, 8, 16 and 32.

It runs stage by stage, so that a model may change a stage's output before the next stage reads it (BTDNet does). The
map that later modules read is normalised by a fresh LayerNorm per stage; the next stage reads the map itself.
"""

from dataclasses import dataclass
from typing import Any

import timm
from timm.layers import set_fused_attn
from torch import Tensor, nn

from rrsis_core.contract import ConfigError
from rrsis_core.models.layers import ChannelNorm, PixelLinear

STRIDES = (4, 8, 16, 32)
FAMILIES = ("convnext", "resnet", "swin_")

# timm counts Swin's fused attention as experimental. It equals the eager one to 5e-6 and is up to 2.4x faster on CPU,
# where eager attention produces float32 denormals behind the -100 mask.
set_fused_attn(True, experimental=True)


@dataclass(frozen=True)
class BackboneConfig:
    """Which visual encoder, and what it starts from."""

    name: str = "swin_base_patch4_window12_384"
    """timm name of a ConvNeXt, Swin or ResNet without the tag after the dot. The papers use Swin and ConvNeXt; a small
    ResNet learns sooner where nothing pre-trained is at hand."""
    drop_path: float = 0.3
    """Stochastic depth while training (0.3 in LAVT and CARIS)."""
    layer_scale: float = 1e-6
    """Where ConvNeXt's layer scale starts. Its own 1e-6 suits long training; from scratch 0.1 learns sooner."""


def stem_and_stages(body: Any) -> tuple[Any, Any]:
    """Return what embeds an image, and the four stages, of a timm model of one of the FAMILIES."""
    if hasattr(body, "patch_embed"):
        return body.patch_embed, body.layers
    if hasattr(body, "stages"):
        return body.stem, body.stages
    stem = nn.Sequential(body.conv1, body.bn1, body.act1, body.maxpool)
    return stem, nn.ModuleList([body.layer1, body.layer2, body.layer3, body.layer4])


class VisualEncoder(nn.Module):
    """Four stages of a timm backbone with a LayerNorm on each output. `channels` are their widths."""

    def __init__(self, config: BackboneConfig, img_size: int) -> None:
        super().__init__()
        self.is_swin = config.name.startswith("swin_")
        if not config.name.startswith(FAMILIES):
            raise ConfigError(
                f"'{config.name}' is not a ConvNeXt, Swin or ResNet of timm.",
                code="config.backbone",
                hint="Use a name such as convnext_base, resnet18 or swin_base_patch4_window12_384.",
            )
        extra: dict[str, Any] = {}
        if self.is_swin:
            extra = {"img_size": img_size, "strict_img_size": False}
        elif config.name.startswith("convnext"):
            extra = {"ls_init_value": config.layer_scale}
        body = timm.create_model(config.name, num_classes=0, drop_path_rate=config.drop_path, **extra)
        for module in body.modules():
            if isinstance(module, nn.Conv2d) and (module.kernel_size, module.stride) == ((1, 1), (1, 1)):
                module.__class__ = PixelLinear  # the same parameters and the same product, faster
        self.stem, self.stages = stem_and_stages(body)
        self.channels: list[int] = [info["num_chs"] for info in body.feature_info][-4:]  # type: ignore[union-attr]
        self.norms = nn.ModuleList(ChannelNorm(channels) for channels in self.channels)

    def start(self, images: Tensor) -> Tensor:
        """Embed standardised images (B, 3, H, W) for the first stage; the layout is the backbone's own."""
        return self.stem(images)

    def run_stage(self, index: int, x: Tensor) -> Tensor:
        """Run one stage (0 to 3), down-sampling included; input and output in the backbone's own layout."""
        return self.stages[index](x)

    def as_map(self, x: Tensor) -> Tensor:
        """Return a stage's output as a map (B, C, h, w), not normalised."""
        return x.permute(0, 3, 1, 2) if self.is_swin else x

    def from_map(self, x: Tensor) -> Tensor:
        """Inverse of `as_map`."""
        return x.permute(0, 2, 3, 1) if self.is_swin else x

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the normalised maps, fine to coarse: (B, C_i, H / s_i, W / s_i) for the strides s_i."""
        x = self.start(images)
        maps = []
        for index, norm in enumerate(self.norms):
            x = self.run_stage(index, x)
            maps.append(norm(self.as_map(x)))
        return maps
