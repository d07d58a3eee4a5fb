"""Inference: where models meet maps."""

from rrsis_core.inference.pipeline import Found, SegmentResult, segment_raster
from rrsis_core.inference.predictor import ChipPredictor, Predictor, load_predictor

__all__ = ["ChipPredictor", "Found", "Predictor", "SegmentResult", "load_predictor", "segment_raster"]
