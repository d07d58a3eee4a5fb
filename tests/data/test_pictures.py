"""Pictures of a data set become samples: resized as the field does, changed as the configuration says."""

import numpy as np
import pytest
from PIL import Image

from rrsis_core.data.opening import open_dataset
from rrsis_core.data.pictures import PictureConfig, PictureSamples, changed, fitted, read_sample
from rrsis_core.data.samples import ReferringSample
from rrsis_core.data.transforms import black_boxes, nearest_mask, zoom


@pytest.fixture(scope="module")
def records(make, tmp_path_factory):
    return open_dataset(make.rrsisd(tmp_path_factory.mktemp("data"))).records("train")


def sample(expression="the ship on the left"):
    mask = np.zeros((100, 80), np.uint8)
    mask[40:60, 10:30] = 1
    image = np.full((100, 80, 3), 100, np.uint8)
    image[mask == 1] = 200
    return ReferringSample(image, mask, expression, "ship")


def test_image_and_mask_are_resized_each_from_its_own_size(records):
    raw = read_sample(records[2])
    assert raw.image.shape[:2] == (801, 800) and raw.mask.shape == (800, 800)
    small = fitted(raw, 480)
    assert small.image.shape == (480, 480, 3) and small.mask.shape == (480, 480)
    expected = Image.fromarray(raw.mask).resize((480, 480), Image.Resampling.NEAREST)
    assert np.array_equal(small.mask, np.asarray(expected))


def test_validation_is_in_order_and_unchanged(records):
    everything = PictureConfig(64, boxes=1.0, weather=1.0, mirror=1.0, rotate=1.0, zoom=(0.5, 2.0))
    samples = PictureSamples(records, everything, training=False)
    [first] = samples[0]
    assert first.expression == records[0].expression
    assert np.array_equal(first.image, fitted(read_sample(records[0]), 64).image)


def test_training_is_a_function_of_seed_epoch_and_index(records):
    config = PictureConfig(64, boxes=0.5, weather=0.5, mirror=0.5, rotate=0.5, zoom=(0.8, 1.25))
    first, second = (PictureSamples(records, config, training=True, seed=3) for _ in range(2))
    second[4]  # what was read before does not matter
    for index in (0, 4):
        [a], [b] = first[index], second[index]
        assert np.array_equal(a.image, b.image) and np.array_equal(a.mask, b.mask) and a.expression == b.expression
    orders = []
    for epoch in range(3):
        first.epoch = epoch
        orders.append(tuple(first.order()))
        assert sorted(orders[-1]) == list(range(len(records)))
    assert len(set(orders)) == 3


def test_the_records_with_boxes_are_chosen_once(records):
    samples = PictureSamples(records, PictureConfig(64, boxes=0.5), training=True)
    chosen = set(samples.boxed)
    samples.epoch = 1
    assert samples.boxed == chosen and len(chosen) == 3


def test_boxes_are_black():
    image = np.full((400, 300, 3), 255, np.uint8)
    boxed = black_boxes(image, np.random.default_rng(0))
    assert image.min() == 255
    assert 20 * 32 * 32 * 0.4 < (boxed == 0).all(axis=2).sum() <= 60 * 32 * 32


def test_looking_closer_keeps_the_whole_target():
    whole = sample()
    for seed in range(20):
        image, mask = zoom(whole.image, whole.mask, 2.0, np.random.default_rng(seed))
        assert image.shape == (50, 40, 3)
        assert mask.sum() == whole.mask.sum()
        assert (image[mask == 1] == 200).all()


def test_looking_from_afar_adds_an_empty_rim():
    image, mask = zoom(sample().image, sample().mask, 0.5, np.random.default_rng(0))
    assert image.shape == (200, 160, 3) and mask.shape == (200, 160)
    assert image[0].max() == 0 and mask.sum() == 400


def test_places_are_not_looked_at_closer():
    config = PictureConfig(zoom=(2.0, 2.0))
    assert changed(sample("the ship on the left"), config, np.random.default_rng(0)).image.shape == (100, 80, 3)
    assert changed(sample("the ship"), config, np.random.default_rng(0)).image.shape == (50, 40, 3)


def test_mirrors_rewrite_or_leave_alone():
    config = PictureConfig(mirror=1.0)
    turned = changed(sample(), config, np.random.default_rng(0))
    # a half turn and a mirror: upside down, the sides as before
    assert turned.expression == "the ship on the left"
    assert np.array_equal(turned.mask, sample().mask[::-1])
    refused = sample("the second ship under the bridge")
    assert changed(refused, config, np.random.default_rng(0)) is refused


def test_nearest_is_that_of_the_field():
    mask = np.random.default_rng(0).random((512, 512)) > 0.5
    expected = Image.fromarray(mask.astype(np.uint8)).resize((480, 480), Image.Resampling.NEAREST)
    assert np.array_equal(nearest_mask(mask, (480, 480)), np.asarray(expected).astype(bool))
