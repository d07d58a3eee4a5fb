"""LAVT, language-aware vision transformer (CVPR 2022): language enters the visual encoder after every stage.

    F_i = PWAM(V_i, L);  V_i' = V_i + gate(F_i) * F_i goes to the next stage;  LN(F_i) goes to the decoder
    decoder: from coarse to fine, up-sample, concatenate, two 3x3 convolutions of width 512; two logits

Its descendants change one part each: RMSIN fuses by IIM and adds CIM between encoder and decoder, LGCE adds
language-guided cross-scale enhancement. Their other details (adaptive rotated convolutions) are left out: "-like".
"""

from dataclasses import dataclass, field

from torch import Tensor, nn

from rrsis_core.contract import ConfigError
from rrsis_core.models.base import ReferringModel, SegmentationOutput
from rrsis_core.models.btdnet.comparators import (
    CrossScaleEnhancement,
    CrossScaleInteraction,
    IntraScaleInteraction,
    PixelWordAttention,
)
from rrsis_core.models.crobim.criterion import CroBIMCriterion, CroBIMLossConfig
from rrsis_core.models.layers import PixelLinear, group_norm, unflatten_map
from rrsis_core.models.linguistic import BertSize, LinguisticEncoder
from rrsis_core.models.mask_decoder import SimpleDecoder
from rrsis_core.models.visual import BackboneConfig, VisualEncoder


@dataclass(frozen=True)
class LAVTConfig:
    """Sizes and switches; the defaults are LAVT itself at full size."""

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    bert: BertSize = field(default_factory=BertSize)
    img_size: int = 480
    max_tokens: int = 20
    fusion: str = "pwam"
    """pwam (LAVT) or iim (RMSIN)."""
    cross_scale: str = "none"
    """none (LAVT), cim (RMSIN) or lgce (RRSIS)."""
    cross_scale_dim: int = 256
    heads: int = 8
    decoder_dim: int = 512

    def __post_init__(self) -> None:
        """Refuse unknown switch values."""
        if self.fusion not in ("pwam", "iim") or self.cross_scale not in ("none", "cim", "lgce"):
            raise ConfigError(
                f"LAVT cannot fuse by '{self.fusion}' and '{self.cross_scale}'.",
                code="config.lavt",
                hint="fusion: pwam or iim; cross_scale: none, cim or lgce.",
            )


@dataclass(frozen=True)
class LAVTLossConfig(CroBIMLossConfig):
    """LAVT and LGCE train with cross-entropy alone; RMSIN adds a tenth of dice."""

    dice_weight: float = 0.0


class LAVTCriterion(CroBIMCriterion):
    """Cross-entropy with class weights 0.9 and 1.1."""

    def __init__(self, config: LAVTLossConfig | None = None) -> None:
        super().__init__(config or LAVTLossConfig())


class LAVT(ReferringModel):
    """Fuses words into the encoder; a convolutional decoder reads the fused maps."""

    config: LAVTConfig

    def __init__(self, config: LAVTConfig) -> None:
        super().__init__(config)
        self.visual = VisualEncoder(config.backbone, config.img_size)
        self.linguistic = LinguisticEncoder(config.bert)
        channels, hidden = self.visual.channels, config.bert.hidden
        fusion = PixelWordAttention if config.fusion == "pwam" else IntraScaleInteraction
        self.fusions = nn.ModuleList(fusion(width, hidden) for width in channels)
        dim = config.cross_scale_dim
        self.lateral = self.cross_scale = self.words = None
        if config.cross_scale != "none":
            self.lateral = nn.ModuleList(
                nn.Sequential(PixelLinear(width, dim), group_norm(dim)) for width in channels[1:]
            )
            self.words = nn.Linear(hidden, dim)
            self.cross_scale = (
                CrossScaleEnhancement(dim, config.heads)
                if config.cross_scale == "lgce"
                else CrossScaleInteraction(dim, config.heads, config.img_size)
            )
            channels = [channels[0], dim, dim, dim]
        self.decoder = SimpleDecoder(config.decoder_dim, channels)

    def encode_image(self, images: Tensor) -> list[Tensor]:
        """Return the standardised images: the encoder needs the expression."""
        return [self.standardise(images)]

    def encode_text(self, token_ids: Tensor, attention_mask: Tensor) -> list[Tensor]:
        """Return BERT's features (B, N, hidden) and the mask (bool)."""
        mask = attention_mask > 0
        return [self.linguistic(token_ids, mask), mask]

    def segment(self, visual: list[Tensor], text: list[Tensor]) -> SegmentationOutput:
        """Run the stages with a fusion after each, then the decoder."""
        words, mask = text
        x = self.visual.start(visual[0])
        maps = []
        stages = zip(self.fusions, self.visual.norms, strict=True)
        for index, (fusion, norm) in enumerate(stages):
            image = self.visual.as_map(self.visual.run_stage(index, x))
            fused = fusion.fused(image, words, mask)  # type: ignore[operator] # one of two modules that have it
            x = self.visual.from_map(fusion.gated(image, fused))  # type: ignore[operator]
            maps.append(norm(fused))
        return SegmentationOutput(self.decoder(self.across(maps, words, mask)), {})

    def across(self, maps: list[Tensor], words: Tensor, mask: Tensor) -> list[Tensor]:
        """Let the coarser maps see each other, where a descendant does so."""
        if self.cross_scale is None or self.lateral is None or self.words is None:
            return maps
        levels = [lateral(x) for lateral, x in zip(self.lateral, maps[1:], strict=True)]
        tokens = self.cross_scale(levels, self.words(words), mask)
        parts = tokens.split([x.shape[-2] * x.shape[-1] for x in levels], dim=1)
        return [maps[0], *(unflatten_map(p, x.shape[-2], x.shape[-1]) for p, x in zip(parts, levels, strict=True))]
