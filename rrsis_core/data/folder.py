"""A folder of one's own: a raster and outlines with a phrase each become a data set that can be trained on.

The raster is cut into tiles that do not overlap; blocks of neighbouring tiles go to one split together, so that no
pixel is seen in two. (An object that lies across the border of two blocks is cut there, and each split has its part.)
A tile and a phrase make one record: its mask is everything in the tile that carries the phrase, so every instance
should be outlined. What is written is read by `jsonlines`.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import rasterio.features
import shapely
from affine import Affine
from PIL import Image
from pyogrio.errors import DataLayerError, DataSourceError
from rasterio.windows import Window

from rrsis_core.contract import AreaError, ConfigError, InputError, NullProgress, Progress, SinkError, track
from rrsis_core.data.datasets import SPLITS
from rrsis_core.data.jsonlines import write_lines
from rrsis_core.data.rle import encode_rle
from rrsis_core.geo.raster import Raster, open_raster
from rrsis_core.geo.raster_info import RasterInfo, carried, ground_resolution
from rrsis_core.geo.scaling import Scaling, measure_scaling

SMALLEST = 12  # pixels of a mask: below this nobody can outline an object
BLOCKS_WANTED = 12  # enough to share out among three splits


@dataclass(frozen=True)
class FolderOptions:
    """What to make of a raster and its outlines."""

    raster: str
    vector: str
    column: str = "phrase"
    """Attribute that says what an outline shows: "the blue roofs"."""
    layer: str | None = None
    """Layer of the vector file; its first one where nothing is given."""
    tile: int = 512
    """Side of a tile in pixels of the samples."""
    gsd: float | None = None
    """Ground resolution of the samples, metres a pixel; the raster's own where nothing is given."""
    val: float = 0.15
    """Share of the records that is for validation."""
    test: float = 0.15
    """Share of the records that is for testing."""
    empty: float = 0.1
    """Chance that a tile also gets a phrase of the layer that is not in it, with an empty mask."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        if not (self.tile >= 32 and self.val >= 0 and self.test >= 0 and self.val + self.test < 1):
            raise ConfigError(
                f"Tiles of {self.tile} pixels with shares {self.val} and {self.test} cannot be made.",
                code="config.folder",
                hint="Tiles need 32 pixels, and the shares of val and test together must leave some for training.",
            )


@dataclass(frozen=True)
class Square:
    """A tile: its place in the grid of tiles and its window of the raster."""

    row: int
    column: int
    window: Window
    shape: tuple[int, int]
    """Height and width of the sample."""


def make_folder(options: FolderOptions, out: Path, progress: Progress | None = None) -> dict[str, int]:
    """Write images and JSON lines below `out`, beside what other rasters left there; return the records a split.

    Raises RasterError, AreaError (unreadable, empty, crs), InputError data.column and data.too_small, and SinkError
    output.exists where the folder already holds tiles of a raster of that name.
    """
    stem = Path(options.raster).stem
    _check_new(out, stem)
    with open_raster(options.raster) as raster:
        outlines = read_outlines(options, raster.info)
        squares = plan_squares(raster.info, options)
        scaling = measure_scaling(raster, raster.info.window, raster.info.default_bands)
        rng = np.random.default_rng(options.seed)
        (out / "images").mkdir(parents=True, exist_ok=True)
        lines: dict[Square, list[dict[str, Any]]] = {}
        for square in track(squares, progress or NullProgress(), "tiles"):
            name = f"{stem}_{square.row}_{square.column}.png"
            image, valid = _read(raster, square, scaling)
            found = [_line(name, *part) for part in _masks(square, valid, outlines, options.empty, rng)]
            if found:
                lines[square] = found
                Image.fromarray(image).save(out / "images" / name)
    splits = share_out({square: len(found) for square, found in lines.items()}, options)
    for split in SPLITS:
        write_lines(out / f"{split}.jsonl", (line | {"split": split} for s in splits[split] for line in lines[s]))
    return {split: sum(len(lines[square]) for square in splits[split]) for split in SPLITS}


def read_outlines(options: FolderOptions, info: RasterInfo) -> dict[str, shapely.STRtree]:
    """Return phrase -> polygons in pixel coordinates of the raster."""
    try:
        table = pyogrio.read_dataframe(options.vector, layer=options.layer or 0)
    except (DataSourceError, DataLayerError, OSError) as error:
        raise AreaError(
            f"{options.vector} is not a vector file that can be read.",
            code="area.unreadable",
            hint="Give a GeoPackage, Shapefile, GeoJSON or another format that GDAL reads, and a layer it holds.",
            details=str(error),
        ) from error
    if options.column not in table:
        raise InputError(
            f"{options.vector} has no attribute '{options.column}'.",
            code="data.column",
            hint=f"It has {', '.join(map(str, table.columns.drop('geometry', errors='ignore'))) or 'none'}.",
        )
    if not isinstance(table, geopandas.GeoDataFrame):
        raise AreaError(f"{options.vector} holds no outlines.", code="area.empty", hint="Give a layer of polygons.")
    if (table.crs is None) != (info.crs is None):
        raise AreaError(
            "Only one of raster and outlines has a CRS: how they lie to each other is unknown.",
            code="area.crs",
            hint="Assign the other one its CRS.",
        )
    table = table[table.geometry.notna() & table[options.column].notna()].explode(index_parts=False)
    table = table[(table.geom_type == "Polygon") & ~table.is_empty]
    phrases = table[options.column].astype(str).str.split().str.join(" ").str.lower()
    if not (phrases != "").any():
        raise AreaError(
            f"{options.vector} holds no polygon with a phrase in '{options.column}'.",
            code="area.empty",
            hint="Outline every instance of what you want to find, and write into the attribute what it is.",
        )
    shapes = _in_pixels(table.geometry, info)
    return {
        phrase: shapely.STRtree(shapes[(phrases == phrase).to_numpy()]) for phrase in sorted(set(phrases)) if phrase
    }


def plan_squares(info: RasterInfo, options: FolderOptions) -> list[Square]:
    """Return as many tiles as fit into the raster without overlap, evenly spaced; at least one."""
    resolution = ground_resolution(info) if options.gsd else None
    if options.gsd and resolution is None:
        raise ConfigError(
            f"The ground resolution of {info.path} is unknown.", code="config.gsd", hint="Leave --gsd out."
        )
    sides = [options.tile * (options.gsd or 1) / along for along in resolution or (1, 1)]
    columns, rows = (_starts(length, side) for length, side in zip((info.width, info.height), sides, strict=True))
    width, height = min(sides[0], info.width), min(sides[1], info.height)
    shape = max(1, round(options.tile * height / sides[1])), max(1, round(options.tile * width / sides[0]))
    return [
        Square(row, column, Window(left, top, width, height), shape)
        for row, top in enumerate(rows)
        for column, left in enumerate(columns)
    ]


def share_out(counts: Mapping[Square, int], options: FolderOptions) -> dict[str, list[Square]]:
    """Give blocks of tiles to the splits until each has its share of the records; train takes the rest.

    Blocks are as large as leaves enough of them. Raises InputError data.too_small.
    """
    shares = {split: share for split, share in (("val", options.val), ("test", options.test)) if share}
    for side in (8, 4, 2, 1):
        blocks: dict[tuple[int, int], list[Square]] = {}
        for square in counts:
            blocks.setdefault((square.row // side, square.column // side), []).append(square)
        if len(blocks) >= BLOCKS_WANTED:
            break
    if len(blocks) <= len(shares):
        raise InputError(
            f"Only {len(blocks)} tiles hold something: too few for {len(shares) + 1} splits.",
            code="data.too_small",
            hint="Use a smaller --tile, a larger raster, or --val 0 --test 0.",
        )
    order = np.random.default_rng(options.seed).permutation(len(blocks))
    waiting = [list(blocks.values())[place] for place in order]
    splits: dict[str, list[Square]] = {split: [] for split in SPLITS}
    for number, (split, share) in enumerate(shares.items()):
        left_for_others = len(shares) - number  # one block for each split to come, training included
        while len(waiting) > left_for_others and (
            not splits[split] or sum(counts[s] for s in splits[split]) < share * sum(counts.values())
        ):
            splits[split] += waiting.pop()
    splits["train"] = [square for block in waiting for square in block]
    return splits


def _masks(
    square: Square,
    valid: np.ndarray,
    outlines: Mapping[str, shapely.STRtree],
    empty: float,
    rng: np.random.Generator,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the phrases of a tile with their masks, and perhaps one that is not there."""
    left, top, width, height = square.window.flatten()
    box = shapely.box(left, top, left + width, top + height)
    to_raster = Affine.translation(left, top) @ Affine.scale(width / square.shape[1], height / square.shape[0])
    absent = []
    for phrase, tree in outlines.items():
        near = tree.geometries[tree.query(box, predicate="intersects")]
        if not len(near):
            absent.append(phrase)
            continue
        mask = rasterio.features.rasterize(near, out_shape=square.shape, transform=to_raster, dtype="uint8") > 0
        if (mask & valid).sum() >= SMALLEST:
            yield phrase, mask & valid
    if absent and valid.mean() > 0.5 and rng.random() < empty:
        yield absent[int(rng.integers(len(absent)))], np.zeros_like(valid)


