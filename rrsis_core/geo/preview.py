"""A preview is a picture of the scene with the answers drawn over it and a legend below, for people to look at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rasterio.windows import Window

from rrsis_core.geo.raster import Raster, gdal_environment
from rrsis_core.geo.raster_info import carried
from rrsis_core.geo.scaling import Scaling, measure_scaling
from rrsis_core.geo.staging import staged, write_errors

PREVIEW_SUFFIXES = (".png",)

# Okabe and Ito's colours, which colour-blind people tell apart, the ones rare in imagery first.
COLOURS = (
    (240, 228, 66),
    (204, 121, 167),
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (213, 94, 0),
    (0, 114, 178),
)
EMPTY = (225, 225, 225)  # where the raster holds nothing
PAPER, INK, FAINT_INK = (255, 255, 255), (30, 30, 30), (115, 115, 115)
FILL_SHARE, RIM_SHARE = 0.3, 0.65
FINER = 2  # outlines are drawn so many times larger, then shrunk: smooth edges
MAX_ENLARGEMENT = 4
POLYGONS_AT_ONCE, EDGES_AT_ONCE = 2000, 2**18
WHOLE_READ_PIXELS = 2**24


@dataclass(frozen=True, eq=False)
class Layer:
    """The answer to one phrase."""

    phrase: str
    polygons: NDArray[np.object_]
    """shapely polygons in the coordinates of the raster."""
    count: int | None = None
    """Number for the legend, where the smallest polygons were left out; default: how many there are."""


def draw_preview(
    raster: Raster,
    window: Window,
    layers: Sequence[Layer],
    path: str | os.PathLike[str],
    bands: Sequence[int] | None = None,
    scaling: Scaling | None = None,
    max_side: int = 1600,
) -> None:
    """Draw a window of the raster with the layers over it as a PNG whose picture is at most `max_side` pixels long.

    `bands` and `scaling` are those that the model was given, by default the raster's own. Small windows are enlarged,
    up to four times. Raises SinkError output.folder and output.write.
    """
    factor = min(max_side / max(window.width, window.height), MAX_ENLARGEMENT)
    size = max(1, round(window.height * factor)), max(1, round(window.width * factor))
    picture = _scene(raster, window, size, bands or raster.info.default_bands, scaling)
    # From coordinates to places on the picture; the picture has the window's corners, whatever way the raster turns.
    to_pixels = Affine.translation(-window.col_off, -window.row_off) @ ~raster.info.transform
    to_picture = Affine.scale(size[1] / window.width, size[0] / window.height) @ to_pixels
    for number, layer in enumerate(layers):
        picture = _overlaid(picture, layer.polygons, to_picture, COLOURS[number % len(COLOURS)])
    sheet = _with_legend(Image.fromarray(picture), layers)
    with staged(path) as part, write_errors(Path(path)):
        sheet.save(part, format="PNG")


def read_picture(
    raster: Raster, window: Window, size: tuple[int, int], bands: Sequence[int], scaling: Scaling | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a window as a picture (height, width, 3), with the colours that the model is given, and its validity.

    It is about as large as `size` (height, width); large windows come from overviews where there are some.
    """
    with gdal_environment():
        scaling = scaling or measure_scaling(raster, window, bands)
        if window.width * window.height <= WHOLE_READ_PIXELS:
            chip, valid = raster.read(window, size, bands)
        else:
            chip, valid = raster.read_decimated(window, size[0] * size[1], bands, smooth=True)
    picture = np.rint(scaling.apply(chip) * 255).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(picture, 0, -1)), valid


def _scene(
    raster: Raster, window: Window, size: tuple[int, int], bands: Sequence[int], scaling: Scaling | None
) -> NDArray[np.uint8]:
    picture, valid = read_picture(raster, window, size, bands, scaling)
    picture[~valid] = EMPTY
    return np.asarray(Image.fromarray(picture).resize(size[::-1]) if valid.shape != size else picture)


def _overlaid(
    picture: NDArray[np.uint8], polygons: NDArray[np.object_], to_picture: Affine, colour: tuple[int, int, int]
) -> NDArray[np.uint8]:
    """Tint the polygons and draw their outlines: a line of the colour with a dark rim, seen on any ground."""
    height, width = picture.shape[:2]
    fine = _burnt(polygons, Affine.scale(FINER) @ to_picture, (height * FINER, width * FINER))
    reach = max(2, round(FINER * max(height, width) / 1400))
    grown, shrunk = _grown(fine, reach), ~_grown(~fine, reach)
    blended = picture.astype(np.float32)
    for shape, tint, share in (
        (fine, colour, FILL_SHARE),
        (_grown(grown, reach - 1) - grown, (0, 0, 0), RIM_SHARE),
        (grown - shrunk, colour, 1.0),
    ):
        cover = np.asarray(Image.fromarray(shape).reduce(FINER), np.float32)[..., None] * (share / 255)
        blended += (np.array(tint, np.float32) - blended) * cover
    return np.rint(blended).astype(np.uint8)


