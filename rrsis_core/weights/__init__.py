"""Weights: which learned files there are and where they lie."""

from rrsis_core.weights.store import DEFAULT, find_weights, vocabulary_path

__all__ = ["DEFAULT", "find_weights", "vocabulary_path"]
