"""A STAC item is a JSON document that says of an image what and where it is, and which files belong to it.

Items come in, alone, in collections and catalogues, and as the answer of a search; for every scene of a run one goes
out, so that the results of a run can be searched, or be the input of another program.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyproj
import pystac
import shapely
from pystac.errors import STACError, STACTypeError
from rasterio.crs import CRS

from rrsis_core.contract import InputError
from rrsis_core.geo.raster import open_raster
from rrsis_core.geo.raster_info import Frame, carried, frame_of

PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
SIDE_POINTS = 4  # of a footprint: a straight side in one CRS is bent in another
MEDIA = {
    ".gpkg": pystac.MediaType.GEOPACKAGE,
    ".geojson": pystac.MediaType.GEOJSON,
    ".parquet": pystac.MediaType.VND_APACHE_PARQUET,
    ".fgb": pystac.MediaType.FLATGEOBUF,
    ".tif": pystac.MediaType.GEOTIFF,
    ".png": pystac.MediaType.PNG,
}

Named = tuple[str, str, str, str | None]


def is_stac(text: str) -> bool:
    """Tell whether an input is a STAC document: a path or address that ends with .json or .geojson."""
    path = urlsplit(text).path if "://" in text else text
    return path.lower().endswith((".json", ".geojson"))


def read_items(href: str, asset: str | None = None) -> Iterator[Named]:
    """Yield name, raster, item and time of every item of a document: an item, a search result, all below a catalogue.

    `asset` is the key of the raster among the files of an item; it may be left out where one is visual, or data, or
    where there is but one GeoTIFF. Raises InputError stac.unreadable and stac.asset.
    """
    try:
        document = json.loads(pystac.StacIO.default().read_text(href))
        if document.get("type") == "FeatureCollection":
            items = iter(pystac.ItemCollection.from_dict(document))
        else:
            found = pystac.read_dict(document, href=os.path.abspath(href) if "://" not in href else href)
            items = iter([found]) if isinstance(found, pystac.Item) else found.get_items(recursive=True)  # type: ignore[attr-defined]
        for item in items:
            place = item.get_self_href() or href
            raster = pystac.utils.make_absolute_href(_raster_of(item, asset).href, place, start_is_dir=False)
            yield item.id, raster, place, item.properties.get("datetime") or item.properties.get("start_datetime")
    except (STACError, STACTypeError, OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{href} is not a STAC item, collection or search result that can be read.",
            code="stac.unreadable",
            hint="Give a raster, or a STAC document.",
            details=f"{type(error).__name__}: {error}",
        ) from error


def _raster_of(item: pystac.Item, asset: str | None) -> pystac.Asset:
    assets = item.assets
    if asset is None:
        data = [key for key, value in assets.items() if "data" in (value.roles or [])]
        tiffs = [key for key, value in assets.items() if "tiff" in (value.media_type or "")]
        rgb = [key for key in ("visual", "image", "data") if key in assets]
        asset = (rgb or (data if len(data) == 1 else tiffs if len(tiffs) == 1 else []) or [None])[0]
    if asset is not None and asset in assets:
        return assets[asset]
    raise InputError(
        f"The STAC item '{item.id}' has " + (f"no asset '{asset}'." if asset else "several assets or none."),
        code="stac.asset",
        hint=f"Say which with --asset: {', '.join(assets) or 'there is none'}.",
    )


def write_item(
    path: Path, href: str, taken: str | None, source: str | None, files: Mapping[str, Path], facts: dict[str, Any]
) -> None:
    """Write the item of a scene: its place and time, `files` by what they are, `facts` as properties.

    Where nobody says when the raster was taken, the time of its file stands in, and property rrsis:datetime says so.
    """
    with open_raster(href) as raster:
        frame = frame_of(raster.info, raster.info.window)
    footprint = footprint_of(frame)
    when = datetime.fromisoformat(taken) if taken else _file_time(href)
    item = pystac.Item(
        id=path.stem,
        geometry=None if footprint is None else shapely.geometry.mapping(footprint),
        bbox=None if footprint is None else [round(value, 8) for value in footprint.bounds],
        datetime=when,
        properties={**facts, **_projection(frame), **({} if taken else {"rrsis:datetime": "of the file"})},
        stac_extensions=[PROJECTION],
    )
    for key, file in files.items():
        media = MEDIA.get(file.suffix)
        item.add_asset(key, pystac.Asset(f"./{file.name}", media_type=media, roles=["data"]))
    item.add_link(pystac.Link("derived_from", source or href))
    path.write_text(json.dumps(item.to_dict(include_self_link=False), indent=1), "utf-8")


def footprint_of(frame: Frame) -> shapely.Polygon | None:
    """Return the outline of a frame in longitude and latitude; None where it has no CRS."""
    if frame.crs is None:
        return None
    corners = shapely.box(0, 0, frame.width, frame.height).segmentize(max(frame.width, frame.height) / SIDE_POINTS)
    points = carried(shapely.get_coordinates(corners), frame.transform)
    to_degrees = pyproj.Transformer.from_crs(pyproj.CRS.from_user_input(frame.crs), "OGC:CRS84", always_xy=True)
    degrees = np.column_stack(to_degrees.transform(*points.T))
    if not np.isfinite(degrees).all():
        return None
    return shapely.Polygon(degrees.round(8)).normalize()


def _projection(frame: Frame) -> dict[str, Any]:
    """Return the properties of the projection extension."""
    placed = {"proj:shape": [frame.height, frame.width], "proj:transform": [*frame.transform][:6]}
    if frame.crs is None:
        return {"proj:code": None, **placed}
    authority = frame.crs.to_authority()
    if authority:
        return {"proj:code": ":".join(authority), **placed}
    return {"proj:code": None, "proj:wkt2": _wkt2(frame.crs), **placed}


def _wkt2(crs: CRS) -> str:
    return str(pyproj.CRS.from_user_input(crs).to_wkt("WKT2_2019"))


def _file_time(href: str) -> datetime:
    """Return when a file was last written; the beginning of time where there is no file."""
    try:
        return datetime.fromtimestamp(int(os.stat(href).st_mtime), UTC)
    except OSError:
        return datetime.fromtimestamp(0, UTC)
