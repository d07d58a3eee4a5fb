"""Makes miniatures of the public data sets, byte-compatible with the real ones: `python tests/data/make.py OUT`.

Each has what the real sets are known for: a picture of another size than its mask, a duplicate picture, an expression
that is cut, an object that vanishes at the model's size. Images show coloured shapes, so that a model can learn them.
"""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from rrsis_core.data.rle import encode_rle

CATEGORIES = (
    "Expressway-Service-area Expressway-toll-station airplane airport baseballfield basketballcourt bridge chimney dam "
    "golffield groundtrackfield harbor overpass ship stadium storagetank tenniscourt trainstation vehicle windmill"
).split()
SIDES = {"left": (0.1, 0.3), "right": (0.6, 0.3), "top": (0.35, 0.08), "bottom": (0.35, 0.62)}
COLORS = {"red": (200, 40, 40), "blue": (40, 60, 200), "white": (235, 235, 235)}
THINGS = {"tenniscourt": "tennis court", "storagetank": "storage tank", "ship": "ship"}
LONG = "the small white ship that lies beside the other ships in the harbor on the left of the long pier at the bottom"


def draw(number: int, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, str, str]:
    """Return picture (H, W, 3), mask (H, W) bool, category and expression of a number."""
    height, width = size
    rng = np.random.default_rng(number)
    image = rng.integers(80, 120, (height, width, 3)).astype(np.uint8)
    mask = np.zeros(size, bool)
    category, side, color = (
        list(table)[number // n % len(table)] for table, n in ((THINGS, 1), (SIDES, 1), (COLORS, 2))
    )
    x, y = SIDES[side]
    mask[int(y * height) : int((y + 0.3) * height), int(x * width) : int((x + 0.25) * width)] = True
    image[mask] = COLORS[color]
    return image, mask, category, f"The {color} {THINGS[category]} on the {side}"


def rrsisd(root: Path, train: int = 6, val: int = 2, test: int = 3, broken: bool = False) -> Path:
    """Make RRSIS-D: 800-pixel JPEGs. `broken`: one JPEG is missing and one is cut off, both of split train."""
    pictures, folder = root / "images/rrsisd/JPEGImages", root / "rrsisd"
    pictures.mkdir(parents=True)
    folder.mkdir()
    refs, images, annotations = [], [], []
    for id_, split in enumerate(["train"] * train + ["val"] * val + ["test"] * test, start=1):
        image, mask, category, text = draw(id_, (800, 800))
        if id_ == 1:
            text = LONG
        if id_ == 2:
            mask[:] = False
            mask[401, 401] = True  # one pixel: gone when the mask is resized
        if id_ == 3:
            image = np.asarray(Image.fromarray(image).resize((800, 801)))
        name = f"{id_:05d}.jpg"
        Image.fromarray(image).save(pictures / name, quality=90)
        number = CATEGORIES.index(category)
        sentence = {"tokens": text.split(), "raw": text, "sent_id": id_, "sent": text}
        refs.append(
            {"image_id": id_, "split": split, "sentences": [sentence], "file_name": name, "category_id": number,
             "ann_id": id_, "sent_ids": [id_], "ref_id": id_}
        )  # fmt: skip
        images.append({"file_name": name, "height": 800, "width": 800, "id": id_})
        rows, columns = (np.flatnonzero(mask.any(axis=axis)).tolist() for axis in (1, 0))
        annotations.append(
            {"bbox": [columns[0], rows[0], columns[-1], rows[-1]], "categories_id": number, "id": id_, "image_id": id_,
             "segmentation": [{"size": [800, 800], "counts": encode_rle(mask)}], "area": 279213}
        )  # fmt: skip
    last, first = pictures / f"{len(refs):05d}.jpg", pictures / "00004.jpg"
    last.write_bytes(first.read_bytes())  # the same picture under two ids, one of train and one of test
    if broken:
        (pictures / "00005.jpg").unlink()
        (pictures / "00006.jpg").write_bytes((pictures / "00006.jpg").read_bytes()[:2000])
    categories = [{"name": name, "id": number} for number, name in enumerate(CATEGORIES)]
    instances = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(instances))
    with (folder / "refs(unc).p").open("wb") as file:
        pickle.dump(refs, file, protocol=4)
    return root


