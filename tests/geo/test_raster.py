"""Opening and reading rasters of every kind."""

import dataclasses
import math
import shutil
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image
from rasterio.control import GroundControlPoint
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

from rrsis_core.contract import RasterError
from rrsis_core.geo.raster import gdal_environment, open_raster
from rrsis_core.geo.raster_info import PIXEL_TRANSFORM, frame_of, ground_resolution
from rrsis_core.geo.tiling import Tile, make_grid, plan_tiles


def xyz_bounds(x, y, zoom):
    """Return west, south, east, north of a web map tile."""
    south, north = (math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / 2**zoom)))) for row in (y + 1, y))
    return x / 2**zoom * 360 - 180, south, (x + 1) / 2**zoom * 360 - 180, north


HRO = "rasters/hro_201404_13SED190110_201404_0x1500m_CL_1"
HRO_BOUNDS = (519467.4957275815, 4311634.966223511, 519524.8750753492, 4311669.7657353515)
SHARED_RASTERS = {
    # name: EPSG, bounds, valid pixels
    "rasters/5dded5bc0140b80006d2e565_23.tif": (3395, (-5743476.5, -1750591.0, -5743272.0, -1750386.25), 4194304),
    f"{HRO}.tif": (26913, HRO_BOUNDS, 88856),
    f"{HRO}_alpha.tif": (26913, HRO_BOUNDS, 78812),
    f"{HRO}_extmask.tif": (26913, HRO_BOUNDS, 86117),
    f"{HRO}_mask.tif": (26913, HRO_BOUNDS, 86117),
    f"{HRO}_nodata.tif": (26913, HRO_BOUNDS, 86492),
    "rasters/naip_m_3211605_ne_11_060_20200415.tif": (
        26911,
        (557699.3107, 3648255.0341, 557858.8702, 3648377.1482),
        54264,
    ),
    "rasters/naip_m_4208701_ne_16_060_20200902.tif": (
        26916,
        (426571.0767, 4755278.1976, 426675.9689, 4755364.1121),
        25025,
    ),
    "rasters/rasterio_RGB.byte.tif": (32618, (101985.0, 2611485.0, 339315.0, 2826915.0), 383115),
    "rasters/rasterio_cogeo.tif": (
        3857,
        (14321853.115736904, 4532410.029452412, 14322464.611708583, 4533021.525424092),
        1048576,
    ),
    "rasters/spacenet_RGB-PanSharpen_AOI_4_Shanghai_img6917.tif": (
        4326,
        (121.7340792, 31.2277059001, 121.7358342, 31.2294609001),
        422500,
    ),
    # Its place is in a sidecar, OAM-386690-220241-19.tif.aux.xml.
    "banepa/tiles/OAM-386690-220241-19.tif": (4326, xyz_bounds(386690, 220241, 19), 512 * 512),
}


@contextmanager
def refused(code):
    with pytest.raises(RasterError) as error:
        yield error
    assert error.value.code == code
    assert error.value.hint


def ungeoreferenced(path, array):
    with (
        pytest.warns(NotGeoreferencedWarning),
        rasterio.open(
            path,
            "w",
            driver="PNG",
            count=array.shape[0],
            height=array.shape[1],
            width=array.shape[2],
            dtype=array.dtype,
        ) as dataset,
    ):
        dataset.write(array)
    return path


@pytest.mark.parametrize("name", SHARED_RASTERS)
def test_real_rasters(shared, name):
    epsg, bounds, valid = SHARED_RASTERS[name]
    with open_raster(shared / name) as raster:
        pixel = abs(raster.info.transform.a)
        assert raster.info.crs.to_epsg() == epsg
        assert np.abs(np.subtract(raster.info.bounds, bounds)).max() < 0.01 * pixel
        assert raster.valid(raster.info.window).sum() == valid
        chip, seen = raster.read(raster.info.window, (raster.info.height, raster.info.width))
        assert seen.sum() == valid
        assert chip.shape == (3, raster.info.height, raster.info.width)


def test_every_shared_raster_is_listed(shared):
    files = {f"rasters/{path.name}" for path in (shared / "rasters").glob("*.tif")}
    assert files == {name for name in SHARED_RASTERS if name.startswith("rasters/")}


