"""Published scores, to stand beside ours: the tables that the field compares with, in per cent.

published.tsv holds them as printed, each with its source. They are made at the network's input size under the "lavt"
protocol, or so most of them say; a difference below two points of mIoU between two runs is noise.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rrsis_core.engine.metrics import THRESHOLDS

COLUMNS = (*(f"P@{threshold}" for threshold in THRESHOLDS), "oIoU", "mIoU")


@dataclass(frozen=True)
class PublishedRow:
    """A method's scores on a split; None where none was printed."""

    dataset: str
    split: str
    method: str
    source: str
    scores: dict[str, float | None]


def published_rows(dataset: str, split: str) -> list[PublishedRow]:
    """Return the rows of a data set's split, worst mIoU first; none for an unknown one."""
    rows = [row for row in _rows() if (row.dataset, row.split) == (dataset, split)]
    return sorted(rows, key=lambda row: row.scores["mIoU"] or 0.0)


def published_classes(dataset: str, category: str) -> dict[str, float]:
    """Return method -> IoU of a category on the test split; empty where none was printed."""
    for names, values in _CLASSES.get(dataset, {}).items():
        if _plain(names) == _plain(category):
            return dict(zip(("RMSIN", "LGCE", "BTDNet"), map(float, values.split("/")), strict=True))
    return {}


@cache
def _rows() -> tuple[PublishedRow, ...]:
    header, *lines = Path(__file__).with_name("published.tsv").read_text().splitlines()
    names = header.split("\t")[4:]
    rows = []
    for line in lines:
        dataset, split, method, source, *values = line.split("\t")
        scores = {name: float(value) if value else None for name, value in zip(names, values, strict=True)}
        rows.append(PublishedRow(dataset, split, method, source, scores))
    return tuple(rows)


def _plain(name: str) -> str:
    """Return a name as both RRSIS-D's files (golffield) and papers (golf field) would have it."""
    return re.sub("[^a-z]", "", name.lower())


# BTDNet, tables III and IV: RMSIN / LGCE / BTDNet. "Tree" and "airplane" are missing in the paper.
_CLASSES = {
    "refsegrs": {
        "road": "75.52/77.78/82.36",
        "vehicle": "63.66/63.92/70.79",
        "car": "63.02/61.70/69.19",
        "van": "52.81/52.86/57.47",
        "building": "82.52/85.01/86.67",
        "truck": "51.71/59.49/76.16",
        "trailer": "42.60/41.27/37.34",
        "bus": "41.43/46.74/49.81",
        "road marking": "18.19/18.46/9.49",
        "bikeway": "53.25/49.84/64.76",
        "sidewalk": "52.16/59.20/67.66",
        "low vegetation": "39.27/51.59/39.86",
        "impervious surface": "79.16/81.41/85.62",
    },
    "rrsisd": {
        "airport": "53.90/53.71/56.88",
        "golf field": "80.51/77.41/82.63",
        "expressway service area": "70.58/69.12/78.38",
        "baseball field": "90.49/85.98/90.00",
        "stadium": "88.57/86.31/89.20",
        "ground track field": "93.63/91.66/93.93",
        "storage tank": "85.93/86.19/85.88",
        "basketball court": "79.13/68.62/78.51",
        "chimney": "85.81/79.66/87.25",
        "tennis court": "76.32/67.00/78.09",
        "overpass": "77.62/73.81/79.29",
        "train station": "62.31/59.40/61.71",
        "ship": "81.13/77.08/81.22",
        "expressway toll station": "84.41/78.36/80.43",
        "dam": "61.32/59.09/63.11",
        "harbor": "40.92/30.13/41.63",
        "bridge": "67.56/63.23/67.87",
        "vehicle": "61.45/61.41/73.41",
        "windmill": "62.55/59.74/62.75",
    },
}
