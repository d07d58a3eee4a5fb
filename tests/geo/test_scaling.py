"""Band values become 0 to 1 the same way everywhere."""

import numpy as np
import pytest
from rasterio.windows import Window

from rrsis_core.geo.raster import open_raster
from rrsis_core.geo.scaling import Scaling, measure_scaling


def measured(path, mode="auto", window=None, bands=(1, 2, 3)):
    with open_raster(path) as raster:
        return measure_scaling(raster, window or raster.info.window, bands, mode)


def test_bytes_stay_as_they_are(make_raster, rng):
    array = rng.integers(40, 90, (3, 50, 50), np.uint8)
    scaling = measured(make_raster(array))
    assert scaling == Scaling((0.0,) * 3, (255.0,) * 3)
    assert np.abs(scaling.apply(array) - array / 255).max() < 1e-6


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32, np.float64, np.uint32])
def test_other_types_are_scaled_by_percentiles(make_raster, rng, dtype):
    array = (rng.normal(0, 1, (3, 400, 400)) * [[[100]], [[200]], [[300]]] + 3000).astype(dtype)
    scaling = measured(make_raster(array))
    for band in range(3):
        low, high = np.percentile(array[band], (2, 98))
        assert scaling.low[band] == pytest.approx(low, abs=1)
        assert scaling.high[band] == pytest.approx(high, abs=1)
    scaled = scaling.apply(array)
    assert scaled.dtype == np.float32
    assert (scaled.min(), scaled.max()) == (0, 1)
    assert 0.01 < (scaled == 0).mean() < 0.03


def test_percentiles_can_be_asked_for_and_look_at_the_window_only(make_raster, rng):
    array = rng.integers(0, 40, (1, 200, 200), np.uint8)
    array[:, :, 100:] += 200
    path = make_raster(array)
    left = measured(path, "percentile", Window(0, 0, 100, 200), (1,))
    right = measured(path, "percentile", Window(100, 0, 100, 200), (1,))
    assert left.high[0] < 40
    assert right.low[0] >= 200


def test_nodata_is_not_counted(make_raster, rng):
    array = rng.uniform(0.2, 0.4, (3, 300, 300)).astype(np.float32)
    array[:, :200] = -9999
    scaling = measured(make_raster(array, nodata=-9999.0))
    assert min(scaling.low) > 0.19
    array[:, :200] = np.nan
    assert measured(make_raster(array, "nan.tif")) == pytest.approx(scaling)


def test_eight_bits_stored_in_sixteen_look_the_same(make_raster, rng):
    array = rng.integers(10, 120, (3, 60, 60), np.uint8)
    as_bytes, as_words = measured(make_raster(array)), measured(make_raster(array.astype(np.uint16), "words.tif"))
    assert (as_bytes.apply(array) == as_words.apply(array.astype(np.uint16))).all()


@pytest.mark.parametrize("dtype, low, high", [(np.uint16, 0, 65535), (np.int16, -32768, 32767), (np.float32, 0, 1)])
def test_none_takes_the_type_at_its_word(make_raster, dtype, low, high):
    path = make_raster(np.ones((1, 8, 8), dtype))
    assert measured(path, "none", bands=(1,)) == Scaling((float(low),), (float(high),))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.int32])
def test_constant_bands_do_not_divide_by_zero(make_raster, dtype):
    array = np.full((3, 20, 20), 1000, dtype)
    scaled = measured(make_raster(array)).apply(array)
    assert (scaled == 0).all()


def test_area_without_a_valid_pixel(make_raster):
    array = np.zeros((3, 20, 20), np.uint16)
    assert np.isfinite(measured(make_raster(array, nodata=0)).apply(array)).all()


def test_value_does_not_depend_on_the_tile(rng):
    scaling = Scaling((103.0, 7.5, 0.0), (2011.0, 999.0, 3.0))
    chip = rng.integers(0, 3000, (3, 64, 64), np.uint16)
    whole = scaling.apply(chip)
    assert (scaling.apply(chip[:, 5:40, 9:33]) == whole[:, 5:40, 9:33]).all()


def test_neighbouring_values_of_wide_integers_stay_apart():
    scaling = Scaling((2.0**30,), (2.0**30 + 4,))
    chip = (2**30 + np.arange(5, dtype=np.uint32)).reshape(1, 1, 5)
    assert scaling.apply(chip).ravel().tolist() == [0, 0.25, 0.5, 0.75, 1]
