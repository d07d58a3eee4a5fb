"""The card that sets up the engine: what is here, what would be fetched, and the buttons for it."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication, QgsBlockingNetworkRequest, QgsTask
from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import QUrl, pyqtSignal
from qgis.PyQt.QtNetwork import QNetworkRequest
from qgis.PyQt.QtWidgets import (
    QApplication,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
)

from . import install, settings
from .contract import OperationCanceled, RrsisError
from .engine import ENGINE, environment
from .tasks import Asker
from .words import explain, tr

HERE = Path(__file__).parent


class SetupTask(QgsTask):
    """Sets up an engine, in QGIS's list of tasks."""

    told = pyqtSignal(str)
    ended = pyqtSignal(object)  # what was measured, an RrsisError, or None where it was stopped

    def __init__(self, setup: install.Setup) -> None:
        super().__init__(tr("Setting up the engine"), QgsTask.Flag.CanCancel)
        self.setup = setup
        setup.say, setup.stopped = self.told.emit, self.isCanceled
        self._outcome: Any = None

    def run(self) -> bool:
        """Do it; called by QGIS in a thread of its own."""
        try:
            self._outcome = install.set_up(self.setup)
        except RrsisError as error:
            self._outcome = error
        except OperationCanceled:
            self._outcome = None
        except Exception as error:  # noqa: BLE001 # a task that raises is silent in QGIS: the card must hear of it
            self._outcome = RrsisError(f"{type(error).__name__}: {error}", code="setup.internal")
        return True

    def finished(self, result: bool) -> None:
        """Hand over the outcome; called by QGIS in the main thread."""
        self.ended.emit(self._outcome)


