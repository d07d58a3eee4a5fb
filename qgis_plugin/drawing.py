"""Drawing an area on the map: click its corners, finish with a right click."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsGeometry, QgsWkbTypes
from qgis.gui import QgsMapTool, QgsRubberBand
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor


class PolygonTool(QgsMapTool):
    """The map tool; the drawn polygon stays visible until the next one."""

    drawn = pyqtSignal()

    def __init__(self, canvas: Any) -> None:
        super().__init__(canvas)
        self.geometry: QgsGeometry | None = None
        """In the CRS of the map."""
        self._corners: list[Any] = []
        self._band = QgsRubberBand(canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
        self._band.setStrokeColor(QColor(0, 120, 215))
        self._band.setFillColor(QColor(0, 120, 215, 30))
        self._band.setWidth(2)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def canvasReleaseEvent(self, event: Any) -> None:
        """Take a corner, or finish."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._corners.append(event.mapPoint())
            self._show(self._corners)
        elif len(self._corners) > 2:
            self.finish(self._corners)

    def canvasMoveEvent(self, event: Any) -> None:
        """Show where the next corner would be."""
        if self._corners:
            self._show([*self._corners, event.mapPoint()])

    def finish(self, corners: list[Any]) -> None:
        """Take the polygon of these corners."""
        self._show(corners)
        self.geometry, self._corners = QgsGeometry.fromPolygonXY([corners]), []
        self.drawn.emit()

    def clear(self) -> None:
        """Forget the polygon."""
        self.geometry, self._corners = None, []
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)

    def remove(self) -> None:
        """Take what is drawn off the map for good."""
        self.canvas().scene().removeItem(self._band)

    def _show(self, corners: list[Any]) -> None:
        self._band.setToGeometry(QgsGeometry.fromPolygonXY([corners]), None)
