"""Tiles cover their grid, whatever the sizes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.windows import Window

from rrsis_core.geo.tiling import Tile, make_grid, plan_axis, plan_tiles

OVERLAPS = st.sampled_from([0.0, 0.125, 0.25, 0.3, 0.5])


def special_lengths(tile, overlap):
    stride = int(tile * (1 - overlap))
    return [1, tile - 1, tile, tile + 1, 3 * stride + tile, 3 * stride + tile + 1, 7 * stride + 1]


@given(length=st.integers(1, 5000), tile=st.integers(1, 700), overlap=OVERLAPS)
def test_axis_is_covered(length, tile, overlap):
    check_axis(length, tile, overlap)


@pytest.mark.parametrize("overlap", [0, 0.125, 0.25, 0.5])
@pytest.mark.parametrize("tile", [64, 480, 512])
def test_axis_is_covered_at_special_lengths(tile, overlap):
    for length in special_lengths(tile, overlap):
        check_axis(length, tile, overlap)


def check_axis(length, tile, overlap):
    starts = plan_axis(length, tile, overlap)
    size = min(tile, length)
    assert starts[0] == 0
    assert starts[-1] + size == length
    assert all(later > earlier for earlier, later in itertools.pairwise(starts))
    if length <= tile:
        assert starts == (0,)
    for earlier, later in itertools.pairwise(starts):
        assert later - earlier <= max(1, tile * (1 - overlap)), "neighbours share at least the overlap"
    assert len({later - earlier for earlier, later in itertools.pairwise(starts[:-1])}) <= 1, "one stride"


def test_one_cell_more_needs_one_tile_more():
    assert plan_axis(480 + 3 * 360, 480, 0.25) == (0, 360, 720, 1080)
    assert plan_axis(480 + 3 * 360 + 1, 480, 0.25) == (0, 360, 720, 1080, 1081)


@pytest.mark.parametrize("arguments", [(0, 64, 0.25), (64, 0, 0.25), (64, 64, 0.6), (64, 64, -0.1)])
def test_impossible_plans_are_refused(arguments):
    with pytest.raises(ValueError):
        plan_axis(*arguments)


@given(width=st.integers(1, 300), height=st.integers(1, 300), tile=st.integers(16, 96), overlap=OVERLAPS)
def test_every_cell_is_in_a_tile(width, height, tile, overlap):
    plan = plan_tiles(width, height, tile, overlap)
    seen = np.zeros((height, width), int)
    rows = list(plan.rows())
    for number, row in enumerate(rows):
        for place, one in enumerate(row):
            assert (one.row, one.column) == (number, place)
            assert one.top + one.height <= height
            assert one.left + one.width <= width
            seen[one.top : one.top + one.height, one.left : one.left + one.width] += 1
    assert seen.min() >= 1
    assert sum(map(len, rows)) == len(plan)
    assert plan.padding == (max(0, tile - height), max(0, tile - width))


@given(
    size=st.tuples(st.integers(1, 30_000), st.integers(1, 30_000)),
    scale=st.tuples(st.floats(0.25, 4), st.floats(0.25, 4)),
    offset=st.tuples(st.integers(0, 60_000), st.integers(0, 60_000)),
)
def test_grid_covers_its_window_and_never_leaves_it(size, scale, offset):
    window = Window(*offset, *size)
    grid = make_grid(window, scale)
    whole = grid.source_window(Tile(0, 0, 0, 0, grid.height, grid.width))
    assert (whole.col_off, whole.row_off) == offset
    assert 0 <= window.width - whole.width < 0.01
    assert 0 <= window.height - whole.height < 0.01
    assert abs(grid.width - size[0] / scale[0]) <= 1


def test_grid_at_scale_one_is_the_window():
    grid = make_grid(Window(7, 9, 1001, 333))
    assert (grid.width, grid.height, grid.scale_x, grid.scale_y) == (1001, 333, 1, 1)
    assert grid.source_window(Tile(1, 2, 30, 40, 5, 6)) == Window(47, 39, 6, 5)


def test_places_of_a_cell_agree_exactly_between_tiles():
    grid = make_grid(Window(3, 5, 20_011, 17_003), (1.37, 2.9))
    for cell in range(500, 14_000, 611):
        places = {
            grid.source_window(Tile(0, 0, 0, left, 1, 480)).col_off + (cell - left) * grid.scale_x
            for left in range(max(0, cell - 479), cell, 37)
        }
        assert len(places) == 1