class SetupCard(QFrame):
    """Shown where there is no engine, or on request."""

    ready = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.task: SetupTask | None = None
        self.asker = Asker(self)
        self.asker.answered.connect(self._show_computer)
        self._details = ""
        self.about, self.state, self.bar = QLabel(), QLabel(), QProgressBar()
        for label in (self.about, self.state):
            label.setWordWrap(True)
        self.bar.setRange(0, 0)
        self.folder, self.wheels, self.python = (self._file(mode) for mode in ("folder", "folder", "file"))
        self.offline, self.cuda = QCheckBox(tr("Without network")), QCheckBox(tr("For the NVIDIA GPU (about 6 GB)"))
        self.start = QPushButton(tr("Set up"))
        self.use = QPushButton(tr("Use this Python"))
        self.stop, self.remove = QPushButton(tr("Cancel")), QPushButton(tr("Uninstall"))
        self.report = QPushButton(tr("Copy report"))
        self.cuda.hide()
        self._lay_out()
        self.start.clicked.connect(lambda: self.set_up())
        self.stop.clicked.connect(lambda: self.task and self.task.cancel())
        self.use.clicked.connect(self.use_python)
        self.remove.clicked.connect(self.uninstall)
        self.report.clicked.connect(lambda: QApplication.clipboard().setText(self._details))
        self._busy(False)

    def _file(self, mode: str) -> QgsFileWidget:
        widget = QgsFileWidget()
        folder = mode == "folder"
        widget.setStorageMode(QgsFileWidget.StorageMode.GetDirectory if folder else QgsFileWidget.StorageMode.GetFile)
        return widget

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.start)
        first.addWidget(self.stop)
        second.addWidget(self.remove)
        second.addWidget(self.report)
        for button in (self.start, self.stop, self.use, self.remove, self.report):
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        column.addWidget(self.about)
        self._add(column, tr("Folder of the engine"), self.folder)
        self._add(column, tr("Folder with packages (optional)"), self.wheels)
        column.addWidget(self.offline)
        column.addWidget(self.cuda)
        column.addLayout(first)
        column.addWidget(self.bar)
        column.addWidget(self.state)
        self._add(column, tr("Or a Python that has rrsis-core"), self.python)
        column.addWidget(self.use)
        column.addLayout(second)

    def _add(self, column: QVBoxLayout, name: str, widget: QgsFileWidget) -> None:
        label = QLabel(name)
        label.setWordWrap(True)
        widget.setAccessibleName(name)
        column.addWidget(label)
        column.addWidget(widget)

    def showEvent(self, event: Any) -> None:
        """Look at this computer when the card is seen; a driver may take seconds to say what GPU there is."""
        super().showEvent(event)
        self.folder.setFilePath(str(settings.home()))
        self.python.setFilePath(settings.get("python"))
        self.about.setText(f"<b>{tr('Set up the engine, once')}</b>")
        home = settings.home()
        self.asker.do("look", lambda: install.preflight(home))

    def _show_computer(self, kind: str, seen: dict[str, Any]) -> None:
        self.cuda.setVisible(bool(seen["gpu"]))
        device = seen["gpu"] or tr("processor, {cores} cores").format(cores=seen["cores"])
        lines = [
            f"<b>{tr('Set up the engine, once')}</b>",
            tr("Device: {device}; memory: {memory} GB; free disk: {disk} GB.").format(
                device=device, memory=seen["memory_gb"] or "?", disk=seen["disk_gb"]
            ),
            tr(
                "About 1 GB is fetched from pypi.org, files.pythonhosted.org and download.pytorch.org. It runs offline "
                "afterwards: no account, and nothing leaves this computer."
            ),
        ]
        if not seen["writable"]:
            lines.append(tr("This folder cannot be written: choose another."))
        self.about.setText("<br>".join(lines))

    def explain(self, error: RrsisError) -> None:
        """Keep the details of what is wrong for a report, and offer what helps."""
        self._details = f"{error.code}\n{error.message}\n{error.details}"
        self.start.setText(tr("Set up") if error.code == "worker.not_installed" else tr("Repair"))

    def set_up(self) -> None:
        """Start the set-up."""
        if self.folder.filePath() and self.folder.filePath() != str(settings.home()):
            settings.put("home", self.folder.filePath())
        metadata = configparser.ConfigParser(interpolation=None)
        metadata.read(HERE / "metadata.txt", encoding="utf-8")
        setup = install.Setup(
            home=settings.home(),
            lock=HERE / "engine.lock",
            version=metadata["general"]["version"],
            environment=environment(),
            fetch=fetch,
            wheels=self.wheels.filePath(),
            offline=self.offline.isChecked(),
            cuda=self.cuda.isVisible() and self.cuda.isChecked(),
            weights=settings.get("weights") or None,
        )
        self.task = SetupTask(setup)
        self.task.told.connect(self._tell)
        self.task.ended.connect(self._ended)
        self._busy(True)
        self._tell("uv")
        QgsApplication.taskManager().addTask(self.task)

    def use_python(self) -> None:
        """Take an interpreter that a person names."""
        settings.put("python", self.python.filePath())
        self.state.setText(tr("Trying it…"))
        self.state.show()
        self.ready.emit()

    def uninstall(self) -> None:
        """Take the engine away, after a question."""
        yes = QMessageBox.StandardButton.Yes
        text = tr("Remove the engine from {folder}? Runs and weights stay.").format(folder=settings.home())
        if QMessageBox.question(self, tr("Uninstall"), text) == yes:
            ENGINE.close()
            install.uninstall(settings.home())
            settings.put("python", "")
            self.ready.emit()

    def shut(self) -> None:
        """End a set-up that is on."""
        self.asker.close()
        if self.task is not None:
            self.task.ended.disconnect()
            self.task.cancel()
            self.task = None

    def _busy(self, busy: bool) -> None:
        self.bar.setVisible(busy)
        self.stop.setVisible(busy)
        for widget in (self.start, self.use, self.remove):
            widget.setEnabled(not busy)
        self.state.setVisible(busy or bool(self.state.text()))

    def _tell(self, step: str) -> None:
        words = {
            "uv": tr("Fetching uv, which installs the rest…"),
            "python": tr("Making an environment…"),
            "packages": tr("Fetching packages…"),
            "test": tr("Trying the new engine…"),
        }
        if step.startswith("bytes "):
            if int(step[6:]):
                self.state.setText(tr("Fetching packages… {mb} MB so far").format(mb=int(step[6:]) // 10**6))
        else:
            self.state.setText(words[step])

    def _ended(self, outcome: Any) -> None:
        self._details = "\n".join(self.task.setup.output) if self.task else ""
        self.task = None
        if isinstance(outcome, RrsisError):
            self.explain(outcome)
            self.state.setText(explain(outcome))
            self._details += f"\n{outcome.code}\n{outcome.message}\n{outcome.details}"
        elif outcome is None:
            self.state.setText(tr("Cancelled; nothing has changed. What was fetched is kept for the next try."))
        else:
            settings.put("python", "")
            speed = outcome["seconds_a_tile"]
            if speed:
                settings.put("seconds_a_tile", str(round(speed, 4)))
                self.state.setText(tr("Ready: {seconds:.1f} s a tile on this computer.").format(seconds=speed))
            self.ready.emit()
        self._busy(False)


def fetch(address: str) -> bytes:
    """Get an address through the network of QGIS, with its proxy and certificates. Raises RrsisError setup.network."""
    request = QgsBlockingNetworkRequest()
    failed = request.get(QNetworkRequest(QUrl(address)))
    if failed != QgsBlockingNetworkRequest.ErrorCode.NoError:
        raise RrsisError(
            f"{address} cannot be fetched: {request.errorMessage()}",
            code="setup.network",
            hint="Check network and proxy.",
            details=request.errorMessage(),
        )
    return bytes(request.reply().content())
