"""A scene is a made-up aerial photograph together with everything that is true about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

CATEGORIES = (
    "airplane",
    "bare soil",
    "baseball diamond",
    "boat",
    "bridge",
    "building",
    "bunker",
    "driveway",
    "fairway",
    "field",
    "forest",
    "grass",
    "green",
    "lake",
    "parking lot",
    "pier",
    "pond",
    "river",
    "road",
    "runway",
    "sand",
    "sea",
    "ship",
    "storage tank",
    "swimming pool",
    "taxiway",
    "tennis court",
    "tree",
    "vehicle",
)


@dataclass(frozen=True)
class SceneObject:
    """One thing in a scene, as an annotator would outline it from above; its shadow is not part of it.

    Visible pixels only: tree crowns hide whatever is under them. Surfaces for traffic (road, driveway, parking lot,
    runway, taxiway, bridge) and tennis courts include the vehicles, airplanes and markings on them; other surfaces
    (water, grass, field, sand, bare soil) exclude what stands or floats on them. A building is its roof with all that
    stands on the roof; walls seen from the side belong to storage tanks but not to buildings.
    """

    category: str
    """One of CATEGORIES."""

    color: str | None
    """Name of the median of its pixels in the finished image (`rrsis_core.data.colors`), None when ambiguous."""

    attributes: Mapping[str, str]
    """What else can be said: `material`, `shape`, `surface`, `type`, `shade` ("dark" or "light"), `visible` (share)."""

    rows: tuple[int, int]
    """First row and the row after the last of its bounding box."""

    cols: tuple[int, int]
    """First column and the column after the last of its bounding box."""

    mask: npt.NDArray[np.bool_]
    """(rows, cols) of the bounding box: True where the object is seen."""


@dataclass(frozen=True)
class Scene:
    """A rendered image, where it lies on the made-up map, and all objects of all CATEGORIES that are seen in it."""

    image: npt.NDArray[np.uint8]
    """(H, W, 3) red, green, blue."""

    gsd: float
    """Metres per pixel."""

    transform: tuple[float, float, float, float, float, float]
    """Affine pixel to map as (a, b, c, d, e, f): x = a column + b row + c, y = d column + e row + f, in metres."""

    crs_epsg: int
    """A UTM zone."""

    kind: str
    """The kind of place, one of KINDS."""

    seed: int
    objects: tuple[SceneObject, ...] = field(repr=False)

    doubtful: npt.NDArray[np.bool_] = field(repr=False)
    """(H, W): weedy ground that some would call grass and others bare soil; no object covers it."""

    disputed: frozenset[str]
    """Categories that people might also use for objects of another one: desert ground is bare soil, but sand to some.

    Their objects are true, but neither their absence nor their completeness is.
    """

    @property
    def categories(self) -> frozenset[str]:
        """Categories with at least one object; every other category is surely absent, unless `disputed`."""
        return frozenset(item.category for item in self.objects)

    def mask_of(self, objects: Iterable[SceneObject]) -> npt.NDArray[np.bool_]:
        """Union of the masks of some objects, (H, W)."""
        union = np.zeros(self.image.shape[:2], dtype=bool)
        for item in objects:
            union[slice(*item.rows), slice(*item.cols)] |= item.mask
        return union
