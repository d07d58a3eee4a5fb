"""The doctor looks at a data set as a whole: what is there, what is missing or damaged, and what will surprise.

Faults keep it from being trained on: files that are missing or cannot be read, entries that are no records, a split
without records. Remarks are what a person should know: counts that differ from the published ones, empty masks,
sizes that differ, pictures that several splits share, expressions that are cut.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np

from rrsis_core.contract import InputError, NullProgress, Progress, track
from rrsis_core.data.datasets import ReferringDataset
from rrsis_core.data.drawing import Cell
from rrsis_core.data.records import MaskFile, Record, files_of, missing_files, read_mask, read_picture
from rrsis_core.data.transforms import nearest_mask

NEEDED = ("train", "val")
Print = tuple[str, str, str]  # name and digest of a picture, and an expression


@dataclass(frozen=True)
class Look:
    """What one record looks like."""

    size: tuple[int, int] = (0, 0)
    mask_size: tuple[int, int] = (0, 0)
    pixels: int = 0
    pixels_resized: int = 0
    digest: str = ""
    damaged: Path | None = None


@dataclass
class SplitReport:
    """What there is to say about a split. Lists hold keys of records or names of files, all of them."""

    records: int
    published: int | None
    copies: int = 0
    """Pictures that are, byte by byte, others under another name."""
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    """Height x width -> number of records."""
    other_size: list[str] = field(default_factory=list)
    """Records whose mask and picture differ in size."""
    empty: list[str] = field(default_factory=list)
    vanishing: list[str] = field(default_factory=list)
    """Records whose mask is empty once it is resized to the model's input."""
    categories: dict[str, int] = field(default_factory=dict)
    longest: int = 0
    """Tokens of the longest expression, [CLS] and [SEP] included."""
    cut: int = 0
    """Expressions that the limit cuts."""


@dataclass
class DatasetReport:
    """The splits, what they share, and the verdict."""

    name: str
    root: str
    max_tokens: int
    size: int
    splits: dict[str, SplitReport]
    shared: dict[str, dict[str, int]]
    """ "train and test" -> how many pictures of the first are in the second: by name, by content, with expression."""
    problems: list[str]
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def trainable(self) -> bool:
        """True where nothing keeps the set from being trained on."""
        return not self.faults


def check_dataset(
    dataset: ReferringDataset,
    count_tokens: Callable[[str], int],
    max_tokens: int,
    size: int,
    progress: Progress | None = None,
) -> DatasetReport:
    """Read every file of a data set and report. `size` is the side of the model's input."""
    progress = progress or NullProgress()
    reports: dict[str, SplitReport] = {}
    prints: dict[str, set[Print]] = {}
    for split, records in dataset.splits.items():
        report = SplitReport(len(records), dataset.published.get(split))
        report.missing = [str(path) for path in missing_files(records)]
        gone = set(report.missing)
        there = [record for record in records if not gone & set(map(str, files_of(record)))]
        with ThreadPoolExecutor() as pool:
            looks = list(track(pool.map(partial(look_at, size=size), there), progress, f"check {split}", len(there)))
        prints[split] = _fill(report, there, looks)
        lengths = [count_tokens(record.expression) for record in records]
        report.longest, report.cut = max(lengths, default=0), sum(length > max_tokens for length in lengths)
        report.categories = dict(Counter(record.category for record in records if record.category).most_common())
        reports[split] = report
    shared = {
        f"{first} and {second}": _shared(prints[first], prints[second])
        for first, second in combinations(reports, 2)
        if not first.startswith("test")  # REFER's test holds testA and testB
    }
    whole = DatasetReport(dataset.name, str(dataset.root), max_tokens, size, reports, shared, list(dataset.problems))
    _judge(whole)
    return whole


def look_at(record: Record, size: int) -> Look:
    """Read picture and mask of a record."""
    path = record.image
    try:
        picture = read_picture(path)
        digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        path = record.mask.path if isinstance(record.mask, MaskFile) else path
        mask = read_mask(record)
    except InputError:
        return Look(damaged=path)
    resized = nearest_mask(mask, (size, size))
    return Look((picture.shape[0], picture.shape[1]), mask.shape, int(mask.sum()), int(resized.sum()), digest)


def sample_cells(dataset: ReferringDataset, count: int, seed: int = 0) -> list[Cell]:
    """Return random readable records of all splits as cells of a contact sheet."""
    records = [(split, record) for split, found in dataset.splits.items() for record in found]
    cells = []
    for place in np.random.default_rng(seed).permutation(len(records)):
        split, record = records[place]
        try:
            image, mask = read_picture(record.image), read_mask(record)
        except InputError:
            continue
        note = f"{split} {record.image.name}" + (f" · {record.category}" if record.category else "")
        cells.append(Cell(image, mask, record.expression, note))
        if len(cells) == count:
            break
    return cells


def _fill(report: SplitReport, records: Sequence[Record], looks: Sequence[Look]) -> set[Print]:
    """Enter what was seen; return the prints of the pictures that could be read."""
    report.damaged = sorted({str(look.damaged) for look in looks if look.damaged is not None})
    seen = [(record, look) for record, look in zip(records, looks, strict=True) if look.damaged is None]
    report.sizes = dict(Counter(f"{look.size[0]} x {look.size[1]}" for _, look in seen).most_common())
    report.other_size = [record.key for record, look in seen if look.size != look.mask_size]
    report.empty = [record.key for record, look in seen if not look.pixels]
    report.vanishing = [record.key for record, look in seen if look.pixels and not look.pixels_resized]
    report.copies = len({record.image for record, _ in seen}) - len({look.digest for _, look in seen})
    return {(record.image.name, look.digest, record.expression) for record, look in seen}


def _shared(first: set[Print], second: set[Print]) -> dict[str, int]:
    names, contents = ([{entry[part] for entry in split} for split in (first, second)] for part in (0, 1))
    pairs = [{entry[1:] for entry in split} for split in (first, second)]
    return {
        "by name": len(names[0] & names[1]),
        "by content": len(contents[0] & contents[1]),
        "with the same expression": len(pairs[0] & pairs[1]),
    }


def _judge(report: DatasetReport) -> None:
    """Turn the numbers into sentences."""
    if report.problems:
        report.faults.append(f"{len(report.problems)} entries are no records.")
    for split in NEEDED:
        if split not in report.splits or not report.splits[split].records:
            report.faults.append(f"Split {split} has no records.")
    for split, part in report.splits.items():
        report.faults += _told(
            split, {"files are missing": len(part.missing), "files cannot be read": len(part.damaged)}
        )
        if part.published is not None and part.records != part.published:
            report.remarks.append(f"{split}: {part.records:,} records, published are {part.published:,}.")
        usual, *others = part.sizes or {"": 0}
        report.remarks += _told(
            split,
            {
                f"pictures are not {usual}": sum(part.sizes[size] for size in others),
                "pictures are copies of others under another name": part.copies,
                "masks are of another size than their picture": len(part.other_size),
                "masks are empty": len(part.empty),
                f"masks vanish when resized to {report.size} pixels": len(part.vanishing),
                f"expressions ({part.cut / max(part.records, 1):.1%}) are cut at {report.max_tokens} tokens": part.cut,
            },
        )
    for pair, counts in report.shared.items():
        if any(counts.values()):
            numbers = ", ".join(f"{count} {how}" for how, count in counts.items() if count)
            report.remarks.append(f"{pair} share pictures: {numbers}.")


def _told(split: str, found: dict[str, int]) -> list[str]:
    return [f"{split}: {count} {what}." for what, count in found.items() if count]
