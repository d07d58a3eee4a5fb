"""Collecting puts the polygons of all scenes into one file, and all failures into another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyproj
import shapely
from rasterio.crs import CRS

from rrsis_core.geo.results import open_result
from rrsis_core.geo.vector_sinks import SCHEMA as SCENE
from rrsis_core.geo.vector_sinks import write_batches
from rrsis_core.runs.plan import Plan
from rrsis_core.runs.store import Store, read_json, write_json

LONGITUDE_LATITUDE = CRS.from_epsg(4326)
FIELDS = [field for field in SCENE if field.name != "geometry"]
SCHEMA = pa.schema([*FIELDS, ("src", pa.string()), ("geometry", pa.binary())])


@dataclass(frozen=True)
class Collected:
    """What was put together."""

    path: Path
    unplaced: tuple[str, ...]
    """Scenes without a CRS among others that have one: their polygons fit nowhere and are left out."""


def collect(store: Store, plan: Plan) -> Collected:
    """Write the polygons of all scenes that are done as one file, in the order of the inputs; `src` names the scene.

    They keep their CRS where all scenes share one, and are in longitude and latitude otherwise. Nothing is written
    where the file is there and of the same scenes. Raises SinkError.
    """
    suffix = plan.request.outputs.format
    wholes = sorted((unit for unit in plan.units if unit.rows is None), key=lambda unit: unit.scene)
    names = [plan.scenes[unit.scene].name for unit in wholes if store.is_done(unit.name)]
    target, memory = store.folder / f"results.{suffix}", store.units / "results.json"
    digest = hashlib.sha256(" ".join(names).encode()).hexdigest()
    before = read_json(memory)
    if before is not None and before["scenes"] == digest and target.exists():
        return Collected(target, tuple(before["unplaced"]))
    systems = {name: _crs_of(store.scenes / f"{name}.{suffix}") for name in names}
    shared = set(systems.values())
    crs = LONGITUDE_LATITUDE if len(shared) > 1 else next(iter(shared), None)
    unplaced = [name for name in names if systems[name] is None and crs is not None]
    files = [store.scenes / f"{name}.{suffix}" for name in names if name not in set(unplaced)]
    store.clear_away("results")
    write_batches(target, pa.RecordBatchReader.from_batches(SCHEMA, _batches(files, crs)), crs)
    write_json(memory, {"scenes": digest, "unplaced": unplaced})
    return Collected(target, tuple(unplaced))


def failures(store: Store, plan: Plan) -> list[dict[str, Any]]:
    """Return what failed, in the order of the plan, and write it to failed.json, which is there only if anything did.

    Raises SinkError.
    """
    found = []
    for unit in plan.units:
        if store.is_failed(unit.name) and not store.is_done(unit.name):
            scene = plan.scenes[unit.scene]
            found.append({"scene": scene.name, "raster": scene.href, **(store.record(unit.name) or {})})
    path = store.folder / "failed.json"
    if found:
        write_json(path, {"failed": found})
    else:
        path.unlink(missing_ok=True)
    return found


def _crs_of(path: Path) -> CRS | None:
    with open_result(path) as result:
        return result.crs


def _batches(files: Sequence[Path], crs: CRS | None) -> Iterator[pa.RecordBatch]:
    for path in files:
        with open_result(path) as result:
            move = None
            if result.crs is not None and crs is not None and result.crs != crs:
                move = pyproj.Transformer.from_crs(
                    pyproj.CRS.from_user_input(result.crs), pyproj.CRS.from_user_input(crs), always_xy=True
                )
            for polygons, columns in result.batches:
                if move is not None:
                    polygons = shapely.transform(polygons, lambda xy, to=move: np.column_stack(to.transform(*xy.T)))
                values = [columns.column(field.name).cast(field.type) for field in FIELDS]
                values += [pa.array([path.stem] * len(polygons), pa.string())]
                values += [pa.array(shapely.to_wkb(polygons), pa.binary())]
                yield pa.RecordBatch.from_arrays(values, schema=SCHEMA)
