"""Say what you are looking for in an aerial or satellite image, get georeferenced polygons of exactly that.

The names below are loaded when first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rrsis_core.contract import RrsisError, SegmentOptions
    from rrsis_core.inference import Predictor, load_predictor, segment_raster
    from rrsis_core.models import create_model, list_presets, load_model

__version__ = "0.1.0"

_HOMES = {
    "Predictor": "rrsis_core.inference",
    "RrsisError": "rrsis_core.contract",
    "SegmentOptions": "rrsis_core.contract",
    "create_model": "rrsis_core.models",
    "list_presets": "rrsis_core.models",
    "load_model": "rrsis_core.models",
    "load_predictor": "rrsis_core.inference",
    "segment_raster": "rrsis_core.inference",
}

__all__ = [
    "Predictor",
    "RrsisError",
    "SegmentOptions",
    "create_model",
    "list_presets",
    "load_model",
    "load_predictor",
    "segment_raster",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its room (PEP 562)."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'rrsis_core' has no attribute '{name}'")
