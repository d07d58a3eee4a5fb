"""A card is what a checkpoint says of itself, in the header of its file. Read without torch, in a millisecond.

The header also holds the format version and the resolved config of the model; `read_header` returns all of it.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from rrsis_core.contract import ConfigError, WeightsError
from rrsis_core.contract.plain import from_plain

FORMAT = "rrsis-1"


@dataclass(frozen=True)
class Card:
    """What a checkpoint says of itself."""

    preset: str
    """Architecture and numbers."""
    name: str = ""
    """Preset and tag."""
    vocabulary_sha256: str = ""
    """Vocabulary that the word embeddings belong to."""
    gsd: float | None = None
    """Ground resolution the weights were made for, metres a pixel."""
    tile: int = 512
    """Tile side to run at, in pixels."""
    temperature: float = 1.0
    """Logits are divided by it, so that scores mean something."""
    threshold: float = 0.5
    """Probability from which a pixel counts as found, unless the user says another."""
    least_peak: float = 0.0
    """A tile in which no pixel is as probable as this shows nothing of the kind."""
    second_look: float = 0.0
    """Share of a second look, at twice the size, where the ground resolution is unknown or fine; 0: there is none."""
    edge_radius: int = 0
    """Answers are drawn onto the edges of the picture in windows of so many pixels around a pixel; 0: they are not."""
    description: dict[str, Any] = field(default_factory=dict)
    """Data, licences, scores, recipe, commit: for people."""


def read_header(path: str | Path) -> dict[str, str]:
    """Return the header of a checkpoint. Raises WeightsError weights.not_found, weights.corrupt."""
    path = Path(path)
    if not path.is_file():
        raise WeightsError(
            f"There are no weights at {path}.",
            code="weights.not_found",
            hint="Give a .safetensors file, or leave --weights out to use the packaged ones.",
        )
    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path} is damaged or not a safetensors file.",
            code="weights.corrupt",
            hint="Fetch or copy it again.",
            details=str(error),
        ) from error
    if header.get("format") != FORMAT:
        raise WeightsError(
            f"{path} was not written by rrsis (format {header.get('format')}, expected {FORMAT}).",
            code="weights.corrupt",
            hint="Give weights made by `rrsis train`.",
        )
    return header


def card_of(header: dict[str, str], path: str | Path) -> Card:
    """Return the card in a header. Raises WeightsError weights.preset where this version cannot use it."""
    try:
        return from_plain(Card, json.loads(header["card"]))
    except (ConfigError, ValueError, KeyError) as error:
        raise WeightsError(
            f"The card inside {path} cannot be used: {error}",
            code="weights.preset",
            hint="The file was written by another version of rrsis.",
        ) from error
