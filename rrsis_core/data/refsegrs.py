"""RefSegRS (Yuan et al. 2023): 4,420 phrases about 512-pixel chips; masks often cover many objects.

    RefSegRS/images/<id>.tif   masks/<id>.tif   output_phrase_{train,val,test}.txt with lines "<id> <phrase>"

Mask pixels above 50 count, as in the field's main line. The published sizes are 2,172, 431 and 1,817; the 413 in some
papers is a slip. Categories are not in the files: the first of the 14 target nouns that a phrase names stands for one.
"""

from pathlib import Path

from rrsis_core.data.datasets import ReferringDataset
from rrsis_core.data.phrase_lists import category_in, read_phrase_lists
from rrsis_core.data.records import MaskFile, Record

NOUNS = (
    "road",
    "vehicle",
    "car",
    "van",
    "building",
    "truck",
    "trailer",
    "bus",
    "road marking",
    "bikeway",
    "sidewalk",
    "tree",
    "low vegetation",
    "impervious surface",
)


def read_refsegrs(root: Path) -> ReferringDataset:
    """Read the folder that holds images, masks and phrase lists. Raises InputError data.layout."""

    def record(key: str, name: str, phrase: str) -> Record:
        mask = MaskFile(root / "masks" / f"{name}.tif", above=50)
        return Record(key, root / "images" / f"{name}.tif", phrase, mask, category_in(phrase, NOUNS))

    return read_phrase_lists("refsegrs", root, record, {"train": 2172, "val": 431, "test": 1817}, max_tokens=20)
