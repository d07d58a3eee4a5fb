"""An extent is what left, top and middle refer to: the box around what is searched. Its parts are places.

An object is at a place where its centroid is. Corners, edges and the middle can be landmarks too.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from rrsis_core.geo.raster_info import Bounds
from rrsis_core.inference.instances import Floats, Instances
from rrsis_core.text.query import PLACES, Query, split_position
from rrsis_core.text.saying import position_text

SIDE_SHARE, MIDDLE_SHARE, FAR_SHARE, CORNER_SHARE = 0.4, 0.2, 0.2, 0.25
PART_SHARES = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "corner": CORNER_SHARE, "edge": 0.1}


@dataclass(frozen=True)
class Extent:
    """What left, top and middle refer to."""

    bounds: Bounds
    """Left, bottom, right, top in metres on the ground; north is up."""
    name: str = "raster"
    rim: shapely.Geometry | None = None
    """Where the search ended although the raster may go on, in metres on the ground."""

    def say(self, position: str) -> str:
        """Return a position as words: "in the left half of the raster"."""
        return f"{position_text(position)} of the {self.name}"


def placed(position: str, points: Floats, extent: Extent) -> NDArray[np.bool_]:
    """Tell which points (n, 2) lie in a part of the extent."""
    centred, far, side, part = split_position(position)
    left, bottom, right, top = extent.bounds
    x, y = ((points - (left, bottom)) / (right - left, top - bottom)).T
    share = FAR_SHARE if far else PART_SHARES.get(part or "", SIDE_SHARE)
    if " " in side and part in ("half", "third", "quarter"):
        share = 0.5 if part == "quarter" else share  # a quarter of the area
    reach = {"left": x < share, "right": x > 1 - share, "bottom": y < share, "top": y > 1 - share}
    reach |= {"lower": reach["bottom"], "upper": reach["top"]}
    middle = [np.abs(value - 0.5) < MIDDLE_SHARE for value in (x, y)]
    if side == "middle":
        return middle[0] & middle[1]
    fits = np.all([reach[word] for word in side.split()], axis=0)
    if centred:
        fits &= middle[1] if side in ("left", "right") else middle[0]
    return fits


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