def test_missing_file_is_not_found(tmp_path):
    for path in (tmp_path / "nowhere.tif", f"/vsizip/{tmp_path}/nowhere.zip/a.tif"):
        with refused("raster.not_found"), open_raster(path):
            pass


def test_text_is_no_raster(tmp_path):
    path = tmp_path / "notes.tif"
    path.write_text("These are notes.")
    with refused("raster.unreadable"), open_raster(path):
        pass


def test_complex_numbers_are_refused(make_raster):
    path = make_raster(np.ones((1, 4, 4), np.complex64))
    with refused("raster.unreadable"), open_raster(path):
        pass


def test_cut_off_file_is_corrupt_where_it_is_cut(make_raster, rng, tmp_path):
    whole = make_raster(rng.integers(0, 256, (3, 600, 600), np.uint8), tiled=True, blockxsize=64, blockysize=64)
    cut = tmp_path / "cut.tif"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with open_raster(cut) as raster:
        raster.read(Window(0, 0, 64, 64), (64, 64))
        with refused("raster.corrupt") as error:
            raster.read(Window(0, 500, 100, 100), (50, 50))
        assert "row_off=49" in error.value.details
        with refused("raster.corrupt"):
            raster.read_decimated(raster.info.window, 1000)


def test_cut_off_jpeg_is_corrupt_and_not_grey(tmp_path, rng):
    path = tmp_path / "cut.jpg"
    Image.fromarray(rng.integers(0, 256, (512, 512, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with open_raster(path) as raster, refused("raster.corrupt"):
        raster.read(raster.info.window, (512, 512))


def test_virtual_paths_open(make_raster, tmp_path):
    array = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    path = make_raster(array)
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as packed:
        packed.write(path, "inside.tif")
    with open_raster(f"/vsizip/{tmp_path}/packed.zip/inside.tif") as raster:
        assert (raster.read(raster.info.window, (4, 4))[0] == array).all()


def test_vrt_of_neighbouring_tiles_reads_as_one(make_raster, tmp_path, rng):
    array = rng.integers(0, 256, (3, 64, 96), np.uint8)
    sources = []
    for column in range(3):
        transform = Affine(0.5, 0, 500_000 + 16 * column, 0, -0.5, 5_000_000)
        part = make_raster(array[:, :, column * 32 : column * 32 + 32], f"part{column}.tif", transform=transform)
        sources.append((part.name, column * 32))
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{band}">'
        + "".join(
            f'<SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>{band}</SourceBand>'
            f'<SrcRect xOff="0" yOff="0" xSize="32" ySize="64"/>'
            f'<DstRect xOff="{left}" yOff="0" xSize="32" ySize="64"/></SimpleSource>'
            for name, left in sources
        )
        + "</VRTRasterBand>"
        for band in (1, 2, 3)
    )
    mosaic = tmp_path / "mosaic.vrt"
    mosaic.write_text(
        '<VRTDataset rasterXSize="96" rasterYSize="64"><SRS>EPSG:32633</SRS>'
        f"<GeoTransform>500000, 0.5, 0, 5000000, 0, -0.5</GeoTransform>{bands}</VRTDataset>"
    )
    whole = make_raster(array, "whole.tif")
    with open_raster(mosaic) as raster, open_raster(whole) as expected:
        for window, shape in ((Window(20.5, 3.25, 60, 50), (33, 41)), (Window(25, 0, 20, 64), (100, 31))):
            assert (raster.read(window, shape)[0] == expected.read(window, shape)[0]).all()


def test_bands_of_different_types_are_read_in_the_common_one(make_raster, tmp_path):
    make_raster(np.full((1, 4, 4), 200, np.uint8), "bytes.tif")
    make_raster(np.full((1, 4, 4), 3000, np.uint16), "words.tif")
    path = tmp_path / "mixed.vrt"
    bands = "".join(
        f'<VRTRasterBand dataType="{kind}" band="{band}"><SimpleSource>'
        f'<SourceFilename relativeToVRT="1">{name}</SourceFilename></SimpleSource></VRTRasterBand>'
        for band, (kind, name) in enumerate((("Byte", "bytes.tif"), ("UInt16", "words.tif")), start=1)
    )
    path.write_text(
        '<VRTDataset rasterXSize="4" rasterYSize="4"><SRS>EPSG:32633</SRS>'
        f"<GeoTransform>0, 1, 0, 0, 0, -1</GeoTransform>{bands}</VRTDataset>"
    )
    with open_raster(path) as raster:
        assert raster.info.dtype == "uint16"
        chip, _ = raster.read(raster.info.window, (2, 2), (1, 2))
        assert chip[:, 0, 0].tolist() == [200, 3000]


@pytest.mark.parametrize("count, colorinterp, expected", [
    (1, ["gray"], (1, 1, 1)),
    (2, ["gray", "alpha"], (1, 1, 1)),
    (3, ["red", "green", "blue"], (1, 2, 3)),
    (3, ["blue", "green", "red"], (3, 2, 1)),
    (4, ["gray", "undefined", "undefined", "undefined"], (1, 2, 3)),
    (4, ["undefined", "red", "green", "blue"], (2, 3, 4)),
    (4, ["red", "green", "blue", "alpha"], (1, 2, 3)),
])  # fmt: skip
def test_default_bands(make_raster, count, colorinterp, expected):
    array = np.arange(1, count + 1, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    with open_raster(make_raster(array, colorinterp=colorinterp)) as raster:
        assert raster.info.default_bands == expected
        chip, valid = raster.read(raster.info.window, (4, 4))
        assert chip[:, 0, 0].tolist() == list(expected)
        assert valid.all()


def test_band_that_does_not_exist(make_raster):
    with open_raster(make_raster(np.ones((2, 4, 4), np.uint8))) as raster, refused("raster.bands"):
        raster.read(raster.info.window, (4, 4), (1, 2, 3))


KINDS = {
    "bytes": {"dtype": np.uint8},
    "words with nodata": {"dtype": np.uint16, "nodata": 0},
    "floats with NaN": {"dtype": np.float32, "nan": True},
    "bytes with alpha": {"dtype": np.uint8, "colorinterp": ["red", "green", "blue", "alpha"]},
    "bytes with mask": {"dtype": np.uint8, "masked": True},
    "bytes with overviews": {"dtype": np.uint8, "overviews": [2, 4]},
}


@pytest.mark.parametrize("scale", [0.384, 0.5, 1.0, 1.37, 2.0, 3.2])
@pytest.mark.parametrize("kind", KINDS)
def test_tiles_equal_the_whole_bit_for_bit(make_raster, rng, kind, scale):
    how = dict(KINDS[kind])
    dtype = how.pop("dtype")
    array = rng.integers(0, 256, (4 if "colorinterp" in how else 3, 150, 210)).astype(dtype)
    array[:, 30:60, 40:90] = 0
    if how.pop("nan", False):
        array[1, 30:60, 40:90] = np.nan
    if how.pop("masked", False):
        how["mask"] = rng.random((150, 210)) < 0.8
    with open_raster(make_raster(array, **how)) as raster:
        grid = make_grid(Window(3, 5, 201, 140), (scale, scale * 1.03))
        whole, seen = raster.read(
            grid.source_window(Tile(0, 0, 0, 0, grid.height, grid.width)), (grid.height, grid.width)
        )
        for row in plan_tiles(grid.width, grid.height, 64, 0.25).rows():
            for tile in row:
                chip, valid = raster.read(grid.source_window(tile), (tile.height, tile.width))
                here = np.s_[..., tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
                assert (chip == whole[here]).all()
                assert (valid == seen[here]).all()


def test_whole_windows_are_read_as_they_are(make_raster, rng):
    array = rng.integers(0, 256, (3, 20, 30), np.uint8)
    with open_raster(make_raster(array)) as raster:
        chip, _ = raster.read(Window(4, 5, 10, 12), (12, 10))
    assert (chip == array[:, 5:17, 4:14]).all()


def test_shrinking_averages_and_does_not_alias(make_raster):
    stripes = np.zeros((1, 64, 64), np.uint8)
    stripes[:, :, ::2] = 200
    with open_raster(make_raster(stripes)) as raster:
        chip, _ = raster.read(raster.info.window, (16, 16))
    assert np.abs(chip[:, :, 1:-1].astype(int) - 100).max() <= 1


def test_overviews_are_not_used_for_chips(make_raster):
    path = make_raster(np.full((1, 64, 64), 100, np.uint8), overviews=[2, 4])
    with rasterio.open(path, "r+", OVERVIEW_LEVEL=0) as overview:
        overview.write(np.full((1, 32, 32), 7, np.uint8))
    with open_raster(path) as raster:
        assert (raster.read(raster.info.window, (32, 32))[0] == 100).all()


@pytest.mark.parametrize("shape", [(13, 17), (40, 40), (57, 91)])
def test_nodata_does_not_bleed(make_raster, rng, shape):
    array = rng.uniform(10, 20, (3, 40, 40)).astype(np.float32)
    array[:, :, :15] = -9999
    with open_raster(make_raster(array, nodata=-9999.0)) as raster:
        chip, valid = raster.read(raster.info.window, shape)
    assert 0 < valid.sum() < valid.size
    assert chip[:, valid].min() >= 10
    assert (chip[:, ~valid] == 0).all()


def test_nan_and_infinity_are_nodata_and_do_not_bleed(make_raster, rng):
    array = rng.uniform(10, 20, (3, 40, 40)).astype(np.float32)
    array[0, 10:20, 10:20] = np.nan
    array[2, 30, 30] = np.inf
    with open_raster(make_raster(array)) as raster:
        assert (~raster.valid(raster.info.window)).sum() == 101
        assert (~raster.valid(raster.info.window, (2,))).sum() == 0
        chip, valid = raster.read(raster.info.window, (31, 29))
        assert np.isfinite(chip).all()
        assert 10 <= chip[:, valid].min() <= chip.max() <= 20


def test_nan_may_be_the_nodata_value(make_raster):
    array = np.ones((1, 4, 4), np.float32)
    array[0, 0, 0] = np.nan
    with open_raster(make_raster(array, nodata=np.nan)) as raster:
        assert raster.valid(raster.info.window).sum() == 15


def test_nodata_outside_the_type_masks_nothing(make_raster, tmp_path):
    make_raster(np.full((1, 4, 4), 241, np.uint8))  # 241 is what -9999 becomes when it is cut to 8 bits
    path = tmp_path / "odd.vrt"
    path.write_text(
        '<VRTDataset rasterXSize="4" rasterYSize="4"><SRS>EPSG:32633</SRS>'
        "<GeoTransform>0, 1, 0, 0, 0, -1</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"><NoDataValue>-9999</NoDataValue><SimpleSource>'
        '<SourceFilename relativeToVRT="1">raster.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>'
    )
    with open_raster(path) as raster:
        assert raster.valid(raster.info.window).all()


def test_nodata_zero_masks_only_where_all_bands_are_zero(make_raster):
    array = np.full((3, 4, 4), 90, np.uint8)
    array[0, 1, 1] = 0
    array[:, 2, 2] = 0
    with open_raster(make_raster(array, nodata=0)) as raster:
        assert np.argwhere(~raster.valid(raster.info.window)).tolist() == [[2, 2]]
        chip, _ = raster.read(Window(1, 1, 1, 1), (2, 2))
        assert chip[0].max() < 90, "a red of 0 is red's value there, not a hole to be filled"


@pytest.mark.parametrize("dtype, faint, full", [(np.uint8, 1, 255), (np.uint16, 1, 65535)])
def test_alpha_says_valid_and_is_no_weight(make_raster, dtype, faint, full):
    array = np.full((4, 8, 8), 100, dtype)
    array[:3, :, 1::2] = 200
    array[3, :, ::2], array[3, :, 1::2] = faint, full
    array[3, 0, 0] = 0
    path = make_raster(array, colorinterp=["red", "green", "blue", "alpha"])
    with open_raster(path) as raster:
        assert (~raster.valid(raster.info.window)).sum() == 1
        chip, _ = raster.read(Window(0, 4, 8, 4), (4, 16))
        plain, _ = raster.read(Window(0, 4, 8, 4), (4, 16))
    with open_raster(make_raster(array[:3], "opaque.tif")) as raster:
        plain, _ = raster.read(Window(0, 4, 8, 4), (4, 16))
    assert (chip == plain).all()


@pytest.mark.parametrize("sidecar", [False, True])
def test_masks_inside_and_beside_the_file(make_raster, sidecar, tmp_path, monkeypatch):
    mask = np.zeros((20, 20), bool)
    mask[3:9, 4:15] = True
    path = make_raster(np.full((3, 20, 20), 77, np.uint8), mask=mask, sidecar_mask=sidecar)
    assert (tmp_path / "raster.tif.msk").exists() == sidecar
    monkeypatch.setenv("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR")
    with open_raster(path) as raster:
        assert (raster.valid(raster.info.window) == mask).all()
        chip, valid = raster.read(raster.info.window, (40, 40))
    assert (chip[:, valid] == 77).all()
    assert valid.sum() >= 4 * mask.sum()


def test_palette_is_read_as_its_colours(make_raster, rng, tmp_path):
    index = rng.integers(0, 4, (30, 30), np.uint8)
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [10, 20, 30]], np.uint8)
    picture = Image.fromarray(index, mode="P")
    picture.putpalette(colours.tobytes())
    picture.save(tmp_path / "palette.png", transparency=bytes([255, 128, 0, 255]))
    expanded = colours[index].transpose(2, 0, 1)
    plain_path = make_raster(expanded, mask=index != 2)
    with open_raster(tmp_path / "palette.png") as raster, open_raster(plain_path) as plain:
        assert (raster.info.count, raster.info.dtype, raster.info.has_palette) == (3, "uint8", True)
        assert (raster.valid(raster.info.window) == (index != 2)).all()
        for window, shape in ((Window(0, 0, 30, 30), (30, 30)), (Window(2.5, 3.25, 20, 20), (33, 13))):
            for got, expected in zip(raster.read(window, shape), plain.read(window, shape), strict=True):
                assert (got == expected).all()
        green, _ = raster.read(raster.info.window, (30, 30), (2,))
        assert (green[0] == np.where(index != 2, expanded[1], 0)).all()
        nearest, valid = raster.read_decimated(raster.info.window, 100, smooth=True)
        assert {tuple(colour) for colour in nearest[:, valid].T} <= {tuple(colour) for colour in colours}


def test_palette_in_a_tiff_without_transparency_is_always_valid(make_raster):
    path = make_raster(np.ones((1, 4, 4), np.uint8), colormap={1: (9, 8, 7, 255)}, colorinterp=["palette"])
    with open_raster(path) as raster:
        assert raster.always_valid
        assert raster.read(raster.info.window, (4, 4))[0][:, 0, 0].tolist() == [9, 8, 7]


def test_rotated_and_south_up_bounds(make_raster):
    south_up = Affine(1, 0, 500_005, 0, 1, 5_000_005)
    with open_raster(make_raster(np.ones((1, 5, 7), np.uint8), transform=south_up)) as raster:
        assert raster.info.bounds == (500_005, 5_000_005, 500_012, 5_000_010)
        frame = frame_of(raster.info, Window(2, 1, 3, 4))
        assert frame.transform @ (0, 0) == (500_007, 5_000_006)
    rotated = Affine.translation(500_000, 5_000_000) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5)
    with open_raster(make_raster(np.ones((1, 5, 7), np.uint8), transform=rotated)) as raster:
        left, _, right, _ = raster.info.bounds
        assert right - left == pytest.approx(3.5 * np.cos(np.pi / 6) + 2.5 * np.sin(np.pi / 6))
        assert ground_resolution(raster.info) == pytest.approx((0.5, 0.5), rel=1e-3)


def test_ground_control_points_alone_place_a_raster(make_raster, rng):
    array = rng.integers(1, 256, (3, 40, 60), np.uint8)
    points = [
        GroundControlPoint(row, column, 500_000 + 0.5 * column, 5_000_000 - 0.5 * row)
        for row in (0, 40)
        for column in (0, 60)
    ]
    path = make_raster(array, transform=None, gcps=points)
    with open_raster(path) as raster:
        assert raster.info.crs.to_epsg() == 32633
        assert raster.info.bounds == pytest.approx((500_000, 4_999_980, 500_030, 5_000_000))
        chip, valid = raster.read(raster.info.window, (raster.info.height, raster.info.width))
        assert (chip[:, valid] == array[:, valid]).mean() > 0.99


def test_raster_without_georeference_lies_as_qgis_draws_it(tmp_path):
    path = ungeoreferenced(tmp_path / "photo.png", np.ones((3, 5, 7), np.uint8))
    with open_raster(path) as raster:
        info = raster.info
        assert not info.georeferenced
        assert info.crs is None
        assert info.transform == PIXEL_TRANSFORM
        assert info.bounds == (0, -5, 7, 0)
        assert "photo.png" in info.caveat
        assert ground_resolution(info) is None


def test_crs_without_transform_places_nothing(make_raster):
    with pytest.warns(NotGeoreferencedWarning):
        path = make_raster(np.ones((1, 5, 7), np.uint8), transform=None)
    with open_raster(path) as raster:
        assert raster.info.crs is None
        assert raster.info.transform == PIXEL_TRANSFORM


def test_transform_without_crs_is_kept(make_raster):
    with open_raster(make_raster(np.ones((1, 5, 7), np.uint8), crs=None)) as raster:
        assert raster.info.georeferenced
        assert raster.info.crs is None
        assert raster.info.caveat
        assert raster.info.bounds == (500_000, 4_999_997.5, 500_003.5, 5_000_000)


@pytest.mark.parametrize("epsg, transform, expected", [
    (32633, Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000), (0.5002, 0.5002)),
    (3857, Affine(1, 0, 1_000_000, 0, -1, 8_399_738), (0.50126, 0.50042)),  # 60 degrees north
    (4326, Affine(1e-5, 0, 15, 0, -1e-5, 60), (0.5580, 1.1141)),
    (2263, Affine(1, 0, 1_000_000, 0, -1, 200_000), (0.3048, 0.3048)),  # feet
])  # fmt: skip
def test_ground_resolution_is_measured_on_the_earth(make_raster, epsg, transform, expected):
    path = make_raster(np.ones((1, 4, 4), np.uint8), crs=f"EPSG:{epsg}", transform=transform)
    with open_raster(path) as raster:
        assert ground_resolution(raster.info) == pytest.approx(expected, abs=1e-4)


