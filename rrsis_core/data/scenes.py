"""A scene is an image with outlined objects: what every source of training samples is brought to.

Objects carry what they are and their visible pixels; a scene says of which categories it outlines every instance
(`complete`) and which are surely not there (`absent`), so that true expressions and true negatives can be made of it.
"""

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rrsis_core.contract import InputError
from rrsis_core.data import rendered


@dataclass(frozen=True)
class SceneObject:
    """One object: category and colour by the lexicon's canonical names, and its pixels inside a bounding box."""

    category: str
    color: str | None
    top: int
    left: int
    mask: np.ndarray
    """(h, w) bool; the object covers image[top : top + h, left : left + w][mask]."""


@dataclass(frozen=True)
class Scene:
    """An image (H, W, 3) uint8 with its objects."""

    image: np.ndarray
    objects: tuple[SceneObject, ...]
    gsd: float | None = None
    """Ground resolution, metres a pixel."""
    complete: frozenset[str] = frozenset()
    """Categories of which every instance is outlined."""
    absent: frozenset[str] = frozenset()
    """Categories of which no instance is there."""
    expressions: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Expressions written by people, each with the indexes of the objects it means."""
    unlabelled: np.ndarray | None = None
    """(H, W) bool, pixels that nobody labelled."""
    name: str = ""
    extras: dict[str, str] = field(default_factory=dict)


# Rendered categories that the lexicon knows as nouns of another category.
_RENDERED_NAMES = {"pond": "lake", "ship": "boat"}


def scene_of_rendered(made: rendered.Scene, name: str) -> Scene:
    """Bring a rendered scene to a scene: what is not outlined is not there, but for what people would argue about."""
    names = {_RENDERED_NAMES.get(category, category) for category in rendered.CATEGORIES}
    objects = tuple(
        SceneObject(_RENDERED_NAMES.get(o.category, o.category), o.color, o.rows[0], o.cols[0], o.mask)
        for o in made.objects
    )
    complete = frozenset((names | {"vegetation", "water"}) - made.disputed)
    return Scene(made.image, objects, made.gsd, complete, unlabelled=made.doubtful, name=name)


def object_from_mask(category: str, color: str | None, mask: np.ndarray) -> SceneObject:
    """Make an object of a full-size mask (H, W) bool by cutting its bounding box. The mask must not be empty."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return SceneObject(category, color, top, left, mask[top : rows[-1] + 1, left : columns[-1] + 1].copy())


def union_mask(objects: Iterable[SceneObject], shape: tuple[int, int]) -> np.ndarray:
    """Return the pixels (H, W) bool that the objects cover together."""
    whole = np.zeros(shape, bool)
    for item in objects:
        height, width = item.mask.shape
        whole[item.top : item.top + height, item.left : item.left + width] |= item.mask
    return whole


def write_scene(scene: Scene, path: str | Path) -> None:
    """Write a scene as one .scene file: a zip of the image, the packed masks and a JSON record."""
    record = {
        "name": scene.name,
        "gsd": scene.gsd,
        "complete": sorted(scene.complete),
        "absent": sorted(scene.absent),
        "expressions": scene.expressions,
        "extras": scene.extras,
        "objects": [[o.category, o.color, o.top, o.left, *o.mask.shape] for o in scene.objects],
    }
    packed = [np.packbits(item.mask) for item in scene.objects]
    arrays = {"image": scene.image, "masks": np.concatenate(packed) if packed else np.zeros(0, np.uint8)}
    if scene.unlabelled is not None:
        arrays["unlabelled"] = np.packbits(scene.unlabelled)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        archive.writestr("record.json", json.dumps(record))
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            archive.writestr(f"{name}.npy", buffer.getvalue())


def read_scene(path: str | Path) -> Scene:
    """Read a .scene file. Raises InputError scene.unreadable."""
    try:
        with zipfile.ZipFile(path) as archive:
            record = json.loads(archive.read("record.json"))
            names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
            arrays = {name: np.load(io.BytesIO(archive.read(f"{name}.npy"))) for name in names}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path} is not a scene.", code="scene.unreadable", hint="Make the scenes again.", details=str(error)
        ) from error
    objects = []
    start = 0
    for category, color, top, left, height, width in record["objects"]:
        stop = start + -(-height * width // 8)
        bits = np.unpackbits(arrays["masks"][start:stop], count=height * width).astype(bool)
        objects.append(SceneObject(category, color, top, left, bits.reshape(height, width)))
        start = stop
    image = arrays["image"]
    unlabelled = arrays.get("unlabelled")
    if unlabelled is not None:
        height, width = image.shape[:2]
        unlabelled = np.unpackbits(unlabelled, count=height * width).astype(bool).reshape(height, width)
    return Scene(
        image=image,
        objects=tuple(objects),
        gsd=record["gsd"],
        complete=frozenset(record["complete"]),
        absent=frozenset(record["absent"]),
        expressions=tuple((text, tuple(indexes)) for text, indexes in record["expressions"]),
        unlabelled=unlabelled,
        name=record["name"],
        extras=record["extras"],
    )
