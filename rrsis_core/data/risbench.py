"""RISBench (Dong et al. 2024): 52,472 longer expressions about 512-pixel chips, one picture an expression.

    RISBench_dataset/img_rgb/<name>.png   mask/<name>.png   output_phrase_{train,val,test}.txt: "<name>.png <phrase>"

The lines of val name files that begin with "train_": paths are never made of a split's name. Categories are not in the
files: the first class name that a phrase contains stands for one.
"""

from pathlib import Path

from rrsis_core.data.datasets import ReferringDataset
from rrsis_core.data.phrase_lists import category_in, read_phrase_lists
from rrsis_core.data.records import MaskFile, Record

NOUNS = (
    "expressway service area",
    "expressway toll station",
    "ground track field",
    "basketball court",
    "container crane",
    "roundabout",
    "windmill",
    "overpass",
    "stadium",
    "bridge",
    "soccer ball field",
    "baseball diamond",
    "train station",
    "golf field",
    "airport",
    "harbor",
    "dam",
    "ship",
    "helipad",
    "vehicle",
    "chimney",
    "airplane",
    "helicopter",
    "tennis court",
    "storage tank",
    "swimming pool",
)


def read_risbench(root: Path) -> ReferringDataset:
    """Read the folder that holds img_rgb, mask and phrase lists. Raises InputError data.layout."""

    def record(key: str, name: str, phrase: str) -> Record:
        mask = MaskFile(root / "mask" / name)
        return Record(key, root / "img_rgb" / name, phrase, mask, category_in(phrase, NOUNS))

    published = {"train": 26300, "val": 10013, "test": 16159}
    # A third of the expressions has more than 18 words; 50 is what the field's best reader uses (models.md 1.b.1).
    return read_phrase_lists("risbench", root, record, published, max_tokens=50)
