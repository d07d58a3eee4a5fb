"""REFER: the layout of RefCOCO, in which RRSIS-D and RRSIS-HR come too.

    <root>/rrsisd/refs(unc).p       pickled list of dictionaries: one reference each, with its sentences
    <root>/rrsisd/instances.json    COCO: images, annotations with masks, categories
    <root>/images/rrsisd/JPEGImages/00001.jpg

In RRSIS-D one sentence is one reference is one annotation is one image id. Its JSON is not clean COCO (`categories_id`
for `category_id`, boxes as corners, an `area` that is not the mask's), and not all pictures are of the size it tells.
"""

import json
import pickle
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from rrsis_core.contract import InputError
from rrsis_core.data.datasets import SPLITS, ReferringDataset
from rrsis_core.data.records import MaskOutline, MaskRuns, Record

PUBLISHED = {
    "rrsisd": {"train": 12181, "val": 1740, "test": 3481},
    "rrsishr": {"train": 2118, "val": 268, "test": 264},
}
_KEYS = {"ref_id", "ann_id", "image_id", "split", "sentences"}
# A damaged pickle can raise nearly anything while it is read.
_DAMAGES = (pickle.UnpicklingError, EOFError, ValueError, LookupError, TypeError, AttributeError)
_PICTURES = (
    "images/{name}/JPEGImages",
    "images/{name}/Images",
    "images/{name}",
    "images/JPEGImages",
    "images/mscoco/images/train2014",
    "JPEGImages",
    "Images",
    "images",
)


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, dictionaries, text and numbers; refuses every class, so that no file can run code."""

    def find_class(self, module: str, name: str) -> NoReturn:
        """Refuse."""
        raise pickle.UnpicklingError(f"the file wants to load {module}.{name}")


def read_refs(path: Path) -> list[dict[str, Any]]:
    """Read a refs(*).p file, of Python 2 or 3. Raises InputError data.pickle."""
    try:
        with path.open("rb") as file:
            refs = _PlainUnpickler(file, encoding="latin1").load()
    except (OSError, *_DAMAGES) as error:
        raise InputError(
            f"{path} is not a list of references.",
            code="data.pickle",
            hint="Download it again. Files that hold anything but plain data are refused.",
            details=repr(error),
        ) from error
    if not isinstance(refs, list) or not all(isinstance(ref, dict) and ref.keys() >= _KEYS for ref in refs):
        raise InputError(
            f"{path} holds something else than references.",
            code="data.pickle",
            hint=f"Each entry needs {', '.join(sorted(_KEYS))}.",
        )
    return refs


def in_split(ref_split: str, split: str) -> bool:
    """Tell whether a reference belongs to a split, by REFER's rules.

    "test" takes every split with test in its name; "testA" and the like take those that end in the same letter.
    """
    if split == "test":
        return "test" in ref_split
    if split.startswith("test"):
        return ref_split.endswith(split[-1]) and "test" in ref_split
    return ref_split == split


def read_refer(root: Path) -> ReferringDataset:
    """Read a data set in the REFER layout: the root, the folder of the refs file, or that file where there are several.

    Every sentence is a record. Raises InputError data.layout, data.pickle, data.json.
    """
    refs_path = _refs_file(root)
    folder = refs_path.parent
    images, annotations, categories = _read_instances(folder / "instances.json")
    name = _name(folder)
    pictures = _pictures_folder(folder, name, list(images.values()))
    problems: list[str] = []
    refs = read_refs(refs_path)
    records: dict[str, list[Record]] = {split: [] for split in (*SPLITS, *sorted({ref["split"] for ref in refs}))}
    for ref in refs:
        if ref["ann_id"] not in annotations or ref["image_id"] not in images:
            problems.append(f"Reference {ref['ref_id']}: instances.json lacks its annotation or its image.")
            continue
        annotation = annotations[ref["ann_id"]]
        category = annotation.get("categories_id", annotation.get("category_id", ref.get("category_id")))
        for sentence in ref["sentences"]:
            record = Record(
                key=str(sentence.get("sent_id", ref["ref_id"])),
                image=pictures / images[ref["image_id"]],
                expression=sentence.get("raw") or sentence["sent"],
                mask=mask_parts(annotation.get("segmentation") or ()),
                category=categories.get(category, "") if category is not None else "",
            )
            for split, found in records.items():
                if in_split(ref["split"], split):
                    found.append(record)
    published = PUBLISHED.get(name, {})
    limit = 22 if name == "rrsisd" else 20
    return ReferringDataset(
        name, root, {split: tuple(found) for split, found in records.items()}, published, limit, tuple(problems)
    )


def mask_parts(segmentation: Any) -> tuple[MaskRuns | MaskOutline, ...]:
    """Return the parts of a COCO segmentation: a run-length dictionary, a list of them, or a list of polygons."""
    parts: Sequence[Any] = [segmentation] if isinstance(segmentation, Mapping) else segmentation
    found: list[MaskRuns | MaskOutline] = []
    for part in parts:
        if isinstance(part, Mapping):
            height, width = part["size"]
            found.append(MaskRuns(part["counts"], height, width))
        else:
            found.append(MaskOutline(tuple(part)))
    return tuple(found)


def _refs_file(root: Path) -> Path:
    found = [root] if root.is_file() else sorted(root.glob("refs(*).p")) or sorted(root.glob("*/refs(*).p"))
    if len(found) == 1 and (found[0].parent / "instances.json").is_file():
        return found[0]
    if len(found) > 1:
        raise InputError(
            f"{root} holds several sets of references: {', '.join(str(path.relative_to(root)) for path in found)}.",
            code="data.layout",
            hint="Give one of these files.",
        )
    raise InputError(
        f"{root} holds no refs(*).p with an instances.json beside it.",
        code="data.layout",
        hint="Give the folder that holds them, or the one above.",
    )


def _name(folder: Path) -> str:
    """Return rrsisd for RRSIS-D, rrsis_d and the like."""
    return re.sub("[^a-z0-9+]", "", folder.resolve().name.lower())


def _pictures_folder(folder: Path, name: str, files: list[str]) -> Path:
    """Return the folder that holds some of the pictures: below the set's folder or beside it."""
    places = [base / place.format(name=name) for base in (folder.parent, folder) for place in _PICTURES]
    there = [place for place in places if place.is_dir()]
    holding = [place for place in there if any((place / file).is_file() for file in files[:100])]
    return (holding or there or places)[0]


def _read_instances(path: Path) -> tuple[dict[int, str], dict[int, dict[str, Any]], dict[int, str]]:
    """Return file names, annotations and category names by id."""
    try:
        instances = json.loads(path.read_text(encoding="utf-8"))
        return (
            {entry["id"]: entry["file_name"] for entry in instances["images"]},
            {entry["id"]: entry for entry in instances["annotations"]},
            {entry["id"]: entry["name"] for entry in instances["categories"]},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not a COCO file with images, annotations and categories.",
            code="data.json",
            hint="Download it again.",
            details=repr(error),
        ) from error
