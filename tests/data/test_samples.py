import numpy as np
import pytest
import torch

from rrsis_core.contract import InputError
from rrsis_core.data.samples import IGNORE, ChipConfig, SceneSamples, collate, draw_samples
from rrsis_core.data.scenes import Scene, object_from_mask, write_scene
from rrsis_core.text.parse import parse
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path

CHIPS = ChipConfig(size=64, gsd_range=(0.3, 0.3), zoom_range=(1.0, 1.0), void_share=0.0)
BUILDING_WORDS = set("building buildings house houses roof roofs rooftop rooftops home homes hall halls".split())
RIVER_WORDS = set("river rivers stream streams creek creeks water channel channels canal canals".split())


def striped_scene(expressions=()):
    """Left third is a blue building, right third a river; the bottom is not labelled."""
    image = np.full((96, 96, 3), 120, np.uint8)
    left, right, bottom = (np.zeros((96, 96), bool) for _ in range(3))
    left[:, :32], right[:, 64:], bottom[90:] = True, True, True
    image[left], image[right] = (30, 60, 220), (20, 120, 60)
    objects = (object_from_mask("building", "blue", left), object_from_mask("river", "green", right))
    names = frozenset(["building", "river"])
    return Scene(image, objects, 0.3, names, frozenset(["boat"]), expressions, bottom, "striped")


@pytest.fixture
def folder(tmp_path):
    write_scene(striped_scene(), tmp_path / "a.scene")
    write_scene(striped_scene((("the blue house on the left", (0,)),)), tmp_path / "b.scene")
    return tmp_path


def test_the_mask_lies_on_what_is_meant():
    kinds = set()
    for seed in range(120):
        (sample,) = draw_samples(striped_scene(), np.random.default_rng(seed), CHIPS) or [None]
        if sample is None or (sample.mask == 1).sum() < 50:
            continue
        kinds.add(sample.kind)
        mean = sample.image[sample.mask == 1].mean(axis=0)
        is_building = mean[2] > mean[1]
        words = sample.expression.split()
        first = next((word for word in words if word in BUILDING_WORDS | RIVER_WORDS), None)
        if sample.kind != "place" and first is not None:
            assert is_building == (first in BUILDING_WORDS), sample.expression
    assert {"category", "color"} <= kinds


def test_places_are_where_the_pixels_are():
    house = np.zeros((96, 96), bool)
    house[6:14, 8:16] = True
    objects = tuple(object_from_mask("building", None, np.rot90(house, turns)) for turns in range(4))
    image = np.full((96, 96, 3), 120, np.uint8)
    scene = Scene(image, objects, 0.3, frozenset(["building"]), frozenset(), (), None, "corners")
    whole = ChipConfig(size=96, gsd_range=(0.3, 0.3), void_share=0.0)
    said = set()
    for seed in range(400):
        (sample,) = draw_samples(scene, np.random.default_rng(seed), whole) or [None]
        if sample is None or sample.kind not in ("place", "near miss"):
            continue
        position = (parse(sample.expression).query.position or "").replace("top", "upper").replace("bottom", "lower")
        if sample.kind == "near miss":
            assert position in ("", "middle"), sample.expression
            continue
        said.add(position)
        rows, columns = np.nonzero(sample.mask == 1)
        sides = {"left": columns < 48, "right": columns >= 48, "upper": rows < 48, "lower": rows >= 48}
        assert len(rows)
        assert all(sides[side].all() for side in position.split()[-2:] if side in sides), sample.expression
    assert {"left", "right", "upper", "lower", "upper left", "lower right"} <= said


def test_unlabelled_pixels_do_not_count():
    groups = [draw_samples(striped_scene(), np.random.default_rng(seed), CHIPS) or [] for seed in range(40)]
    assert any((sample.mask == IGNORE).any() for group in groups for sample in group)


def test_several_expressions_share_a_chip():
    scene = striped_scene((("the blue house on the left", (0,)), ("the river", (1,))))
    for share in (0.0, 1.0):
        config = ChipConfig(size=64, written_share=share, void_share=0.0)
        groups = [draw_samples(scene, np.random.default_rng(seed), config, 3) for seed in range(20)]
        for group in filter(None, groups):
            assert len(group) == 3
            assert all(sample.image is group[0].image for sample in group)
        assert any(len({sample.expression for sample in group}) > 1 for group in filter(None, groups))


def test_a_written_expression_is_mirrored_with_its_image():
    scene = striped_scene((("the blue house on the left", (0,)),))
    config = ChipConfig(size=96, written_share=1.0, void_share=0.0)
    sides = set()
    for seed in range(20):
        (sample,) = draw_samples(scene, np.random.default_rng(seed), config)
        side = "left" if sample.mask[:, :32].mean() > 0.9 else "right"
        assert sample.expression.endswith(side)
        sides.add(side)
    assert sides == {"left", "right"}


def test_a_sample_is_a_function_of_seed_epoch_and_index(folder):
    first = SceneSamples({str(folder): 1.0}, 10, CHIPS, seed=5)
    second = SceneSamples({str(folder): 1.0}, 10, CHIPS, seed=5)
    for index in (3, 0, 3):
        (one,), (other,) = first[index], second[index]
        assert one.expression == other.expression and (one.image == other.image).all()
    second.epoch = 1
    assert any(first[i][0].expression != second[i][0].expression for i in range(10))


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(InputError) as caught:
        SceneSamples({str(tmp_path): 1.0}, 10, CHIPS)
    assert caught.value.code == "data.empty"


def test_a_batch(folder):
    samples = SceneSamples({str(folder): 1.0}, 3, CHIPS)
    batch = collate([samples[i] * 2 for i in range(3)], ExpressionTokenizer(vocabulary_path()), 12)
    assert batch["images"].shape == (3, 3, 64, 64) and batch["images"].dtype == torch.float32
    assert batch["images"].min() >= 0 and batch["images"].max() <= 1
    assert batch["masks"].shape == (6, 64, 64)
    assert set(batch["masks"].unique().tolist()) <= {0, 1, IGNORE}
    assert batch["token_ids"].shape == batch["attention_mask"].shape == (6, 12)
    targets = collate([samples[0]], ExpressionTokenizer(vocabulary_path()), 12, scope="subject_nouns")
    assert targets["attention_mask"].max() == 2  # what BTDNet hides
