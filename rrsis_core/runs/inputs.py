"""An input is what a person names to have searched: a file, a folder, a pattern, a list, a STAC document, an address.

Here inputs become sources, one a raster. Nothing is opened but lists and STAC documents.
"""

from __future__ import annotations

import glob
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rrsis_core.contract import InputError, RasterError
from rrsis_core.runs.stac import is_stac, read_items

RASTERS = (".tif", ".tiff", ".vrt", ".jp2", ".img", ".png", ".jpg", ".jpeg")  # what is taken out of a folder
HEAD_SECONDS = 30


@dataclass(frozen=True)
class Source:
    """Where a raster is, and what is known of it."""

    name: str
    href: str
    """Absolute path, address or GDAL virtual path."""
    item: str | None = None
    """The STAC item that names it."""
    datetime: str | None = None
    """When it was taken, by that item."""


def find_sources(inputs: Sequence[str], asset: str | None = None) -> list[Source]:
    """Return the rasters that inputs name, each once, in their order; `asset` chooses among those of STAC items.

    Raises RasterError raster.not_found for a pattern or folder without one, InputError input.list and stac.*.
    Files that do not exist are returned too: what is missing is found out, and named, when its turn comes.
    """
    found: dict[str, Source] = {}
    for text in inputs:
        for source in _sources(text, asset):
            found.setdefault(source.href, source)
    return list(found.values())


def identify(href: str) -> str | None:
    """Return what tells one state of a raster from another: size and time, or what a server says; None if unknown."""
    try:
        if urlsplit(href).scheme in ("http", "https"):
            request = urllib.request.Request(href, method="HEAD")
            with urllib.request.urlopen(request, timeout=HEAD_SECONDS) as answer:  # http only  # nosec B310
                names = ("ETag", "Last-Modified", "Content-Length")
                return " ".join(answer.headers[name] for name in names if name in answer.headers) or None
        facts = os.stat(href)
    except (OSError, urllib.error.URLError):
        return None
    return f"{facts.st_size} {facts.st_mtime_ns}"


def is_remote(href: str) -> bool:
    """Tell whether a raster lies behind a network protocol, where the next try may go better."""
    return "://" in href or href.startswith(("/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiswift"))


def _sources(text: str, asset: str | None) -> Iterator[Source]:
    if text.startswith("@"):
        for line in _lines(text[1:]):
            yield from _sources(line, asset)
    elif is_stac(text):
        yield from (Source(*item) for item in read_items(text, asset))
    elif is_remote(text) or text.startswith("/vsi") or os.path.isfile(text):
        yield _file(text)
    elif os.path.isdir(text):
        yield from _several(text, sorted(str(path) for path in Path(text).iterdir()))
    elif glob.has_magic(text):
        yield from _several(text, sorted(glob.glob(text, recursive=True)))
    else:
        yield _file(text)


def _several(text: str, paths: Sequence[str]) -> Iterator[Source]:
    rasters = [path for path in paths if path.lower().endswith(RASTERS)]
    if not rasters:
        raise RasterError(
            f"There is no raster in {text}.", code="raster.not_found", hint=f"It was looked for {', '.join(RASTERS)}."
        )
    yield from map(_file, rasters)


def _file(text: str) -> Source:
    if is_remote(text) or text.startswith("/vsi"):
        return Source(Path(urlsplit(text).path).stem, text)
    return Source(Path(text).stem, os.path.abspath(text))


def _lines(path: str) -> list[str]:
    """Return the inputs of a list: one a line, as seen from the working folder; lines with # are for people."""
    try:
        lines = [line.strip() for line in Path(path).read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The list {path} cannot be read.",
            code="input.list",
            hint="Give a text file with one raster a line.",
            details=str(error),
        ) from error
    return [line for line in lines if line and not line.startswith("#")]
