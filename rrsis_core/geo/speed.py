"""Speed: what polygons of one large mask cost, made by us and made by what others use, and what writing them costs.

The mask is made up from a seed: buildings, ellipses, rings with islands, ragged blobs, roads that cross the whole
scene, single pixels and diagonal ones. Every way starts from its bytes on disk and works in a process of its own, so
that the memory is its own; the ways take turns, and the ratios are medians over the rounds. Times are of the processor
and not of the clock, which a busy machine stretches; no way here uses more than one core.
"""

from __future__ import annotations

import hashlib
import resource
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import pyogrio
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from rrsis_core.geo.polygons import Vectoriser
from rrsis_core.geo.vector_sinks import vector_sink

BAND_ROWS = 256
SHAPES_A_MEGAPIXEL, SPECKLED_A_MEGAPIXEL, SCATTERED_A_MEGAPIXEL = 60, 0.3, 10
OURS, RASTERIO, GDAL, OPENCV = "rrsis", "rasterio + shapely", "gdal_polygonize", "cv2.findContours"
GDAL_COMMAND = "gdal_polygonize.py"
MISSING = {
    GDAL: "not installed; on Debian or Ubuntu: sudo apt-get install gdal-bin",
    OPENCV: "not installed; pip install opencv-python-headless",
}
# GDAL's header for a file of bare bytes in which 0 is nothing.
HEADER = """ENVI
samples = {size}\nlines = {size}\nbands = 1\nheader offset = 0\ndata type = 1\ninterleave = bsq\nbyte order = 0
data ignore value = 0
"""
WRITE_BATCH = 1000

Polygons = NDArray[np.object_]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Way:
    """One line of the table."""

    name: str
    seconds: float
    to_ours: float
    """Its time to ours, median of the rounds' own ratios."""
    memory_mb: float
    """Peak of the process."""
    polygons: int
    exact: int
    """How many of them are those of rasterio, vertex by vertex."""
    invalid: int
    lost: int
    """Regions of the mask where there is no polygon."""


@dataclass(frozen=True)
class Writing:
    """What a GeoPackage of some polygons costs by our sink, and by a table and one bare call of pyogrio."""

    polygons: int
    ours_seconds: float
    bare_seconds: float
    to_bare: float
    to_call: float
    """Its time to that of the call alone, with a table that was ready."""


@dataclass(frozen=True)
class _Run:
    """What one process did."""

    seconds: float
    memory_mb: float
    invalid: int
    lost: int
    outlines: list[bytes]
    """A digest of each polygon in its normal form."""
    first_pixels: Points
    """The middle of the first pixel of each polygon."""


def measure_ways(size: int, rounds: int) -> tuple[list[Way], dict[str, str]]:
    """Vectorise a mask of size x size pixels by every way; return the lines, and what is missing for which way."""
    missing = {GDAL: shutil.which(GDAL_COMMAND) is None, OPENCV: find_spec("cv2") is None}
    names = [name for name in _WAYS if not missing.get(name, False)]
    runs: dict[str, list[_Run]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="rrsis-") as folder:
        path = str(Path(folder, "mask.bin"))
        _alone(_store_mask, path, size)
        for _ in range(rounds):
            for name in names:
                known = runs[RASTERIO][0].first_pixels if runs[RASTERIO] else None
                runs[name].append(_alone(_run, name, path, size, known))
    truth = set(runs[RASTERIO][0].outlines)
    lines = [_line(name, runs[name], runs[OURS], truth) for name in names]
    return lines, {name: MISSING[name] for name, gone in missing.items() if gone}


def measure_writing(count: int, rounds: int) -> Writing:
    """Write so many polygons as a GeoPackage, by our sink and by one bare call of pyogrio, in turns."""
    times = [_alone(_write_both, count) for _ in range(rounds)]
    ours, bare, _ = (statistics.median(some) for some in zip(*times, strict=True))
    to_bare, to_call = (statistics.median(one[0] / one[which] for one in times) for which in (1, 2))
    return Writing(count, ours, bare, to_bare, to_call)


