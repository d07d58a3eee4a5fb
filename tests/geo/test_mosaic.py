"""Rasters of one grid as one raster."""

import numpy as np
import pytest
from affine import Affine
from rasterio.windows import Window

from rrsis_core.contract import RasterError
from rrsis_core.geo.mosaic import write_mosaic
from rrsis_core.geo.raster import open_raster

UTM = Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000)
PLACES = {"a": (0, 0), "b": (30, 10), "c": (-20, 45)}  # column, row; 40 x 50 pixels each: b overlaps a
TURNED = UTM @ Affine.rotation(20)


def read(path):
    with open_raster(path) as raster:
        info = raster.info
        pixels, valid = raster.read(info.window, (info.height, info.width), range(1, info.count + 1))
        assert (raster.valid(Window(0, 0, info.width, info.height)) == valid).all()
        return info, pixels, valid


@pytest.mark.parametrize("kind", ["plain", "nodata", "alpha", "mask", "float", "turned"])
def test_a_mosaic_has_the_pixels_of_its_scenes(make_raster, tmp_path, rng, kind):
    base = TURNED if kind == "turned" else UTM
    count = 4 if kind == "alpha" else 3
    paths, pixels, known = [], np.zeros((count, 95, 90)), np.zeros((95, 90), bool)
    for name, (column, row) in PLACES.items():
        array = rng.integers(1, 255, (count, 50, 40)).astype("float32" if kind == "float" else "uint8")
        holes = rng.random((50, 40)) < (0 if kind in ("plain", "turned") else 0.3)
        profile = {}
        if kind == "alpha":
            array[3] = 255
            profile["colorinterp"] = ["red", "green", "blue", "alpha"]
        if kind == "mask":
            profile["mask"] = ~holes
        else:
            array[:, holes] = np.nan if kind == "float" else 0
        if kind in ("nodata", "float"):
            profile["nodata"] = np.nan if kind == "float" else 0
        paths.append(make_raster(array, f"{name}.tif", transform=base @ Affine.translation(column, row), **profile))
        place = slice(row, row + 50), slice(column + 20, column + 60)
        pixels[:, *place][:, ~holes] = array[:, ~holes]
        known[place] |= ~holes
    assert write_mosaic(paths, tmp_path / "all.vrt") == (90, 95)
    info, found, valid = read(tmp_path / "all.vrt")
    assert info.transform.almost_equals(base @ Affine.translation(-20, 0)) and info.crs.to_epsg() == 32633
    assert (valid == known).all()
    assert (found[:, known] == pixels[:, known]).all()


def test_tiles_without_a_gap_need_no_mask_and_the_folder_may_move(make_raster, tmp_path, rng):
    array = rng.integers(1, 255, (3, 40, 60)).astype(np.uint16)
    (tmp_path / "scenes").mkdir()
    paths = [
        make_raster(array[:, :, left : left + 20], f"scenes/{left}.tif", transform=UTM @ Affine.translation(left, 0))
        for left in (40, 0, 20)
    ]
    write_mosaic(paths, tmp_path / "scenes" / "all.vrt")
    (tmp_path / "scenes").rename(tmp_path / "elsewhere")
    info, found, _ = read(tmp_path / "elsewhere" / "all.vrt")
    assert (found == array).all() and info.dtype == "uint16"
    with open_raster(tmp_path / "elsewhere" / "all.vrt") as raster:
        assert raster.always_valid


@pytest.mark.parametrize(
    "other",
    [
        {"crs": "EPSG:32634"},
        {"transform": UTM @ Affine.translation(0.5, 0)},
        {"transform": UTM @ Affine.scale(1.01)},
        {"transform": UTM @ Affine.rotation(1)},
        {"dtype": "uint16"},
        {"nodata": 0},
        {"count": 1},
    ],
)
def test_rasters_of_other_grids_are_refused(make_raster, tmp_path, other):
    shape = other.pop("count", 3), 50, 40
    first = make_raster(np.ones((3, 50, 40), np.uint8), "a.tif")
    second = make_raster(np.ones(shape, other.pop("dtype", "uint8")), "b.tif", **other)
    with pytest.raises(RasterError) as error:
        write_mosaic([first, second], tmp_path / "all.vrt")
    assert error.value.code == "raster.grid" and "b.tif" in error.value.message
    assert not (tmp_path / "all.vrt").exists()


def test_a_town_of_tiles(shared, tmp_path):
    paths = sorted((shared / "banepa/unlabelled").glob("*.tif"))
    assert write_mosaic(paths, tmp_path / "town.vrt") == (2048, 2048)
    _, found, _ = read(tmp_path / "town.vrt")
    _, corner, _ = read(paths[0])
    assert (found[:, :512, :512] == corner).all() or (found[:, -512:, :512] == corner).all()
