"""Merging puts results of scenes that overlap, or only touch, into one in which every object is once.

Scenes on one grid need none of this: `mosaic` makes one raster of them, and what is found there is exact. Between
others there is no exact answer, but rules, for polygons of one phrase in different scenes:

- Polygons that meet are one object where either was cut by the edge of its scene's data: they are united.
- Polygons whose intersection is at least half of their union are the same object seen twice: the better one stays.
- Where one lies by half or more within the other, the scenes disagree: that of the scene stays which owns the cell of
  the earth (a tile of zoom 12) where it lies, the one that sees most of the cell.
- All others stay.

Scenes pass from west to east, and a polygon waits only while a scene that may touch it is still to come.
"""

from __future__ import annotations

import functools
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import LambertCylindricalEqualAreaConversion
from rasterio.crs import CRS
from rasterio.windows import Window

from rrsis_core.contract import NullProgress, Progress, ResultError, track
from rrsis_core.geo.polygons import Vectoriser, areas_m2
from rrsis_core.geo.raster import Raster, gdal_environment, open_raster
from rrsis_core.geo.results import open_result
from rrsis_core.geo.runs import components
from rrsis_core.geo.vector_sinks import write_batches

SAME_OBJECT = 0.5  # intersection over union
WITHIN = 0.5  # intersection over the smaller one
CUT_PIXELS = 1.0  # so near the edge of the data a polygon counts as cut by it: simplifying moves corners
FOOTPRINT_ROWS = 512
RIM_PIECES = 32  # that the longest side of a footprint becomes, to follow it into another CRS
CELL_ZOOM = 12
LONGITUDE_LATITUDE = CRS.from_epsg(4326)

Polygons = NDArray[np.object_]
Index = NDArray[np.int64]
Keep = Literal["score", "last"]

SCHEMA = pa.schema(
    [
        ("phrase", pa.string()),
        ("score", pa.float64()),
        ("score_max", pa.float64()),
        ("area_m2", pa.float64()),
        ("src", pa.string()),
        ("replaced", pa.string()),
        ("geometry", pa.binary()),
    ]
)
COLUMNS = ["phrase", "score", "score_max", "area_m2", "scene", "id", "cut", "src", "replaced", "geometry"]


@dataclass(frozen=True)
class SceneResult:
    """The polygons of a scene, and the scene: where its data ends it may have cut them."""

    path: str
    raster: str

    @property
    def name(self) -> str:
        """How the merged polygons call it."""
        return Path(self.path).stem


