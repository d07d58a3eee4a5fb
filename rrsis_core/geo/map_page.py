"""A map page is one HTML file that shows a result over its raster in any browser, with nothing to fetch.

Polygons and picture lie in it on one plane: web Mercator, centred on the data so that nothing is torn at the
antimeridian; without a CRS, or near a pole, the coordinates of the result itself. Leaflet draws them.
"""

from __future__ import annotations

import base64
import html
import io
import json
import math
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyproj
import rasterio.warp
import shapely
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from rasterio.crs import CRS
from rasterio.enums import Resampling

from rrsis_core.contract import ResultError
from rrsis_core.geo.preview import COLOURS, read_picture
from rrsis_core.geo.raster import Raster, open_raster
from rrsis_core.geo.raster_info import Bounds, carried
from rrsis_core.geo.results import KNOWN, Result, open_result
from rrsis_core.geo.staging import staged, write_errors

MAP_SUFFIXES = (".html", ".htm")
MOST_POLYGONS = 50_000
MOST_CORNERS = 1_500_000
PICTURE_PIXELS, PICTURE_SIDE = 2**23, 8192
STEPS = 2**20  # whole numbers that coordinates become, across the map: a twentieth of a pixel of 50,000
EARTH_RADIUS, MERCATOR_LATITUDE = 6378137.0, 85.05
RIM_POINTS = 33  # on each side of a raster, to follow it where the plane bends it


@dataclass(frozen=True)
class Plane:
    """Where the map is drawn."""

    crs: CRS | None
    """None: the coordinates of the result, whatever they are."""
    unit: str
    """Of the scale bar: m, px, or units where nobody knows."""
    scale: float = 1.0
    """Units a unit of the plane, in the middle of the map: a metre of web Mercator is less on the ground."""


@dataclass
class MapSummary:
    """What is on a map."""

    output: str
    found: dict[str, int]
    """Polygons in the result, by phrase."""
    shown: int
    picture: tuple[int, int] | None = None
    """Width and height of the embedded picture."""
    notes: list[str] = field(default_factory=list)
    """What a person should know: polygons or detail left out."""


@dataclass(frozen=True, eq=False)
class _Chosen:
    """The polygons that are shown, with their columns; and how many there are of each phrase."""

    polygons: NDArray[np.object_]
    columns: pa.Table
    found: Counter[str]


def write_map(
    result: str | os.PathLike[str],
    target: str | os.PathLike[str],
    raster: str | os.PathLike[str] | None = None,
    bands: Sequence[int] | None = None,
) -> MapSummary:
    """Write a page that shows a result, over a picture of its raster if that is given.

    Raises ResultError (result.crs where only one of result and raster has a CRS), RasterError and SinkError.
    """
    with open_result(result) as opened:
        crs, chosen = opened.crs, _largest(opened)
    summary = MapSummary(os.fspath(target), dict(chosen.found), len(chosen.polygons))
    if (every := chosen.found.total()) > summary.shown:
        summary.notes.append(f"The {summary.shown:,} largest of {every:,} polygons are on the map.")
    if raster is None:
        left, _, _, top = bounds = _bounds(chosen.polygons)
        plane = _plane(crs, bounds, left >= 0 >= top)
        picture = None
    else:
        with open_raster(raster) as scene:
            if scene.info.crs is None and crs is not None and os.fspath(result).lower().endswith("json"):
                crs = None  # the format cannot say that there is none
            if (crs is None) != (scene.info.crs is None):
                raise _unrelated(os.fspath(result), scene.info.path, crs)
            plane = _plane(scene.info.crs, scene.info.bounds, not scene.info.georeferenced)
            picture = _picture(scene, plane, bands or scene.info.default_bands, summary)
    outlines = _simplified(_on_plane(chosen.polygons, crs, plane), summary)
    page = _page(Path(result).name, plane, picture, _data(chosen, outlines, picture, plane), summary)
    with staged(target) as part, write_errors(Path(target)):
        part.write_text(page, encoding="utf-8")
    return summary


def _largest(result: Result) -> _Chosen:
    """Read a result and keep its largest polygons."""
    stem = Path(result.path).stem
    found: Counter[str] = Counter()
    kept, tables = np.empty(0, object), list[pa.RecordBatch]()
    for polygons, columns in result.batches:
        phrases = columns.column("phrase").fill_null(stem)
        found.update(phrases.to_pylist())
        kept = np.concatenate([kept, polygons])
        tables.append(columns.set_column(0, "phrase", phrases))
        if len(kept) > MOST_POLYGONS:
            which = np.sort(np.argpartition(-shapely.area(kept), MOST_POLYGONS)[:MOST_POLYGONS])
            kept, tables = kept[which], pa.Table.from_batches(tables).take(which).combine_chunks().to_batches()
    columns = pa.Table.from_batches(tables) if tables else pa.schema(list(KNOWN.items())).empty_table()
    return _Chosen(kept, columns, found)


