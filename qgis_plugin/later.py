"""A module that is loaded when something of it is first used: QGIS waits for every import of a plugin at its start."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Later:
    """Stands for a module of this plugin until then."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(f".{self._name}", __package__), attribute)
