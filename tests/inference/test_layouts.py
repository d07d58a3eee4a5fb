"""The same pixels give the same polygons, however a file holds them, wherever it lies and whichever way it turns."""

import os
import subprocess
import sys
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import rasterio.shutil
import shapely
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp, Resampling
from rasterio.features import rasterize
from rasterio.rpc import RPC
from rasterio.transform import from_origin

from rrsis_core.contract import RasterError, RrsisWarning, SegmentOptions
from rrsis_core.inference import segment_raster

NORTH_UP = from_origin(500000, 3060000, 0.5, 0.5)


@pytest.fixture
def found(predictor, tmp_path):
    """Segment a raster; return the polygons, and their normal forms sorted."""

    def run(path, **options):
        out = tmp_path / "found.gpkg"
        segment_raster(SegmentOptions(str(path), ("the roofs",), str(out), overwrite=True, **options), predictor)
        polygons = geopandas.read_file(out).geometry
        return polygons, sorted(shapely.to_wkb(shapely.normalize(polygons.to_numpy())).tolist())

    return run


LAYOUTS = {
    "strips of one row": {"blockysize": 1},
    "one strip": {"blockysize": 300, "compress": "deflate"},
    "band by band": {"interleave": "band"},
    "tiles": {"tiled": True, "blockxsize": 64, "blockysize": 32},
    "compressed tiles": {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "lzw", "predictor": 2},
    "BigTIFF": {"BIGTIFF": "YES"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_a_tiff(write_raster, blobs, found, layout):
    expected = found(write_raster(blobs[0]))[1]
    assert len(expected) > 10
    assert found(write_raster(blobs[0], "other.tif", **LAYOUTS[layout]))[1] == expected


@pytest.mark.parametrize("beside", [False, True])
def test_overviews_change_nothing(write_raster, blobs, found, tmp_path, beside):
    path = write_raster(blobs[0])
    expected = found(path)[1]
    with rasterio.Env(TIFF_USE_OVR=beside), rasterio.open(path, "r+") as raster:
        raster.build_overviews([2, 4], Resampling.average)
    assert (tmp_path / "scene.tif.ovr").exists() == beside
    assert found(path)[1] == expected


def test_a_cog_and_a_vrt(write_raster, blobs, found, tmp_path):
    path = write_raster(blobs[0])
    expected = found(path)[1]
    rasterio.shutil.copy(path, tmp_path / "cog.tif", driver="COG", blocksize=128)
    rasterio.shutil.copy(path, tmp_path / "scene.vrt", driver="VRT")
    assert found(tmp_path / "cog.tif")[1] == found(tmp_path / "scene.vrt")[1] == expected


# --- over the network ----------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server of the temporary folder: its address, and a function that says how many bytes it gave."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    log = tmp_path / "given.log"
    command = [sys.executable, str(Path(__file__).with_name("range_server.py")), str(tmp_path), str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        yield f"http://127.0.0.1:{serving.stdout.readline().strip()}", lambda: sum(map(int, log.read_text().split()))
        serving.terminate()


@pytest.mark.parametrize("prefix", ["/vsicurl/", ""])
def test_a_cog_on_a_server(write_raster, blobs, found, tmp_path, server, prefix):
    address, given = server
    pixels = np.tile(blobs[0], (1, 2, 2))
    path = write_raster(pixels)
    rasterio.shutil.copy(path, tmp_path / "cog.tif", driver="COG", blocksize=128)
    size = (tmp_path / "cog.tif").stat().st_size
    box = (500020, 3059880, 500090, 3059940)
    expected = found(path, bbox=box)[1]
    assert found(f"{prefix}{address}/cog.tif", bbox=box)[1] == expected and len(expected) > 1
    assert 0 < given() < size / 2, "only what lies in the box is fetched"
    assert found(f"{prefix}{address}/cog.tif")[1] == found(path)[1]
    with pytest.raises(RasterError) as error:
        found(f"{prefix}{address}/nowhere.tif")
    assert error.value.code == "raster.not_found"


# --- what holds nothing --------------------------------------------------------------------------------------------


@pytest.fixture
def hidden():
    """A third of the pixels, where nothing is to be found though red is there."""
    where = np.zeros((300, 420), bool)
    where[:, 100:240] = True
    return where


def with_mask(path, mask, internal):
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal), rasterio.open(path, "r+") as raster:
        raster.write_mask(mask)


@pytest.mark.parametrize("kind", ["value", "inside", "beside", "alpha", "unlabelled", "float", "nan", "jpeg"])
def test_every_kind_of_nothing_hides_the_same(write_raster, blobs, found, hidden, tmp_path, kind):
    pixels, mask = blobs
    pixels = np.maximum(pixels, 1)
    expected = found(write_raster(np.where(hidden, np.uint8(1), pixels), "expected.tif"))[1]
    nothing = {"value": 0, "float": -9999, "nan": np.nan}.get(kind, 255)
    held = pixels / np.float32(255) if kind in ("float", "nan") else pixels
    held = np.where(hidden, held.dtype.type(nothing), held)
    profile = {"nodata": nothing} if kind in ("value", "float", "nan") else {}
    options = {"scaling": "none"} if kind in ("float", "nan") else {}
    if kind in ("alpha", "unlabelled"):
        held = np.concatenate([held, np.where(hidden, 0, 255).astype(np.uint8)[None]])
        profile = {"photometric": "RGB", "alpha": "yes" if kind == "alpha" else "unspecified"}
        options = {} if kind == "alpha" else {"alpha_band": 4}
    if kind == "jpeg":  # its losses would move outlines: one colour a block
        held = np.where(mask, 250, 5).astype(np.uint8)[None].repeat(3, 0)
        profile = {"compress": "jpeg", "photometric": "ycbcr", "tiled": True, "blockxsize": 256, "blockysize": 256}
    path = write_raster(held, **profile)
    if kind in ("inside", "beside", "jpeg"):
        with_mask(path, ~hidden, internal=kind != "beside")
    polygons, forms = found(path, **options)
    if kind == "jpeg":
        drawn = rasterize(polygons, mask.shape, transform=NORTH_UP).astype(bool)
        assert (drawn == (mask & ~hidden)).mean() > 0.97 and not drawn[hidden].any()
    else:
        assert forms == expected and len(forms) > 5


def test_a_band_is_alpha_only_where_somebody_says_so(write_raster, blobs, found, hidden):
    pixels = np.concatenate([blobs[0], np.where(hidden, 0, 255).astype(np.uint8)[None]])
    path = write_raster(pixels, photometric="RGB", alpha="unspecified")
    assert found(path)[1] == found(write_raster(blobs[0], "three.tif"))[1] != found(path, alpha_band=4)[1]
    with pytest.raises(RasterError) as error:
        found(path, alpha_band=5)
    assert error.value.code == "raster.bands"


# --- places --------------------------------------------------------------------------------------------------------


TRANSFORMS = {
    "south-up": Affine(0.5, 0, 500000, 0, 0.5, 3060000),
    "rotated": Affine.translation(500000, 3060000) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5),
    "sheared": Affine(0.5, 0.1, 500000, 0.05, -0.4, 3060000),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_polygons_lie_on_the_pixels_of_any_transform(write_raster, blobs, found, tmp_path, name):
    pixels, mask = blobs
    path = write_raster(pixels, transform=TRANSFORMS[name])
    polygons, _ = found(path, mask=str(tmp_path / "mask.tif"))
    drawn = rasterize(polygons, mask.shape, transform=TRANSFORMS[name]).astype(bool)
    assert (drawn == mask).all()
    assert polygons.area.sum() == pytest.approx(mask.sum() * abs(TRANSFORMS[name].determinant), rel=1e-6)
    assert all(polygon.exterior.is_ccw and polygon.is_valid for polygon in polygons)
    with rasterio.open(tmp_path / "mask.tif") as source:
        assert source.transform.almost_equals(TRANSFORMS[name], 1e-6) and (source.read(1) == mask).all()


def test_ground_control_points_place_the_polygons(write_raster, blobs, found):
    pixels, mask = blobs
    points = [
        GroundControlPoint(row, column, 500000 + 0.5 * column, 3060000 - 0.5 * row)
        for row in (0, 150, 300)
        for column in (0, 210, 420)
    ]
    path = write_raster(pixels, transform=Affine.identity(), gcps=points)
    polygons, _ = found(path)
    assert polygons.crs == "EPSG:32645"
    drawn = rasterize(polygons, mask.shape, transform=NORTH_UP).astype(bool)
    assert (drawn == mask).mean() > 0.99


def test_rational_polynomials_alone_are_no_place(write_raster, blobs, found):
    """They need heights to place a pixel: results stay in pixels, and a warning says so."""
    path = write_raster(blobs[0], crs=None, transform=Affine.identity())
    ones = [1.0] + [0.0] * 19
    with rasterio.open(path, "r+") as raster:
        raster.rpcs = RPC(0, 500, 27, 0.01, ones, ones, 150, 300, 85, 0.01, ones, ones, 210, 420)
    with pytest.warns(RrsisWarning, match="no georeference"):
        polygons, _ = found(path)
    assert polygons.total_bounds[3] <= 0 and len(polygons) > 10


def test_scale_and_offset_do_not_change_an_answer(write_raster, blobs, found):
    """Raw values are what is read: a scaling by percentiles gives the same whatever a unit they are in."""
    pixels = blobs[0].astype(np.uint16) * 40
    path = write_raster(pixels)
    expected = found(path)[1]
    with rasterio.open(path, "r+") as raster:
        raster.scales, raster.offsets = (0.0001,) * 3, (-0.1,) * 3
    assert found(path)[1] == expected and len(expected) > 10


def test_a_palette_is_searched_by_its_colours(write_raster, blobs, found):
    _, mask = blobs
    plain = write_raster(np.where(mask, np.array([250, 20, 20])[:, None, None], 30).astype(np.uint8), "plain.tif")
    path = write_raster(np.where(mask, 7, 3).astype(np.uint8)[None])
    with rasterio.open(path, "r+") as raster:
        raster.write_colormap(1, {3: (30, 30, 30, 255), 7: (250, 20, 20, 255)})
        raster.colorinterp = [ColorInterp.palette]
    assert found(path)[1] == found(plain)[1]
