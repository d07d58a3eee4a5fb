"""A record is one line of a data set: a picture, an expression, and where the mask of what is meant comes from.

Records hold paths and run lengths, no pixels; `read_picture` and `read_mask` are the only readers of either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from rrsis_core.contract import InputError
from rrsis_core.data.rle import decode_rle


@dataclass(frozen=True)
class MaskFile:
    """A mask in a picture of its own."""

    path: Path
    above: int = 0
    """Grey values above this belong to the mask: 50 for RefSegRS, 0 for RISBench."""


@dataclass(frozen=True)
class MaskRuns:
    """A part of a mask as COCO run lengths."""

    counts: str | bytes | Sequence[int]
    height: int
    width: int


@dataclass(frozen=True)
class MaskOutline:
    """A part of a mask as a polygon x0, y0, x1, y1 ... in the picture's pixels, as RefCOCO has them."""

    points: Sequence[float]


@dataclass(frozen=True)
class Record:
    """One expression about one picture."""

    key: str
    """Names the record within its split: a line number or an id."""
    image: Path
    expression: str
    mask: MaskFile | tuple[MaskRuns | MaskOutline, ...]
    """A picture, or parts whose union is the mask; no part is an empty mask."""
    category: str = ""


def read_picture(path: Path) -> np.ndarray:
    """Return a picture as (H, W, 3) uint8. Raises InputError data.image."""
    return np.asarray(_opened(path, "RGB", "data.image"))


def read_mask(record: Record) -> np.ndarray:
    """Return a record's mask (H, W) bool at its own size, which need not be the picture's. Raises InputError data.mask.

    Parts are united. The field's loaders add them up and keep what is 1, which drops the pixels where two overlap;
    with the one part of RRSIS-D both are the same.
    """
    if isinstance(record.mask, MaskFile):
        return np.asarray(_opened(record.mask.path, "L", "data.mask")) > record.mask.above
    runs = [part for part in record.mask if isinstance(part, MaskRuns)]
    shape = (runs[0].height, runs[0].width) if runs else picture_size(record.image)
    mask = np.zeros(shape, bool)
    for part in record.mask:
        if isinstance(part, MaskOutline):
            mask |= filled(part.points, shape)
        elif (part.height, part.width) == shape:
            mask |= decode_rle(part.counts, part.height, part.width)
        else:
            raise InputError(
                f"The parts of the mask of record {record.key} are of different sizes.",
                code="data.mask",
                hint="Mend the annotation file.",
            )
    return mask


def filled(points: Sequence[float], shape: tuple[int, int]) -> np.ndarray:
    """Return the pixels (H, W) bool whose centre lies in an outline x0, y0, x1, y1 ..., by the even-odd rule."""
    corners = np.asarray(points, float).reshape(-1, 2)
    columns, rows = np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5
    inside = np.zeros(shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crossed = np.flatnonzero((rows >= min(y0, y1)) & (rows < max(y0, y1)))
        x = x0 + (rows[crossed] - y0) / (y1 - y0 or 1) * (x1 - x0)
        inside[crossed] ^= columns > x[:, None]
    return inside


def picture_size(path: Path) -> tuple[int, int]:
    """Return height and width of a picture from its header. Raises InputError data.image."""
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise _unreadable(path, "data.image", error) from error


def missing_files(records: Iterable[Record]) -> list[Path]:
    """Return the pictures and masks that are not there, sorted; each folder is listed once."""
    folders: dict[Path, set[str]] = {}
    missing = set()
    for path in {path for record in records for path in files_of(record)}:
        if path.parent not in folders:
            folders[path.parent] = {entry.name for entry in path.parent.iterdir()} if path.parent.is_dir() else set()
        if path.name not in folders[path.parent]:
            missing.add(path)
    return sorted(missing)


def files_of(record: Record) -> list[Path]:
    """Return the files that a record needs."""
    return [record.image, *([record.mask.path] if isinstance(record.mask, MaskFile) else [])]


def _opened(path: Path, mode: str, code: str) -> Image.Image:
    try:
        with Image.open(path) as image:
            return image.convert(mode)
    # PIL raises SyntaxError for broken PNG chunks and ValueError for some broken TIFF tags.
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise _unreadable(path, code, error) from error


def _unreadable(path: Path, code: str, error: Exception) -> InputError:
    what = "is not there" if isinstance(error, FileNotFoundError) else "cannot be read"
    return InputError(
        f"The picture {path} {what}.",
        code=code,
        hint="`rrsis data check` names every missing and damaged file.",
        details=repr(error),
    )
