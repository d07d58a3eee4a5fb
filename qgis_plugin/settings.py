"""A setting is a value that this plugin remembers between sessions, under rrsis/ in the settings of QGIS."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from qgis.core import QgsSettings

PREFIX = "rrsis/"
HISTORY = 50  # phrases that are remembered


def get(name: str, default: str = "") -> str:
    """Return a setting as text."""
    value = QgsSettings().value(PREFIX + name, default)
    return default if value is None else str(value)


def put(name: str, value: str) -> None:
    """Remember a setting."""
    QgsSettings().setValue(PREFIX + name, value)


def home() -> Path:
    """Return the folder of engines and runs: outside the profile, so that it outlives the plugin and is not roamed."""
    chosen = os.environ.get("RRSIS_HOME") or get("home")
    if chosen:
        return Path(chosen)
    if os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"]) / "rrsis"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/rrsis"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "rrsis"


def engine_python() -> str:
    """Return the interpreter of the engine: the chosen one, or that of the engine set up last; "" for none."""
    chosen = get("python")
    if chosen:
        return chosen
    try:
        return str(json.loads((home() / "current.json").read_text(encoding="utf-8"))["python"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def history() -> list[str]:
    """Return the phrases that were searched before, the latest first."""
    try:
        return [str(phrase) for phrase in json.loads(get("history", "[]"))]
    except ValueError:
        return []


def remember(phrases: list[str]) -> None:
    """Put phrases on top of the history."""
    put("history", json.dumps([*phrases, *(p for p in history() if p not in phrases)][:HISTORY]))
