"""A place is the part of a raster that a person means: the view, a drawn polygon, selected features, or all of it."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsGeometry, QgsRasterLayer, QgsRectangle, QgsVectorLayer, QgsWkbTypes

from .layers import to_raster
from .words import tr

VIEW, DRAWN, SELECTED, WHOLE = range(4)
Area = tuple[QgsRectangle, list, Any]
"""Bounds in the CRS of the raster; polygons, if it is bounded by any; their CRS."""


def chosen(where: int, canvas: Any, layer: QgsRasterLayer, drawn: QgsGeometry | None, active: Any) -> Area:
    """Return the chosen part of the raster. Raises ValueError with words."""
    crs = canvas.mapSettings().destinationCrs()
    if where == WHOLE:
        return layer.extent(), [], None
    if where == VIEW:
        return _not_empty(to_raster(canvas.extent(), crs, layer)), [], None
    if where == DRAWN:
        if drawn is None:
            raise ValueError(tr("Draw the area on the map first."))
        shapes = [drawn]
    else:
        if not isinstance(active, QgsVectorLayer) or not active.selectedFeatureCount():
            raise ValueError(tr("Select polygons in a layer first, and make it the active one."))
        if active.geometryType() != QgsWkbTypes.GeometryType.PolygonGeometry:
            raise ValueError(tr("The selected features are no polygons."))
        crs, shapes = active.crs(), [feature.geometry() for feature in active.selectedFeatures()]
    bounds = QgsRectangle()
    bounds.setMinimal()
    for shape in shapes:
        bounds.combineExtentWith(shape.boundingBox())
    return _not_empty(to_raster(bounds, crs, layer)), shapes, crs


def around_the_middle(canvas: Any, layer: QgsRasterLayer, side: float) -> Area:
    """Return a square of the raster in the middle of the view. Raises ValueError with words."""
    middle = to_raster(canvas.extent(), canvas.mapSettings().destinationCrs(), layer).center()
    half = side / 2
    box = QgsRectangle(middle.x() - half, middle.y() - half, middle.x() + half, middle.y() + half)
    return _not_empty(to_raster(box, layer.crs(), layer)), [], None


def _not_empty(box: QgsRectangle) -> QgsRectangle:
    if box.isEmpty():
        raise ValueError(tr("There is nothing of the raster there."))
    return box
