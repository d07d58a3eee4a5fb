"""What differs between QGIS 3.22 and 4, and between Qt 5 and 6, in one place."""

from __future__ import annotations

from qgis.core import Qgis, QgsField
from qgis.PyQt.QtCore import QMetaType, QVariant

NEW_TYPES = Qgis.QGIS_VERSION_INT >= 33800

try:
    from qgis.PyQt.QtWidgets import QAction
except ImportError:  # moved in Qt 6
    from qgis.PyQt.QtGui import QAction

__all__ = ["QAction", "number_field", "text_field"]


def text_field(name: str, length: int = 0) -> QgsField:
    """Return a field for text."""
    return QgsField(name, QMetaType.Type.QString if NEW_TYPES else QVariant.String, "", length)


def number_field(name: str) -> QgsField:
    """Return a field for a number with decimals."""
    return QgsField(name, QMetaType.Type.Double if NEW_TYPES else QVariant.Double)
