"""Words are what a person reads: English in the sources, other languages in i18n/*.json (English -> translation)."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from qgis.core import QgsApplication

if TYPE_CHECKING:
    from .contract import RrsisError

FOLDER = Path(__file__).parent / "i18n"


def tr(text: str) -> str:
    """Return a text in the language of QGIS, or as it is."""
    return _table(QgsApplication.locale()[:2]).get(text, text)


@lru_cache(maxsize=4)
def _table(language: str) -> dict[str, str]:
    path = FOLDER / f"{language}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def explain(error: RrsisError) -> str:
    """Return what is wrong and what to do about it, in words."""
    known = {
        "worker.not_installed": tr("There is no engine yet. Press Set up, or choose a Python that has rrsis-core."),
        "worker.start": tr("The engine does not start. Press Repair, or choose another Python."),
        "worker.protocol": tr("Engine and plugin do not fit together. Press Repair, or update the plugin."),
        "worker.crashed": tr("The engine broke down; your project is not touched. Search again, or a smaller area."),
        "worker.silent": tr("The engine fell silent and was stopped. Search again, or a smaller area."),
        "inference.out_of_memory": tr("There is too little memory. Search a smaller area or fewer phrases."),
        "weights.not_found": tr("The weights are not there. Choose others under Advanced, or press Repair."),
        "setup.network": tr("The package index cannot be reached. Check network and proxy, or set up from a folder."),
        "setup.disk": tr("Free some space, or choose another folder."),
    }
    text = known.get(error.code)
    if text is None or error.code == "setup.disk":
        text = f"{error.message} {text or error.hint}".strip()
    return text


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds."""
    minutes, rest = divmod(max(1, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
