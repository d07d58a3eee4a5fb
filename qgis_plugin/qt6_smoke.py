"""Whether the plugin can be imported with PyQt6, and every name that it takes from Qt exists there. Not in the zip.

python qt6_smoke.py PLUGIN_FOLDER. QGIS itself is replaced by something that has every attribute.
"""

from __future__ import annotations

import ast
import importlib
import sys
import types
from pathlib import Path
from typing import Any


class Anything(type):
    """A class that has every attribute: itself."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return 40000 if name == "QGIS_VERSION_INT" else cls


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything(name, (), {})


def faults(folder: Path) -> list[str]:
    """Return what does not import or does not exist in PyQt6."""
    for name in ("qgis", "qgis.core", "qgis.gui"):
        sys.modules[name] = _Module(name)
    sys.modules["qgis.PyQt"] = importlib.import_module("PyQt6")
    for part in ("QtCore", "QtGui", "QtWidgets", "QtNetwork"):
        sys.modules[f"qgis.PyQt.{part}"] = importlib.import_module(f"PyQt6.{part}")
    # QGIS's own qgis.PyQt makes up for what Qt 6 has no more.
    sys.modules["qgis.PyQt.QtCore"].QVariant = Anything("QVariant", (), {})  # type: ignore[attr-defined]
    sys.path.insert(0, str(folder.parent))
    found = []
    for path in sorted(folder.rglob("*.py")):
        name = ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
        try:
            importlib.import_module(name)
        except (ImportError, AttributeError, TypeError) as error:
            found.append(f"{name}: {error}")
        found += _missing(path)
    return found


def _missing(path: Path) -> list[str]:
    """Return chains such as Qt.Orientation.Horizontal that PyQt6 does not have."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    taken: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("qgis.PyQt."):
            module = sys.modules[node.module or ""]
            taken.update({alias.name: getattr(module, alias.name, None) for alias in node.names})
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        inner: Any = node
        while isinstance(inner, ast.Attribute):
            names.insert(0, inner.attr)
            inner = inner.value
        if names and isinstance(inner, ast.Name) and taken.get(inner.id) is not None:
            thing = taken[inner.id]
            for name in names:
                if not hasattr(thing, name):
                    found.append(f"{path.name}:{node.lineno} {inner.id}.{'.'.join(names)}")
                    break
                thing = getattr(thing, name)
    return found


if __name__ == "__main__":
    problems = faults(Path(sys.argv[1]))
    sys.stdout.write("".join(f"{problem}\n" for problem in problems))
    sys.exit(1 if problems else 0)
