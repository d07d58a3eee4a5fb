"""A task is work that runs beside QGIS's own thread and tells the dock, by signals, how it goes."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import QgsTask
from qgis.PyQt.QtCore import QObject, pyqtSignal

from . import jobs
from .contract import Message, OperationCanceled, RrsisError, WorkerError
from .engine import ENGINE
from .spool import Spool


class SegmentTask(QgsTask):
    """One run of the engine, in QGIS's list of tasks. Stopping it, here or there, keeps what was found."""

    stepped = pyqtSignal(dict)
    noted = pyqtSignal(str)
    pieces = pyqtSignal(str)
    ended = pyqtSignal(object)  # the result, an RrsisError, or None where nothing was kept

    def __init__(self, title: str, options: dict[str, Any], folder: Path, spool: Spool | None, live: bool) -> None:
        super().__init__(title, QgsTask.Flag.CanCancel)
        self.options, self.folder = options, folder
        self._spool, self._live = spool, live
        self._outcome: Any = None

    def run(self) -> bool:
        """Do the work; called by QGIS in a thread of its own."""
        try:
            if self._spool is not None:
                self.noted.emit("spool")
                self.options["raster"] = self._spool.fetch(self.folder / "spool.tif", self)
                self._spool = None
            body: dict[str, Any] = {"options": self.options}
            if self._live:
                body["partials"] = str(self.folder)
            self._outcome = jobs.run("segment", body, self, self._tell, keep=True)
        except RrsisError as error:
            self._outcome = error
        except OperationCanceled:
            self._outcome = None
        except Exception as error:  # noqa: BLE001 # a task that raises is silent in QGIS: the dock must hear of it
            self._outcome = WorkerError(f"{type(error).__name__}: {error}", code="internal", hint="Please report it.")
        return True

    def finished(self, result: bool) -> None:
        """Hand over the outcome; called by QGIS in the main thread, also after a stop."""
        self.ended.emit(self._outcome)

    def pushInfo(self, text: str) -> None:
        """Pass a note of the engine on."""
        self.noted.emit(text)

    def _tell(self, message: Message) -> None:
        if message.type == "progress":
            self.stepped.emit(message.body)
        elif message.type == "partial":
            self.pieces.emit(message.body["path"])


class Asker(QObject):
    """Asks the engine small things in a thread of its own; the latest question of a kind is the one that counts."""

    answered = pyqtSignal(str, object)  # kind, the answer or an RrsisError

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._questions: queue.SimpleQueue[tuple[str, int, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._latest: dict[str, int] = {}
        self._thread: threading.Thread | None = None

    def ask(self, kind: str, body: dict[str, Any]) -> None:
        """Ask the engine; `answered` comes later."""
        self.do(kind, lambda: ENGINE.ask(kind, body))

    def do(self, kind: str, work: Callable[[], Any]) -> None:
        """Have any work done in the thread, under the name of a kind."""
        number = self._latest[kind] = self._latest.get(kind, 0) + 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="rrsis-asker", daemon=True)
            self._thread.start()
        self._questions.put((kind, number, work))

    def close(self) -> None:
        """Answer nothing any more."""
        self._latest.clear()
        self._questions.put(None)

    def _serve(self) -> None:
        while (question := self._questions.get()) is not None:
            kind, number, work = question
            if self._latest.get(kind) != number:
                continue
            try:
                answer = work()
            except (RrsisError, OperationCanceled) as error:
                answer = error
            if self._latest.get(kind) == number:
                with contextlib.suppress(RuntimeError):  # the dock may be gone by now
                    self.answered.emit(kind, answer)
