"""Layers: what of a raster layer the engine can read, and how found polygons become layers that people keep."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsCoordinateTransform,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsProject,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsRectangle,
    QgsRendererCategory,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from .compat import number_field, text_field
from .contract import SinkError
from .words import tr

PHRASE_LETTERS = 254  # the longest text a shapefile holds
WEIGHTS_LETTERS = 80


def engine_path(layer: QgsRasterLayer) -> str:
    """Return what the engine opens for a layer, or "" where only QGIS can read it."""
    if layer.providerType() != "gdal":
        return ""
    source = layer.source()
    parts = QgsProviderRegistry.instance().decodeUri("gdal", source)
    path = parts.get("path") or ""
    if os.path.exists(path) and not parts.get("layerName"):
        return path
    return source if source.startswith("/vsi") or ":" in source[2:] else ""


def shown_bands(layer: QgsRasterLayer) -> list[int]:
    """Return the bands that the layer shows as red, green and blue, or its one grey band; [] where it is unclear."""
    bands = layer.renderer().usesBands() if layer.renderer() else []
    return list(bands) if len(bands) in (1, 3) else list(bands[:3])


def to_raster(rectangle: QgsRectangle, crs: Any, layer: QgsRasterLayer) -> QgsRectangle:
    """Return a rectangle of another CRS as the part of the layer's extent that it covers; empty for none."""
    if crs.isValid() and layer.crs().isValid() and crs != layer.crs():
        rectangle = QgsCoordinateTransform(crs, layer.crs(), QgsProject.instance()).transformBoundingBox(rectangle)
    return rectangle.intersect(layer.extent())


def write_area(geometries: list[QgsGeometry], crs: Any, path: Path) -> str:
    """Write polygons for the engine to search in; return the file."""
    return write_outlines([(geometry, "") for geometry in geometries], crs, path)


def write_outlines(pairs: list[tuple[QgsGeometry, str]], crs: Any, path: Path) -> str:
    """Write polygons with their phrases for the engine to make samples of; return the file."""
    layer = memory_layer("outlines", crs, [text_field("phrase")])
    features = []
    for geometry, phrase in pairs:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(geometry)
        feature.setAttributes([phrase])
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    save(layer, str(path))
    return str(path)


def memory_layer(name: str, crs: Any, fields: list[Any]) -> QgsVectorLayer:
    """Return an empty scratch layer of polygons."""
    layer = QgsVectorLayer("Polygon", name, "memory")
    layer.setCrs(crs)
    layer.dataProvider().addAttributes(fields)
    layer.updateFields()
    return layer


def answer_fields() -> list[Any]:
    """Return the fields of an answer; their names fit into a shapefile."""
    return [
        text_field("phrase", PHRASE_LETTERS),
        number_field("score"),
        number_field("area_m2"),
        text_field("weights", WEIGHTS_LETTERS),
        text_field("run_id", 40),
    ]


def answer_features(path: str, weights: str, run_id: str) -> Any:
    """Yield the polygons of an answer file as features with the fields above; of a weights file, its name is kept."""
    weights = os.path.basename(weights)[:WEIGHTS_LETTERS]
    fields = memory_layer("", QgsProject.instance().crs(), answer_fields()).fields()
    stored = QgsVectorLayer(path, "answer", "ogr")
    names = {field.name() for field in stored.fields()}
    for row in stored.getFeatures():
        feature = QgsFeature(fields)
        feature.setGeometry(row.geometry())
        area = row["area_m2"] if "area_m2" in names else None
        feature.setAttributes([str(row["phrase"])[:PHRASE_LETTERS], row["score"], area, weights, run_id])
        yield feature


def piece_features(path: str, phrases: list[str], fields: Any) -> list[Any]:
    """Return the pieces of an answer that a run tells of before its end."""
    features = []
    for index, outline, score in json.loads(Path(path).read_text(encoding="ascii")):
        feature, shape = QgsFeature(fields), QgsGeometry()
        shape.fromWkb(bytes.fromhex(outline))
        feature.setGeometry(shape)
        feature.setAttributes([phrases[index], score, None, "", ""])
        features.append(feature)
    return features


