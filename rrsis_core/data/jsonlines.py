"""JSON lines: one record a line, the re-pack that RSRefSeg uses and the form that `rrsis data make` writes.

    <root>/train.jsonl or datainfo/rrsisd_train.jsonl     <root>/images/<file_name>

A line holds at least file_name, sent and segmentation (COCO run lengths or polygons); category_name and ann_id or
image_id where there are some. `write_lines` writes what `read_jsonlines` reads.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rrsis_core.contract import InputError
from rrsis_core.data.datasets import SPLITS, ReferringDataset
from rrsis_core.data.records import Record
from rrsis_core.data.refer import mask_parts

_PICTURES = ("images", "JPEGImages", "images/rrsisd/JPEGImages", "images/JPEGImages", ".")


def read_jsonlines(root: Path) -> ReferringDataset:
    """Read a folder of JSON-lines files. Raises InputError data.layout."""
    splits: dict[str, tuple[Record, ...]] = {}
    problems: list[str] = []
    for split in SPLITS:
        for path in lines_files(root, split):
            splits[split] = splits.get(split, ()) + _read_lines(root, path, problems)
    if not any(splits.values()):
        raise InputError(
            f"{root} holds no *train.jsonl with a record in it.",
            code="data.layout",
            hint="Give the folder that holds train.jsonl, or datainfo/<name>_train.jsonl.",
        )
    return ReferringDataset(root.resolve().name, root, splits, problems=tuple(problems))


def lines_files(root: Path, split: str) -> list[Path]:
    """Return the files of a split."""
    names = (f"{split}.jsonl", f"*_{split}.jsonl")
    return [path for folder in (root, root / "datainfo") for name in names for path in sorted(folder.glob(name))]


def write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    """Append records to a JSON-lines file."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def _read_lines(root: Path, path: Path, problems: list[str]) -> tuple[Record, ...]:
    records: list[Record] = []
    folder = None
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
            folder = folder or _pictures_folder(root, line["file_name"])
            record = Record(
                key=str(line.get("ann_id", line.get("image_id", number))),
                image=folder / line["file_name"],
                expression=line["sent"],
                mask=mask_parts(line["segmentation"]),
                category=line.get("category_name", ""),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            problems.append(f"{path.name}, line {number}: {error!r}.")
            continue
        records.append(record)
    return tuple(records)


def _pictures_folder(root: Path, name: str) -> Path:
    places = [root / place for place in _PICTURES]
    return next((place for place in places if (place / name).is_file()), places[0])
