"""An extent is what left, top and middle refer to: the box around what is searched. Its parts are places.

An object is at a place where its centroid is; of a long one, the part that lies there. Corners, edges and the middle
can be landmarks too.
"""

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from rrsis_core.geo.raster_info import Bounds
from rrsis_core.inference.instances import Floats, Instances, joined
from rrsis_core.text.query import PLACES, SIDES, Query, split_position
from rrsis_core.text.saying import position_text

SIDE_SHARE, MIDDLE_SHARE, FAR_SHARE, CORNER_SHARE = 0.4, 0.2, 0.2, 0.25
COMPACT_SHARE, COMPACT_SIDES = 0.7, 2.0  # of the smallest rectangle around it; its long side by its short one
PART_SHARES = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "corner": CORNER_SHARE, "edge": 0.1}


@dataclass(frozen=True)
class Extent:
    """What left, top and middle refer to."""

    bounds: Bounds
    """Left, bottom, right, top in metres on the ground; north is up."""
    name: str = "raster"
    rim: shapely.Geometry | None = None
    """Where the search ended although the raster may go on, in metres on the ground."""
    scale: tuple[float, float] = (1.0, 1.0)
    """Metres on the ground a unit of the raster's CRS, along x and y."""

    def say(self, position: str) -> str:
        """Return a position as words: "in the left half of the raster"."""
        return f"{position_text(position)} of the {self.name}"


def part_of(position: str, extent: Extent) -> Bounds:
    """Return the part of an extent that a position names: left, bottom, right, top in metres on the ground."""
    centred, far, side, part = split_position(position)
    share = FAR_SHARE if far else PART_SHARES.get(part or "", SIDE_SHARE)
    if " " in side and part in ("half", "third", "quarter"):
        share = 0.5 if part == "quarter" else share  # a quarter of the area
    low, middle, high = (0.0, share), (0.5 - MIDDLE_SHARE, 0.5 + MIDDLE_SHARE), (1 - share, 1.0)
    spans = {"left": low, "right": high}, {"bottom": low, "lower": low, "top": high, "upper": high}
    ends = []
    for axis, names in enumerate(spans):
        fits = [names[word] for word in side.split() if word in names]
        if side == "middle" or (centred and axis == (side in ("left", "right"))):
            fits.append(middle)
        ends.append((max([start for start, _ in fits], default=0.0), min([end for _, end in fits], default=1.0)))
    left, bottom, right, top = extent.bounds
    (west, east), (south, north) = ends
    width, height = right - left, top - bottom
    return left + west * width, bottom + south * height, left + east * width, bottom + north * height


def placed(position: str, points: Floats, extent: Extent) -> NDArray[np.bool_]:
    """Tell which points (n, 2) lie in a part of the extent."""
    left, bottom, right, top = part_of(position, extent)
    x, y = points.T
    return (left < x) & (x < right) & (bottom < y) & (y < top)


def placed_or_nearly(position: str, points: Floats, extent: Extent) -> NDArray[np.bool_]:
    """Tell which points lie in a part; where none is at a plain side or corner, those in that half or quarter."""
    here = placed(position, points, extent)
    if here.any() or position not in SIDES[:8]:
        return here
    return placed(f"{position} {'quarter' if ' ' in position else 'half'}", points, extent)


def cut_at(position: str, instances: Instances, extent: Extent, compact_too: bool = True) -> Instances:
    """Return instances with those that are longer than a side is wide cut at the border of a part of the extent.

    A road across all of the picture, or a row of houses that the model saw as one, has no place as a whole. A large
    tank has, unless `compact_too`.
    """
    left, bottom, right, top = extent.bounds
    boxes = shapely.bounds(instances.ground)
    long = ((boxes[:, 2:] - boxes[:, :2]) > SIDE_SHARE * np.array([right - left, top - bottom])).any(axis=1)
    if not compact_too:
        a, b = instances[long].sides.T
        long[long] = (instances.area[long] <= COMPACT_SHARE * a * b) | (a > COMPACT_SIDES * b)
    if not long.any():
        return instances
    place, wholes = shapely.box(*part_of(position, extent)), instances.ground[long]
    parted = [shapely.intersection(wholes, place), shapely.difference(wholes, place)]
    pieces, which = shapely.get_parts(np.concatenate(parted), return_index=True)
    real = shapely.area(pieces) > 0  # what only touches the border is a line
    pieces, owner = pieces[real], np.tile(np.flatnonzero(long), 2)[which[real]]
    outlines = shapely.transform(pieces, lambda points: points / extent.scale)
    return joined([instances[~long], replace(instances[owner], outlines=outlines, ground=pieces)])


def at_place(place: Query, points: Floats, extent: Extent) -> NDArray[np.bool_]:
    """Tell which points (n, 2) are at a place such as "the corner", whichever it is, or "the left edge"."""
    sides = [split_position(place.position)[2]] if place.position else PLACES[place.target]
    part = "" if place.target == "middle" else f" {place.target}"
    return np.any([placed(side + part, points, extent) for side in sides], axis=0)


def place_landmarks(place: Query, extent: Extent) -> Instances:
    """Return what a place such as "the corner" or "the left edge" is as landmarks: points and lines."""
    left, bottom, right, top = extent.bounds
    named = split_position(place.position)[2] if place.position else ""
    named = named.replace("top", "upper").replace("bottom", "lower")
    corners = {"upper left": (left, top), "upper right": (right, top)}
    corners |= {"lower left": (left, bottom), "lower right": (right, bottom)}
    shapes: list[shapely.Geometry]
    if place.target == "middle":
        shapes = [shapely.Point((left + right) / 2, (bottom + top) / 2)]
    elif place.target == "corner":
        shapes = [shapely.Point(at) for name, at in corners.items() if set(named.split()) <= set(name.split())]
    else:
        sides = named.split() or ["left", "right", "upper", "lower"]
        shapes = [shapely.LineString([at for name, at in corners.items() if side in name.split()]) for side in sides]
    outlines = np.array(shapes, object)
    return Instances(outlines, outlines, np.ones(len(shapes)))