@dataclass
class Merged:
    """What a merge did."""

    output: str
    read: int = 0
    """Polygons of all scenes."""
    polygons: int = 0
    """Those of the merged result."""
    united: int = 0
    """Objects that were put together of parts."""
    replaced: int = 0
    """Polygons that are left out, as another scene shows the same object, or disagrees."""


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a scene lies."""

    crs: CRS
    edge: shapely.Geometry
    """Where its data ends, in its own CRS."""
    reach: float
    """How near the edge a polygon counts as cut."""
    hull: shapely.Geometry
    """Around its data, in the common CRS."""


@dataclass(frozen=True, eq=False)
class _Links:
    """Pairs of polygons that meet, by their labels in a frame."""

    left: Index
    right: Index
    cut: NDArray[np.bool_]
    """True where the edge of a scene cut either."""

    def __getitem__(self, which: NDArray[np.bool_]) -> _Links:
        return _Links(self.left[which], self.right[which], self.cut[which])

    def joined(self, other: _Links) -> _Links:
        """Return these and others."""
        return _Links(
            np.concatenate([self.left, other.left]),
            np.concatenate([self.right, other.right]),
            np.concatenate([self.cut, other.cut]),
        )


def merge_results(
    scenes: Sequence[SceneResult],
    target: str | os.PathLike[str],
    keep: Keep = "score",
    progress: Progress | None = None,
) -> Merged:
    """Write the results of several scenes as one vector file with phrase, score, score_max, area_m2, src, replaced.

    `src` names the scenes that an object was found in; `replaced` the polygons, scene:number in its file, that it
    stands for. Of two views of one object that of the higher score stays, or of the `last` scene given, as the newer.
    The file keeps the CRS that all results share, else it is in longitude and latitude. Raises ResultError result.crs
    where a scene has no CRS, those of `open_result` and `open_raster`, SinkError, and OperationCanceled.
    """
    systems = [_crs_of(scene) for scene in scenes]
    shared = all(crs == systems[0] for crs in systems)
    common = systems[0] if shared else _equal_area(scenes)
    merged = Merged(os.fspath(target))
    with tempfile.TemporaryDirectory(prefix="rrsis-merge-") as folder:
        spool = os.path.join(folder, "merged.arrow")
        with gdal_environment(), pa.OSFile(spool, "wb") as file, pa.ipc.new_stream(file, SCHEMA) as stream:
            places = [_place(scene.raster, common) for scene in scenes]
            merger = _Merger(scenes, places, common, keep, merged)
            for frame in filter(len, merger.frames(progress or NullProgress())):
                stream.write_batch(_batch(frame, common, shared))
                merged.polygons += len(frame)
        with pa.OSFile(spool) as stored, pa.ipc.open_stream(stored) as batches:
            write_batches(target, batches, common if shared else LONGITUDE_LATITUDE)
    return merged


# --- scenes --------------------------------------------------------------------------------------------------------


def _crs_of(scene: SceneResult) -> CRS:
    with open_result(scene.path) as result, open_raster(scene.raster) as raster:
        for path, crs in ((scene.path, result.crs), (scene.raster, raster.info.crs)):
            if crs is None:
                raise ResultError(
                    f"{path} has no CRS: how it lies to other scenes is unknown.",
                    code="result.crs",
                    hint="Merge results of scenes that have a place on the earth.",
                )
        return result.crs


def _equal_area(scenes: Sequence[SceneResult]) -> CRS:
    """Return the projection of EPSG:6933, but centred near the scenes so that nothing is torn at the antimeridian."""
    directions = []
    for scene in scenes:
        with open_raster(scene.raster) as raster:
            left, bottom, right, top = raster.info.bounds
            middle = np.array([[(left + right) / 2, (bottom + top) / 2]])
            directions.append(np.exp(1j * np.radians(_mover(raster.info.crs, LONGITUDE_LATITUDE)(middle)[0, 0])))
    centre = 90 * round(math.degrees(np.angle(np.sum(directions))) / 90)
    return CRS.from_user_input(ProjectedCRS(LambertCylindricalEqualAreaConversion(30, centre)).to_wkt())


def _place(path: str, common: CRS) -> _Place:
    with open_raster(path) as raster:
        parts, info = footprint(raster), raster.info
    reach = CUT_PIXELS * math.sqrt(abs(info.transform.determinant))
    hull = shapely.convex_hull(shapely.union_all(parts)) if len(parts) else shapely.Polygon()
    left, bottom, right, top = shapely.bounds(hull)
    fine = shapely.segmentize(hull, max(right - left, top - bottom) / RIM_PIECES) if len(parts) else hull
    moved = shapely.transform(fine, _mover(info.crs, common))
    # A little wider, so that scenes that only touch are neighbours in whatever CRS.
    scale = math.sqrt(moved.area / hull.area) if len(parts) else 1.0
    edge = shapely.union_all(shapely.boundary(parts))
    shapely.prepare(edge)
    return _Place(info.crs, edge, reach, moved.buffer(reach * scale))


def footprint(raster: Raster) -> Polygons:
    """Return the outlines of a raster's data in its own CRS, exactly; memory is that of some rows."""
    info = raster.info
    if raster.always_valid:
        corners = [(0, 0), (0, info.height), (info.width, info.height), (info.width, 0)]
        return np.array([shapely.Polygon([info.transform @ corner for corner in corners])], object)
    vectoriser = Vectoriser(info.width, info.transform)
    found = []
    for top in range(0, info.height, FOOTPRINT_ROWS):
        rows = min(FOOTPRINT_ROWS, info.height - top)
        valid = raster.valid(Window(0, top, info.width, rows))
        found.append(vectoriser.feed(valid, np.broadcast_to(np.uint16(0), valid.shape), top + rows == info.height))
    return np.concatenate([batch.polygons for batch in found])


