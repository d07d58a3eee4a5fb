"""A run is a stretch of set pixels within one row; runs that touch, one row above the other, are one component.

Runs are kept as flat positions, row * pitch + column, where pitch is the width plus one so that the end of a row and
the start of the next differ. Positions rise, so that neighbours are found by binary search.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


def run_sides(mask: NDArray[np.bool_]) -> Index:
    """Return the sides of all runs of a mask (rows, width): start, stop, start, stop ... as rising flat positions."""
    rows, width = mask.shape
    changes = np.empty((rows, width + 1), bool)
    np.not_equal(mask[:, 1:], mask[:, :-1], out=changes[:, 1:width])
    changes[:, 0] = mask[:, 0]
    changes[:, width] = mask[:, -1]
    return np.flatnonzero(changes)


def touching_runs(sides: Index, pitch: int) -> tuple[Index, Index]:
    """Return the numbers of all pairs of runs (lower, upper) that share a pixel edge."""
    starts, stops = sides[0::2], sides[1::2]
    first = np.searchsorted(stops + pitch, starts, side="right")
    beyond = np.searchsorted(starts + pitch, stops, side="left")
    counts = np.maximum(beyond - first, 0)
    lower = np.repeat(np.arange(len(starts)), counts)
    steps = np.arange(len(lower)) - np.repeat(np.cumsum(counts) - counts, counts)
    return lower, first[lower] + steps


def components(count: int, left: Index, right: Index) -> Index:
    """Return for each of `count` nodes the least node that the links left-right connect it with."""
    roots = np.arange(count)
    while len(left):
        left_roots, right_roots = roots[left], roots[right]
        apart = left_roots != right_roots
        left, right, left_roots, right_roots = left[apart], right[apart], left_roots[apart], right_roots[apart]
        np.minimum.at(roots, np.maximum(left_roots, right_roots), np.minimum(left_roots, right_roots))
        shorter = roots[roots]
        while not np.array_equal(roots, shorter):
            roots, shorter = shorter, shorter[shorter]
    return roots
