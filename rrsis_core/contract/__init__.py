"""The floor of the house: errors, options and progress, in plain Python that any interpreter from 3.9 can import."""

from .errors import (
    AreaError,
    ConfigError,
    ExpressionError,
    InferenceError,
    InputError,
    OperationCanceled,
    RasterError,
    RrsisError,
    RrsisWarning,
    SinkError,
    WeightsError,
)
from .options import SegmentOptions
from .progress import NullProgress, Progress, overall, track

__all__ = [
    "AreaError",
    "ConfigError",
    "ExpressionError",
    "InferenceError",
    "InputError",
    "NullProgress",
    "OperationCanceled",
    "Progress",
    "RasterError",
    "RrsisError",
    "RrsisWarning",
    "SegmentOptions",
    "SinkError",
    "WeightsError",
    "overall",
    "track",
]
