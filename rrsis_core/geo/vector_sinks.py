"""A vector sink takes polygons batch by batch and leaves one finished vector file, its format chosen by the suffix.

The batches wait in an Arrow file in the staging folder, and the real file is written from it in one stream at the
end: GDAL writes many times faster so, and whatever goes wrong before leaves no trace.
"""

from __future__ import annotations

import errno
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray
from pyogrio.errors import CRSError, DataLayerError, DataSourceError
from rasterio.crs import CRS

from rrsis_core.contract import RrsisWarning
from rrsis_core.geo.staging import staged, write_errors

# GDAL's name of the format, how to make the file, how to make the layer.
FORMATS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    # 1.3 and not the newest, so that the GDAL of older QGIS reads it without complaint.
    ".gpkg": ("GPKG", {"VERSION": "1.3"}, {}),
    ".shp": ("ESRI Shapefile", {}, {"ENCODING": "UTF-8", "2GB_LIMIT": "YES"}),
    # RFC 7946: longitude and latitude, shells counter-clockwise, cut at the antimeridian; 8 decimals are a millimetre.
    ".geojson": ("GeoJSON", {}, {"RFC7946": "YES", "COORDINATE_PRECISION": "8"}),
    ".json": ("GeoJSON", {}, {"RFC7946": "YES", "COORDINATE_PRECISION": "8"}),
    ".fgb": ("FlatGeobuf", {}, {}),
    ".parquet": ("", {}, {}),
}
VECTOR_SUFFIXES = tuple(FORMATS)
SHAPEFILE_TEXT_BYTES = 254
ROWS_A_GROUP = 65536
SILENT = (".shp", ".fgb")  # formats that GDAL may leave cut off without an error
SPOOL = ".arrow"  # no part of any output, as it has another stem

SCHEMA = pa.schema(
    [
        ("phrase", pa.string()),
        ("score", pa.float64()),
        ("score_max", pa.float64()),
        ("area_m2", pa.float64()),
        ("n_px", pa.int64()),
        ("geometry", pa.binary()),
    ]
)


class VectorSink:
    """Takes polygons; made by `vector_sink`."""

    def __init__(self, path: Path, spool: pa.ipc.RecordBatchStreamWriter) -> None:
        self._path = path
        self._spool = spool
        self._text_bytes = SHAPEFILE_TEXT_BYTES if path.suffix.lower() == ".shp" else None
        self._cut: set[str] = set()
        self.count = 0
        """Polygons taken so far."""
        self.values = np.zeros(len(SCHEMA), np.int64)
        """Values taken so far that are not null, by column."""

    def write(
        self,
        phrase: str,
        polygons: NDArray[np.object_],
        scores: NDArray[np.floating],
        areas_m2: NDArray[np.floating] | None = None,
        scores_max: NDArray[np.floating] | None = None,
        pixels: NDArray[np.integer] | None = None,
    ) -> None:
        """Take n shapely polygons of one phrase with their scores (n), 0 to 1.

        So many areas, highest scores of a pixel, and numbers of pixels go with them, or None where they are unknown.
        """
        if not len(polygons):
            return
        columns = [
            pa.array([self._fit(phrase)] * len(polygons), pa.string()),
            _rounded(scores, len(polygons)),
            _rounded(scores_max, len(polygons)),
            _rounded(areas_m2, len(polygons)),
            pa.nulls(len(polygons), pa.int64()) if pixels is None else pa.array(pixels, pa.int64()),
            pa.array(shapely.to_wkb(polygons), pa.binary()),
        ]
        with write_errors(self._path):
            self._spool.write_batch(pa.record_batch(columns, schema=SCHEMA))
        self.count += len(polygons)
        self.values += _values(columns)

    def _fit(self, phrase: str) -> str:
        encoded = phrase.encode()
        if self._text_bytes is None or len(encoded) <= self._text_bytes:
            return phrase
        if phrase not in self._cut:
            self._warn_of_cut(phrase)
        return encoded[: self._text_bytes].decode(errors="ignore")

    def _warn_of_cut(self, phrase: str) -> None:
        self._cut.add(phrase)
        warnings.warn(
            f"A Shapefile holds {self._text_bytes} bytes of text: '{phrase[:20]}...' is cut in {self._path.name}.",
            RrsisWarning,
            stacklevel=4,
        )


