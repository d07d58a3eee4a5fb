"""Everything about BTDNet that can be chosen. The names B1 to B10, R1 and R2 are those of models.md part 2."""

from dataclasses import dataclass, field

from rrsis_core.contract import ConfigError
from rrsis_core.models.linguistic import BertSize
from rrsis_core.models.mask_decoder import DecoderConfig
from rrsis_core.models.visual import BackboneConfig

# Pooling sizes that sum to the number of background tokens (eq. 8; unspecified, mirrors CARIS's 1x1 + 2x2).
POOL_SIZES = {1: (1,), 2: (2,), 3: (1, 2), 4: (4,), 5: (1, 4), 6: (2, 4), 7: (1, 2, 4)}


@dataclass(frozen=True)
class BscConfig:
    """Bidirectional spatial correlation (eqs 1 to 4) and what the paper compares it with (Fig. 9)."""

    fusion: str = "bsc"
    """bsc, pwam (LAVT), wpa (CoupAlign-style), iim (RMSIN), or none."""
    stages: tuple[int, ...] = (1, 2, 3, 4)
    """Stages after which the encoders are fused (Table V)."""
    direction: str = "both"
    """both, or vision_only: the text passes unchanged (Table V, "only V2L")."""
    dim: int = 256
    """Common width d_b of the affinity (N wide, B1; both sides come to it by convolution, B2); 768 would be the literal
    "map to D" (B4)."""
    norm: str = "softmax"
    """softmax over words or pixels, or scale alone (B5)."""
    gate: str = "aligned"
    """What the gate reads: the aligned features alone, as eq. 4 prints, or concat: the stage's own beside them, as the
    text says (B7)."""
    residuals: int = 1
    """1: eq. 4's alone; 2: eq. 1 adds the stage's output once more (B8)."""
    gate_init: float = 0.0
    """Gamma of the gate's InstanceNorm at the start; 0 starts as the identity (B9)."""
    gate_affine: bool = True
    """Learnable gamma and beta; off is PyTorch's default (B9)."""
    valid_only: bool = True
    """The text gate's statistics are those of valid tokens; off: of padding too (B10)."""
    visual_kernels: tuple[int, ...] = (1, 3, 5)
    text_kernels: tuple[int, ...] = (1, 2, 3)
    """An even kernel pads the odd zero on the right (B3)."""
    kernel_weight: float | None = None
    """Where alpha_k and beta_k start; None: equal shares (B6)."""


@dataclass(frozen=True)
class BackgroundConfig:
    """Background tokens of the learnable foreground-background predictor (eqs 8 and 9)."""

    tokens: int = 5
    """Table VI: 3, 5 or 7."""
    prior: bool = True
    """Start from the masked text; off: learnable tokens alone (Table VI, row 4)."""
    in_mci: bool = True
    """On: reading R2, the tokens attend to vision in MCI. Off: reading R1, they depend on the text alone."""
    pool_valid_only: bool = True
    """Pool over the valid tokens only, so that the output does not depend on padding."""


@dataclass(frozen=True)
class MaskingConfig:
    """Text masking (III.B): which words are hidden from the background branch, and how."""

    scope: str = "subject_nouns"
    """subject_nouns, subject_np (with adjectives and determiners before the noun) or all_nouns."""
    token: str = "pad"
    """pad ("replaced with padding") or mask."""


@dataclass(frozen=True)
class ReconstructionConfig:
    """Joint reconstruction (eqs 12 and 13), training only."""

    enabled: bool = True
    dim: int = 256
    heads: int = 8
    target: str = "bert_final"
    """bert_final, bert_embed or l4_prime: what L_0 of eq. 13 is."""


@dataclass(frozen=True)
class BTDNetConfig:
    """Sizes and switches; the defaults are the full-size model."""

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    bert: BertSize = field(default_factory=BertSize)
    dim: int = 256
    """Width of MCI and the predictor."""
    img_size: int = 512
    max_tokens: int = 20
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    bsc: BscConfig = field(default_factory=BscConfig)
    bg: BackgroundConfig = field(default_factory=BackgroundConfig)
    mci: DecoderConfig = field(default_factory=DecoderConfig)
    ms_fusion: str = "mci"
    """mci, or lgce or cim: multi-scale fusion of RRSIS's LGCE and of RMSIN (Fig. 10)."""
    rec: ReconstructionConfig = field(default_factory=ReconstructionConfig)

    def __post_init__(self) -> None:
        """Refuse unknown switch values."""
        _choose("bsc.fusion", self.bsc.fusion, ("bsc", "pwam", "wpa", "iim", "none"))
        _choose("bsc.direction", self.bsc.direction, ("both", "vision_only"))
        _choose("bsc.norm", self.bsc.norm, ("softmax", "scale"))
        _choose("bsc.gate", self.bsc.gate, ("aligned", "concat"))
        _choose("masking.scope", self.masking.scope, ("subject_nouns", "subject_np", "all_nouns"))
        _choose("masking.token", self.masking.token, ("pad", "mask"))
        _choose("ms_fusion", self.ms_fusion, ("mci", "lgce", "cim"))
        _choose("rec.target", self.rec.target, ("bert_final", "bert_embed", "l4_prime"))
        if not set(self.bsc.stages) <= {1, 2, 3, 4}:
            raise ConfigError(
                f"bsc.stages is {self.bsc.stages}.", code="config.bsc", hint="Stages are numbered from 1 to 4."
            )
        if self.bg.tokens not in POOL_SIZES:
            raise ConfigError(
                f"bg.tokens is {self.bg.tokens}.", code="config.bg", hint="Use 1 to 7; the paper has 3, 5 and 7."
            )
        if self.bert.layers % 4:
            raise ConfigError(
                f"BTDNet runs BERT in four groups, which {self.bert.layers} layers do not make.",
                code="config.bert",
                hint="Use a multiple of 4 layers.",
            )


def _choose(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(
            f"{key} is '{value}'.", code=f"config.{key.split('.')[0]}", hint=f"Use one of {', '.join(allowed)}."
        )