def _line(name: str, phrase: str, mask: np.ndarray) -> dict[str, Any]:
    """Return a record in RSRefSeg's form."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)).tolist() or [0] for axis in (1, 0))
    runs = {"size": list(mask.shape), "counts": encode_rle(mask)}
    return {
        "file_name": name,
        "sent": phrase,
        "category_name": phrase,
        "bbox": [columns[0], rows[0], columns[-1], rows[-1]],
        "segmentation": [runs],
        "area": int(mask.sum()),
    }


def _read(raster: Raster, square: Square, scaling: Scaling) -> tuple[np.ndarray, np.ndarray]:
    """Return a tile as (H, W, 3) uint8, 0 where the raster holds nothing, and where it holds something."""
    chip, valid = raster.read(square.window, square.shape)
    image = np.rint(scaling.apply(chip) * 255).astype(np.uint8) * valid
    return np.ascontiguousarray(np.moveaxis(image, 0, -1)), valid


def _starts(length: int, side: float) -> list[float]:
    """Return where tiles start along an axis: whole pixels where the side is whole, and never closer than a side."""
    count = max(1, math.floor(length / side))
    places = [number * (length - side) / (count - 1) for number in range(count)] if count > 1 else [0.0]
    return [math.floor(place) for place in places] if float(side).is_integer() else places


def _in_pixels(shapes: geopandas.GeoSeries, info: RasterInfo) -> np.ndarray:
    if shapes.crs is not None and shapes.crs != info.crs:
        shapes = shapes.to_crs(info.crs)
    return shapely.transform(np.asarray(shapes.values), lambda points: carried(points, ~info.transform))


def _check_new(out: Path, stem: str) -> None:
    for split in SPLITS:
        path = out / f"{split}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        if any(json.loads(line)["file_name"].rsplit("_", 2)[0] == stem for line in lines):
            raise SinkError(
                f"{out} already holds tiles of a raster named {stem}.",
                code="output.exists",
                hint="Give another folder, or rename the raster.",
            )
