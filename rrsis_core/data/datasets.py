"""A data set is a folder that a person downloaded or made, read as records by split."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rrsis_core.contract import InputError
from rrsis_core.data.records import Record, missing_files

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class ReferringDataset:
    """The records of every split, and what is known of the set from its publication."""

    name: str
    """rrsisd, rrsishr, refcoco ..., refsegrs, risbench, or the folder's name."""
    root: Path
    splits: Mapping[str, tuple[Record, ...]]
    published: Mapping[str, int] = field(default_factory=dict)
    """Split -> number of records that the publication counts; empty where there is none."""
    max_tokens: int = 20
    """Tokens that the field cuts an expression of this set at."""
    problems: tuple[str, ...] = ()
    """Entries of the files that could not be made a record, in words."""

    def records(self, split: str) -> tuple[Record, ...]:
        """Return the records of a split. Raises InputError data.split."""
        if not self.splits.get(split):
            known = ", ".join(name for name, records in self.splits.items() if records) or "none"
            raise InputError(
                f"{self.root} has no records of split '{split}'.",
                code="data.split",
                hint=f"Splits with records: {known}.",
            )
        return self.splits[split]


def usable(dataset: ReferringDataset, split: str, skip_missing: bool = False) -> tuple[Record, ...]:
    """Return the records of a split whose files are all there.

    Raises InputError data.missing, naming the first missing files, unless they are to be skipped.
    """
    records = dataset.records(split)
    missing = missing_files(records)
    if not missing:
        return records
    if not skip_missing:
        named = ", ".join(str(path) for path in missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise InputError(
            f"{len(missing)} files of split '{split}' are missing: {named}",
            code="data.missing",
            hint="`rrsis data check` names all of them. Fetch them again, or set data.skip_missing=true.",
        )
    gone = set(missing)
    kept = tuple(record for record in records if not gone & {record.image, getattr(record.mask, "path", record.image)})
    if not kept:
        raise InputError(
            f"No file of split '{split}' is there.",
            code="data.missing",
            hint=f"Unpack the pictures below {dataset.root}.",
        )
    return kept
