"""GeoTIFFs written row by row lie on the raster's pixels."""

import os

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.windows import Window

from rrsis_core.contract import SinkError
from rrsis_core.geo.raster import open_raster
from rrsis_core.geo.raster_info import Frame, frame_of
from rrsis_core.geo.sinks import mask_sink, probability_sink, write_geotiff

UTM = rasterio.CRS.from_epsg(32633)
TRANSFORM = Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000)


def pieces(array, heights):
    row, turn = 0, 0
    while row < array.shape[1]:
        stop = row + heights[turn % len(heights)]
        yield array[:, row:stop]
        row, turn = stop, turn + 1


@pytest.mark.parametrize("heights", [[1], [300], [1000], [255, 2, 400]])
def test_rows_of_any_height_give_the_same_file(tmp_path, rng, heights):
    frame = Frame(300, 600, TRANSFORM, UTM)
    probability = rng.integers(0, 65536, (2, 600, 300), np.uint16)
    mask = probability > 40_000
    phrases = ["the blue roofs", "die Bäume"]
    with (
        mask_sink(tmp_path / "mask.tif", frame, phrases) as masks,
        probability_sink(tmp_path / "probability.tif", frame, phrases) as probabilities,
    ):
        buffer = np.empty((2, max(heights), 300), np.uint16)
        for rows in pieces(probability, heights):
            buffer[:, : rows.shape[1]] = rows
            probabilities.write(buffer[:, : rows.shape[1]])
            masks.write(buffer[:, : rows.shape[1]] > 40_000)
            buffer[:] = 7  # what was handed over may be used again
    with rasterio.open(tmp_path / "mask.tif") as dataset:
        assert (dataset.read() == mask).all()
        assert dataset.dtypes == ("uint8", "uint8")
        assert dataset.descriptions == tuple(phrases)
        assert (dataset.crs, dataset.transform, dataset.nodata) == (UTM, TRANSFORM, None)
        assert dataset.block_shapes[0] == (256, 256)
        assert dataset.compression.name == "deflate"
    with rasterio.open(tmp_path / "probability.tif") as dataset:
        assert (dataset.read() == probability).all()
        assert dataset.scales == (1 / 65535,) * 2
        assert dataset.descriptions == tuple(phrases)


@pytest.mark.parametrize("transform", [
    Affine(0.5, 0, 500_000, 0, 0.5, 5_000_000),
    Affine.translation(500_000, 5_000_000) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5),
])  # fmt: skip
def test_window_of_any_raster_keeps_its_place(make_raster, tmp_path, rng, transform):
    array = rng.integers(0, 256, (1, 40, 50), np.uint8)
    with open_raster(make_raster(array, transform=transform)) as raster:
        frame = frame_of(raster.info, Window(10, 20, 30, 15))
    with mask_sink(tmp_path / "mask.tif", frame, ["p"]) as sink:
        sink.write(array[:, 20:35, 10:40] > 128)
    with rasterio.open(tmp_path / "mask.tif") as dataset:
        assert dataset.transform.almost_equals(transform @ Affine.translation(10, 20), 1e-6)
        assert dataset.transform @ (3, 4) == pytest.approx(transform @ (13, 24))
        assert (dataset.read() == (array[:, 20:35, 10:40] > 128)).all()


@pytest.mark.parametrize("left, top", [(0, 0), (10, -20)])
def test_output_of_an_unplaced_raster_lies_as_qgis_draws_it(tmp_path, left, top):
    frame = Frame(4, 3, Affine(1, 0, left, 0, -1, top), None)
    with mask_sink(tmp_path / "mask.tif", frame, ["p"]) as sink:
        sink.write(np.ones((1, 3, 4), bool))
    write_geotiff(tmp_path / "array.tif", np.ones((3, 4)), frame.transform, None)
    for name in ("mask.tif", "array.tif"):
        with open_raster(tmp_path / name) as raster:
            assert raster.info.crs is None
            assert raster.info.bounds == (left, top - 3, left + 4, top)


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_exception_in_the_middle_leaves_nothing(tmp_path, failure):
    (tmp_path / "mask.tif").write_bytes(b"old")
    with pytest.raises(failure), mask_sink(tmp_path / "mask.tif", Frame(300, 600, TRANSFORM, UTM), ["p"]) as sink:
        sink.write(np.ones((1, 300, 300), bool))
        raise failure
    assert os.listdir(tmp_path) == ["mask.tif"]
    assert (tmp_path / "mask.tif").read_bytes() == b"old"


def test_missing_rows_are_a_programming_error(tmp_path):
    with pytest.raises(ValueError), mask_sink(tmp_path / "mask.tif", Frame(30, 60, TRANSFORM, UTM), ["p"]) as sink:
        sink.write(np.ones((1, 59, 30), bool))
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.99, 0.999, 1])
@pytest.mark.parametrize("smooth", [True, False])
def test_full_disk_is_an_error_and_leaves_nothing(tmp_path, rng, full_disk, smooth, share):
    """GDAL writes small files when it closes them, and then says nothing of what it could not store."""
    frame = Frame(600, 600, TRANSFORM, UTM)
    pixels = np.eye(600, dtype=np.uint16)[None] if smooth else rng.integers(0, 65536, (1, 600, 600), np.uint16)

    def write():
        with probability_sink(tmp_path / "p.tif", frame, ["p"]) as sink:
            for rows in pieces(pixels, [250]):
                sink.write(rows)

    write()
    size = (tmp_path / "p.tif").stat().st_size
    (tmp_path / "p.tif").unlink()
    with full_disk(int(size * share)):
        if share == 1:
            write()
            return
        with pytest.raises(SinkError) as error:
            write()
    assert error.value.code == "output.write"
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("shape", [(20, 30), (1, 20, 30), (3, 20, 30), (4, 20, 30), (5, 20, 30)])
def test_arrays_become_geotiffs(tmp_path, rng, shape):
    array = rng.integers(0, 256, shape, np.uint8)
    write_geotiff(tmp_path / "scene.tif", array, TRANSFORM, "EPSG:32633")
    with rasterio.open(tmp_path / "scene.tif") as dataset:
        assert (dataset.read() == array).all()
        assert (dataset.crs, dataset.transform) == (UTM, TRANSFORM)
        if shape[0] == 3:
            assert [meaning.name for meaning in dataset.colorinterp] == ["red", "green", "blue"]
