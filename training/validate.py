"""Score weights on the validation set: `python training/validate.py ../shared/data [WEIGHTS] [--sheet FILE.png]`.

The set is kept out of all training: dubai tile 8, banepa tiles with 386693, harvey 7677, annotated chips whose number
leaves 3 when divided by 7. Everything goes through `segment_raster`, as a user's raster does. WEIGHTS may be "colors":
the baseline of color_baseline.py, fitted to cache/train. The sheet shows truth (yellow) and answer (purple) of phrases.
"""

import argparse
import itertools
import json
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import prepare
import rasterio
from color_baseline import fitted
from PIL import Image
from rasterio.features import rasterize
from rasterio.transform import from_origin
from tqdm import tqdm

from rrsis_core import SegmentOptions, load_predictor, segment_raster
from rrsis_core.data.describe import View, tell_color, tell_place
from rrsis_core.data.drawing import row_sheet, truth_and_answer
from rrsis_core.data.samples import objects_in, see
from rrsis_core.data.scenes import union_mask
from rrsis_core.engine.metrics import ScoreCounter
from rrsis_core.text.grammar import say
from rrsis_core.text.parse import parse

DUBAI = {"the buildings": "building", "the roads": "road", "the water": "water", "the vegetation": "vegetation"}
HARVEY = {
    "the buildings": (1, 2, 7, 8, 10), "the roads": (14,), "the water": (22, 23), "the trees": (6, 21),
    "the grass": (5,), "the cars": (4,),
}  # fmt: skip
SIDE, PHRASES = 512, 8  # of the crops that colours and places are asked of, and how many each
RESOLUTIONS = (0.2, 0.45, 0.6)
HARVEY_SHRINK = 8  # to 0.17 m


