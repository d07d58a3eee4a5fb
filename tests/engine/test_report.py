"""The report: numbers, published rows, and a page that a real browser shows."""

import csv
import json
import re

import pytest

from rrsis_core.engine.evaluate import evaluate_records
from rrsis_core.engine.published import COLUMNS, published_classes, published_rows
from rrsis_core.engine.report import Subject, paper_table, pick, write_report

# Appended to a copy of the page: it writes into the title what a person would see.
MEASURE = """<script>
const page = document.documentElement;
document.title = JSON.stringify({
  pictures: [...document.images].map(image => image.naturalWidth),
  overflow: page.scrollWidth > page.clientWidth,
  rows: document.querySelectorAll("tbody tr").length,
  ours: [...document.querySelectorAll(".ours td:first-child")].map(cell => cell.innerText),
  bars: [...document.querySelectorAll(".bar")].map(bar => bar.firstElementChild.offsetWidth / bar.offsetWidth),
  captions: [...document.querySelectorAll("figcaption")].map(text => text.firstChild.textContent),
});
</script>"""


@pytest.fixture(scope="module")
def written(red_model, red_records, tokenizer, tmp_path_factory):
    evaluation = evaluate_records(red_model, red_records, tokenizer)
    folder = tmp_path_factory.mktemp("report")
    subject = Subject("red", "rrsisd", "test", str(folder))
    write_report(evaluation, subject, red_model, tokenizer, folder)
    return evaluation, subject, folder


@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_shows_the_page(written, show, tmp_path, width):
    _, _, folder = written
    page = tmp_path / "page.html"
    page.write_text((folder / "report.html").read_text().replace("</body>", MEASURE + "</body>"))
    seen = show(page, width)
    assert seen["pictures"] == [240] * 27  # three samples, best, median and worst, three pictures each
    assert not seen["overflow"]
    assert seen["rows"] == len(published_rows("rrsisd", "test")) + 2 + 3
    assert seen["ours"] == ["red @100", "red @original"]
    assert seen["bars"] == [pytest.approx(share, abs=0.15) for share in (0, 1)]
    assert seen["captions"][0] == "the red court <b>"


def test_the_page_fetches_nothing(written):
    page = (written[2] / "report.html").read_text()
    assert "<script" not in page
    assert all(address.startswith("data:image/jpeg") for address in re.findall("(?:src|href)='?\"?([^'\"> ]+)", page))


def test_the_numbers_for_programs(written):
    evaluation, _, folder = written
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["scores"] == json.loads(json.dumps(evaluation.scores()))
    assert scores["by_category"]["ship"]["lavt"]["mIoU"] == 0
    with (folder / "samples.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == ["0.png", "1.png", "2.png"]
    assert float(rows[0]["iou"]) == pytest.approx(evaluation.counters["lavt"].sample_ious()[0], abs=1e-6)


def test_the_table_has_published_rows_and_ours(written):
    evaluation, subject, _ = written
    rows = paper_table(evaluation, subject)
    assert [row.method for row in rows if row.is_ours] == ["red @100", "red @original"]
    bidirectional = next(row for row in rows if row.method == "BTDNet")
    assert dict(zip(COLUMNS, bidirectional.values, strict=True))["mIoU"] == "66.04"
    assert rows[-1].values[-1] == f"{100 * evaluation.scores()['strict_original']['mIoU']:.2f}"


@pytest.mark.parametrize(
    ("dataset", "split", "method", "scores"),
    [  # as printed in the papers
        ("refsegrs", "test", "BTDNet", (83.60, 75.07, 62.69, 34.40, 9.14, 80.57, 67.95)),
        ("refsegrs", "val", "RMSIN", (93.97, 89.33, 74.25, 29.70, 7.89, 82.41, 73.84)),
        ("risbench", "test", "CroBIM (ConvNeXt-B)", (77.55, 72.83, 66.38, 55.93, 34.07, 73.04, 69.33)),
    ],
)
def test_published_numbers(dataset, split, method, scores):
    row = next(row for row in published_rows(dataset, split) if row.method == method)
    assert tuple(row.scores[name] for name in COLUMNS) == scores


def test_published_rows_come_worst_first_and_none_for_others():
    values = [row.scores["mIoU"] for row in published_rows("risbench", "test")]
    assert values == sorted(values) and len(values) > 5
    assert published_rows("mine", "test") == []


def test_categories_are_known_by_both_spellings():
    expected = {"RMSIN": 80.51, "LGCE": 77.41, "BTDNet": 82.63}
    assert published_classes("rrsisd", "golffield") == published_classes("rrsisd", "golf field") == expected
    assert published_classes("rrsisd", "airplane") == {}


def test_best_median_and_worst(written):
    evaluation, _, _ = written
    assert pick(evaluation, count=1) == {"Best": [0], "Median": [1], "Worst": [2]}
