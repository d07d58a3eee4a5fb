"""The errors that cross a door: the command line, the worker's pipe, the library.

Every error is a sentence with the value that was wrong (`message`), a way out (`hint`), and a `code` that never
changes its meaning: programs and tests look at the code, people read the sentence.

    RrsisError                                                   exit code
    ├── InputError(ValueError)                                       3
    │   ├── RasterError        raster.not_found, raster.unreadable, raster.corrupt, raster.bands, raster.outside,
    │   │                      raster.changed, raster.grid
    │   ├── AreaError          area.unreadable, area.empty, area.crs
    │   ├── ResultError        result.not_found, result.unreadable, result.crs
    │   └── ExpressionError    expression.empty, expression.unknown, expression.too_long
    ├── ConfigError(ValueError)        config.*                      4
    ├── WeightsError(OSError)          weights.not_found, .corrupt, .preset, .keys, .vocabulary           4
    ├── InferenceError(RuntimeError)   inference.out_of_memory, inference.not_finite, inference.device     5
    ├── SinkError(OSError)             output.suffix, output.folder, output.exists, output.write           5
    └── WorkerError(RuntimeError)      worker.not_installed, .start, .protocol, .crashed, .silent, .closed,
                                       protocol.malformed, protocol.unknown_type                          6
    OperationCanceled(Exception)       canceled: not an error, so that no handler swallows it            130
"""

from __future__ import annotations

from typing import Any


class RrsisError(Exception):
    """Base of all errors raised on purpose. `str(error)` is the message; the hint says what to do."""

    exit_code = 1

    def __init__(self, message: str, *, code: str, hint: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        return self.message

    def as_dict(self) -> dict[str, Any]:
        """Return the error as plain data, for JSON output and the wire."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "details": self.details}


class InputError(RrsisError, ValueError):
    """What the user gave cannot be worked with."""

    exit_code = 3


class RasterError(InputError):
    """The raster is missing, unreadable, has too few bands, or the area lies outside it."""


class AreaError(InputError):
    """The area of interest cannot be read or is empty."""


class ResultError(InputError):
    """A file of polygons that a run wrote cannot be read, or does not fit to the others."""


class ExpressionError(InputError):
    """The referring expression is empty or holds no known word."""


class ConfigError(RrsisError, ValueError):
    """An unknown key, or settings that contradict each other."""

    exit_code = 4


class WeightsError(RrsisError, OSError):
    """Weights are missing, damaged, or made for another preset."""

    exit_code = 4


class InferenceError(RrsisError, RuntimeError):
    """The model could not run: out of memory at batch 1, or scores that are not finite."""

    exit_code = 5


class SinkError(RrsisError, OSError):
    """An output cannot be written."""

    exit_code = 5


class WorkerError(RrsisError, RuntimeError):
    """The worker process is not there, does not start, speaks another protocol, or died."""

    exit_code = 6


class OperationCanceled(Exception):
    """The user stopped the run. Not an error: it stands outside the tree."""

    exit_code = 130
    code = "canceled"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or "Stopped; nothing was written.")


class RrsisWarning(UserWarning):
    """Something the user must see, though the run goes on."""
