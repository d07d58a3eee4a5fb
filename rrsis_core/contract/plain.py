"""Plain data and back: nested dataclasses as dictionaries for TOML recipes and checkpoints."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from .errors import ConfigError

T = TypeVar("T")


def to_plain(config: Any) -> dict[str, Any]:
    """Return a dataclass as nested dictionaries and lists, ready for JSON."""
    return {key: _listed(value) for key, value in dataclasses.asdict(config).items()}


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def from_plain(cls: type[T], data: Mapping[str, Any], path: str = "") -> T:
    """Build a dataclass from nested dictionaries. Raises ConfigError naming the key and its nearest known name."""
    hints = typing.get_type_hints(cls)
    known = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean '{path}{near[0]}'?" if near else f"Known keys: {', '.join(sorted(known))}."
            raise ConfigError(f"There is no setting '{path}{key}'.", code="config.unknown_key", hint=hint)
    return cls(**{key: _coerce(hints[key], value, f"{path}{key}") for key, value in data.items()})


def _coerce(hint: Any, value: Any, path: str) -> Any:
    """Turn one plain value into what its annotation asks for."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, getattr(types, "UnionType", None)):
        if value is None:
            return None
        return _coerce(next(arm for arm in typing.get_args(hint) if arm is not type(None)), value, path)
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return from_plain(typing.cast(type, hint), value, path + ".")
    if origin is tuple and isinstance(value, (list, tuple)):
        arms = typing.get_args(hint)
        kinds = [arms[0]] * len(value) if arms[-1] is Ellipsis else arms
        if len(kinds) == len(value):
            return tuple(_coerce(kind, item, path) for kind, item in zip(kinds, value))
    elif origin is dict and isinstance(value, Mapping):
        return dict(value)
    elif hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    elif isinstance(hint, type) and isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    raise ConfigError(
        f"The setting '{path}' cannot be {value!r}.",
        code="config.value",
        hint=f"It is of type {getattr(hint, '__name__', hint)}.",
    )