@contextmanager
def vector_sink(path: str | os.PathLike[str], crs: CRS | None) -> Iterator[VectorSink]:
    """Open a vector file for writing; it appears, or is replaced, when the block ends without an exception.

    One layer of polygons, named like the file, with the fields phrase, score (mean of the pixels), score_max (highest),
    area_m2 and n_px (their number); valid also when empty. Raises SinkError output.folder and output.write.
    """
    target = Path(path)
    errors = DataSourceError, DataLayerError, CRSError, pa.ArrowException
    with staged(target) as part, pa.OSFile(str(part.parent / SPOOL), "wb") as file:
        with write_errors(target, *errors):
            spool = pa.ipc.new_stream(file, SCHEMA)
        sink = VectorSink(target, spool)
        yield sink
        with write_errors(target, *errors):
            spool.close()
            file.close()
            with pa.OSFile(str(part.parent / SPOOL)) as stored, pa.ipc.open_stream(stored) as batches:
                _convert(batches, part, crs)
            if target.suffix.lower() in SILENT:
                _check_stored(part, sink.values)


def write_table(
    path: str | os.PathLike[str], columns: Mapping[str, Sequence[Any]], polygons: NDArray[np.object_], crs: CRS | None
) -> None:
    """Write n polygons with columns of n values (text, numbers, truths) as a vector file.

    Raises SinkError output.folder and output.write.
    """
    kinds = {name: pa.array(values, None if len(values) else pa.string()) for name, values in columns.items()}
    table = pa.table({**kinds, "geometry": pa.array(shapely.to_wkb(polygons), pa.binary())})
    write_batches(path, table.to_reader(), crs)


def write_batches(path: str | os.PathLike[str], batches: pa.RecordBatchReader, crs: CRS | None) -> None:
    """Write batches of polygons (WKB, in the column geometry), with whatever other columns, as a vector file.

    Raises SinkError output.folder and output.write.
    """
    target = Path(path)
    errors = DataSourceError, DataLayerError, CRSError, pa.ArrowException
    with staged(target) as part, write_errors(target, *errors):
        _convert(batches, part, crs)


def _convert(batches: pa.RecordBatchReader, part: Path, crs: CRS | None) -> None:
    if part.suffix.lower() == ".parquet":
        _write_geoparquet(batches, part, crs)
        return
    driver, dataset_options, layer_options = FORMATS[part.suffix.lower()]
    if crs is None and driver == "GeoJSON":
        layer_options = {}  # pixel coordinates are no longitudes: to be written as they are
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*crs.* was not provided")
        pyogrio.write_arrow(
            batches,
            part,
            layer=part.stem,
            driver=driver,
            geometry_name="geometry",
            geometry_type="Polygon",
            crs=None if crs is None else crs.to_wkt(),
            dataset_options=dataset_options,
            layer_options=layer_options,
        )


def _check_stored(path: Path, values: NDArray[np.int64]) -> None:
    """Raise OSError if not all values (those that are not null, by column) can be read back."""
    found = np.zeros_like(values)
    with pyogrio.open_arrow(path, use_pyarrow=True) as (_, batches):
        for batch in batches:
            found += _values(batch.columns)
    if not np.array_equal(found, values):
        raise OSError(errno.ENOSPC, f"only {found.min():,} of {values.max():,} polygons could be stored")


def _rounded(values: NDArray[np.floating] | None, count: int) -> pa.Array:
    return pa.nulls(count, pa.float64()) if values is None else pa.array(np.round(np.asarray(values, np.float64), 4))


def _values(columns: Sequence[pa.Array]) -> NDArray[np.int64]:
    return np.array([len(column) - column.null_count for column in columns])


def _write_geoparquet(batches: pa.RecordBatchReader, path: Path, crs: CRS | None) -> None:
    """Write GeoParquet 1.1 by its specification; GDAL's own driver for it is not in the wheels."""
    column = {
        "encoding": "WKB",
        "geometry_types": ["Polygon"],
        "orientation": "counterclockwise",
        "crs": None if crs is None else pyproj.CRS.from_user_input(crs).to_json_dict(),
    }
    facts = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    schema = batches.schema.with_metadata({"geo": json.dumps(facts)})
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _grouped(batches):
            writer.write_table(group.cast(schema))


def _grouped(batches: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Put small batches together, as every one becomes a row group."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(len(one) for one in waiting) >= ROWS_A_GROUP:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)