def test_one_pixel_wide_raster(make_raster):
    with open_raster(make_raster(np.arange(50, dtype=np.uint8).reshape(1, 50, 1))) as raster:
        chip, valid = raster.read(raster.info.window, (25, 1))
        assert chip.shape == (3, 25, 1)
        assert valid.all()
        assert raster.read(raster.info.window, (100, 4))[0].max() == 49


def test_decimated_reads_keep_true_values_unless_smooth(make_raster, rng):
    array = rng.choice(np.array([3, 200], np.uint8), (1, 300, 500))
    with open_raster(make_raster(array)) as raster:
        chip, valid = raster.read_decimated(raster.info.window, 10_000)
        assert chip.shape[1:] == valid.shape == (77, 129)
        assert set(np.unique(chip)) == {3, 200}
        smooth, _ = raster.read_decimated(raster.info.window, 1000, smooth=True)
        assert np.abs(smooth.astype(float) - array.mean()).max() < 60


@pytest.mark.parametrize(
    "rows, width, expected", [(10, 10, 64 * 2**20), (500, 30_000, 500 * 30_000 * 6), (4000, 100_000, 256 * 2**20)]
)
def test_cache_holds_a_tile_row_and_is_bounded(make_raster, rows, width, expected):
    with open_raster(make_raster(np.ones((3, 4, 4), np.uint8))) as raster:
        wide = dataclasses.replace(raster.info, width=width)
    with gdal_environment(wide, rows):
        assert int(rasterio.env.getenv()["GDAL_CACHEMAX"]) == expected
    with gdal_environment():
        assert int(rasterio.env.getenv()["GDAL_CACHEMAX"]) == 64 * 2**20


def test_copies_do_not_change_the_file(make_raster, tmp_path):
    path = make_raster(np.ones((1, 8, 8), np.uint8))
    shutil.copy(path, tmp_path / "before.tif")
    with open_raster(path) as raster:
        chip, _ = raster.read(raster.info.window, (8, 8))
        chip[:] = 9
        assert raster.read(raster.info.window, (8, 8))[0].max() == 1
    assert path.read_bytes() == (tmp_path / "before.tif").read_bytes()