def _unrelated(result: str, raster: str, crs: CRS | None) -> ResultError:
    lacking, having = (result, raster) if crs is None else (raster, result)
    return ResultError(
        f"{lacking} has no CRS, but {having} has one: how they lie to each other is unknown.",
        code="result.crs",
        hint="Give the raster that the result was made from.",
    )


# --- the plane -----------------------------------------------------------------------------------------------------


def _bounds(polygons: NDArray[np.object_]) -> Bounds:
    left, bottom, right, top = shapely.total_bounds(polygons).tolist() if len(polygons) else (0.0, -1.0, 1.0, 0.0)
    return left, bottom, right, top


def _plane(crs: CRS | None, bounds: Bounds, in_pixels: bool) -> Plane:
    own = None if crs is None else pyproj.CRS.from_user_input(crs)
    if own is None or own.geodetic_crs is None:
        return Plane(crs, "px" if in_pixels else "units")
    to_degrees = pyproj.Transformer.from_crs(own, "EPSG:4326", always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*bounds, densify_pts=RIM_POINTS)
    if not max(-south, north) < MERCATOR_LATITUDE or not math.isfinite(west + east):
        return Plane(crs, "m" if own.is_projected and own.axis_info[0].unit_name == "metre" else "units")
    centre = (west + east) / 2 + (180 if east < west else 0)
    shift = EARTH_RADIUS * math.radians(centre)
    mercator = (
        f"+proj=merc +a={EARTH_RADIUS} +b={EARTH_RADIUS} +lon_0={centre!r} +x_0={shift!r} +units=m +nadgrids=@null"
    )
    return Plane(CRS.from_user_input(f"{mercator} +wktext +no_defs"), "m", math.cos(math.radians((south + north) / 2)))


def _to_plane(points: NDArray[np.float64], crs: CRS | None, plane: Plane) -> NDArray[np.float64]:
    if crs is None or plane.crs is None or crs == plane.crs:
        return points
    transformer = pyproj.Transformer.from_crs(
        pyproj.CRS.from_user_input(crs), pyproj.CRS.from_user_input(plane.crs), always_xy=True
    )
    return np.column_stack(transformer.transform(*points.T))


def _on_plane(polygons: NDArray[np.object_], crs: CRS | None, plane: Plane) -> NDArray[np.object_]:
    outlines = shapely.transform(polygons, lambda points: _to_plane(points, crs, plane))
    outlines[~np.isfinite(shapely.bounds(outlines)).all(axis=1)] = shapely.Polygon()
    return outlines


def _simplified(outlines: NDArray[np.object_], summary: MapSummary) -> NDArray[np.object_]:
    """Return outlines that a browser can draw: of a million corners and a half, or little more."""
    corners = int(shapely.get_num_coordinates(outlines).sum())
    if corners <= MOST_CORNERS:
        return outlines
    left, bottom, right, top = shapely.total_bounds(outlines)
    tolerance = max(right - left, top - bottom) / 2**15
    for _ in range(6):
        tolerance *= 2
        outlines = shapely.simplify(outlines, tolerance)
        if shapely.get_num_coordinates(outlines).sum() <= MOST_CORNERS:
            break
    summary.notes.append(f"Outlines are simplified, as they have {corners:,} corners.")
    return outlines


# --- the picture ---------------------------------------------------------------------------------------------------


def _picture(raster: Raster, plane: Plane, bands: Sequence[int], summary: MapSummary) -> dict[str, Any]:
    """Return the raster on the plane, as the address of a picture and its bounds."""
    info = raster.info
    steps = np.linspace(0, 1, RIM_POINTS)
    rim = np.concatenate([np.column_stack(side) for side in ((steps, 0 * steps), (0 * steps + 1, steps))])
    rim = np.concatenate([rim, 1 - rim]) * (info.width, info.height)
    outline = shapely.Polygon(_to_plane(carried(rim, info.transform), info.crs, plane))
    left, bottom, right, top = outline.bounds
    share = min(1.0, math.sqrt(PICTURE_PIXELS / (info.width * info.height)))
    pixel = math.sqrt(outline.area / (info.width * info.height)) / share
    pixel = max(pixel, max(right - left, top - bottom) / PICTURE_SIDE)
    size = max(1, math.ceil((top - bottom) / pixel)), max(1, math.ceil((right - left) / pixel))
    source = max(1, round(info.height * share)), max(1, round(info.width * share))
    colours, valid = read_picture(raster, info.window, source, bands)
    image = _warped(colours, valid, raster, plane, Affine(pixel, 0, left, 0, -pixel, top), size)
    summary.picture = image.size
    if share < 1:
        summary.notes.append(
            f"The picture has {image.width:,} x {image.height:,} pixels, the raster {info.width:,} x {info.height:,}."
        )
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=82)
    address = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
    return {"address": address, "bounds": [left, top - size[0] * pixel, left + size[1] * pixel, top]}


