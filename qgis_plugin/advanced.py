"""What most people leave as it is: weights, bands, resolution, tiles, device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsRasterLayer
from qgis.gui import QgsCollapsibleGroupBox, QgsDoubleSpinBox
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from . import layers, settings
from .words import tr


class Advanced(QgsCollapsibleGroupBox):
    """A folded box of options."""

    changed = pyqtSignal()
    weights_chosen = pyqtSignal(str)  # a name, a file, or "" for the default: their card is wanted

    def __init__(self) -> None:
        super().__init__(tr("Advanced"))
        self._layer: QgsRasterLayer | None = None
        self._usual_bands: list[int] = []
        self.weights, self.card, self.more = QComboBox(), QLabel(), QToolButton()
        self.weights.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.weights.activated.connect(self._weights_chosen)
        self.weights.setAccessibleName(tr("Weights"))
        self.card.setWordWrap(True)
        self.card.hide()
        self.more.setText("?")
        self.more.setToolTip(tr("What these weights are"))
        self.more.setCheckable(True)
        self.more.toggled.connect(self.card.setVisible)
        chooser = QWidget()
        row = QHBoxLayout(chooser)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.weights, 1)
        row.addWidget(self.more)
        self.bands = QLineEdit()
        self.bands.setToolTip(tr("Bands as red, green, blue, such as 4,3,2"))
        self.resolution = self._box(0.0, 1000.0, 3, tr("that of the weights"), " m")
        self.tile = self._box(0, 8192, 0, tr("that of the weights"), " px")
        self.looks = self._box(0, 2, 0, tr("as needed"))
        self.looks.setToolTip(
            tr("2, as where the ground resolution is unknown or fine: at twice the size too, four times slower")
        )
        self.overlap = self._box(0.0, 0.5, 2, "")
        self.overlap.setValue(0.25)
        self.threads = self._box(0, 1024, 0, tr("one a core"))
        self.device = QComboBox()
        self.device.addItems(["auto", "cpu", "cuda", "mps"])
        self.samples = QPushButton(tr("Make training samples…"))
        form = QFormLayout(self)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for label, widget in (
            (tr("Weights"), chooser),
            (tr("Bands"), self.bands),
            (tr("Ground resolution"), self.resolution),
            (tr("Tile"), self.tile),
            (tr("Looks at a tile"), self.looks),
            (tr("Overlap"), self.overlap),
            (tr("Threads"), self.threads),
            (tr("Device"), self.device),
        ):
            widget.setAccessibleName(label)
            form.addRow(label, widget)
        form.insertRow(1, self.card)
        form.addRow(self.samples)
        for signal in (self.bands.editingFinished, self.device.activated):
            signal.connect(lambda *_: self.changed.emit())
        self.setCollapsed(True)
        self.offer({"names": []})

    def _box(self, least: float, most: float, digits: int, nothing: str, unit: str = "") -> Any:
        box = QgsDoubleSpinBox()
        box.setRange(least, most)
        box.setDecimals(digits)
        box.setSingleStep(10**-digits if digits < 3 else 0.1)
        box.setSuffix(unit)
        if nothing:
            box.setSpecialValueText(nothing)
            box.setClearValue(least)
        box.valueChanged.connect(lambda *_: self.changed.emit())
        return box

    def offer(self, told: dict[str, Any]) -> None:
        """Offer the weights of the engine and the file that was chosen before."""
        chosen = settings.get("weights")
        self.weights.clear()
        self.weights.addItem(tr("Default"), "")
        for name in told["names"]:
            self.weights.addItem(name, name)
        if chosen and chosen not in told["names"]:
            self.weights.addItem(Path(chosen).name, chosen)
        self.weights.addItem(tr("Own file…"), "?")
        self.weights.setCurrentIndex(max(0, self.weights.findData(chosen)))
        self.weights_chosen.emit(self._weights())

    def show_card(self, told: dict[str, Any]) -> None:
        """Show the short form of the card of the chosen weights."""
        card = told.get("card") or {}
        about = card.get("description") or {}
        lines = [card.get("name", "")]
        if card.get("gsd"):
            lines.append(tr("made for {gsd:g} m a pixel, tiles of {tile}").format(gsd=card["gsd"], tile=card["tile"]))
        for key, value in about.items():
            if isinstance(value, dict):
                lines += [f"{name}: {score}" for name, score in value.items() if isinstance(score, (int, float))]
            elif isinstance(value, list):
                lines += [f"{key}:", *(f"· {item}" for item in value)]
            else:
                lines.append(f"{key}: {value}")
        self.card.setText("\n".join(line for line in lines if line))

    def _weights(self) -> str:
        """Return the chosen weights, "" for the default."""
        chosen = self.weights.currentData() or ""
        return "" if chosen == "?" else chosen

    def offer_bands(self, layer: QgsRasterLayer | None) -> None:
        """Show the bands that the layer shows."""
        self._layer = layer
        self._usual_bands = layers.shown_bands(layer) if layer is not None else []
        self.bands.setText(",".join(str(band) for band in self._usual_bands))

    def gsd(self) -> float | None:
        """Return the ground resolution that was asked for."""
        return self.resolution.value() or None

    def options(self) -> dict[str, Any]:
        """Return the options of the engine that were changed from their usual values."""
        options: dict[str, Any] = {"device": self.device.currentText(), "overlap": self.overlap.value()}
        if self.gsd():
            options["gsd"] = self.gsd()
        if self.tile.value():
            options["tile"] = int(self.tile.value())
        if self.looks.value():
            options["looks"] = int(self.looks.value())
        if self.threads.value():
            options["threads"] = int(self.threads.value())
        bands = [int(part) for part in self.bands.text().split(",") if part.strip().isdigit()]
        if bands and bands != [1, 2, 3]:
            options["bands"] = bands
        if self._weights():
            options["weights"] = self._weights()
        return options

    def _weights_chosen(self, index: int) -> None:
        if self.weights.currentData() == "?":
            path, _ = QFileDialog.getOpenFileName(self, tr("Weights"), "", "safetensors (*.safetensors)")
            if path:
                self.weights.insertItem(index, Path(path).name, path)
            self.weights.setCurrentIndex(index if path else 0)
        settings.put("weights", self._weights())
        self.weights_chosen.emit(self._weights())
        self.changed.emit()
