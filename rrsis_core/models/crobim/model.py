"""CroBIM assembled: encoders, CAPM, LGFA and MID (models.md 1.a)."""

import torch
from torch import Tensor, nn

from rrsis_core.models.base import ReferringModel, SegmentationOutput
from rrsis_core.models.crobim.config import CroBIMConfig
from rrsis_core.models.crobim.feature_aggregation import FeatureAggregation
from rrsis_core.models.crobim.prompt_modulation import PromptModulation
from rrsis_core.models.linguistic import LinguisticEncoder, with_prompts
from rrsis_core.models.mask_decoder import MaskDecoder, SimpleDecoder
from rrsis_core.models.visual import VisualEncoder


class CroBIM(ReferringModel):
    """Prompts that have seen the image go through BERT with the words; MID lets words and pixels update each other.

    MID is the shared decoder. Prototypes as in CARIS: foreground is [CLS], background the mean of the prompt tokens.
    """

    config: CroBIMConfig

    def __init__(self, config: CroBIMConfig) -> None:
        super().__init__(config)
        self.visual = VisualEncoder(config.backbone, config.img_size)
        self.linguistic = LinguisticEncoder(config.bert)
        channels, hidden, dim = self.visual.channels, config.bert.hidden, config.dim
        self.capm = PromptModulation(channels, hidden, config.capm) if config.capm.enabled else None
        self.lgfa = FeatureAggregation(channels, hidden, dim, config.lgfa)
        self.text_projection = nn.Sequential(nn.Linear(hidden, dim), nn.LayerNorm(dim))
        if self.capm is None:
            self.background = nn.Parameter(torch.empty(config.capm.num_prompts, dim))
            nn.init.normal_(self.background, std=0.02)
        self.mid = MaskDecoder(dim, config.mid) if config.mid.enabled else None
        self.simple = None if config.mid.enabled else SimpleDecoder(dim, [dim] * 4)

    def encode_image(self, images: Tensor) -> list[Tensor]:
        """Return LGFA's projected maps X_1..X_4 (B, dim, H_i, W_i) and the prompts (B, Np, hidden) as the last item."""
        maps = self.visual(self.standardise(images))
        encoded = self.lgfa.project(maps)
        return encoded if self.capm is None else [*encoded, self.capm(maps)]

    def encode_text(self, token_ids: Tensor, attention_mask: Tensor) -> list[Tensor]:
        """Return ids, mask (bool) and the words alone (B, N, hidden): the pass that guides LGFA (1.b.2)."""
        mask = attention_mask > 0
        return [token_ids, mask, self.linguistic(token_ids, mask)]

    def segment(self, visual: list[Tensor], text: list[Tensor]) -> SegmentationOutput:
        """Words alone guide LGFA; the second pass through the same BERT, words with prompts, enters MID."""
        token_ids, mask, words = text
        guided, relevance = self.lgfa(visual[:4], words, mask)
        extras = {} if relevance is None else {"relevance": relevance}
        if self.mid is None:
            assert self.simple is not None
            return SegmentationOutput(self.simple(guided), extras)
        if self.capm is None:
            background = self.background.expand(token_ids.shape[0], -1, -1)
            tokens = torch.cat([self.text_projection(words), background.to(words.dtype)], dim=1)
        else:
            tokens = self.text_projection(self.linguistic(token_ids, mask, prompts=visual[4]))
        count = self.config.capm.num_prompts
        where = slice(tokens.shape[1] - count, tokens.shape[1])
        return SegmentationOutput(self.mid(tokens, with_prompts(mask, count), guided, where), extras)
