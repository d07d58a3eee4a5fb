"""The page of the plugin among QGIS's own options: where the engine lives, and which Python it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis.gui import QgsFileWidget, QgsOptionsPageWidget
from qgis.PyQt.QtWidgets import QFormLayout, QLabel

from . import settings
from .words import tr


class OptionsPage(QgsOptionsPageWidget):
    """Shown in Settings > Options; what it holds counts from the next question to the engine on."""

    def __init__(self, parent: Any, changed: Callable[[], None]) -> None:
        super().__init__(parent)
        self._changed = changed
        self.folder, self.python = QgsFileWidget(), QgsFileWidget()
        self.folder.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.folder.setFilePath(str(settings.home()))
        self.python.setFilePath(settings.get("python"))
        form = QFormLayout(self)
        form.addRow(tr("Folder of the engine"), self.folder)
        form.addRow(tr("Or a Python that has rrsis-core"), self.python)
        about = QLabel(
            tr("The engine is set up, repaired and removed in the dock: Raster > Phrase Segmentation, Engine…")
        )
        about.setWordWrap(True)
        form.addRow(about)

    def apply(self) -> None:
        """Take the values; QGIS calls this when the dialog is accepted."""
        before = settings.home(), settings.get("python")
        if self.folder.filePath() != str(settings.home()):
            settings.put("home", self.folder.filePath())
        settings.put("python", self.python.filePath())
        if (settings.home(), settings.get("python")) != before:
            self._changed()
