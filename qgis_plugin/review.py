"""Reviewing is looking through what was found, without running again: by score, by size, one by one."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProject, QgsVectorLayer, QgsWkbTypes
from qgis.gui import QgsDoubleSpinBox, QgsRubberBand
from qgis.PyQt.QtCore import Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QColor, QPainter
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from . import layers
from .words import tr

BINS = 40
REDRAW_MS = 400  # from the last change of a number to the new polygons


class Histogram(QLabel):
    """How many polygons there are of each score; those below the line are faint.

    A label, because themes made of style sheets give their text colour to labels, not to bare widgets.
    """

    def __init__(self) -> None:
        super().__init__()
        self.counts, self.line = [0] * BINS, 0.0
        self.setMinimumHeight(36)
        self.setAccessibleName(tr("Scores of what was found"))

    def show_scores(self, scores: list[float]) -> None:
        """Count scores."""
        self.counts = [0] * BINS
        for score in scores:
            self.counts[min(BINS - 1, int(score * BINS))] += 1
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Draw the bars in the colours of the theme."""
        painter = QPainter(self)
        wide, high, most = self.width() / BINS, self.height() - 2, max(1, *self.counts)
        for index, count in enumerate(self.counts):
            color = QColor(self.palette().color(self.foregroundRole()))
            color.setAlphaF(0.7 if (index + 1) / BINS > self.line else 0.2)
            tall = max(2.0, high * count / most) if count else 0.0
            painter.fillRect(int(index * wide), int(high - tall) + 1, max(1, int(wide) - 1), int(tall) + 1, color)
        painter.end()


