"""How written expressions are understood: `python training/understanding.py ../shared/data [--misses FILE.tsv]`.

Annotated outlines stand for the model, so that only parsing and geometry are measured: of a local expression, the
outlines of its category, of its colours if it names any. Expressions of the training and calibration chips, never of
the validation set. What is not outlined cannot be found, and "woods" are not the annotator's trees: 1 is out of reach.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import prepare
from PIL import Image
from validate import iou, kind_of, predict

from rrsis_core.text.lexicon import GROUPS, category_of, color_of
from rrsis_core.text.parse import parse


class Outlines:
    """A predictor (rrsis_core.inference.ChipPredictor) that knows one annotated chip."""

    gsd, tile, batch_size, threshold = 0.3, 256, 1, 0.5

    def __init__(self, record: dict[str, Any], shape: tuple[int, int]) -> None:
        self.objects, self.shape = record["objects"], shape

    def __call__(self, chips: np.ndarray, expressions: Sequence[str]) -> np.ndarray:
        """Return the mask of each expression, (1, P, h, w)."""
        return np.stack([self.find(text) for text in expressions])[None].astype(np.float32)

    def find(self, text: str) -> np.ndarray:
        """Return where the outlines of an expression's category and colours are."""
        query = parse(text).query
        category = category_of().get(query.target, query.target)
        names = {category, *GROUPS.get(category, ())}
        colors = {color_of()[word] for word in query.attributes if word in color_of()}
        meant = [
            item
            for item in self.objects
            if prepare.CHIP_NAMES.get(item["category"], item["category"]) in names
            and (not colors or prepare.canonical_color(item.get("color")) in colors)
        ]
        return prepare.outline(meant, self.shape)


def main(data: Path, misses: Path | None) -> None:
    """Print mean IoU by kind of expression; list the misses."""
    scores, missed = defaultdict(list), []
    for _, record in prepare.chip_records(data, prepare.LEARNT):
        path = data / "uc_merced" / record["image"]
        shape = Image.open(path).size[::-1]
        masks = predict(Outlines(record, shape), path, [e["text"] for e in record["expressions"]])
        for expression, mask in zip(record["expressions"], masks, strict=True):
            truth = prepare.outline([record["objects"][index] for index in expression["objects"]], shape)
            score = iou(mask, truth, None)
            scores[kind_of(expression["text"])].append(score)
            if score < 0.5:
                missed.append((round(score, 2), record["image"], expression["text"], parse(expression["text"]).query))
    scores["all"] = [score for values in scores.values() for score in values]
    for kind, values in scores.items():
        print(f"{kind:12s} n {len(values):5d}   mIoU {np.mean(values):.3f}")
    if misses:
        with misses.open("w", newline="") as file:
            csv.writer(file, delimiter="\t").writerows(missed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--misses", type=Path, help="write the expressions that were answered by less than half")
    main(**vars(parser.parse_args()))
