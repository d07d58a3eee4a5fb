"""Colours that are measured: which objects they add to an answer, and which they drop."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

import rrsis_core.inference
from rrsis_core.contract import SegmentOptions
from rrsis_core.data.colors import lightness_chroma_hue
from rrsis_core.inference import segment_raster
from rrsis_core.inference.coloring import judge

BLUE, RED, WHITE = (40, 70, 170), (170, 50, 40), (240, 240, 240)
ROOFS = {BLUE: (20, 20), RED: (20, 110), WHITE: (90, 60)}  # top and left of squares of 40 pixels


class RoofPredictor:
    """Finds every roof; of a colour, those that it was told to."""

    gsd = None
    tile = 64
    batch_size = 2

    def __init__(self, **answers):
        self.answers = answers
        self.asked = set()

    def __call__(self, chips, expressions):
        self.asked |= set(expressions)
        rgb = np.round(chips * 255).astype(int).transpose(0, 2, 3, 1)
        known = {color: (rgb == color).all(axis=-1) * 0.9 for color in ROOFS}
        nothing = np.zeros(rgb.shape[:3])

        def answer(expression):
            colors = next((self.answers[name] for name in self.answers if name in expression.split()), ROOFS)
            return sum((known[color] for color in colors), nothing)

        return np.stack([answer(text) for text in expressions], axis=1).astype(np.float32)


@pytest.fixture
def scene(write_raster):
    pixels = np.full((3, 150, 170), 90, np.uint8)
    for color, (top, left) in ROOFS.items():
        pixels[:, top : top + 40, left : left + 40] = np.array(color)[:, None, None]
    return write_raster(pixels)


def found(scene, predictor, tmp_path, phrase, **options):
    """Return the colours of the roofs that an answer holds."""
    mask = tmp_path / "mask.tif"
    result = segment_raster(SegmentOptions(str(scene), (phrase,), mask=str(mask), **options), predictor)
    with rasterio.open(mask) as source:
        answer = source.read(1).astype(bool)
    assert answer.sum() == sum(answer[top + 20, left + 20] for top, left in ROOFS.values()) * 1600
    return {color for color, (top, left) in ROOFS.items() if answer[top + 20, left + 20]}, result.readings[0]


def test_what_the_model_missed_is_added_by_its_colour(scene, tmp_path):
    predictor = RoofPredictor(blue=[])
    roofs, reading = found(scene, predictor, tmp_path, "blue roofs")
    assert roofs == {BLUE}
    assert predictor.asked == {"blue roofs", "the roofs"} and reading.local == ["blue roofs", "the roofs"]


def test_what_nobody_would_call_so_is_dropped(scene, tmp_path):
    assert found(scene, RoofPredictor(blue=[BLUE, RED, WHITE]), tmp_path, "the blue roofs")[0] == {BLUE}


def test_what_the_model_found_half_of_stays_as_it_is(write_raster, tmp_path):
    pixels = np.full((3, 60, 60), 90, np.uint8)
    pixels[:, 10:40, 10:40] = np.array(BLUE)[:, None, None]
    pixels[:, 34:40, 10:40] = np.array(RED)[:, None, None]  # a red roof that touches
    mask = tmp_path / "mask.tif"
    path = write_raster(pixels)
    for known, rows in ((BLUE, 24), (RED, 30)):  # of the red part alone it covers less than half: all of it is added
        segment_raster(
            SegmentOptions(str(path), ("the blue roofs",), mask=str(mask), overwrite=True), RoofPredictor(blue=[known])
        )
        with rasterio.open(mask) as source:
            assert source.read(1).astype(bool).sum() == rows * 30


def test_an_answer_may_become_empty(scene, tmp_path):
    assert found(scene, RoofPredictor(green=[BLUE, RED, WHITE]), tmp_path, "the green roofs")[0] == set()


def test_colours_of_parts_of_a_phrase_are_measured(scene, tmp_path):
    predictor = RoofPredictor(red=[], white=[BLUE])
    assert found(scene, predictor, tmp_path, "the red roof above the white roof")[0] == {RED}


def test_as_typed_the_model_alone_answers(scene, tmp_path):
    roofs, reading = found(scene, RoofPredictor(blue=[RED]), tmp_path, "the blue roofs", reference="tile")
    assert roofs == {RED} and reading.local == ["the blue roofs"]


def test_two_colours_are_left_to_the_model(scene, tmp_path):
    predictor = RoofPredictor(blue=[RED])
    assert found(scene, predictor, tmp_path, "the blue and white roofs")[0] >= {RED}
    assert "the roofs" not in predictor.asked


@pytest.mark.parametrize(("rgb", "color", "expected"), [
    (RED, "red", True), (RED, "blue", False), (BLUE, "blue", True), (WHITE, "white", True), (WHITE, "black", False),
    ((60, 140, 60), "red", False), ((150, 150, 150), "white", None), (RED, "purple", None),
])  # fmt: skip
def test_people_agree_or_they_do_not(rgb, color, expected):
    called, never = judge(np.array([rgb], float), color)
    assert (called.tolist(), never.tolist()) == ([expected is True], [expected is False])


def test_the_chance_of_a_name_is_that_of_gaussians():
    """Bayes' rule with equal chances beforehand, the literal way."""
    table = json.loads((Path(rrsis_core.inference.__file__).parent / "colors.json").read_text())
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 256, (60, 3)).astype(float)
    judged = {name: judge(colors, name) for name in table}
    for index, rgb in enumerate(colors):
        lightness, chroma, hue = lightness_chroma_hue(rgb)
        x = np.array([lightness, chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))])
        density, square = {}, {}
        for name, item in table.items():
            off, inverse = x - item["mean"], np.linalg.inv(item["covariance"])
            square[name] = off @ inverse @ off
            density[name] = np.exp(-square[name] / 2) / np.sqrt(np.linalg.det(item["covariance"]))
        for name in table:
            chance = density[name] / sum(density.values())
            expected = chance > 0.5, chance < 0.05 and square[name] > 9
            assert tuple(flags[index] for flags in judged[name]) == expected