def predict(predictor, path: Path, phrases: list[str], reference: str = "auto", gsd: float | None = None) -> np.ndarray:
    """Return masks (P, H, W) bool on the raster's pixels."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mask = Path(folder, "mask.tif")
        options = SegmentOptions(str(path), tuple(phrases), mask=str(mask), reference=reference, gsd=gsd)
        segment_raster(options, predictor)
        with rasterio.open(mask) as source:
            return source.read().astype(bool)


@dataclass
class Tally:
    """What has been asked so far: counts by kind of phrase, pairs of phrases, and pictures for the sheet."""

    counters: dict[str, ScoreCounter] = field(default_factory=dict)
    pairs: dict[str, list[bool]] = field(default_factory=dict)
    pictures: list[tuple[str, np.ndarray]] = field(default_factory=list)

    def add(self, name: str, predicted: np.ndarray, truth: np.ndarray, counts: np.ndarray | None = None) -> None:
        """Count one mask under a name."""
        self.counters.setdefault(name, ScoreCounter("strict_original")).add(predicted, truth, counts)

    def compare(self, name: str, asked: Sequence[tuple[np.ndarray, np.ndarray]], counts: np.ndarray | None) -> None:
        """Of all pairs of phrases that mean different pixels: does the right answer fit better than the other's?"""
        for (first, truth), (second, other) in itertools.permutations(asked, 2):
            if truth.any() and other.any() and not (truth & other).any():
                better = iou(first, truth, counts) > iou(second, truth, counts)
                self.pairs.setdefault(name, []).append(better)

    def show(self, image: np.ndarray, text: str, predicted: np.ndarray, truth: np.ndarray) -> None:
        """Keep a picture for the sheet."""
        self.pictures.append((text, truth_and_answer(image, truth, predicted)))

    def sheet(self, path: Path, columns: int = 6) -> None:
        """Write pictures spread over all that were kept."""
        chosen = self.pictures[:: max(1, len(self.pictures) // 36)][:36]
        rows = [("", chosen[start : start + columns]) for start in range(0, len(chosen), columns)]
        row_sheet(rows, 256).save(path)


def iou(predicted: np.ndarray, truth: np.ndarray, counts: np.ndarray | None) -> float:
    """Return intersection over union, 0 where both are empty."""
    counter = ScoreCounter("lavt")
    counter.add(predicted, truth, counts)
    return float(counter.sample_ious()[0])


def dubai(predictor, data: Path, tally: Tally) -> None:
    """Four categories on tile 8; grey and black mask pixels are unlabelled."""
    for path in tqdm(sorted((data / "dubai").glob("tile8_*.jpg")), desc="dubai"):
        code = prepare.dubai_codes(path)
        known = np.isin(code, list(prepare.DUBAI.values()))
        masks = predict(predictor, path, list(DUBAI))
        asked = [(mask, code == prepare.DUBAI[name]) for mask, name in zip(masks, DUBAI.values(), strict=True)]
        for phrase, (mask, truth) in zip(DUBAI, asked, strict=True):
            tally.add(f"dubai {phrase}", mask, truth, known)
            tally.show(np.asarray(Image.open(path).convert("RGB")), phrase, mask, truth)
        tally.compare("building or road", asked[:2], known)


def banepa(predictor, data: Path, tally: Tally) -> None:
    """Buildings on the tiles of column 386693."""
    outlines = [f["geometry"] for f in json.loads((data / "banepa/buildings.geojson").read_text())["features"]]
    for path in tqdm(sorted((data / "banepa/tiles").glob("*386693*.tif")), desc="banepa"):
        with rasterio.open(path) as source:
            truth = rasterize(outlines, source.shape, transform=source.transform).astype(bool)
        tally.add("banepa the buildings", predict(predictor, path, ["the buildings"])[0], truth)
        for gsd in RESOLUTIONS:
            mask = predict(predictor, path, ["the buildings"], gsd=gsd)[0]
            tally.add(f"banepa the buildings, run at {gsd} m", mask, truth)


def said(predictor, data: Path, tally: Tally) -> None:
    """Colours and places of what is known of dubai and banepa, in words of the grammar."""
    rng = np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as folder:
        held_out = (*prepare.dubai(data, ["validation"]), *prepare.banepa(data, ["validation"]))
        for _, scene in tqdm(held_out, desc="colours and places"):
            side = min(SIDE, *scene.image.shape[:2])
            top, left = (int(rng.integers(length - side + 1)) for length in scene.image.shape[:2])
            image = scene.image[top : top + side, left : left + side]
            counts = np.ones((side, side), bool)
            if scene.unlabelled is not None:
                counts = ~scene.unlabelled[top : top + side, left : left + side]
            objects = dict(objects_in(scene.objects, top, left, side))
            view = View(
                tuple(see(i, item, side, 1.0, (0, False)) for i, item in objects.items()), scene.complete, scene.absent
            )
            path = Path(folder, "crop.tif")
            place = {"crs": "EPSG:32633", "transform": from_origin(0, 0, scene.gsd, scene.gsd)} if scene.gsd else {}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with rasterio.open(path, "w", "GTiff", side, side, 3, dtype="uint8", **place) as target:
                    target.write(image.transpose(2, 0, 1))
            for kind, tell in {"color": tell_color, "place": tell_place}.items():
                told = {say(d.referent, rng): d for d in (tell(view, rng) for _ in range(PHRASES)) if d}
                masks = predict(predictor, path, list(told)) if told else []
                asked = []
                for (text, description), mask in zip(told.items(), masks, strict=True):
                    truth = union_mask((objects[i] for i in description.objects), (side, side))
                    doubtful = union_mask((objects[i] for i in description.doubtful), (side, side)) & ~truth
                    if (truth & counts).any():
                        for name in (kind, "color or place"):
                            tally.add(f"{name}, dubai and banepa", mask, truth, counts & ~doubtful)
                        tally.show(image, text, mask, truth)
                        asked.append((mask, truth))
                tally.compare({"color": "one colour or another", "place": "one place or another"}[kind], asked, counts)


def harvey(predictor, data: Path, tally: Tally) -> None:
    """Six categories on picture 7677 at an eighth of its size."""
    image = Image.open(data / "harvey/images/7677.jpg").convert("RGB")
    size = (image.width // HARVEY_SHRINK, image.height // HARVEY_SHRINK)
    labels = np.asarray(Image.open(data / "harvey/masks/7677.png").resize(size, Image.Resampling.NEAREST))
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "harvey.png")
        image.resize(size, Image.Resampling.BOX).save(small)
        masks = predict(predictor, small, list(HARVEY))
    for (phrase, classes), mask in zip(HARVEY.items(), masks, strict=True):
        tally.add(f"harvey {phrase}", mask, np.isin(labels, classes), labels > 0)


def chips(predictor, data: Path, tally: Tally) -> None:
    """Every written expression of the held-out chips, and every absent category as an empty answer.

    A chip is one tile: as typed, the model alone answers; by default, geometry decides on places and ranks.
    """
    for _, record in tqdm(list(prepare.chip_records(data, ["validation"])), desc="chips"):
        path = data / "uc_merced" / record["image"]
        shape = Image.open(path).size[::-1]
        texts = [e["text"] for e in record["expressions"]]
        meant = [[record["objects"][index] for index in expression["objects"]] for expression in record["expressions"]]
        truths = [prepare.outline(objects, shape) for objects in meant]
        absent = [f"the {name}" for name in record.get("absent", [])]
        for reference in ("auto", "tile"):
            masks = predict(predictor, path, texts + absent, reference)
            for text, truth, mask in zip(texts, truths, masks, strict=False):
                tally.add(f"chips expressions ({reference})", mask, truth)
                tally.add(f"chips {kind_of(text)} ({reference})", mask, truth)
                tally.add(f"chips present ({reference})", ~mask.any(keepdims=True), np.ones((1, 1), bool))
            for mask in masks[len(texts) :]:
                tally.add(f"chips absent ({reference})", mask, np.zeros(shape, bool))
            if reference == "auto":
                tally.show(np.asarray(Image.open(path).convert("RGB")), texts[-1], masks[len(texts) - 1], truths[-1])
            asked = list(zip(masks, truths, strict=False))
            tally.compare(f"expressions of a chip ({reference})", asked, None)


def kind_of(text: str) -> str:
    """Name what of an expression is hardest."""
    query = parse(text).query
    kinds = {
        "relation": query.relations, "ordinal": query.ordinal, "superlative": query.superlative,
        "place": query.position, "attribute": query.attributes,
    }  # fmt: skip
    return next((name for name, there in kinds.items() if there), "category")


FIVE = ["dubai the buildings", "dubai the roads", "dubai the water", "dubai the vegetation", "banepa the buildings"]


PARTS = {"dubai": dubai, "banepa": banepa, "said": said, "harvey": harvey, "chips": chips}


def summarise(
    data: Path, weights: str | None = None, sheet: Path | None = None, parts: Sequence[str] = tuple(PARTS)
) -> dict:
    """Score weights, print the table, return what the card says; of some parts, what can be said of them."""
    predictor = fitted(Path("cache/train")) if weights == "colors" else load_predictor(weights)
    tally = Tally()
    for part in parts:
        PARTS[part](predictor, data, tally)
    scores = {name: counter.scores() for name, counter in tally.counters.items()}
    for name, score in scores.items():
        print(f"{name:34s} n {score['n']:4d}   oIoU {score['oIoU']:.3f}   mIoU {score['mIoU']:.3f}   ", end="")
        print(f"P@0.5 {score['P@0.5']:.3f}")
    for name, right in tally.pairs.items():
        print(f"{name:34s} n {len(right):4d}   the right answer fits better: {np.mean(right):.3f}")
    if sheet:
        tally.sheet(sheet)
    wanted = {
        "mean IoU of colour phrases on dubai and banepa": ("color, dubai and banepa", "mIoU"),
        "mean IoU of place phrases on dubai and banepa": ("place, dubai and banepa", "mIoU"),
        "mean IoU of both kinds together": ("color or place, dubai and banepa", "mIoU"),
        "their P@0.5": ("color or place, dubai and banepa", "P@0.5"),
    }
    for reference, words in {"auto": "as a user asks", "tile": "as typed (--reference tile)"}.items():
        wanted |= {
            f"mean IoU over the written expressions of chips, {words}": (f"chips expressions ({reference})", "mIoU"),
            f"their P@0.5, {words}": (f"chips expressions ({reference})", "P@0.5"),
            f"share of absent categories with an empty answer, {words}": (f"chips absent ({reference})", "mIoU"),
            f"share of expressions with an empty answer, {words}": (f"chips present ({reference})", "mIoU"),
        }
    summary = {}
    if set(FIVE) <= set(scores):
        summary["IoU, mean of five categories on real images"] = np.mean([scores[name]["oIoU"] for name in FIVE])
    summary |= {words: scores[name][what] for words, (name, what) in wanted.items() if name in scores}
    summary |= {f"pairs told apart, {name}": np.mean(right) for name, right in tally.pairs.items()}
    summary = {name: round(float(value), 3) for name, value in summary.items()}
    for name, value in summary.items():
        print(f"{name}: {value}")
    phrases = {name: round(s["oIoU"], 3) for name, s in scores.items() if not name.startswith("chips")}
    kinds = {
        name: round(s["mIoU"], 3) for name, s in scores.items() if name.startswith("chips") and "present" not in name
    }
    return {**summary, "oIoU": phrases, "mIoU": kinds}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", nargs="?")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--json", type=Path, help="write the scores for pack.py")
    arguments = parser.parse_args()
    scores = summarise(arguments.data, arguments.weights, arguments.sheet, arguments.parts)
    if arguments.json:
        arguments.json.write_text(json.dumps(scores, indent=1))
