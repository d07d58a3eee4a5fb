"""Rows of the grid become rows of the raster."""

import numpy as np
import pytest
from rasterio.windows import Window

from rrsis_core.geo.resampling import RowResampler, axis_taps
from rrsis_core.geo.tiling import make_grid

SIZES = [(1, 1), (1, 37), (53, 1), (120, 77)]
SCALES = [(1.0, 1.0), (4.0, 4.0), (1.37, 2.0), (0.5, 0.5), (0.25, 0.31), (0.77, 1.3), (3.2, 0.9)]


def resampled(cells, window, scale, heights, band_values=2**22):
    resampler = RowResampler(make_grid(window, scale), window, band_values)
    bands, row, turn = [], 0, 0
    while row < cells.shape[1]:
        stop = row + heights[turn % len(heights)]
        bands += resampler.feed(cells[:, row:stop])
        row, turn = stop, turn + 1
    return np.concatenate(bands, axis=1)


def cells_for(window, scale, rng, phrases=2):
    grid = make_grid(window, scale)
    return rng.integers(0, 65536, (phrases, grid.height, grid.width), np.uint16)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scale", SCALES)
def test_result_does_not_depend_on_the_bands(size, scale, rng):
    window = Window(3, 4, *size)
    cells = cells_for(window, scale, rng)
    expected = resampled(cells, window, scale, [10_000])
    assert expected.shape == (2, size[1], size[0])
    for heights, band_values in (([1], 2**22), ([1, 2, 7], 1), ([5], 100), ([64], 1000)):
        assert (resampled(cells, window, scale, heights, band_values) == expected).all()


def test_scale_one_changes_nothing(rng):
    window = Window(0, 0, 50, 40)
    cells = cells_for(window, (1.0, 1.0), rng)
    assert (resampled(cells, window, (1.0, 1.0), [7]) == cells).all()


@pytest.mark.parametrize("scale", [(1.0, 1.0), (4.0, 4.0), (0.5, 0.5)])
def test_bands_are_bounded_whatever_is_handed_in(scale, rng):
    window = Window(0, 0, 50, 400)
    resampler = RowResampler(make_grid(window, scale), window, band_values=1000)
    heights = [band.shape[1] for band in resampler.feed(cells_for(window, scale, rng, 2))]
    assert sum(heights) == 400
    assert max(heights) <= 10


@pytest.mark.parametrize("scale", SCALES)
def test_constant_stays_constant(scale):
    window = Window(0, 0, 90, 70)
    grid = make_grid(window, scale)
    for value in (0, 1, 52428, 65535):
        cells = np.full((1, grid.height, grid.width), value, np.uint16)
        assert (resampled(cells, window, scale, [9]) == value).all()


@pytest.mark.parametrize("scale", [(4.0, 4.0), (1.37, 2.0), (2.5, 1.0)])
def test_finer_pixels_are_bilinear_between_centres(scale, rng):
    window = Window(0, 0, 90, 70)
    grid = make_grid(window, scale)
    cells = cells_for(window, scale, rng, 1)
    x = np.clip((np.arange(90) + 0.5) / grid.scale_x - 0.5, 0, grid.width - 1)
    y = np.clip((np.arange(70) + 0.5) / grid.scale_y - 0.5, 0, grid.height - 1)
    wide = np.array([np.interp(x, np.arange(grid.width), row) for row in cells[0]])
    expected = np.array([np.interp(y, np.arange(grid.height), column) for column in wide.T]).T
    assert np.abs(resampled(cells, window, scale, [9])[0] - expected).max() <= 2


@pytest.mark.parametrize("scale", [(0.5, 0.5), (0.25, 0.31), (0.77, 0.9)])
def test_coarser_pixels_are_means_of_what_they_cover(scale, rng):
    window = Window(0, 0, 40, 30)
    grid = make_grid(window, scale)
    cells = cells_for(window, scale, rng, 1)

    def means(values, count, step):
        running = np.concatenate([[0], np.cumsum(values)])
        at = np.interp(np.minimum(np.arange(count + 1) / step, len(values)), np.arange(len(values) + 1), running)
        return np.diff(at) * step

    wide = np.array([means(row, 40, grid.scale_x) for row in cells[0]])
    expected = np.array([means(column, 30, grid.scale_y) for column in wide.T]).T
    assert np.abs(resampled(cells, window, scale, [9])[0] - expected).max() <= 2


def test_stripes_finer_than_a_pixel_do_not_alias():
    window = Window(0, 0, 40, 40)
    cells = np.zeros((1, 160, 160), np.uint16)
    cells[:, :, ::2] = 60_000
    assert np.abs(resampled(cells, window, (0.25, 0.25), [16]).astype(int) - 30_000).max() <= 1


@pytest.mark.parametrize("scale", [0.1, 0.25, 0.37, 0.99999, 1.0, 1.00001, 2.7, 4.0])
def test_taps_are_exact_and_in_order(scale):
    numbers, weights = axis_taps(max(1, round(100 / scale)), 100, scale)
    assert (weights.astype(int).sum(axis=0) == 65536).all()
    assert (np.diff(numbers, axis=0) >= 0).all()
    assert (np.diff(numbers, axis=1) >= 0).all()
    assert numbers.min() == 0
