"""The linguistic encoder: BERT without its pooler, built from a config, run whole or in groups of layers."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel


@dataclass(frozen=True)
class BertSize:
    """Size of the BERT; the defaults are bert-base-uncased."""

    vocab_size: int = 30522
    hidden: int = 768
    layers: int = 12
    heads: int = 12
    intermediate: int = 3072
    max_positions: int = 512
    dropout: float = 0.1


class LinguisticEncoder(nn.Module):
    """BERT whose layers are called one by one, with prompts appended where a model wants them."""

    def __init__(self, size: BertSize) -> None:
        super().__init__()
        config = BertConfig(
            vocab_size=size.vocab_size,
            hidden_size=size.hidden,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            intermediate_size=size.intermediate,
            max_position_embeddings=size.max_positions,
            hidden_dropout_prob=size.dropout,
            attention_probs_dropout_prob=size.dropout,
        )
        bert = BertModel(config, add_pooling_layer=False)
        self.embeddings = bert.embeddings
        self.layers = bert.encoder.layer
        self.hidden = size.hidden

    def embed(self, token_ids: Tensor) -> Tensor:
        """Return word, position and type embeddings, normalised: (B, N) -> (B, N, hidden)."""
        return self.embeddings(token_ids)

    def run_layers(self, states: Tensor, attention_mask: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Run layers [start, stop) over states (B, N, hidden); attention_mask (B, N) is True where valid."""
        mask = attention_mask[:, None, None, :]
        for layer in self.layers[start:stop]:
            states = layer(states, mask)
        return states

    def forward(self, token_ids: Tensor, attention_mask: Tensor, prompts: Tensor | None = None) -> Tensor:
        """Encode words, with prompts (B, Np, hidden) after them if given: (B, N + Np, hidden).

        Prompts get no position embedding and are always attended to (models.md 1.b.2).
        """
        states = self.embed(token_ids)
        if prompts is not None:
            states = torch.cat([states, prompts.to(states.dtype)], dim=1)
            attention_mask = with_prompts(attention_mask, prompts.shape[1])
        return self.run_layers(states, attention_mask)


def with_prompts(attention_mask: Tensor, count: int) -> Tensor:
    """Extend a mask (B, N) by `count` valid prompt positions."""
    return torch.cat([attention_mask, attention_mask.new_ones(attention_mask.shape[0], count)], dim=1)
