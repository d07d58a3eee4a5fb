"""A phrase list is how RefSegRS and RISBench write a split: a line is a file's name, a blank, and the phrase.

Every line is a record, keyed by its number; names and whole lines may repeat. Readers of the field keep the line's end
in the phrase; here it is cut off, which changes no token.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from rrsis_core.contract import InputError
from rrsis_core.data.datasets import SPLITS, ReferringDataset
from rrsis_core.data.records import Record

LIST = "output_phrase_{}.txt"


def read_phrase_lists(
    name: str, root: Path, record: Callable[[str, str, str], Record], published: dict[str, int], max_tokens: int
) -> ReferringDataset:
    """Read the lists of a folder; `record` makes one of key, name and phrase. Raises InputError data.layout."""
    problems: list[str] = []
    splits = {split: _read_list(root / LIST.format(split), record, problems) for split in SPLITS}
    if not any(splits.values()):
        raise InputError(
            f"{root} holds no {LIST.format('train')} with a line in it.",
            code="data.layout",
            hint="Give the folder with the phrase lists: it is inside the downloaded archive.",
        )
    return ReferringDataset(name, root, splits, published, max_tokens, tuple(problems))


def _read_list(path: Path, record: Callable[[str, str, str], Record], problems: list[str]) -> tuple[Record, ...]:
    if not path.is_file():
        return ()
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        name, _, phrase = line.strip().partition(" ")
        if name and phrase.strip():
            records.append(record(str(number), name, phrase.strip()))
        elif name:
            problems.append(f"{path.name}, line {number}: '{name}' has no phrase.")
    return tuple(records)


def category_in(phrase: str, nouns: Sequence[str]) -> str:
    """Return the noun that a phrase names first, the longest where several begin there; empty where it names none."""
    words = sorted(nouns, key=len, reverse=True)
    match = re.search(rf"\b({'|'.join(map(re.escape, words))})(?:e?s)?\b", phrase.lower())
    return match[1] if match else ""
