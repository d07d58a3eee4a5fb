"""BTDNet assembled: encoders with BSC between their stages, T-BTD and D-MOLS (models.md 2.a)."""

import torch
from torch import Tensor, nn

from rrsis_core.models.base import ReferringModel, SegmentationOutput
from rrsis_core.models.btdnet.comparators import make_fusion, make_multi_scale_fusion
from rrsis_core.models.btdnet.config import BTDNetConfig
from rrsis_core.models.btdnet.object_learning import JointReconstruction
from rrsis_core.models.btdnet.twin_decoder import BackgroundTokens
from rrsis_core.models.layers import PixelLinear, group_norm
from rrsis_core.models.linguistic import LinguisticEncoder
from rrsis_core.models.mask_decoder import MaskDecoder
from rrsis_core.models.visual import VisualEncoder

PAD, MASK = 0, 4  # token ids: [PAD] of every WordPiece vocabulary, [MASK] of ours (BERT's is 103, see `mask_id`)
TARGET = 2  # value of the attention mask on tokens of a target word


class BTDNet(ReferringModel):
    """Vision and language see each other after every stage; target and background are predicted as twins.

    The image cannot be encoded before the expression is known, since BSC changes both encoders.
    """

    config: BTDNetConfig

    def __init__(self, config: BTDNetConfig) -> None:
        super().__init__(config)
        self.visual = VisualEncoder(config.backbone, config.img_size)
        self.linguistic = LinguisticEncoder(config.bert)
        channels, hidden, dim = self.visual.channels, config.bert.hidden, config.dim
        self.fusions = nn.ModuleDict(
            {str(stage): make_fusion(channels[stage - 1], hidden, config.bsc) for stage in config.bsc.stages}
            if config.bsc.fusion != "none"
            else {}
        )
        self.projections = nn.ModuleList(nn.Sequential(PixelLinear(width, dim), group_norm(dim)) for width in channels)
        self.text_projection = nn.Sequential(nn.Linear(hidden, dim), nn.LayerNorm(dim))
        self.background = BackgroundTokens(hidden, dim, config.bg)
        self.decoder = MaskDecoder(dim, config.mci)
        self.multi_scale = make_multi_scale_fusion(dim, config)
        self.reconstruction = JointReconstruction(dim, hidden, config.rec) if config.rec.enabled else None

    def encode_image(self, images: Tensor) -> list[Tensor]:
        """Return the standardised images: the encoders need the expression."""
        return [self.standardise(images)]

    def encode_text(self, token_ids: Tensor, attention_mask: Tensor) -> list[Tensor]:
        """Return ids, mask (bool), the masked text L_m (B, N, hidden) and its mask; 2 marks tokens of target words."""
        return [token_ids, attention_mask > 0, *self.encode_masked(token_ids, attention_mask)]

    def segment(self, visual: list[Tensor], text: list[Tensor]) -> SegmentationOutput:
        """Encode both together, refine both, predict target and background."""
        token_ids, mask, masked, masked_mask = text
        maps, features = self.encode_together(visual[0], token_ids, mask)
        projected = [projection(x) for projection, x in zip(self.projections, maps, strict=True)]
        tokens = self.background(masked, masked_mask, mask.sum(dim=1))
        refined, pixels, tokens = self.refine(self.text_projection(features), mask, tokens, projected)
        logits = self.decoder.decode(pixels, projected, refined[:, 0], tokens.mean(dim=1))
        extras: dict[str, Tensor] = {}
        if self.training and self.reconstruction is not None:
            extras["rebuilt"] = self.reconstruction(pixels, refined, mask, masked)
            extras["target"] = self.reconstruction_target(token_ids, mask, features)
            extras["mask"] = mask
        return SegmentationOutput(logits, extras)

    def encode_masked(self, token_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Encode the text with its target words hidden, by BERT without BSC: L_m (B, N, hidden) and its mask."""
        hidden = attention_mask == TARGET
        if self.config.masking.token == "mask":
            ids = token_ids.masked_fill(hidden, self.mask_id)
            mask = attention_mask > 0
        else:
            ids = token_ids.masked_fill(hidden, PAD)
            mask = attention_mask == 1
        return self.linguistic(ids, mask), mask

    @property
    def mask_id(self) -> int:
        """Id of [MASK]: 103 in BERT's vocabulary, 4 in ours."""
        return 103 if self.config.bert.vocab_size == 30522 else MASK

    def encode_together(self, images: Tensor, token_ids: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor]:
        """Run both encoders stage by stage with a fusion after each: normalised maps V_i' and text L_4'."""
        x, text = self.visual.start(images), self.linguistic.embed(token_ids)
        group = self.config.bert.layers // 4
        maps = []
        for index in range(4):
            x = self.visual.run_stage(index, x)
            text = self.linguistic.run_layers(text, mask, index * group, (index + 1) * group)
            image = self.visual.as_map(x)
            if str(index + 1) in self.fusions:
                image, text = self.fusions[str(index + 1)](image, text, mask)
                x = self.visual.from_map(image)
            maps.append(self.visual.norms[index](image))
        return maps, text

    def refine(self, words: Tensor, mask: Tensor, tokens: Tensor, maps: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Multi-scale context integration: refined words (B, N, dim), pixels (B, S, dim), background tokens.

        Reading R2 (default): the background tokens go through MCI behind the words; R1: they do not.
        """
        if self.multi_scale is not None:
            return words, self.multi_scale(maps[1:], words, mask), tokens
        if not self.config.bg.in_mci:
            refined, pixels = self.decoder.interact(words, mask, maps[1:])
            return refined, pixels, tokens
        count = tokens.shape[1]
        both = torch.cat([words, tokens.to(words.dtype)], dim=1)
        whole = torch.cat([mask, mask.new_ones(mask.shape[0], count)], dim=1)
        refined, pixels = self.decoder.interact(both, whole, maps[1:])
        return refined[:, :-count], pixels, refined[:, -count:]

    @torch.no_grad()
    def reconstruction_target(self, token_ids: Tensor, mask: Tensor, text: Tensor) -> Tensor:
        """L_0 of eq. 13: BERT's features of the unmasked text, or its embeddings, or L_4'; never with a gradient."""
        if self.config.rec.target == "bert_embed":
            return self.linguistic.embed(token_ids)
        return text.detach() if self.config.rec.target == "l4_prime" else self.linguistic(token_ids, mask)
