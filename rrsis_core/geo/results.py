"""A result is a vector file of polygons, each with a phrase, a score and an area, such as our runs write."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from rasterio.crs import CRS

from rrsis_core.contract import ResultError

KNOWN = {"phrase": pa.string(), "score": pa.float64(), "score_max": pa.float64(), "area_m2": pa.float64()}
POLYGON_TYPES = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)

Polygons = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Result:
    """An open result; made by `open_result`, to be read once."""

    path: str
    crs: CRS | None
    batches: Iterator[tuple[Polygons, pa.RecordBatch]]
    """Some polygons at a time, with their columns: phrase, score, score_max and area_m2, null where the file lacks
    them, then whatever else it has. Raises ResultError result.unreadable."""


@contextmanager
def open_result(path: str | os.PathLike[str]) -> Iterator[Result]:
    """Open a vector file of any format that our runs write, or that GDAL reads.

    Raises ResultError result.not_found, or result.unreadable if it is no vector file or holds no polygons.
    """
    name = os.fspath(path)
    if not os.path.exists(name):
        raise ResultError(f"There is no result at {name}.", code="result.not_found", hint="Check the path.")
    with ExitStack() as stack:
        try:
            if name.lower().endswith(".parquet"):
                file = stack.enter_context(pa.parquet.ParquetFile(name))
                geometry, crs = _geoparquet_facts(file.schema_arrow.metadata or {})
                source = file.iter_batches()
            else:
                layer = pyogrio.list_layers(name)[0][0]
                meta, source = stack.enter_context(pyogrio.open_arrow(name, layer=layer, use_pyarrow=True))
                geometry, crs = meta["geometry_name"] or "wkb_geometry", meta["crs"]
                if crs and name.lower().endswith("json") and _is_in_pixels(name):
                    crs = None
        except (DataSourceError, DataLayerError, pa.ArrowException, ValueError, KeyError, IndexError, OSError) as error:
            raise _unreadable(name, error) from error
        yield Result(name, None if crs is None else CRS.from_user_input(crs), _columns(name, source, geometry))


def _geoparquet_facts(metadata: dict[bytes, bytes]) -> tuple[str, str | None]:
    facts = json.loads(metadata[b"geo"])
    name = facts["primary_column"]
    # By the specification a missing CRS is longitude and latitude, and null is none.
    crs = facts["columns"][name].get("crs", "OGC:CRS84")
    return name, json.dumps(crs) if isinstance(crs, dict) else crs


def _is_in_pixels(path: str) -> bool:
    """Return whether a GeoJSON, which cannot say that it has no CRS, is ours and has none: then no area is known."""
    if "area_m2" not in pyogrio.read_info(path)["fields"]:
        return False
    areas = pyogrio.read_arrow(path, columns=["area_m2"], read_geometry=False)[1].column("area_m2")
    return bool(len(areas) and areas.null_count == len(areas))


def _columns(path: str, source: Iterator[pa.RecordBatch], geometry: str) -> Iterator[tuple[Polygons, pa.RecordBatch]]:
    seen = kept = 0
    try:
        for batch in source:
            shapes = shapely.force_2d(shapely.from_wkb(np.asarray(batch.column(geometry).to_pylist(), object)))
            whole = np.isin(shapely.get_type_id(shapes), POLYGON_TYPES) & ~shapely.is_empty(shapes)
            names = [name for name in batch.schema.names if name not in (geometry, *KNOWN)]
            columns = {name: _known(batch, name) for name in KNOWN} | {name: batch.column(name) for name in names}
            seen, kept = seen + len(whole), kept + int(whole.sum())
            yield shapes[whole], pa.RecordBatch.from_pydict(columns).filter(pa.array(whole))
    except (DataSourceError, DataLayerError, pa.ArrowException, shapely.errors.ShapelyError, OSError) as error:
        raise _unreadable(path, error) from error
    if seen and not kept:
        raise _unreadable(path, None)


def _known(batch: pa.RecordBatch, name: str) -> pa.Array:
    if name not in batch.schema.names:
        return pa.nulls(len(batch), KNOWN[name])
    return batch.column(name).cast(KNOWN[name])


def _unreadable(path: str, error: Exception | None) -> ResultError:
    return ResultError(
        f"{path} is not a file of polygons that can be read.",
        code="result.unreadable",
        hint="Give polygons that rrsis wrote: .gpkg, .shp, .geojson, .fgb or .parquet.",
        details=str(error or "no polygons in it"),
    )
