"""A job is a run of the engine on behalf of somebody: the dock and the Processing algorithms both come through here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from .contract import Message, OperationCanceled, failure
from .engine import ENGINE


class Feedback(Protocol):
    """What a job tells, and where it hears that it is to stop. QgsProcessingFeedback is one."""

    def setProgress(self, percent: float) -> None:
        """Take the share that is done, 0 to 100."""

    def pushInfo(self, text: str) -> None:
        """Take a note for the user."""

    def isCanceled(self) -> bool:
        """Return True where the job is to stop."""


def run(
    kind: str,
    body: dict[str, Any],
    feedback: Feedback,
    on_message: Callable[[Message], None] | None = None,
    keep: bool = False,
) -> dict[str, Any]:
    """Run a job and return its result. With `keep`, a stop returns what was found so far.

    Raises RrsisError, and OperationCanceled where nothing is kept. To be called outside the main thread.
    """
    client = _patient_client(feedback)
    job = client.submit(kind, body)
    asked = False
    while True:
        if feedback.isCanceled() and not asked:
            asked = True
            job.cancel(keep)
        message = job.next()
        if message is None:
            continue
        if message.type == "result":
            return message.body
        if message.type == "failed":
            raise failure(message.body)
        if message.type == "canceled":
            if message.body.get("kept"):
                return dict(message.body["kept"])
            raise OperationCanceled
        if message.type == "progress":
            feedback.setProgress(100 * message.body["overall"])
        elif message.type == "log":
            feedback.pushInfo(message.body["text"])
        if on_message is not None:
            on_message(message)


def _patient_client(feedback: Feedback) -> Any:
    """Return the client; while it starts, look whether the job is still wanted."""
    stop, done = threading.Event(), threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            if feedback.isCanceled():
                stop.set()
                return

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        return ENGINE.client(stop)
    finally:
        done.set()
        watcher.join()  # it must not look at a feedback that is gone
