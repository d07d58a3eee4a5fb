"""One's own raster and outlines become a data set whose splits share no pixel."""

import json

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from rrsis_core.contract import AreaError, ConfigError, InputError, RrsisError, SinkError
from rrsis_core.data.folder import FolderOptions, Square, make_folder, plan_squares, share_out
from rrsis_core.data.opening import open_dataset
from rrsis_core.data.records import read_mask, read_picture
from rrsis_core.geo.raster import open_raster

SIDE = 512  # pixels of the town, half a metre each
ROOFS = [(x, y) for x in range(10, SIDE, 64) for y in range(10, SIDE, 64)]


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A town of roofs on a grid: the west has red ones, the east blue ones; one outline has no phrase."""
    folder = tmp_path_factory.mktemp("town")
    pixels = np.full((3, SIDE, SIDE), 90, np.uint8)
    shapes, phrases = [], []
    for number, (x, y) in enumerate(ROOFS):
        phrase, color = ("the red roofs", (200, 40, 40)) if x < SIDE // 2 else ("the blue roofs", (40, 40, 200))
        pixels[:, y : y + 20, x : x + 20] = np.array(color, np.uint8)[:, None, None]
        west, north = 500000 + x / 2, 3060000 - y / 2
        shapes.append(shapely.box(west, north - 10, west + 10, north))
        phrases.append(phrase if number else None)
    profile = {"count": 3, "height": SIDE, "width": SIDE, "dtype": "uint8", "crs": "EPSG:32645"}
    transform = from_origin(500000, 3060000, 0.5, 0.5)
    with rasterio.open(folder / "town.tif", "w", driver="GTiff", transform=transform, **profile) as target:
        target.write(pixels)
    table = geopandas.GeoDataFrame({"phrase": phrases}, geometry=shapes, crs="EPSG:32645")
    table.to_crs("EPSG:4326").to_file(folder / "roofs.gpkg")  # another CRS than the raster's
    return folder


def options(town, **changes):
    return FolderOptions(str(town / "town.tif"), str(town / "roofs.gpkg"), **{"tile": 64, **changes})


def test_a_raster_becomes_a_data_set(town, tmp_path):
    counts = make_folder(options(town, empty=0.0), tmp_path)
    dataset = open_dataset(tmp_path)
    assert counts == {split: len(dataset.records(split)) for split in ("train", "val", "test")}
    assert sum(counts.values()) == 63  # one tile holds nothing but the roof without a phrase
    assert 6 <= counts["val"] <= 16 and 6 <= counts["test"] <= 16
    for record in dataset.records("train"):
        image, mask = read_picture(record.image).astype(int), read_mask(record)
        red, blue = image[..., 0] > image[..., 2] + 50, image[..., 2] > image[..., 0] + 50
        meant = {"the red roofs": red, "the blue roofs": blue}[record.expression]
        assert (mask != meant).sum() <= 40  # half a pixel along the rim, for the way through another CRS
        assert record.category == record.expression


def test_no_tile_is_in_two_splits(town, tmp_path):
    make_folder(options(town, empty=1.0), tmp_path)
    dataset = open_dataset(tmp_path)
    tiles = [{record.image for record in dataset.records(split)} for split in ("train", "val", "test")]
    assert not (tiles[0] & tiles[1] or tiles[0] & tiles[2] or tiles[1] & tiles[2])
    empty = [record for record in dataset.records("train") if not read_mask(record).any()]
    assert len(empty) == len(tiles[0])
    assert {record.expression for record in empty} == {"the red roofs", "the blue roofs"}


@pytest.mark.parametrize(("tile", "gsd"), [(64, None), (100, None), (64, 0.75), (2000, None)])
def test_tiles_do_not_overlap(town, tile, gsd):
    with open_raster(str(town / "town.tif")) as raster:
        squares = plan_squares(raster.info, options(town, tile=tile, gsd=gsd))
    boxes = [
        shapely.box(s.window.col_off, s.window.row_off, s.window.col_off + s.window.width,
                    s.window.row_off + s.window.height) for s in squares
    ]  # fmt: skip
    assert shapely.union_all(boxes).area == pytest.approx(sum(box.area for box in boxes))
    assert all(box.within(shapely.box(0, 0, SIDE, SIDE).buffer(1e-6)) for box in boxes)
    assert all(max(square.shape) <= tile for square in squares)


def test_neighbours_stay_together():
    squares = {Square(row, column, None, (64, 64)): 1 for row in range(16) for column in range(16)}
    splits = share_out(squares, FolderOptions("", "", val=0.2, test=0.2))
    split_of = {(s.row // 4, s.column // 4): set() for s in squares}
    for split, members in splits.items():
        for square in members:
            split_of[square.row // 4, square.column // 4].add(split)
    assert all(len(found) == 1 for found in split_of.values())
    assert sum(map(len, splits.values())) == 256


def test_rasters_add_up_but_not_twice(town, tmp_path):
    first = make_folder(options(town), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert len(lines) == first["train"]
    with pytest.raises(SinkError) as caught:
        make_folder(options(town), tmp_path)
    assert caught.value.code == "output.exists"


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"column": "what"}, InputError, "data.column"),
        ({"vector": "none.gpkg"}, AreaError, "area.unreadable"),
        ({"layer": "none"}, AreaError, "area.unreadable"),
        ({"tile": 512}, InputError, "data.too_small"),
        ({"tile": 8}, ConfigError, "config.folder"),
        ({"val": 0.6, "test": 0.5}, ConfigError, "config.folder"),
    ],
)
def test_what_cannot_be_made_is_refused(town, tmp_path, changes, kind, code):
    with pytest.raises(RrsisError) as caught:
        given = {"raster": str(town / "town.tif"), "vector": str(town / "roofs.gpkg"), "tile": 64}
        make_folder(FolderOptions(**{**given, **changes}), tmp_path / "out")
    assert isinstance(caught.value, kind) and caught.value.code == code


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_outlines_need_the_rasters_kind_of_crs(town, tmp_path):
    shapes = geopandas.GeoSeries([shapely.box(0, 0, 9, 9)])
    geopandas.GeoDataFrame({"phrase": ["x"]}, geometry=shapes).to_file(tmp_path / "plain.gpkg")
    with pytest.raises(AreaError) as caught:
        make_folder(FolderOptions(str(town / "town.tif"), str(tmp_path / "plain.gpkg")), tmp_path / "out")
    assert caught.value.code == "area.crs"
