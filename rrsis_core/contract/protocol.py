"""A message is one line of JSON that crosses the wall between a host (QGIS, a test) and a worker process.

    host -> worker                          worker -> host
    hello {protocol, client}                ready {protocol, version, python, pid}; warm {devices} once torch is loaded
    parse {expression}, plan {options},     result or failed, within a moment, also while a job runs
    weights {weights}
    segment {options, partials},            accepted {ahead}, then any number of progress {stage, done, total, overall,
    revectorise {probability, options},       eta_s, memory_mb}, log {text} and partial {path}, then exactly one of
    measure {weights, device},                result, failed {code, message, hint, details}, canceled {kept}
    samples {folder, options}
    cancel {keep}                           stopping, then the job's own end
    shutdown, or the end of the pipe        the process ends
                                            heartbeat {memory_mb} every two seconds

Lines are ASCII. Every request carries the name of its job, chosen by the host; all that answers it carries it too.
Unknown fields are ignored, an unknown type is answered by failed with protocol.unknown_type. Pixels and polygons pass
as files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .errors import WorkerError

PROTOCOL_VERSION = 1
HEARTBEAT_SECONDS = 2.0
TERMINAL = frozenset({"result", "failed", "canceled"})
QUICK = frozenset({"parse", "plan", "weights"})
JOBS = frozenset({"segment", "revectorise", "measure", "samples"})


@dataclass(frozen=True)
class Message:
    """One line."""

    type: str
    body: dict[str, Any] = field(default_factory=dict)
    job: str = ""
    version: int = PROTOCOL_VERSION

    @property
    def is_terminal(self) -> bool:
        """True for the one message that ends a job."""
        return self.type in TERMINAL


def encode(message: Message) -> bytes:
    """Return the line of a message. Raises ValueError for a number that JSON does not know."""
    data = {"v": message.version, "type": message.type, "job": message.job, "body": message.body}
    return json.dumps(data, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"


def decode(line: bytes) -> Message:
    """Return the message of a line. Raises WorkerError protocol.malformed for anything else."""
    try:
        data = json.loads(line)
        kind, body, job, version = data["type"], data.get("body") or {}, data.get("job") or "", data["v"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _malformed(line) from error
    if not (isinstance(kind, str) and isinstance(body, dict) and isinstance(job, str) and isinstance(version, int)):
        raise _malformed(line)
    return Message(kind, body, job, version)


def _malformed(line: bytes) -> WorkerError:
    return WorkerError(
        "A line of the worker's pipe is no message.",
        code="protocol.malformed",
        hint="Plugin and engine may be of different versions.",
        details=repr(line[:200]),
    )