def _mover(source: CRS | None, target: CRS) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return what carries points (n, 2) from one CRS to another."""
    if source == target:
        return lambda points: points
    ends = pyproj.CRS.from_user_input(source), pyproj.CRS.from_user_input(target)
    transformer = pyproj.Transformer.from_crs(*ends, always_xy=True)
    return lambda points: np.column_stack(transformer.transform(*points.T))


# --- the pass over the scenes --------------------------------------------------------------------------------------


class _Merger:
    def __init__(
        self, scenes: Sequence[SceneResult], places: Sequence[_Place], crs: CRS, keep: Keep, merged: Merged
    ) -> None:
        self._scenes, self._places, self._crs, self._keep, self._merged = scenes, places, crs, keep, merged
        self._hulls = shapely.STRtree([place.hull for place in places])
        self._owners = functools.lru_cache(maxsize=256)(self._owners_of_cell)

    def frames(self, progress: Progress) -> Iterator[geopandas.GeoDataFrame]:
        """Yield the merged polygons, in the common CRS, as soon as nothing can touch them any more."""
        lefts = shapely.bounds([place.hull for place in self._places])[:, 0]
        order = np.argsort(lefts, kind="stable")
        waiting = geopandas.GeoDataFrame({name: [] for name in COLUMNS}, geometry="geometry")
        links = _Links(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool))
        for number, beyond in track(list(pairwise([*order, None])), progress, "write"):
            fresh = [waiting]
            for frame in self._read(int(number)):
                near, hull = self._hulls.query(frame.geometry.values, predicate="intersects")
                contested = np.isin(np.arange(len(frame)), near[hull != number])
                yield frame[~contested]
                fresh.append(frame[contested])
            known = len(waiting)
            waiting = pd.concat([some for some in fresh if len(some)] or [waiting], ignore_index=True)
            links = links.joined(_links(waiting, known))
            group = components(len(waiting), links.left, links.right)
            right = np.full(len(waiting), -np.inf)
            np.maximum.at(right, group, waiting.geometry.bounds["maxx"].to_numpy(float))
            done = right[group] < (np.inf if beyond is None else lefts[beyond])
            yield self._decided(waiting[done], links[done[links.left]])
            place = np.cumsum(~done) - 1
            waiting, links = waiting[~done].reset_index(drop=True), links[~done[links.left]]
            links = _Links(place[links.left], place[links.right], links.cut)

    def _read(self, number: int) -> Iterator[geopandas.GeoDataFrame]:
        scene, place, row = self._scenes[number], self._places[number], 1
        with open_result(scene.path) as result:
            for polygons, columns in result.batches:
                frame = columns.select(["phrase", "score", "score_max", "area_m2"]).to_pandas()
                own = shapely.transform(polygons, _mover(result.crs, place.crs))
                frame["cut"] = shapely.dwithin(place.edge, own, place.reach)
                frame["scene"], frame["src"], frame["replaced"] = number, scene.name, ""
                frame["id"] = [f"{scene.name}:{row + place}" for place in range(len(frame))]
                moved = shapely.make_valid(shapely.transform(polygons, _mover(result.crs, self._crs)))
                row += len(frame)
                self._merged.read += len(frame)
                yield geopandas.GeoDataFrame(frame, geometry=moved)[COLUMNS]

    def _decided(self, frame: geopandas.GeoDataFrame, links: _Links) -> geopandas.GeoDataFrame:
        """Return whole groups of polygons that meet as objects that are there once."""
        if not len(links.left):
            return frame
        left, right = (frame.index.get_indexer(ends) for ends in (links.left, links.right))
        frame, place = self._united(frame, components(len(frame), left[links.cut], right[links.cut]))
        ends = np.column_stack([place[left], place[right]])
        return self._chosen(frame, np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0))

    def _united(self, frame: geopandas.GeoDataFrame, whole: Index) -> tuple[geopandas.GeoDataFrame, Index]:
        """Return one row for each of the values of `whole`, and the number of that row for each row of `frame`."""
        roots, place = np.unique(whole, return_inverse=True)
        columns = {name: frame[name].to_numpy(copy=True)[roots] for name in COLUMNS}
        several = np.flatnonzero(np.bincount(place) > 1)
        members = pd.Series(place).groupby(place).indices
        for number in several:
            parts = frame.iloc[members[number]]
            sizes = parts.area.to_numpy()
            largest = parts.iloc[int(np.argmax(sizes))]
            outline = shapely.simplify(shapely.union_all(parts.geometry.to_numpy()), 0)  # without corners along seams
            columns["geometry"][number] = shapely.orient_polygons(outline)
            columns["score"][number] = np.average(parts["score"], weights=sizes)
            columns["score_max"][number] = parts["score_max"].max()
            columns["scene"][number] = largest["scene"]
            columns["id"][number] = " ".join(parts["id"])
            columns["src"][number] = "; ".join(sorted(set(parts["src"])))
        if len(several):
            columns["area_m2"][several] = areas_m2(columns["geometry"][several], self._crs)
        self._merged.united += len(several)
        return geopandas.GeoDataFrame(columns, geometry="geometry"), place

    def _chosen(self, frame: geopandas.GeoDataFrame, pairs: Index) -> geopandas.GeoDataFrame:
        """Leave out all but one of the views of an object, and those of scenes that do not own their cell."""
        outlines, sizes = frame.geometry.to_numpy(), frame.area.to_numpy()
        shared = shapely.intersection(outlines[pairs[:, 0]], outlines[pairs[:, 1]])
        both = shapely.area(shared)
        same = both >= SAME_OBJECT * (sizes[pairs].sum(axis=1) - both)
        within = ~same & (both >= WITHIN * sizes[pairs].min(axis=1))
        scene, score = frame["scene"].to_numpy(int), frame["score"].fillna(-1).to_numpy(float)
        merit = list(zip(scene if self._keep == "last" else score, -scene, strict=True))
        stays, replaced = np.ones(len(frame), bool), frame["replaced"].tolist()

        def decide(winner: int, loser: int) -> None:
            stays[loser] = False
            replaced[winner] = " ".join(filter(None, (replaced[winner], frame["id"].iat[loser], replaced[loser])))

        # The best first, so that what loses to it cannot beat others.
        for pair in sorted(pairs[same].tolist(), key=lambda pair: max(merit[one] for one in pair), reverse=True):
            if stays[pair].all():
                decide(*sorted(pair, key=merit.__getitem__, reverse=True))
        for number in np.flatnonzero(within)[np.argsort(-both[within], kind="stable")]:
            pair = pairs[number].tolist()
            if stays[pair].all():
                owners = self._owners(*self._cell(shared[number]))
                decide(*sorted(pair, key=lambda one: owners.index(scene[one])))
        self._merged.replaced += int((~stays).sum())
        return frame.assign(replaced=replaced)[stays]

    def _cell(self, shape: shapely.Geometry) -> tuple[int, int]:
        """Return column and row of the cell that a shape of the common CRS represents itself in."""
        point = shapely.get_coordinates(shapely.point_on_surface(shape))
        longitude, latitude = np.radians(_mover(self._crs, LONGITUDE_LATITUDE)(point))[0]
        count = 2**CELL_ZOOM
        row = (1 - math.asinh(math.tan(latitude)) / math.pi) / 2 * count
        return int((longitude / (2 * math.pi) + 0.5) * count) % count, int(min(max(row, 0), count - 1))

    def _owners_of_cell(self, column: int, row: int) -> list[int]:
        """Return all scenes, those first that see most of a cell; with `last`, those first that were given last."""
        numbers = range(len(self._places))
        if self._keep == "last":
            return list(reversed(numbers))
        count = 2**CELL_ZOOM
        left, right = (360 * side / count - 180 for side in (column, column + 1))
        top, bottom = (math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * side / count)))) for side in (row, row + 1))
        box = shapely.segmentize(shapely.box(left, bottom, right, top), (right - left) / RIM_PIECES)
        cell = shapely.transform(box, _mover(LONGITUDE_LATITUDE, self._crs))
        seen = shapely.area(shapely.intersection(cell, [place.hull for place in self._places]))
        return sorted(numbers, key=lambda number: -seen[number])


def _links(frame: geopandas.GeoDataFrame, known: int) -> _Links:
    """Return which polygons from row `known` on meet which before it, of the same phrase."""
    outlines, phrase, cut = (frame[name].to_numpy() for name in ("geometry", "phrase", "cut"))
    right, left = shapely.STRtree(outlines[:known]).query(outlines[known:], predicate="intersects")
    right += known
    alike = phrase[left] == phrase[right]
    left, right = left[alike], right[alike]
    shared = shapely.intersection(outlines[left], outlines[right])
    is_cut = cut[left].astype(bool) | cut[right].astype(bool)
    # A side in common is enough where the data ends; a corner never is.
    meet = (shapely.area(shared) > 0) | (is_cut & (shapely.length(shared) > 0))
    return _Links(left[meet], right[meet], is_cut[meet])


def _batch(frame: geopandas.GeoDataFrame, crs: CRS, shared: bool) -> pa.RecordBatch:
    """Return polygons as they are written: in longitude and latitude where the CRS is not that of all scenes."""
    outlines = frame.geometry.to_numpy()
    if not shared:
        outlines = shapely.transform(outlines, lambda points: _in_degrees(points, crs))
    parts, index = shapely.get_parts(shapely.orient_polygons(outlines), return_index=True)
    areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rows = frame.iloc[index[areal]]
    values = [pa.array(rows[kind.name].to_numpy(), kind.type, from_pandas=True) for kind in list(SCHEMA)[:-1]]
    values.append(pa.array(shapely.to_wkb(parts[areal]), pa.binary()))
    return pa.RecordBatch.from_arrays(values, schema=SCHEMA)


def _in_degrees(points: NDArray[np.float64], crs: CRS) -> NDArray[np.float64]:
    """Return longitudes and latitudes, without a jump at the antimeridian: 180.5 there, and not -179.5."""
    centre = pyproj.CRS.from_user_input(crs).to_cf()["longitude_of_central_meridian"]
    degrees = _mover(crs, LONGITUDE_LATITUDE)(points)
    degrees[:, 0] -= 360 * np.rint((degrees[:, 0] - centre) / 360)
    return degrees
