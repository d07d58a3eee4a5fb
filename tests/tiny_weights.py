"""Writes untrained weights of the default kind, small enough to run in a moment: python tiny_weights.py FILE."""

import sys

import torch

from rrsis_core.models import create_model, save_weights
from rrsis_core.models.loading import Card
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path

PRESET = "crobim_convnext_pico_256"
TINY = {
    "backbone": {"name": "convnext_atto"},
    "bert": {"hidden": 32, "layers": 1, "heads": 2, "intermediate": 32},
    "dim": 32,
    "capm": {"heads": 2},
    "lgfa": {"heads": 2},
    "mid": {"layers": 1, "heads": 2, "visual_self_attn": "none"},
}

if __name__ == "__main__":
    torch.manual_seed(6)  # this one says yes about as often as no
    card = Card(PRESET, "tiny", ExpressionTokenizer(vocabulary_path()).sha256, gsd=0.5, tile=64, temperature=0.02)
    save_weights(create_model(PRESET, **TINY), sys.argv[1], card)
