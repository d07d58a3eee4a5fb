"""A ring is the closed outline of a component, or of a hole in it, through the corners of its pixels.

A corner is where a vertical side of a run ends: on the grid line between two rows, a side that both rows have goes
on and makes no corner, a side that only one of them has makes one. So no corner lies on a straight line.

At every corner one vertical and one horizontal edge meet. In order of x along a grid line, corners of a component
pair up to its horizontal edges; in order of y down a column line, to its vertical edges. Left sides are followed
downwards and right sides upwards, so that each corner has one successor, and following them gives the rings.

Where two pixels of a component touch in a corner only, two corners share the place. They are paired so that the
background is separated there, not the component: a hole then touches the shell in a point, and every ring is simple.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

Index = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Corners:
    """Corners as columns of equal length."""

    label: Index
    """Component."""
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    hangs: Flags
    """The vertical side lies above the corner; else below."""
    left: Flags
    """The vertical side is the left one of its run, the component lies right of it."""

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, which: Flags | Index) -> Corners:
        return Corners(self.label[which], self.x[which], self.y[which], self.hangs[which], self.left[which])

    def relabelled(self, label: Index) -> Corners:
        """Return the same corners under other labels."""
        return Corners(label, self.x, self.y, self.hangs, self.left)

    def moved_down(self, rows: int) -> Corners:
        """Return the corners some rows further down."""
        return Corners(self.label, self.x, self.y + np.int32(rows), self.hangs, self.left)

    @staticmethod
    def joined(parts: list[Corners]) -> Corners:
        """Return the corners of all parts, one after the other."""
        names = ("label", "x", "y", "hangs", "left")
        label, x, y, hangs, left = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        return Corners(label, x, y, hangs, left)

    @staticmethod
    def none() -> Corners:
        """Return no corners."""
        empty, flags = np.empty(0, np.int32), np.empty(0, bool)
        return Corners(np.empty(0, np.int64), empty, empty, flags, flags)


def find_corners(sides: Index, labels: Index, pitch: int, last_line: int) -> Corners:
    """Return the corners on grid lines 0 to `last_line`, line r being the upper edge of row r.

    `sides` are flat positions of run sides (see runs.py) from row -1, the row above, on; `labels` are those of the
    runs, half as many.
    """
    left = np.zeros(len(sides), bool)
    left[0::2] = True
    # A side goes on if the next row has one of the same kind at the same column.
    keys = sides * 2 + ~left
    below = np.searchsorted(keys, keys + 2 * pitch)
    goes_on = keys[np.minimum(below, len(keys) - 1)] == keys + 2 * pitch if len(keys) else left
    comes_from_above = np.zeros(len(sides), bool)
    comes_from_above[below[goes_on]] = True
    rows = sides // pitch
    hanging = ~goes_on & (rows < last_line)
    standing = ~comes_from_above & (rows >= 0)
    chosen = np.concatenate([np.flatnonzero(hanging), np.flatnonzero(standing)])
    hangs = np.arange(len(chosen)) < np.count_nonzero(hanging)
    columns = sides[chosen] - rows[chosen] * pitch
    lines = rows[chosen] + hangs
    return Corners(labels[chosen // 2], columns.astype(np.int32), lines.astype(np.int32), hangs, left[chosen])


def build_polygons(corners: Corners, transform: Affine) -> NDArray[np.object_]:
    """Trace complete components: return their polygons by rising label, valid and with shells counter-clockwise.

    `corners` holds all corners of each of its components; `transform` takes (x, y) to coordinates.
    """
    if not len(corners):
        return np.empty(0, object)
    order, ends = _cycles(_successors(corners))
    starts = np.concatenate([[0], ends[:-1]])
    label, x, y = corners.label[order[starts]], corners.x[order], corners.y[order]
    hole = _signed_areas(x, y, starts, ends) < 0
    rings = _linear_rings(x, y, ends, transform)
    by_polygon = np.lexsort((hole, label))  # the shell of each component, then its holes
    labels, polygon = np.unique(label[by_polygon], return_inverse=True)
    assert np.count_nonzero(~hole) == len(labels), "a component has exactly one shell"
    return shapely.polygons(rings[by_polygon], indices=polygon)


def _successors(corners: Corners) -> NDArray[np.int32]:
    """Return the number of the corner that follows each corner on its ring."""
    component = np.searchsorted(np.unique(corners.label), corners.label)
    # Of two corners at one place one is of a left side: it goes with the edge to its left, which makes these two turn
    # around one of the two background pixels there. So it comes first along the row.
    along_row = _partners(component, corners.y, corners.x, ~corners.left)
    down_column = _partners(component, corners.x, corners.y, ~corners.hangs)
    leaves_vertically = corners.hangs != corners.left
    return np.where(leaves_vertically, down_column, along_row)


def _partners(component: Index, line: NDArray[np.int32], place: NDArray[np.int32], second: Flags) -> NDArray[np.int32]:
    """Pair the corners of each component in the order of their places along each line; say who is whose partner."""
    lines, places = int(line.max()) + 1, int(place.max()) + 1
    if (int(component.max()) + 1) * lines * places < 2**62:
        key = component * lines
        key += line
        key *= places
        key += place
        key *= 2
        key += second
        order = np.argsort(key, kind="stable")  # not for stability: it is fast on what is half sorted
    else:
        order = np.lexsort((second, place, line, component))
    partner = np.empty(len(order), np.int32)
    partner[order[0::2]] = order[1::2]
    partner[order[1::2]] = order[0::2]
    return partner


def _cycles(successors: NDArray[np.int32]) -> tuple[NDArray[np.int32], Index]:
    """Return all nodes in the order of their cycles, and where each cycle ends.

    The one loop over corners that is left to Python; pointer doubling in numpy is no faster, lists of Python integers
    take twice the time and ten times the memory of these arrays.
    """
    following = array("i", successors.tobytes())
    order = array("i")
    ends: list[int] = []
    seen = bytearray(len(following))
    add = order.append
    for first in range(len(following)):
        if seen[first]:
            continue
        node = first
        while not seen[node]:
            seen[node] = 1
            add(node)
            node = following[node]
        ends.append(len(order))
    return np.frombuffer(order, np.int32), np.array(ends, np.int64)


def _signed_areas(x: NDArray[np.int32], y: NDArray[np.int32], starts: Index, ends: Index) -> Index:
    """Return the area of each ring; negative for holes, which run up on their left side, y pointing down."""
    height = np.empty_like(y)
    height[:-1] = y[1:]
    height[ends - 1] = y[starts]
    height -= y
    return -np.add.reduceat(x * height.astype(np.int64), starts)


def _linear_rings(x: NDArray[np.int32], y: NDArray[np.int32], ends: Index, transform: Affine) -> NDArray[np.object_]:
    ring = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    if transform.determinant > 0:  # south-up: rows run upwards, and what went counter-clockwise no longer does
        x, y, ring = x[::-1], y[::-1], len(ends) - 1 - ring[::-1]
    points = np.empty((len(ring), 2))
    points[:, 0] = transform.a * x + transform.b * y + transform.c
    points[:, 1] = transform.d * x + transform.e * y + transform.f
    rings = shapely.linearrings(points, indices=ring)
    return rings[::-1] if transform.determinant > 0 else rings
