"""Evaluation counts as both protocols say, by category and by size, and merges."""

import numpy as np
import pytest

from rrsis_core.contract import InputError
from rrsis_core.data.records import MaskFile, Record
from rrsis_core.engine.evaluate import Evaluation, evaluate_records, masks_of, merged, summary
from rrsis_core.engine.metrics import ScoreCounter


@pytest.fixture(scope="module")
def result(red_model, red_records, tokenizer):
    return evaluate_records(red_model, red_records, tokenizer, batch_size=2)


def test_both_protocols(result):
    lavt, original = result.counters["lavt"], result.counters["strict_original"]
    assert lavt.sample_ious().tolist() == [pytest.approx(1, abs=0.15), 0, 0]
    assert original.sample_ious().tolist() == [pytest.approx(1, abs=0.15), 0, 1]
    assert lavt.truths == [40 * 40, 10 * 10, 0]  # at the input's size
    assert original.truths == [80 * 80, 20 * 20, 0]
    assert result.scores()["lavt"]["N-acc"] == 1
    assert result.scores()["strict_original"]["P@0.8"] == pytest.approx(2 / 3)


def test_parts_by_category_and_size(result):
    assert {name: scores["lavt"]["n"] for name, scores in result.by_category().items()} == {
        "ship": 1,
        "tennis court": 1,
    }
    assert result.shares == [0.16, 0.01, 0.0]
    assert {name: scores["lavt"]["n"] for name, scores in result.by_size().items()} == {
        "small": 1,
        "medium": 0,
        "large": 1,
    }


def test_batches_change_nothing_and_parts_merge(result, red_model, red_records, tokenizer):
    parts = [evaluate_records(red_model, [record], tokenizer, batch_size=1) for record in red_records]
    whole = Evaluation(parts[0].size)
    for part in parts:
        whole.merge(part)
    assert whole == result


def test_equal_logits_are_background(red_model):
    assert not masks_of(red_model.pixel_mean.new_zeros(1, 2, 4, 4), (8, 8)).any()


def test_a_damaged_picture_stops_with_its_name(red_model, tokenizer, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    record = Record("1", tmp_path / "a.png", "x", MaskFile(tmp_path / "a.png"))
    with pytest.raises(InputError) as caught:
        evaluate_records(red_model, [record], tokenizer)
    assert caught.value.code == "data.image"
    assert "a.png" in str(caught.value)


def test_what_processes_counted_is_merged_by_kind():
    def counted(iou, kind):
        counter = ScoreCounter()
        counter.add(np.array([[iou]]), np.array([[True]]))
        return {"": counter, kind: counter}

    scores = summary(merged([counted(True, "color"), counted(False, "place"), counted(True, "place")]))
    assert (scores["n"], scores["mIoU"]) == (3, pytest.approx(2 / 3))
    assert (scores["mIoU:color"], scores["mIoU:place"]) == (1, 0.5)
