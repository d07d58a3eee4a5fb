"""A report is what an evaluation leaves for people and programs: scores.json, samples.csv and one page, report.html.

The page needs nothing beside itself: pictures are inside, there is no script, and no address is fetched.
"""

import base64
import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rrsis_core.data.drawing import PREDICTION, TRUTH, overlay
from rrsis_core.data.pictures import fitted, read_sample
from rrsis_core.engine.evaluate import SIZES, Evaluation, predict_masks
from rrsis_core.engine.published import COLUMNS, published_classes, published_rows
from rrsis_core.models import ReferringModel
from rrsis_core.text.tokenizer import ExpressionTokenizer

PICKED = 6  # samples of each kind on the page
SIDE = 240  # pixels of a picture on the page


@dataclass(frozen=True)
class Subject:
    """What was evaluated on what."""

    weights: str
    dataset: str
    split: str
    root: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TableRow:
    """A row of the paper's table: per cent, as text; "" where there is none."""

    method: str
    values: tuple[str, ...]
    source: str
    is_ours: bool = False


@dataclass(frozen=True)
class Shown:
    """A sample as the page shows it: all (S, S), the image with three channels."""

    place: int
    image: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    predicted: NDArray[np.bool_]


def write_report(
    evaluation: Evaluation, subject: Subject, model: ReferringModel, tokenizer: ExpressionTokenizer, folder: Path
) -> list[Path]:
    """Write the three files into a folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("scores.json", "samples.csv", "report.html")]
    paths[0].write_text(json.dumps(as_plain(evaluation, subject), indent=1))
    _write_samples(evaluation, paths[1])
    shown = {title: look(evaluation, places, model, tokenizer) for title, places in pick(evaluation).items()}
    paths[2].write_text(page(evaluation, subject, shown), encoding="utf-8")
    return paths


def as_plain(evaluation: Evaluation, subject: Subject) -> dict[str, Any]:
    """Return all scores as plain data."""
    return {
        "weights": subject.weights,
        "dataset": subject.dataset,
        "split": subject.split,
        "root": subject.root,
        "input_size": evaluation.size,
        "scores": evaluation.scores(),
        "by_category": evaluation.by_category(),
        "by_size": evaluation.by_size(),
        "details": subject.details,
    }


def paper_table(evaluation: Evaluation, subject: Subject) -> list[TableRow]:
    """Return the published rows, worst first, and then ours: at the input's size, and at the truth's."""
    rows = [
        TableRow(row.method, tuple("" if x is None else f"{x:.2f}" for x in row.scores.values()), row.source)
        for row in published_rows(subject.dataset, subject.split)
    ]
    names = {"lavt": f"{subject.weights} @{evaluation.size}", "strict_original": f"{subject.weights} @original"}
    for protocol, scores in evaluation.scores().items():
        values = tuple(f"{100 * scores[column]:.2f}" for column in COLUMNS)
        rows.append(TableRow(names[protocol], values, f"this evaluation, protocol {protocol}", is_ours=True))
    return rows


def pick(evaluation: Evaluation, count: int = PICKED) -> dict[str, list[int]]:
    """Return the places of the best, median and worst samples by IoU at the input's size."""
    order = np.argsort(-evaluation.counters["lavt"].sample_ious(), kind="stable").tolist()
    middle = max(0, (len(order) - count) // 2)
    return {"Best": order[:count], "Median": order[middle : middle + count], "Worst": order[::-1][:count]}


def look(
    evaluation: Evaluation, places: Sequence[int], model: ReferringModel, tokenizer: ExpressionTokenizer
) -> list[Shown]:
    """Predict some samples again, to be shown."""
    shown = []
    for place in places:
        sample = fitted(read_sample(evaluation.records[place]), evaluation.size)
        mask = predict_masks(model, [[sample]], tokenizer, bf16=False)[0]
        shown.append(Shown(place, sample.image, sample.mask > 0, mask))
    return shown


def page(evaluation: Evaluation, subject: Subject, shown: dict[str, list[Shown]]) -> str:
    """Return the page."""
    scores = evaluation.scores()["lavt"]
    parts = [
        f"<h1>{escape(subject.weights)} on {escape(subject.dataset)}, split {escape(subject.split)}</h1>",
        f"<p>{int(scores['n']):,} samples, {evaluation.size} × {evaluation.size} pixels.</p>",
        _headline(scores),
        "<h2>Table</h2>",
        _table(paper_table(evaluation, subject)),
        "<p class=note>Published rows as printed. @" + str(evaluation.size) + " follows the field: truth resized to "
        "the input, two empty masks count 0. @original compares at the size of the truth, two empty masks count 1."
        "</p>",
        "<h2>By category</h2>",
        _bars(evaluation, subject.dataset),
        "<h2>By size of the target</h2>",
        _sizes(evaluation),
    ]
    for title, samples in shown.items():
        parts += [
            f"<h2>{title} samples</h2>",
            "<div class=samples>",
            *(_sample(evaluation, s) for s in samples),
            "</div>",
        ]
    title = escape(f"{subject.weights} on {subject.dataset} {subject.split}")
    template = Path(__file__).with_name("report_page.html").read_text(encoding="utf-8")
    return template.replace("{title}", title).replace("{body}", "\n".join(parts))


def _headline(scores: dict[str, float]) -> str:
    names = ["mIoU", "oIoU", "P@0.5", "P@0.9", *(["N-acc"] if "N-acc" in scores else [])]
    cards = (f"<div class=card><b>{100 * scores[name]:.2f}</b><span>{name}</span></div>" for name in names)
    return f"<div class=cards>{''.join(cards)}</div>"


def _table(rows: Sequence[TableRow]) -> str:
    head = "".join(f"<th>{column}</th>" for column in ("Method", *COLUMNS))
    body = []
    for row in rows:
        cells = "".join(f"<td>{value or '–'}</td>" for value in row.values)
        kind = " class=ours" if row.is_ours else ""
        body.append(f"<tr{kind} title='{escape(row.source, quote=True)}'><td>{escape(row.method)}</td>{cells}</tr>")
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"


def _bars(evaluation: Evaluation, dataset: str) -> str:
    """Draw mIoU of each category as a bar, with a tick for each published value."""
    rows = []
    for name, scores in evaluation.by_category().items():
        value = 100 * scores["lavt"]["mIoU"]
        ticks = "".join(
            f"<i style='left:{published:.1f}%' title='{method} {published:.2f}'></i>"
            for method, published in published_classes(dataset, name).items()
        )
        rows.append(
            f"<div class=name>{escape(name)} <small>{int(scores['lavt']['n']):,}</small></div>"
            f"<div class=bar><div style='width:{value:.1f}%'></div>{ticks}</div><div>{value:.1f}</div>"
        )
    note = "<p class=note>Bars: mIoU here. Ticks: RMSIN, LGCE and BTDNet as BTDNet's paper prints them.</p>"
    if not rows:
        return "<p class=note>The records name no categories.</p>"
    return f"<div class=bars>{''.join(rows)}</div>" + (note if published_rows(dataset, "test") else "")


def _sizes(evaluation: Evaluation) -> str:
    rows = []
    for (name, bound), scores in zip(SIZES.items(), evaluation.by_size().values(), strict=True):
        lavt = scores["lavt"]
        cells = [f"{100 * lavt[key]:.2f}" if lavt["n"] else "–" for key in ("mIoU", "oIoU", "P@0.5")]
        told = f"{name}: up to {100 * bound:g} % of the picture"
        rows.append(f"<tr><td>{told}</td><td>{int(lavt['n']):,}</td>{''.join(f'<td>{c}</td>' for c in cells)}</tr>")
    head = "".join(f"<th>{column}</th>" for column in ("Target", "Samples", "mIoU", "oIoU", "P@0.5"))
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"


def _sample(evaluation: Evaluation, shown: Shown) -> str:
    record = evaluation.records[shown.place]
    iou = evaluation.counters["lavt"].sample_ious()[shown.place]
    pictures = (
        ("image", shown.image),
        ("truth", overlay(shown.image, shown.truth, TRUTH)),
        ("prediction", overlay(shown.image, shown.predicted, PREDICTION)),
    )
    figures = "".join(
        f"<div><img alt='{name}' src='{_as_address(picture)}'><span>{name}</span></div>" for name, picture in pictures
    )
    note = " · ".join([f"IoU {100 * iou:.1f}", record.image.name, *([record.category] if record.category else [])])
    caption = f"<figcaption>{escape(record.expression)}<small>{escape(note)}</small></figcaption>"
    return f"<figure><div class=trio>{figures}</div>{caption}</figure>"


def _as_address(picture: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _write_samples(evaluation: Evaluation, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "image", "expression", "category", "target_share", "iou", "iou_original"])
        ious = [evaluation.counters[name].sample_ious().tolist() for name in ("lavt", "strict_original")]
        for record, share, *pair in zip(evaluation.records, evaluation.shares, *ious, strict=True):
            numbers = (f"{value:.6f}" for value in (share, *pair))
            writer.writerow([record.key, record.image.name, record.expression, record.category, *numbers])
