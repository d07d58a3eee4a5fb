"""Everything about CroBIM that can be chosen."""

from dataclasses import dataclass, field

from rrsis_core.contract import ConfigError
from rrsis_core.models.linguistic import BertSize
from rrsis_core.models.mask_decoder import DecoderConfig
from rrsis_core.models.visual import BackboneConfig


@dataclass(frozen=True)
class CapmConfig:
    """Context-aware prompt modulation (models.md 1.b.2)."""

    enabled: bool = True
    """Off: no prompts in BERT; the background prototype comes from plain learnable decoder tokens."""
    pool: str = "adaptive_avg"
    """adaptive_avg, avg or max: the paper compares the three."""
    grids: tuple[int, ...] = (1, 2)
    """Pooling grids per scale; 1x1 and 2x2 as in CARIS."""
    num_prompts: int = 4
    """Np: the official figure draws four prompt cells."""
    interaction: str = "cross_attn"
    """cross_attn (the figure) or add (CARIS: pooled tokens are added to the prompts)."""
    scales: str = "all"
    """all four scales, or last (CARIS)."""
    heads: int = 12


@dataclass(frozen=True)
class LgfaConfig:
    """Language-guided feature aggregation (models.md 1.b.3)."""

    enabled: bool = True
    """Off: a 1x1 convolution per scale alone."""
    heads: int = 8
    deficit: str = "max_minus_mean"
    """max_minus_mean, std, range, or none (without attention deficit compensation)."""
    beta: float = 0.5
    """Where the learnable strength of the compensation starts. At 1 the compensated map is max_i A_i whatever the
    scale weights are, so that they would start without a gradient."""
    map: str = "mean_logit"
    """mean_logit, max_logit or cls_logit: how words make a pixel's relevance."""
    fuse: str = "softmax_weights"
    """softmax_weights (learnable) or mean."""


@dataclass(frozen=True)
class CroBIMConfig:
    """Sizes and switches; the defaults are the full-size model with Swin-B."""

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    bert: BertSize = field(default_factory=BertSize)
    dim: int = 256
    """Width of LGFA and MID."""
    img_size: int = 480
    """Training input size (480 in the field's baselines)."""
    max_tokens: int = 20
    """Tokens an expression is cut at: 20 for RefSegRS, 22 for RRSIS-D, 50 for RISBench (unspecified in the paper)."""
    capm: CapmConfig = field(default_factory=CapmConfig)
    lgfa: LgfaConfig = field(default_factory=LgfaConfig)
    mid: DecoderConfig = field(default_factory=DecoderConfig)

    def __post_init__(self) -> None:
        """Refuse unknown switch values."""
        _choose("capm.pool", self.capm.pool, ("adaptive_avg", "avg", "max"))
        _choose("capm.interaction", self.capm.interaction, ("cross_attn", "add"))
        _choose("capm.scales", self.capm.scales, ("all", "last"))
        _choose("lgfa.deficit", self.lgfa.deficit, ("max_minus_mean", "std", "range", "none"))
        _choose("lgfa.map", self.lgfa.map, ("mean_logit", "max_logit", "cls_logit"))
        _choose("lgfa.fuse", self.lgfa.fuse, ("softmax_weights", "mean"))
        if self.capm.interaction == "add" and self.capm.num_prompts != _context_tokens(self.capm):
            raise ConfigError(
                f"capm.interaction=add needs one prompt per pooled token, not {self.capm.num_prompts}.",
                code="config.capm",
                hint=f"Set capm.num_prompts to {_context_tokens(self.capm)}.",
            )


def _context_tokens(capm: CapmConfig) -> int:
    return sum(grid * grid for grid in capm.grids) * (4 if capm.scales == "all" else 1)


def _choose(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(
            f"{key} is '{value}'.", code=f"config.{key.split('.')[0]}", hint=f"Use one of {', '.join(allowed)}."
        )
