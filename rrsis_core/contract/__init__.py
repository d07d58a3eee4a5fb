"""The floor of the house: errors, options and progress, in plain Python that any interpreter from 3.9 can import."""

from .client import NEVER, Job, WorkerClient, failure
from .environment import START_FLAGS, clean_environment, worker_command
from .errors import (
    AreaError,
    ConfigError,
    ExpressionError,
    InferenceError,
    InputError,
    OperationCanceled,
    RasterError,
    ResultError,
    RrsisError,
    RrsisWarning,
    SinkError,
    WeightsError,
    WorkerError,
)
from .options import SegmentOptions
from .progress import NullProgress, Progress, overall, track
from .protocol import PROTOCOL_VERSION, Message

__all__ = [
    "NEVER",
    "PROTOCOL_VERSION",
    "START_FLAGS",
    "AreaError",
    "ConfigError",
    "ExpressionError",
    "InferenceError",
    "InputError",
    "Job",
    "Message",
    "NullProgress",
    "OperationCanceled",
    "Progress",
    "RasterError",
    "ResultError",
    "RrsisError",
    "RrsisWarning",
    "SegmentOptions",
    "SinkError",
    "WeightsError",
    "WorkerClient",
    "WorkerError",
    "clean_environment",
    "failure",
    "overall",
    "track",
    "worker_command",
]
