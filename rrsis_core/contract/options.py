"""SegmentOptions: everything that one segmentation run needs to know, as plain data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from .errors import ConfigError


@dataclass(frozen=True)
class SegmentOptions:
    """One run of the main job: phrases over a raster. Checked when made; raises ConfigError."""

    raster: str
    """Path, VRT or GDAL virtual path of the raster."""
    expressions: tuple[str, ...]
    """Referring expressions, one layer of the answer each."""
    output: str | None = None
    """Vector file for the polygons; its suffix chooses the format."""
    mask: str | None = None
    """GeoTIFF for the masks: uint8, one band an expression, in their order."""
    probability: str | None = None
    """GeoTIFF for the probabilities: uint16 scaled by 1/65535, one band an expression."""
    preview: str | None = None
    """PNG of the scene with the polygons drawn over it."""
    explain: str | None = None
    """Vector file for every candidate of the phrases asked of the scene: kept or dropped, and why."""
    reference: str = "auto"
    """What left, largest and near refer to: tile (the phrase goes to the model as typed), scene, or auto (scene where
    a phrase has such a part; in an area of one tile, the model answers where geometry finds nothing)."""
    bbox: tuple[float, float, float, float] | None = None
    """Left, bottom, right, top in the raster's CRS (pixels where it has none); the rest is not looked at."""
    aoi: str | None = None
    """Vector file whose polygons bound the search, in any CRS."""
    bands: tuple[int, ...] | None = None
    """One or three band numbers, from 1, used as red, green, blue. Default: what the raster declares, or 1, 2, 3."""
    alpha_band: int | None = None
    """Number of a band that is 0 where the raster holds nothing, for those that do not say so themselves."""
    scaling: str = "auto"
    """auto (8-bit as it is, others by percentiles), none (integers over their whole range), percentile (2 to 98)."""
    gsd: float | None = None
    """Ground resolution to run at, in metres a pixel. Default: the weights' own, within 0.25 to 32 of the raster's."""
    tile: int | None = None
    """Tile side in model pixels. Default: from the weights' card."""
    looks: int | None = None
    """How often the model looks at a tile: 1, or 2, the second time at twice the size, which takes about four times as
    long. Default, where the weights' card says what it is worth: 2 where the raster's ground resolution is unknown, or
    its pixels are at most half as large as the weights' own and no `gsd` was asked for."""
    overlap: float = 0.25
    """Share of a tile that its neighbour sees too, 0 to 0.5."""
    threshold: float | None = None
    """Probability from which a pixel belongs to the answer, 0 to 1. Default: from the weights' card, or 0.5."""
    min_area_m2: float = 0.0
    """Polygons below this area are dropped, in square metres (in pixels where the raster has no CRS)."""
    fill_holes_m2: float = 0.0
    """Holes below this area are filled, in square metres (in pixels where the raster has no CRS)."""
    simplify: float = 0.0
    """Tolerance of outline simplification, in raster pixels; 0 keeps the pixel edges."""
    right_angles: bool = False
    """Give outlines right angles where they nearly have them, as buildings do."""
    min_score: float = 0.0
    """Polygons whose mean probability is below are dropped, 0 to 1."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    batch_size: int | None = None
    """Tiles a forward pass. Default: by device."""
    threads: int | None = None
    """CPU threads of the model. Default: one a core. Other numbers may change scores in the last digit."""
    weights: str | None = None
    """Name of packaged weights or a path to a safetensors file. Default: the packaged ones."""
    overwrite: bool = False
    """Replace outputs that exist."""

    def __post_init__(self) -> None:
        """Refuse values that contradict each other or themselves."""
        object.__setattr__(self, "expressions", tuple(self.expressions))
        for name in ("bbox", "bands"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else tuple(value))
        if not self.expressions:
            raise _invalid("expressions", "no phrase was given", "Give at least one phrase.")
        if self.bbox is not None and self.aoi is not None:
            raise _invalid("aoi", "both a bbox and an area of interest were given", "Give one of them.")
        if self.bbox is not None and not (self.bbox[0] < self.bbox[2] and self.bbox[1] < self.bbox[3]):
            raise _invalid("bbox", f"the bbox {self.bbox} is empty", "Give left, bottom, right, top.")
        if self.bands is not None and (len(self.bands) not in (1, 3) or min(self.bands) < 1):
            raise _invalid("bands", f"the bands {self.bands} are not usable", "Give one or three band numbers from 1.")
        if self.scaling not in ("auto", "none", "percentile"):
            raise _invalid("scaling", f"unknown scaling '{self.scaling}'", "Use auto, none or percentile.")
        if self.reference not in ("auto", "tile", "scene"):
            raise _invalid("reference", f"unknown reference '{self.reference}'", "Use auto, tile or scene.")
        self._check_range("threshold", 0.0, 1.0)
        self._check_range("min_score", 0.0, 1.0)
        self._check_range("overlap", 0.0, 0.5)
        self._check_range("min_area_m2", 0.0, float("inf"))
        self._check_range("fill_holes_m2", 0.0, float("inf"))
        self._check_range("simplify", 0.0, float("inf"))
        if self.gsd is not None and not 0 < self.gsd < float("inf"):
            raise _invalid(
                "gsd", f"a ground resolution of {self.gsd} m makes no sense", "Give metres a pixel, above 0."
            )
        if self.tile is not None and (self.tile < 64 or self.tile % 32):
            raise _invalid("tile", f"a tile of {self.tile} pixels is not usable", "Give a multiple of 32, from 64.")
        self._check_range("looks", 1, 2)
        for name in ("alpha_band", "batch_size", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise _invalid(name, f"{name.replace('_', ' ')} is {value}", "Give 1 or more.")

    def _check_range(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if value is not None and not low <= value <= high:
            raise _invalid(name, f"{name} is {value}", f"Give a number from {low:g} to {high:g}.")

    def as_dict(self) -> dict[str, Any]:
        """Return the options as JSON-ready data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SegmentOptions:
        """Build options from plain data. Raises ConfigError for a key that no option has."""
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise _invalid(
                unknown[0], f"there is no option '{unknown[0]}'", f"Options are: {', '.join(sorted(known))}."
            )
        return cls(**data)


def _invalid(option: str, what: str, hint: str) -> ConfigError:
    return ConfigError(what[0].upper() + what[1:] + ".", code=f"config.{option}", hint=hint)