def make_mask(size: int, seed: int = 0) -> NDArray[np.uint8]:
    """Draw a mask (size, size) of zeros and ones, the same for the same seed."""
    rng = np.random.default_rng(seed)
    count = int(SHAPES_A_MEGAPIXEL * size * size / 1e6)
    x, y = rng.uniform(0, size, (2, count))
    width, height = rng.uniform(8, 60, (2, count))
    boxes = shapely.box(-width / 2, -height / 2, width / 2, height / 2)
    boxes[1::3] = shapely.buffer(shapely.points(np.zeros((len(boxes[1::3]), 2))), width[1::3] / 2)
    boxes[2::9] = shapely.difference(boxes[2::9], shapely.buffer(boxes[2::9], -3))
    angle = rng.uniform(0, np.pi, count)
    turned = [
        shapely.affinity.affine_transform(box, (np.cos(a), -np.sin(a), np.sin(a), np.cos(a), left, top))
        for box, a, left, top in zip(boxes, angle, x, y, strict=True)
    ]
    roads = [
        shapely.LineString([(0, start), (size / 2, middle), (size, stop)]).buffer(half)
        for start, middle, stop, half in zip(*rng.uniform(0, size, (3, 30)), rng.uniform(2, 6, 30), strict=True)
    ]
    shapes = turned + roads[: max(1, size * 30 // 20000)]
    mask: NDArray[np.uint8] = rasterio.features.rasterize(shapes, out_shape=(size, size), dtype="uint8")
    for left, top in rng.integers(0, size - 40, (int(SPECKLED_A_MEGAPIXEL * size * size / 1e6), 2)):
        mask[top : top + 40, left : left + 40] |= rng.random((40, 40)) < rng.choice([0.02, 0.6])
    scattered = rng.integers(0, size - 1, (int(SCATTERED_A_MEGAPIXEL * size * size / 1e6), 2))
    mask[scattered[:, 0], scattered[:, 1]] = 1
    mask[scattered[::2, 0] + 1, scattered[::2, 1] + 1] = 1
    return mask


def bands(path: str, size: int) -> Iterator[tuple[NDArray[np.bool_], bool]]:
    """Read a stored mask from top to bottom; say with each band whether it is the last."""
    with open(path, "rb") as file:
        for top in range(0, size, BAND_ROWS):
            yield np.frombuffer(file.read(BAND_ROWS * size), bool).reshape(-1, size), top + BAND_ROWS >= size


# --- the ways ------------------------------------------------------------------------------------------------------


def _ours(path: str, size: int) -> Polygons:
    vectoriser = Vectoriser(size, Affine.identity())
    batches = [vectoriser.feed(mask, mask * np.uint16(60000), last) for mask, last in bands(path, size)]
    return np.concatenate([batch.polygons for batch in batches])


def _rasterio(path: str, size: int) -> Polygons:
    mask = np.fromfile(path, np.uint8).reshape(size, size)
    shapes = rasterio.features.shapes(mask, mask=mask.view(bool), connectivity=4)
    return np.array([shapely.geometry.shape(shape) for shape, _ in shapes], object)


def _gdal(path: str, size: int) -> Path:
    Path(path).with_suffix(".hdr").write_text(HEADER.format(size=size))
    found = Path(path).with_suffix(".fgb")
    found.unlink(missing_ok=True)
    subprocess.run([GDAL_COMMAND, "-q", path, "-f", "FlatGeobuf", str(found)], check=True, capture_output=True)
    return found


def _opencv(path: str, size: int) -> Polygons:
    cv2: Any = import_module("cv2")
    mask = np.fromfile(path, np.uint8).reshape(size, size)
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    rings = [contour[:, 0] + 0.5 for contour in contours]  # its points are the middles of pixels
    holes: dict[int, list[Points]] = {}
    parents = tree[0, :, 3].tolist() if len(rings) else []
    for ring, parent in zip(rings, parents, strict=True):
        if parent >= 0 and len(ring) > 2:
            holes.setdefault(parent, []).append(ring)
    shells = [number for number, parent in enumerate(parents) if parent < 0 and len(rings[number]) > 2]
    return np.array([shapely.Polygon(rings[number], holes.get(number)) for number in shells], object)


_WAYS: dict[str, Callable[[str, int], Polygons | Path]] = {
    RASTERIO: _rasterio,  # the first, as the others are compared with it
    OURS: _ours,
    GDAL: _gdal,
    OPENCV: _opencv,
}


# --- measuring -----------------------------------------------------------------------------------------------------


def _alone(function: Callable[..., Any], *arguments: object) -> Any:
    """Run in a new process, the mask too: a process starts with its parent's peak memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        return pool.submit(function, *arguments).result()


def _store_mask(path: str, size: int) -> None:
    make_mask(size).tofile(path)


def _run(name: str, path: str, size: int, first_pixels: Points | None) -> _Run:
    start = _processor_time()
    answer = _WAYS[name](path, size)
    seconds = _processor_time() - start
    memory = max(resource.getrusage(who).ru_maxrss for who in _US) / 1024
    polygons = geopandas.read_file(answer).geometry.to_numpy() if isinstance(answer, Path) else answer
    first_pixels = _first_pixels(polygons) if first_pixels is None else first_pixels
    _, hit = shapely.STRtree(shapely.points(first_pixels)).query(polygons, predicate="intersects")
    invalid, lost = int((~shapely.is_valid(polygons)).sum()), len(first_pixels) - len(np.unique(hit))
    outlines = [hashlib.sha256(form).digest() for form in shapely.to_wkb(shapely.normalize(polygons))]
    return _Run(seconds, memory, invalid, lost, outlines, first_pixels)


_US = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN


def _processor_time() -> float:
    spent = [resource.getrusage(who) for who in _US]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def _first_pixels(polygons: Polygons) -> Points:
    """Return the middle of the leftmost pixel in the first row of each polygon."""
    points, number = shapely.get_coordinates(polygons, return_index=True)
    order = np.lexsort((points[:, 0], points[:, 1], number))
    _, first = np.unique(number[order], return_index=True)
    return points[order[first]] + 0.5


def _line(name: str, runs: list[_Run], ours: list[_Run], truth: set[bytes]) -> Way:
    first = runs[0]
    return Way(
        name,
        seconds=statistics.median(run.seconds for run in runs),
        to_ours=statistics.median(run.seconds / our.seconds for run, our in zip(runs, ours, strict=True)),
        memory_mb=max(run.memory_mb for run in runs),
        polygons=len(first.outlines),
        exact=len(truth.intersection(first.outlines)),
        invalid=first.invalid,
        lost=first.lost,
    )


def _write_both(count: int) -> tuple[float, float, float]:
    """Return the seconds of our sink, of a table with a bare call, and of the call alone."""
    rng = np.random.default_rng(0)
    crs = CRS.from_epsg(32633)
    middles = shapely.points(rng.uniform((300_000, 5_000_000), (310_000, 5_010_000), (count, 2)))
    polygons = shapely.buffer(middles, rng.uniform(1, 10, count), quad_segs=6)
    scores, areas, pixels = rng.random(count), shapely.area(polygons), rng.integers(1, 1000, count)
    with tempfile.TemporaryDirectory(prefix="rrsis-") as folder:
        begin = _processor_time()
        columns = {
            "phrase": ["the roofs"] * count,
            "score": scores,
            "score_max": scores,
            "area_m2": areas,
            "n_px": pixels,
        }
        table = pa.table({**columns, "geometry": shapely.to_wkb(polygons)})
        ready = _processor_time()
        how = {"geometry_name": "geometry", "geometry_type": "Polygon", "crs": crs.to_wkt()}
        pyogrio.write_arrow(table, Path(folder, "bare.gpkg"), layer="bare", driver="GPKG", **how)
        end = _processor_time()
        with vector_sink(Path(folder, "ours.gpkg"), crs) as sink:
            for first in range(0, count, WRITE_BATCH):
                part = slice(first, first + WRITE_BATCH)
                sink.write("the roofs", polygons[part], scores[part], areas[part], scores[part], pixels[part])
        return _processor_time() - end, end - begin, end - ready
