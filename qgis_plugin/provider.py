"""The Processing provider `rrsis`: its algorithms serve models, batches and qgis_process."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms import EngineStatus, SegmentBatch, SegmentByPhrase, TrainingSamples

ICON = Path(__file__).parent / "resources" / "icon.svg"


class Provider(QgsProcessingProvider):
    """Lists the algorithms; they need an engine only when run."""

    def id(self) -> str:
        """Return the name that models store; it never changes."""
        return "rrsis"

    def name(self) -> str:
        """Return the name that people see."""
        return "Phrase Segmentation"

    def icon(self) -> QIcon:
        """Return the icon."""
        return QIcon(str(ICON))

    def loadAlgorithms(self) -> None:
        """Add the algorithms."""
        for algorithm in (SegmentByPhrase, SegmentBatch, TrainingSamples, EngineStatus):
            self.addAlgorithm(algorithm())
