"""The demo scene has everything that the demo asks for."""

import numpy as np
import pytest

from rrsis_core.data.rendered import demo_scene
from rrsis_core.data.rendered.demo import DEMO_GSD, DEMO_SIZE


@pytest.mark.parametrize("seed", [1000, 1001])
def test_demo_shows_everything(seed: int) -> None:
    scene = demo_scene(seed)
    assert scene.image.shape == (DEMO_SIZE, DEMO_SIZE, 3)
    assert scene.gsd == DEMO_GSD
    pixels = DEMO_SIZE * DEMO_SIZE
    phrases = {
        "blue roofs": [i for i in scene.objects if i.category == "building" and i.color == "blue"],
        "water": [i for i in scene.objects if i.category in ("river", "lake")],
        "trees": [i for i in scene.objects if i.category in ("tree", "forest")],
        "green fields": [i for i in scene.objects if i.category == "field" and i.color == "green"],
        "roads": [i for i in scene.objects if i.category == "road"],
        "parking lots": [i for i in scene.objects if i.category == "parking lot"],
    }
    for phrase, items in phrases.items():
        assert scene.mask_of(items).sum() > 0.005 * pixels, phrase
    assert len(phrases["blue roofs"]) >= 4
    others = {i.color for i in scene.objects if i.category == "building"} - {"blue", None}
    assert len(others) >= 2


def test_demo_is_reproducible() -> None:
    assert np.array_equal(demo_scene(1003).image, demo_scene(1003).image)
