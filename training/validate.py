"""Score weights on the validation set: `python training/validate.py ../shared/data [WEIGHTS]`.

The set is kept out of all training: dubai tile 8, banepa tiles with 386693, harvey 7677, annotated chips whose number
leaves 3 when divided by 7. Everything goes through `segment_raster`, as a user's raster does.
"""

import argparse
import json
import re
import tempfile
import warnings
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image, ImageDraw
from rasterio.features import rasterize
from tqdm import tqdm

from rrsis_core import SegmentOptions, load_predictor, segment_raster
from rrsis_core.engine.metrics import ScoreCounter
from rrsis_core.text.parse import parse

DUBAI = {"the buildings": 0x3C1098, "the roads": 0x6EC1E4, "the water": 0xE2A929, "the vegetation": 0xFEDD3A}
HARVEY = {
    "the buildings": (1, 2, 7, 8, 10), "the roads": (14,), "the water": (22, 23), "the trees": (6, 21),
    "the grass": (5,), "the cars": (4,),
}  # fmt: skip
HARVEY_SHRINK = 8  # to 0.17 m


def predict(predictor, path: Path, phrases: list[str], reference: str = "auto") -> np.ndarray:
    """Return masks (P, H, W) bool on the raster's pixels."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mask = Path(folder, "mask.tif")
        segment_raster(SegmentOptions(str(path), tuple(phrases), mask=str(mask), reference=reference), predictor)
        with rasterio.open(mask) as source:
            return source.read().astype(bool)


def add(counters: dict, name: str, predicted: np.ndarray, truth: np.ndarray, counts: np.ndarray | None = None) -> None:
    """Count one mask under a name."""
    counters.setdefault(name, ScoreCounter("strict_original")).add(predicted, truth, counts)


def dubai(predictor, data: Path, counters: dict) -> None:
    """Four categories on tile 8; grey and black mask pixels are unlabelled."""
    for path in tqdm(sorted((data / "dubai").glob("tile8_*.jpg")), desc="dubai"):
        truth = np.asarray(Image.open(path.with_suffix(".png")).convert("RGB")).astype(np.uint32)
        code = truth[..., 0] << 16 | truth[..., 1] << 8 | truth[..., 2]
        known = np.isin(code, [*DUBAI.values(), 0x8429F6])
        for (phrase, value), mask in zip(DUBAI.items(), predict(predictor, path, list(DUBAI)), strict=True):
            add(counters, f"dubai {phrase}", mask, code == value, known)


def banepa(predictor, data: Path, counters: dict) -> None:
    """Buildings on the tiles of column 386693."""
    outlines = [f["geometry"] for f in json.loads((data / "banepa/buildings.geojson").read_text())["features"]]
    for path in tqdm(sorted((data / "banepa/tiles").glob("*386693*.tif")), desc="banepa"):
        with rasterio.open(path) as source:
            truth = rasterize(outlines, source.shape, transform=source.transform).astype(bool)
        add(counters, "banepa the buildings", predict(predictor, path, ["the buildings"])[0], truth)


def harvey(predictor, data: Path, counters: dict) -> None:
    """Six categories on picture 7677 at an eighth of its size."""
    image = Image.open(data / "harvey/images/7677.jpg").convert("RGB")
    size = (image.width // HARVEY_SHRINK, image.height // HARVEY_SHRINK)
    labels = np.asarray(Image.open(data / "harvey/masks/7677.png").resize(size, Image.Resampling.NEAREST))
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "harvey.png")
        image.resize(size, Image.Resampling.BOX).save(small)
        masks = predict(predictor, small, list(HARVEY))
    for (phrase, classes), mask in zip(HARVEY.items(), masks, strict=True):
        add(counters, f"harvey {phrase}", mask, np.isin(labels, classes), labels > 0)


def chips(predictor, data: Path, counters: dict) -> None:
    """Every written expression of the held-out chips, and every absent category as an empty answer.

    A chip is one tile: asked as typed, the model alone answers; asked of the scene, geometry decides on what it finds.
    """
    records = json.loads((data / "uc_merced_polygons/annotations.json").read_text())
    held_out = [r for r in records if int(re.search(r"(\d+)\.jpg", r["image"])[1]) % 7 == 3]
    for record in tqdm(held_out, desc="chips"):
        path = data / "uc_merced" / record["image"]
        shape = Image.open(path).size[::-1]
        texts = [e["text"] for e in record["expressions"]]
        truths = [outlined(record, expression["objects"], shape) for expression in record["expressions"]]
        absent = [f"the {name}" for name in record.get("absent", [])]
        for reference in ("tile", "scene"):
            masks = predict(predictor, path, texts + absent, reference)
            for text, truth, mask in zip(texts, truths, masks, strict=False):
                add(counters, f"chips expressions ({reference})", mask, truth)
                add(counters, f"chips {kind_of(text)} ({reference})", mask, truth)
            for mask in masks[len(texts) :]:
                add(counters, f"chips absent ({reference})", mask, np.zeros(shape, bool))


def outlined(record: dict, objects: list[int], shape: tuple[int, int]) -> np.ndarray:
    """Return the mask of some objects of a chip."""
    picture = Image.new("L", shape[::-1])
    for index in objects:
        for polygon in record["objects"][index]["polygons"]:
            ImageDraw.Draw(picture).polygon([tuple(point) for point in polygon], fill=1)
    return np.asarray(picture) > 0


def kind_of(text: str) -> str:
    """Name what of an expression is hardest."""
    query = parse(text).query
    kinds = {
        "relation": query.relations, "ordinal": query.ordinal, "superlative": query.superlative,
        "place": query.position, "attribute": query.attributes,
    }  # fmt: skip
    return next((name for name, there in kinds.items() if there), "category")


FIVE = ["dubai the buildings", "dubai the roads", "dubai the water", "dubai the vegetation", "banepa the buildings"]


def summarise(data: Path, weights: str | None = None) -> dict:
    """Score weights, print the table, return what the card says."""
    predictor = load_predictor(weights)
    counters: dict[str, ScoreCounter] = {}
    for part in (dubai, banepa, harvey, chips):
        part(predictor, data, counters)
    scores = {name: counter.scores() for name, counter in counters.items()}
    for name, score in scores.items():
        print(f"{name:34s} n {score['n']:4d}   oIoU {score['oIoU']:.3f}   mIoU {score['mIoU']:.3f}")
    summary = {
        "IoU, mean of five categories on real images": round(float(np.mean([scores[n]["oIoU"] for n in FIVE])), 3),
        "mean IoU over the written expressions of chips": round(scores["chips expressions (tile)"]["mIoU"], 3),
        "the same with --reference scene": round(scores["chips expressions (scene)"]["mIoU"], 3),
        "share of absent categories with an empty answer": round(scores["chips absent (tile)"]["mIoU"], 3),
    }
    for name, value in summary.items():
        print(f"{name}: {value}")
    phrases = {name: round(s["oIoU"], 3) for name, s in scores.items() if not name.startswith("chips")}
    return {**summary, "oIoU": phrases}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", nargs="?")
    arguments = parser.parse_args()
    summarise(arguments.data, arguments.weights)
