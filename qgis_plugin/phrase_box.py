"""Where a person says what to look for: one phrase a line, with history, examples, and what was understood of it."""

from __future__ import annotations

from html import escape
from typing import Any

from qgis.PyQt.QtCore import Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPlainTextEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from . import settings
from .contract import RrsisError
from .words import explain, tr

EXAMPLES = (
    "the blue roofs",
    "the largest building",
    "the trees along the road",
    "the white cars in the parking lot",
    "the river",
)
PARSE_MS = 250


class PhraseBox(QWidget):
    """The box with what belongs to it."""

    changed = pyqtSignal(str)  # the phrase of the line that the cursor is in
    searched = pyqtSignal()  # Ctrl+Enter

    def __init__(self) -> None:
        super().__init__()
        self.edit = _Edit()
        self.edit.setPlaceholderText(tr("the blue roofs (English; one phrase a line)"))
        self.edit.setAccessibleName(tr("What are you looking for?"))
        self.edit.setTabChangesFocus(True)
        self.edit.setFixedHeight(3 * self.edit.fontMetrics().lineSpacing() + 14)
        self.edit.searched.connect(self.searched)
        self.edit.textChanged.connect(lambda: self._timer.start())
        self.edit.cursorPositionChanged.connect(lambda: self._timer.start())
        self.chips = QLabel()
        self.chips.setWordWrap(True)
        self.chips.setTextFormat(Qt.TextFormat.RichText)
        self.chips.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Maximum)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PARSE_MS)
        self._timer.timeout.connect(self.ask_again)
        self._history = QMenu(self)
        examples = QMenu(self)
        for text in EXAMPLES:
            examples.addAction(text, lambda text=text: self.set_phrases([text]))
        row = QHBoxLayout()
        for name, menu in ((tr("Examples"), examples), (tr("History"), self._history)):
            button = QToolButton()
            button.setText(name)
            button.setMenu(menu)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
            row.addWidget(button)
        row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(QLabel(f"<b>{tr('What are you looking for?')}</b>"))
        column.addWidget(self.edit)
        column.addWidget(self.chips)
        column.addLayout(row)
        self.fill_history()

    def phrases(self) -> list[str]:
        """Return what is looked for, each once."""
        lines = self.edit.toPlainText().splitlines()
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))

    def set_phrases(self, phrases: list[str]) -> None:
        """Write phrases into the box."""
        self.edit.setPlainText("\n".join(phrases))

    def fill_history(self) -> None:
        """Offer the phrases of before."""
        self._history.clear()
        for text in settings.history()[:20]:
            self._history.addAction(text, lambda text=text: self.set_phrases([text]))

    def ask_again(self) -> None:
        """Ask what the phrase under the cursor means."""
        line = self.edit.textCursor().block().text().strip()
        if not line:
            self.chips.clear()
        self.changed.emit(line)

    def show_parse(self, answer: Any) -> None:
        """Show what was understood."""
        if not isinstance(answer, dict):
            self.chips.setText(escape(explain(answer)) if isinstance(answer, RrsisError) else "")
            return
        slots = {
            "target": tr("object"),
            "attribute": tr("attribute"),
            "number": tr("number"),
            "position": tr("position"),
            "superlative": tr("superlative"),
            "ordinal": tr("ordinal"),
            "relation": tr("relation"),
            "except": tr("except"),
            "also": tr("also"),
        }
        parts = [f"{slots.get(c['slot'], c['slot'])}:&nbsp;<b>{escape(c['text'])}</b>" for c in answer["chips"]]
        lines = [" · ".join(parts)]
        for typed, meant in answer["corrected"]:
            lines.append(escape(tr("'{typed}' was read as '{meant}'").format(typed=typed, meant=meant)))
        if answer["unknown"]:
            words = ", ".join(answer["unknown"])
            lines.append(escape(tr("Not learned, so without meaning: {words}").format(words=words)))
        self.chips.setText("<br>".join(lines))


class _Edit(QPlainTextEdit):
    """Searches on Ctrl+Enter."""

    searched = pyqtSignal()

    def keyPressEvent(self, event: Any) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.searched.emit()
        else:
            super().keyPressEvent(event)
