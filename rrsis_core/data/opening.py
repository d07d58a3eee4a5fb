"""Opening: which reader a folder needs, told from what lies in it."""

from collections.abc import Callable
from pathlib import Path

from rrsis_core.contract import InputError
from rrsis_core.data.datasets import SPLITS, ReferringDataset
from rrsis_core.data.jsonlines import lines_files, read_jsonlines
from rrsis_core.data.phrase_lists import LIST
from rrsis_core.data.refer import read_refer
from rrsis_core.data.refsegrs import read_refsegrs
from rrsis_core.data.risbench import read_risbench

READERS: dict[str, Callable[[Path], ReferringDataset]] = {
    "refer": read_refer,
    "refsegrs": read_refsegrs,
    "risbench": read_risbench,
    "jsonlines": read_jsonlines,
}


def open_dataset(root: str | Path, layout: str = "auto") -> ReferringDataset:
    """Read a folder, or a refs(*).p file, as a data set; `layout` is one of READERS or auto.

    Raises InputError data.not_found, data.layout, data.pickle, data.json, and KeyError for an unknown layout.
    """
    folder = Path(root)
    if not folder.exists():
        raise InputError(f"There is no folder {folder}.", code="data.not_found", hint="Check the path of the data set.")
    return READERS[find_layout(folder) if layout == "auto" else layout](folder)


def find_layout(folder: Path) -> str:
    """Return the name of the reader that a folder needs. Raises InputError data.layout."""
    if folder.is_file():
        return "refer"
    if any((folder / LIST.format(split)).is_file() for split in SPLITS):
        return "risbench" if (folder / "img_rgb").is_dir() or (folder / "mask").is_dir() else "refsegrs"
    if any(folder.glob("refs(*).p")) or any(folder.glob("*/refs(*).p")):
        return "refer"
    if any(lines_files(folder, split) for split in SPLITS):
        return "jsonlines"
    raise InputError(
        f"{folder} is no data set that can be recognised.",
        code="data.layout",
        hint="Known are RRSIS-D and others in the REFER layout (refs(unc).p), RefSegRS and RISBench "
        "(output_phrase_train.txt), and JSON lines (train.jsonl). Give the folder that holds these files.",
    )