def refsegrs(root: Path) -> Path:
    """Make RefSegRS: 512-pixel PackBits TIFFs; an id comes twice in train, with two phrases."""
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    lines = {"train": [11, 12, 13, 13, 14], "val": [15, 16], "test": [17, 18, 19]}
    for split, ids in lines.items():
        texts = []
        for place, id_ in enumerate(ids):
            image, mask, _, _ = draw(id_, (512, 512))
            save = {"compression": "packbits"}
            Image.fromarray(image).save(root / f"images/{id_}.tif", **save)
            Image.fromarray(mask.astype(np.uint8) * 255).save(root / f"masks/{id_}.tif", **save)
            texts.append(f"{id_} {('paved road', 'light-duty vehicle', 'road marking')[place % 3]}\n")
        (root / f"output_phrase_{split}.txt").write_text("".join(texts))
    return root


def risbench(root: Path) -> Path:
    """Make RISBench: 512-pixel PNGs; the pictures of val are called train_...; one mask is RGB, one is empty."""
    for name in ("img_rgb", "mask"):
        (root / name).mkdir(parents=True)
    lines = {
        "train": ["train_0_0", "train_0_1", "train_1_0", "train_2_0"],
        "val": ["train_3_0", "train_4_0"],
        "test": ["test_0_0", "test_0_2", "test_1_0"],
    }
    number = 20
    for split, names in lines.items():
        texts = []
        for place, name in enumerate(names):
            number += 1
            image, mask, _, text = draw(number, (512, 512))
            mask = np.zeros_like(mask) if name == "test_1_0" else mask
            picture = Image.fromarray(mask.astype(np.uint8) * 255)
            Image.fromarray(image).save(root / f"img_rgb/{name}.png")
            (picture.convert("RGB") if place == 1 else picture).save(root / f"mask/{name}.png")
            texts.append(f"{name}.png {text} of the harbor near the bridge\n")
        (root / f"output_phrase_{split}.txt").write_text("".join(texts))
    return root


def jsonlines(root: Path) -> Path:
    """Make a JSON-lines re-pack of 256-pixel JPEGs."""
    (root / "datainfo").mkdir(parents=True)
    (root / "images").mkdir()
    number = 0
    for split, count in {"train": 4, "val": 2, "test": 2}.items():
        lines = []
        for _ in range(count):
            number += 1
            image, mask, category, text = draw(number, (256, 256))
            Image.fromarray(image).save(root / f"images/{number:05d}.jpg")
            segmentation = [{"size": [256, 256], "counts": encode_rle(mask)}]
            lines.append(
                {"split": split, "image_id": number, "sent": text, "file_name": f"{number:05d}.jpg", "category_id": 0,
                 "category_name": category, "ann_id": number, "bbox": [0, 0, 1, 1], "segmentation": segmentation,
                 "area": int(mask.sum())}
            )  # fmt: skip
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (root / f"datainfo/rrsisd_{split}.jsonl").write_text(text)
    return root


def refcoco(root: Path) -> Path:
    """Make RefCOCO: polygons, several sentences a reference, splits testA and testB."""
    (root / "refcoco").mkdir(parents=True)
    (root / "images/mscoco/images/train2014").mkdir(parents=True)
    refs, images, annotations = [], [], []
    for id_, split in enumerate(["train", "val", "testA", "testB"], start=1):
        name = f"COCO_train2014_{id_:012d}.jpg"
        picture = Image.new("RGB", (64, 48), (100, 100, 100))
        ImageDraw.Draw(picture).rectangle((10, 10, 29, 19), fill=(200, 0, 0))
        picture.save(root / "images/mscoco/images/train2014" / name)
        images.append({"file_name": name, "height": 48, "width": 64, "id": id_ * 10})
        polygons = [[10, 10, 29, 10, 29, 19, 10, 19], [20, 15, 39, 15, 39, 24, 20, 24]]
        annotations.append({"id": id_ * 100, "image_id": id_ * 10, "category_id": 3, "segmentation": polygons})
        sentences = [
            {"tokens": [], "raw": f"red box {n}", "sent": f"red box {n}", "sent_id": id_ * 2 + n} for n in (0, 1)
        ]
        refs.append(
            {"ref_id": id_, "ann_id": id_ * 100, "image_id": id_ * 10, "split": split, "sentences": sentences,
             "file_name": name.replace(".jpg", "_1.jpg"), "category_id": 3, "sent_ids": [id_ * 2, id_ * 2 + 1]}
        )  # fmt: skip
    instances = {"images": images, "annotations": annotations, "categories": [{"id": 3, "name": "box"}]}
    (root / "refcoco/instances.json").write_text(json.dumps(instances))
    with (root / "refcoco/refs(unc).p").open("wb") as file:
        pickle.dump(refs, file, protocol=2)
    return root


if __name__ == "__main__":
    for make in (rrsisd, refsegrs, risbench, jsonlines, refcoco):
        make(Path(sys.argv[1]) / make.__name__)
