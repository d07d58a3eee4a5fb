"""Inference: where models meet maps. The names below are loaded when first used: planning needs no model."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rrsis_core.inference.answers import Found, SegmentResult
    from rrsis_core.inference.pipeline import Watch, segment_part, segment_raster
    from rrsis_core.inference.planning import RasterPlan, plan_raster
    from rrsis_core.inference.predictor import ChipPredictor, Predictor, load_predictor
    from rrsis_core.inference.revectorising import revectorise

_HOMES = {
    "ChipPredictor": "predictor",
    "Found": "answers",
    "Predictor": "predictor",
    "RasterPlan": "planning",
    "SegmentResult": "answers",
    "Watch": "pipeline",
    "load_predictor": "predictor",
    "plan_raster": "planning",
    "revectorise": "revectorising",
    "segment_part": "pipeline",
    "segment_raster": "pipeline",
}

__all__ = [
    "ChipPredictor",
    "Found",
    "Predictor",
    "RasterPlan",
    "SegmentResult",
    "Watch",
    "load_predictor",
    "plan_raster",
    "revectorise",
    "segment_part",
    "segment_raster",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its file (PEP 562)."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