def kept(phrase: str, features: list[Any], crs: Any, run: dict[str, Any]) -> QgsVectorLayer:
    """Return a scratch layer of what was found for one phrase, told in its metadata."""
    layer = memory_layer(f"{phrase} ({len(features)})", crs, answer_fields())
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    style(layer, [phrase])
    describe(layer, run)
    return layer


def color_of(phrase: str) -> QColor:
    """Return the colour of a phrase: the same in every session."""
    number = int.from_bytes(hashlib.sha256(phrase.encode()).digest()[:2], "big")
    return QColor.fromHsv(number % 360, 200, 230)


def style(layer: QgsVectorLayer, phrases: list[str], opacity: float = 0.35) -> None:
    """Paint polygons in the colours of their phrases."""
    categories = []
    for phrase in phrases:
        color = color_of(phrase)
        fill = QColor(color)
        fill.setAlphaF(opacity)
        symbol = QgsFillSymbol.createSimple(
            {
                "color": f"{fill.red()},{fill.green()},{fill.blue()},{fill.alpha()}",
                "outline_color": f"{color.red()},{color.green()},{color.blue()},255",
                "outline_width": "0.5",
            }
        )
        categories.append(QgsRendererCategory(phrase[:PHRASE_LETTERS], symbol, phrase))
    layer.setRenderer(QgsCategorizedSymbolRenderer("phrase", categories))


def describe(layer: QgsVectorLayer, run: dict[str, Any]) -> None:
    """Write into the metadata of a layer how it came to be."""
    metadata = layer.metadata()
    metadata.setTitle(layer.name())
    told = {key: run[key] for key in ("id", "when", "raster", "crs", "weights", "seconds", "stopped")}
    options = {key: value for key, value in run["options"].items() if key not in ("output", "probability", "overwrite")}
    words = tr("Found by Phrase Segmentation in {raster}.").format(raster=run["options"]["raster"])
    metadata.setAbstract(f"{words}\n{json.dumps({**told, 'options': options}, indent=1)}")
    metadata.setHistory([f"{run['when']} rrsis {run.get('version', '')}: {', '.join(run['options']['expressions'])}"])
    layer.setMetadata(metadata)


def group() -> Any:
    """Return the group of our layers, on top of the layer tree."""
    root = QgsProject.instance().layerTreeRoot()
    name = tr("Phrase segmentation")
    return root.findGroup(name) or root.insertGroup(0, name)


def add(layer: QgsVectorLayer) -> None:
    """Add a layer to the project, on top of our group."""
    QgsProject.instance().addMapLayer(layer, False)
    ours = group()
    ours.insertLayer(0, layer)
    ours.setExpanded(False)  # a group that was empty is shown closed, whatever it says of itself
    ours.setExpanded(True)


def save(layer: QgsVectorLayer, path: str) -> None:
    """Write the shown features of a layer to a file, whose suffix chooses the format. Raises SinkError."""
    options = QgsVectorFileWriter.SaveVectorOptions()
    drivers = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON", ".fgb": "FlatGeobuf"}
    options.driverName = drivers.get(Path(path).suffix.lower(), "")
    options.layerName = "polygons"
    options.fileEncoding = "UTF-8"
    if not options.driverName:
        raise SinkError(f"No format is known for {path}.", code="output.suffix", hint="Use .gpkg, .shp or .geojson.")
    context = QgsProject.instance().transformContext()
    code, text = QgsVectorFileWriter.writeAsVectorFormatV3(layer, path, context, options)[:2]
    if code != QgsVectorFileWriter.WriterError.NoError:
        raise SinkError(f"{path} cannot be written: {text}", code="output.write", hint="Choose another folder or name.")
