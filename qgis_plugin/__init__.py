"""Phrase Segmentation: a QGIS plugin that finds what a phrase names in a raster."""

from importlib import import_module


def classFactory(iface):
    """Return the plugin; QGIS calls this once."""
    return import_module(".plugin", __name__).Plugin(iface)
