"""Spooling is fetching what only QGIS can read (XYZ, WMS, a database) into a GeoTIFF for the engine.

The provider is cloned in the main thread and read in another one; QGIS does the network, with its proxy and log-ins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsDistanceArea,
    QgsPointXY,
    QgsProject,
    QgsRasterBlockFeedback,
    QgsRasterFileWriter,
    QgsRasterLayer,
    QgsRasterPipe,
    QgsRectangle,
)

from .contract import ConfigError, OperationCanceled, RasterError

USUAL_GSD = 0.5  # metres, where nobody chose a resolution
MOST_PIXELS = 8192 * 8192


class Spool:
    """A part of a layer at a resolution, ready to be fetched by another thread. To be made in the main thread."""

    def __init__(self, layer: QgsRasterLayer, area: QgsRectangle, gsd: float | None) -> None:
        gsd = gsd or USUAL_GSD
        if area.isEmpty() or not area.isFinite():
            raise RasterError("The layer has no bounds here.", code="raster.outside", hint="Search the view.")
        self.crs: QgsCoordinateReferenceSystem = layer.crs()
        self.size = _pixels(area, self.crs, gsd)
        self.area = area
        if self.size[0] * self.size[1] > MOST_PIXELS:
            raise ConfigError(
                f"{self.size[0]} x {self.size[1]} pixels at {gsd:g} m are more than a map service should be asked for.",
                code="config.gsd",
                hint="Search a smaller area, or choose a coarser ground resolution.",
            )
        self._provider = layer.dataProvider().clone()
        self._context = QgsProject.instance().transformContext()

    def fetch(self, path: Path, feedback: Any) -> str:
        """Fetch the pixels into a GeoTIFF and return its path. Raises RasterError, OperationCanceled."""
        pipe = QgsRasterPipe()
        pipe.set(self._provider)
        self._provider = None  # the pipe owns it now
        writer = QgsRasterFileWriter(str(path))
        writer.setCreateOptions(["TILED=YES", "COMPRESS=DEFLATE"])
        watcher = _Watcher(feedback)
        failed = writer.writeRaster(pipe, *self.size, self.area, self.crs, self._context, watcher)
        if feedback.isCanceled():
            raise OperationCanceled
        if failed != QgsRasterFileWriter.WriterError.NoError or watcher.errors():
            raise RasterError(
                "The map service did not deliver the picture.",
                code="raster.unreadable",
                hint="Try again, or a smaller area.",
                details="; ".join(watcher.errors()),
            )
        return str(path)


class _Watcher(QgsRasterBlockFeedback):
    """Hands a cancel through; asked before every block."""

    def __init__(self, feedback: Any) -> None:
        super().__init__()
        self._outer = feedback

    def isCanceled(self) -> bool:
        return self._outer.isCanceled()


def _pixels(area: QgsRectangle, crs: QgsCoordinateReferenceSystem, gsd: float) -> tuple[int, int]:
    """Return columns and rows that make a pixel about `gsd` metres on the ground in the middle of the area."""
    ruler = QgsDistanceArea()
    ruler.setSourceCrs(crs, QgsProject.instance().transformContext())
    ruler.setEllipsoid("EPSG:7030")
    # A small cross in the middle: around the whole world, a straight line has no length.
    x, y, part = area.center().x(), area.center().y(), 1000
    step_x, step_y = area.width() / part / 2, area.height() / part / 2
    wide = part * ruler.measureLine(QgsPointXY(x - step_x, y), QgsPointXY(x + step_x, y))
    high = part * ruler.measureLine(QgsPointXY(x, y - step_y), QgsPointXY(x, y + step_y))
    return max(1, round(wide / gsd)), max(1, round(high / gsd))