def _warped(
    colours: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    raster: Raster,
    plane: Plane,
    transform: Affine,
    size: tuple[int, int],
) -> Image.Image:
    """Return a picture of the whole raster on the plane, see-through where there is nothing."""
    info = raster.info
    source = info.transform @ Affine.scale(info.width / valid.shape[1], info.height / valid.shape[0])
    # Any CRS will do where both sides have the same one, or none.
    places = {"src_crs": info.crs or "EPSG:3857", "dst_crs": plane.crs or info.crs or "EPSG:3857"}
    bands = []
    for band, how in (
        (np.moveaxis(colours, -1, 0), Resampling.bilinear),
        (valid[None] * np.uint8(255), Resampling.nearest),
    ):
        warped = np.zeros((len(band), *size), np.uint8)
        rasterio.warp.reproject(
            np.ascontiguousarray(band), warped, src_transform=source, dst_transform=transform, resampling=how, **places
        )
        bands.append(warped)
    picture = np.ascontiguousarray(np.moveaxis(np.concatenate(bands), 0, -1))
    return Image.fromarray(picture if not picture[..., 3].all() else np.ascontiguousarray(picture[..., :3]))


# --- the page ------------------------------------------------------------------------------------------------------


def _data(
    chosen: _Chosen, outlines: NDArray[np.object_], picture: dict[str, Any] | None, plane: Plane
) -> dict[str, Any]:
    """Return what the page draws, as plain data."""
    whole = np.array([_bounds(outlines), *([picture["bounds"]] if picture else [])])
    (left, bottom), (right, top) = whole[:, :2].min(axis=0).tolist(), whole[:, 2:].max(axis=0).tolist()
    step = max(right - left, top - bottom) / STEPS or 1.0
    names = list(chosen.found)
    columns = {
        name: [_plain(value) for value in values.to_pylist()]
        for name, values in zip(chosen.columns.column_names, chosen.columns.columns, strict=True)
    }
    areas = [
        area if area is not None else float(own)
        for area, own in zip(columns.pop("area_m2"), shapely.area(chosen.polygons), strict=True)
    ]
    return {
        "bounds": [left, bottom, right, top],
        "step": step,
        "unit": plane.unit,
        "scale": plane.scale,
        "phrases": [
            {"text": name, "colour": "#" + bytes(COLOURS[number % len(COLOURS)]).hex()}
            for number, name in enumerate(names)
        ],
        "phrase": [names.index(phrase) for phrase in columns.pop("phrase")],
        "score": columns.pop("score"),
        "area": areas,
        "more": {name: values for name, values in columns.items() if any(value is not None for value in values)},
        "rings": _rings(outlines, left, bottom, step),
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _rings(outlines: NDArray[np.object_], left: float, bottom: float, step: float) -> list[list[list[int]]]:
    """Return the rings of each outline: x, y of the first corner, then the way to each next one, in steps."""
    rings, owner = shapely.get_rings(outlines, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    places = np.rint((points - (left, bottom)) / step).astype(np.int64)
    ways = np.diff(places, axis=0, prepend=0)
    starts, ends = np.flatnonzero(np.diff(ring, prepend=-1)), np.flatnonzero(np.diff(ring, append=-1))
    ways[starts] = places[starts]
    result: list[list[list[int]]] = [[] for _ in outlines]
    for start, end, number in zip(starts, ends, owner, strict=True):
        result[number].append(ways[start:end].ravel().tolist())  # without the last corner, which is the first again
    return result


def _page(title: str, plane: Plane, picture: dict[str, Any] | None, data: dict[str, Any], summary: MapSummary) -> str:
    parts = {
        "title": html.escape(title),
        "data": _script({**data, "title": title, "notes": summary.notes, "found": list(summary.found.values())}),
        "picture": _script(picture),
        "css": _asset("leaflet.css"),
        "leaflet": _asset("leaflet.js").split("//# sourceMappingURL")[0],
        "licence": _asset("leaflet-LICENSE.txt"),
        "script": _asset("map.js"),
    }
    return re.sub(r"{{(\w+)}}", lambda match: parts[match[1]], _asset("map.html"))


def _script(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), default=str).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return files("rrsis_core.geo").joinpath("page", name).read_text(encoding="utf-8")
