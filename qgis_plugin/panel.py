"""The panel: the widgets of the dock and where they lie; what they do is in dock.py."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsMapLayerProxyModel
from qgis.gui import QgsCollapsibleGroupBox, QgsDockWidget, QgsMapLayerComboBox
from qgis.PyQt.QtCore import QEvent, Qt
from qgis.PyQt.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .advanced import Advanced
from .phrase_box import PhraseBox
from .places import VIEW
from .review import Review
from .setup_card import SetupCard
from .words import tr


class Panel(QgsDockWidget):
    """One column, wide enough at 300 pixels, that scrolls."""

    def __init__(self, canvas: Any) -> None:
        super().__init__(tr("Phrase Segmentation"))
        self.setObjectName("rrsisDock")
        self.canvas = canvas
        self._build()

    def event(self, event: Any) -> bool:
        """Take F1 before QGIS does: it opens the help of the dock."""
        if event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress) and event.key() == Qt.Key.Key_F1:
            if event.type() == QEvent.Type.KeyPress:
                self.help.click()
            event.accept()
            return True
        return super().event(event)

    def _build(self) -> None:
        self.status, self.change = QLabel(tr("Starting the engine…")), QToolButton()
        self.status.setWordWrap(True)
        self.change.setText(tr("Engine…"))
        self.change.setCheckable(True)
        self.help = QToolButton()
        self.help.setText("?")
        self.help.setToolTip(tr("Help (F1)"))
        self.card = SetupCard()
        self.card.hide()
        self.raster = QgsMapLayerComboBox()
        self.raster.setFilters(QgsMapLayerProxyModel.Filter.RasterLayer)
        self.raster.setAccessibleName(tr("Raster"))
        self.raster.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.about_raster, self.phrase = QLabel(), PhraseBox()
        self.about_raster.setWordWrap(True)
        self.where = QButtonGroup(self)
        self.cost = QLabel()
        self.cost.setWordWrap(True)
        self.preview, self.find = QPushButton(tr("Preview here")), QPushButton(tr("Find"))
        self.find.setDefault(True)
        self.bar, self.progress, self.stop = QProgressBar(), QLabel(), QPushButton(tr("Stop"))
        self.progress.setWordWrap(True)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.review, self.advanced = Review(self.canvas), Advanced()
        self.runs = QListWidget()
        self.runs.setMaximumHeight(110)
        self.restore, self.copy = QPushButton(tr("Restore")), QToolButton()
        self.copy.setText(tr("Copy as"))
        self.copy.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.work = QWidget()
        self._lay_out()
        for part in (self.bar, self.progress, self.stop, self.review, self.message):
            part.hide()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self.work)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (QLabel(f"<b>{tr('Raster')}</b>"), self.raster, self.about_raster, self.phrase):
            column.addWidget(widget)
        places = QGridLayout()
        places.addWidget(QLabel(f"<b>{tr('Where')}</b>"), 0, 0, 1, 2)
        names = (tr("View"), tr("Drawn"), tr("Selected"), tr("Whole layer"))
        for number, name in enumerate(names):
            button = QRadioButton(name)
            self.where.addButton(button, number)
            places.addWidget(button, 1 + number // 2, number % 2)
        self.where.button(VIEW).setChecked(True)
        buttons, progress = QHBoxLayout(), QHBoxLayout()
        buttons.addWidget(self.preview)
        buttons.addWidget(self.find)
        progress.addWidget(self.bar, 1)
        progress.addWidget(self.stop)
        column.addLayout(places)
        column.addWidget(self.cost)
        column.addLayout(buttons)
        column.addLayout(progress)
        for widget in (self.progress, self.message, self.review, self.advanced):
            column.addWidget(widget)
        box = QgsCollapsibleGroupBox(tr("Runs"))
        inside, row = QVBoxLayout(box), QHBoxLayout()
        inside.addWidget(self.runs)
        row.addWidget(self.restore)
        row.addWidget(self.copy)
        row.addStretch()
        inside.addLayout(row)
        box.setCollapsed(True)
        column.addWidget(box)
        column.addStretch()
        self._lay_out_whole()

    def _lay_out_whole(self) -> None:
        body, top = QWidget(), QHBoxLayout()
        whole = QVBoxLayout(body)
        top.addWidget(self.status, 1)
        top.addWidget(self.change)
        top.addWidget(self.help)
        whole.addLayout(top)
        whole.addWidget(self.card)
        whole.addWidget(self.work, 1)
        whole.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumWidth(300)
        self.setWidget(scroll)