class Review(QWidget):
    """The part of the dock that shows what a run found. The polygons lie in a private scratch layer of the map."""

    revised = pyqtSignal(dict)  # other numbers: the engine is to make the polygons anew
    kept = pyqtSignal()
    saved = pyqtSignal()

    def __init__(self, canvas: Any) -> None:
        super().__init__()
        self.layer: QgsVectorLayer | None = None
        self.run: dict[str, Any] = {}
        self._canvas, self._at, self._marker = canvas, -1, None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REDRAW_MS)
        self._timer.timeout.connect(lambda: self.revised.emit(self.numbers()))
        self._build()
        QgsProject.instance().layersWillBeRemoved.connect(self._forget_layer)

    def _build(self) -> None:
        self.title, self.histogram = QLabel(), Histogram()
        self.title.setWordWrap(True)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setAccessibleName(tr("Lowest score"))
        self.slider.valueChanged.connect(self._filter)
        self.line = QLabel("0.00")
        scores = QHBoxLayout()
        for widget in (QLabel(tr("Score from")), self.slider, self.line):
            scores.addWidget(widget)
        self.threshold = self._number(tr("Probability"), 0.01, 1.0, 0.05, 3)
        self.min_area = self._number(tr("Smallest area"), 0.0, 1e9, 1.0, 1, " m²")
        self.simplify = self._number(tr("Simplify"), 0.0, 50.0, 0.5, 1, " px")
        self.right_angles = QCheckBox(tr("Right angles"))
        self.right_angles.toggled.connect(self._revise)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for label, widget in (
            (tr("Pixels count from"), self.threshold),
            (tr("Smallest area"), self.min_area),
            (tr("Simplify"), self.simplify),
        ):
            form.addRow(label, widget)
        form.addRow(self.right_angles)
        self.place = QLabel()
        self.before, self.after, self.drop = (QPushButton(t) for t in ("<", ">", tr("Drop")))
        self.before.setToolTip(tr("Previous"))
        self.after.setToolTip(tr("Next"))
        self.before.clicked.connect(lambda: self.step(-1))
        self.after.clicked.connect(lambda: self.step(1))
        self.drop.clicked.connect(self.drop_shown)
        self.keep_button, self.save_button = QPushButton(tr("Keep as layer")), QPushButton(tr("Save to file…"))
        self.keep_button.clicked.connect(self.kept)
        self.save_button.clicked.connect(self.saved)
        for button in (self.before, self.after, self.drop, self.keep_button, self.save_button):
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        buttons = QGridLayout()
        buttons.addWidget(self.place, 0, 0, 1, 6)
        for column, button in enumerate((self.before, self.after, self.drop)):
            buttons.addWidget(button, 1, 2 * column, 1, 2)
        buttons.addWidget(self.keep_button, 2, 0, 1, 3)
        buttons.addWidget(self.save_button, 2, 3, 1, 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(self.histogram)
        for part in (scores, form, buttons):
            column.addLayout(part)

    def _number(self, name: str, least: float, most: float, step: float, digits: int, unit: str = "") -> Any:
        box = QgsDoubleSpinBox()
        box.setRange(least, most)
        box.setSingleStep(step)
        box.setDecimals(digits)
        box.setSuffix(unit)
        box.setAccessibleName(name)
        box.setShowClearButton(False)
        box.valueChanged.connect(self._revise)
        return box

    def open(self, run: dict[str, Any], path: str, crs: Any) -> None:
        """Show what a run found: the polygons of a file."""
        self.clear()
        self.run = run
        options = run["options"]
        for box, value in ((self.threshold, options.get("threshold") or run.get("threshold", 0.5)),
                           (self.min_area, options.get("min_area_m2", 0.0)),
                           (self.simplify, options.get("simplify", 0.0))):  # fmt: skip
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        self.right_angles.blockSignals(True)
        self.right_angles.setChecked(bool(options.get("right_angles")))
        self.right_angles.blockSignals(False)
        for box in (self.threshold, self.min_area, self.simplify, self.right_angles):
            box.setEnabled(bool(run.get("probability")))
        self.slider.setValue(0)
        self.show_file(path, crs)

    def show_file(self, path: str, crs: Any) -> None:
        """Replace the shown polygons by those of a file, from the same run."""
        if self.layer is None:
            self.layer = layers.memory_layer(tr("Review"), crs, layers.answer_fields())
            self.layer.setFlags(QgsVectorLayer.LayerFlag.Private)
            layers.style(self.layer, self.run["options"]["expressions"])
            QgsProject.instance().addMapLayer(self.layer, False)
            QgsProject.instance().layerTreeRoot().insertLayer(0, self.layer)
        data = self.layer.dataProvider()
        self.layer.setSubsetString("")
        data.truncate()
        data.addFeatures(list(layers.answer_features(path, self.run["weights"], self.run["id"])))
        self.layer.updateExtents()
        self.histogram.show_scores([feature["score"] for feature in self.layer.getFeatures()])
        self._filter(self.slider.value())

    def clear(self) -> None:
        """Take the polygons off the map."""
        self._unmark()
        self._timer.stop()
        if self.layer is not None:
            QgsProject.instance().removeMapLayer(self.layer.id())
        self.layer, self._at = None, -1

    def numbers(self) -> dict[str, Any]:
        """Return the options that the numbers stand for."""
        return {
            "threshold": self.threshold.value(),
            "min_area_m2": self.min_area.value(),
            "simplify": self.simplify.value(),
            "right_angles": self.right_angles.isChecked(),
        }

    def shown(self) -> list[Any]:
        """Return the features above the line, the surest first."""
        if self.layer is None:
            return []
        return sorted(self.layer.getFeatures(), key=lambda feature: (-feature["score"], feature.id()))

    def step(self, by: int) -> None:
        """Go to the next or the previous one, and show it on the map."""
        found = self.shown()
        if not found:
            return
        self._at = (self._at + by) % len(found) if self._at >= 0 else (0 if by > 0 else len(found) - 1)
        feature = found[self._at]
        self._unmark()
        self._marker = QgsRubberBand(self._canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
        self._marker.setToGeometry(feature.geometry(), self.layer)
        self._marker.setStrokeColor(QColor(255, 221, 0))
        self._marker.setFillColor(QColor(255, 221, 0, 40))
        self._marker.setWidth(3)
        self._canvas.zoomToFeatureExtent(_with_room(feature.geometry().boundingBox(), self.layer, self._canvas))
        self._canvas.refresh()
        self._say()

    def drop_shown(self) -> None:
        """Drop the one that is marked."""
        found = self.shown()
        if 0 <= self._at < len(found):
            self.layer.dataProvider().deleteFeatures([found[self._at].id()])
            self._at = min(self._at, len(found) - 2)
            self._unmark()
            self.layer.triggerRepaint()
            self._say()

    def _filter(self, percent: int) -> None:
        """Show what has at least this score."""
        self.histogram.line = percent / 100
        self.histogram.update()
        self.line.setText(f"{percent / 100:.2f}")
        self._at = -1
        self._unmark()
        if self.layer is not None:
            self.layer.setSubsetString(f'"score" >= {percent / 100}' if percent else "")
            self.layer.triggerRepaint()
        self._say()

    def _say(self) -> None:
        if self.layer is None:
            return
        count, below = self.layer.featureCount(), sum(self.histogram.counts) - self.layer.featureCount()
        text = tr("Found {count}").format(count=count)
        if self.run.get("stopped"):
            text += " " + tr("(stopped early)")
        if self.slider.value() and below > 0:
            text += " " + tr("({count} below the line)").format(count=below)
        self.title.setText(f"<b>{text}</b>")
        found = self.shown() if self._at >= 0 else []
        at = found[self._at] if 0 <= self._at < len(found) else None
        self.place.setText(
            tr("{number} of {count}, score {score:.2f}").format(number=self._at + 1, count=count, score=at["score"])
            if at is not None
            else tr("Walk through what was found:")
        )
        for button in (self.before, self.after, self.keep_button, self.save_button):
            button.setEnabled(count > 0)
        self.drop.setEnabled(at is not None)

    def _revise(self, *_: Any) -> None:
        self._timer.start()

    def _unmark(self) -> None:
        if self._marker is not None:
            self._canvas.scene().removeItem(self._marker)
            self._marker = None

    def _forget_layer(self, ids: list[str]) -> None:
        """The user, or a new project, took the layer away."""
        if self.layer is not None and self.layer.id() in ids:
            self.layer = None
            self._unmark()
            self.hide()


def _with_room(box: Any, layer: QgsVectorLayer, canvas: Any) -> Any:
    """Return a box with its surroundings, in the CRS of the map: much of them around a small one, little around all."""
    box, whole = (canvas.mapSettings().layerExtentToOutputExtent(layer, part) for part in (box, layer.extent()))
    side = max(box.width(), box.height())
    box.grow(min(2 * side, max(side / 2, max(whole.width(), whole.height()) / 8)))
    return box