def _burnt(polygons: NDArray[np.object_], to_picture: Affine, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return 255 where a picture shows a polygon, however small, else 0.

    By winding numbers: a shell that is crossed downwards adds one to what lies beyond, upwards takes one away, and
    holes run the other way. GDAL does the same, but is handed every corner as a Python object: a thousand times the
    memory for a street network.
    """
    height, width = shape
    turns = np.zeros((height, width + 1), np.int32)
    corners = np.zeros(shape, bool)
    for start in range(0, len(polygons), POLYGONS_AT_ONCE):
        rings = shapely.get_rings(shapely.orient_polygons(polygons[start : start + POLYGONS_AT_ONCE]))
        points, ring = shapely.get_coordinates(rings, return_index=True)
        x, y = carried(points, to_picture).T
        seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        corners[y[seen].astype(int), x[seen].astype(int)] = True
        edges = np.flatnonzero(ring[1:] == ring[:-1])
        for some in np.array_split(edges, 1 + len(edges) // EDGES_AT_ONCE):
            _count_crossings(turns, x, y, some)
    return np.where((np.cumsum(turns[:, :-1], axis=1, dtype=np.int32) != 0) | corners, np.uint8(255), np.uint8(0))


def _count_crossings(
    turns: NDArray[np.int32], x: NDArray[np.float64], y: NDArray[np.float64], edges: NDArray[np.int64]
) -> None:
    """Note in `turns` where edges, from point n to n + 1, cross the middles of rows: +1 downwards, -1 upwards."""
    height, width = turns.shape[0], turns.shape[1] - 1
    # The first row whose middle lies at or below each end.
    start, stop = (np.clip(np.ceil(y[ends] - 0.5), 0, height).astype(np.int64) for ends in (edges, edges + 1))
    counts = np.abs(stop - start)
    rows = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows += np.repeat(np.minimum(start, stop), counts)
    crossed = np.repeat(edges, counts)
    share = (rows + 0.5 - y[crossed]) / (y[crossed + 1] - y[crossed])
    columns = np.ceil(x[crossed] + share * (x[crossed + 1] - x[crossed]) - 0.5)
    np.add.at(turns, (rows, np.clip(columns, 0, width).astype(np.int64)), np.repeat(np.sign(stop - start), counts))


def _grown(mask: NDArray[np.uint8], reach: int) -> NDArray[np.uint8]:
    """Return a mask of 0 and 255 grown by `reach` pixels to all sides, as a square."""
    for _ in range(2):
        wider = mask.copy()
        for step in range(1, reach + 1):
            np.maximum(wider[step:], mask[:-step], out=wider[step:])
            np.maximum(wider[:-step], mask[step:], out=wider[:-step])
        mask = wider.T
    return mask


def _with_legend(picture: Image.Image, layers: Sequence[Layer]) -> Image.Image:
    """Return the picture with a strip below it: for each layer its colour, phrase and number of polygons."""
    text_size = min(max(13, round(picture.width / 55)), 30)
    font = ImageFont.load_default(text_size)
    pad, swatch, line_height = text_size, text_size, round(1.75 * text_size)
    width = max(picture.width, 16 * text_size)
    # Entries flow from left to right into as many lines as they need.
    places: list[tuple[int, int, str, str]] = []
    left, line = pad, 0
    for layer in layers:
        count = f"  {len(layer.polygons) if layer.count is None else layer.count:,}"
        room = width - 2 * pad - swatch - round(0.5 * text_size) - font.getlength(count)
        phrase = _elided(layer.phrase, font, room)
        taken = round(swatch + 0.5 * text_size + font.getlength(phrase + count))
        if left > pad and left + taken > width - pad:
            left, line = pad, line + 1
        places.append((left, line, phrase, count))
        left += taken + 2 * pad
    strip = (line + 1) * line_height + pad if layers else 0
    sheet = Image.new("RGB", (width, picture.height + strip), PAPER)
    sheet.paste(picture, ((width - picture.width) // 2, 0))
    draw = ImageDraw.Draw(sheet)
    for number, (left, line, phrase, count) in enumerate(places):
        middle = picture.height + pad // 2 + round((line + 0.5) * line_height)
        box = (left, middle - swatch // 2, left + swatch, middle + swatch // 2)
        draw.rounded_rectangle(box, radius=swatch // 5, fill=COLOURS[number % len(COLOURS)], outline=INK)
        left += swatch + round(0.5 * text_size)
        draw.text((left, middle), phrase, INK, font, anchor="lm")
        draw.text((left + font.getlength(phrase), middle), count, FAINT_INK, font, anchor="lm")
    return sheet


def _elided(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float) -> str:
    """Return the text, or as much of its beginning as fits, with an ellipsis."""
    text = " ".join(text.split())
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text.rstrip() + "…"
