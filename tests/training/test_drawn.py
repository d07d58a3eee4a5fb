"""The outlines that we drew: of chips that nothing is scored or chosen by, in words of the lexicon."""

import json
import re
from pathlib import Path

from PIL import Image

from rrsis_core.text.lexicon import NOUNS

RECORDS = json.loads((Path(__file__).parents[2] / "training/drawn.json").read_text())


def test_no_drawn_chip_is_of_the_validation_or_calibration_split():
    numbers = [int(re.search(r"(\d+)\.jpg$", record["image"])[1]) for record in RECORDS]
    assert len(numbers) > 100
    assert not {number % 7 for number in numbers} & {3, 5}


def test_every_chip_is_drawn_once_and_was_not_annotated_before(shared):
    images = [record["image"] for record in RECORDS]
    annotated = json.loads((shared / "uc_merced_polygons/annotations.json").read_text())
    assert len(set(images)) == len(images)
    assert not set(images) & {record["image"] for record in annotated}


def test_outlines_lie_in_their_chip_and_have_a_name(shared):
    for record in RECORDS:
        with Image.open(shared / "uc_merced" / record["image"]) as chip:
            width, height = chip.size
        polygons = [polygon for item in record["objects"] for polygon in item["polygons"]]
        assert {item["category"] for item in record["objects"]} <= set(NOUNS), record["image"]
        assert all(len(polygon) >= 3 for polygon in polygons), record["image"]
        points = [point for polygon in polygons for point in polygon]
        assert all(0 <= x <= width and 0 <= y <= height for x, y in points), record["image"]


def test_what_a_chip_is_said_to_hold_or_not_agrees_with_its_outlines():
    for record in RECORDS:
        there, count = {item["category"] for item in record["objects"]}, len(record["objects"])
        complete, absent = set(record["complete"]), set(record["absent"])
        assert complete <= there, record["image"]
        assert absent <= set(NOUNS), record["image"]
        assert not absent & there, record["image"]
        for expression in record["expressions"]:
            assert expression["objects"], expression
            assert set(expression["objects"]) <= set(range(count)), expression
