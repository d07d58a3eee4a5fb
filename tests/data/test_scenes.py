import numpy as np
import pytest

from rrsis_core.contract import InputError
from rrsis_core.data.scenes import Scene, object_from_mask, read_scene, union_mask, write_scene


def scene():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (40, 60, 3)).astype(np.uint8)
    round_mask = np.hypot(*(np.mgrid[:40, :60] - np.array([20, 30])[:, None, None])) < 9
    corner = np.zeros((40, 60), bool)
    corner[:3, 55:] = True
    objects = (object_from_mask("storage tank", "white", round_mask), object_from_mask("building", None, corner))
    unlabelled = np.zeros((40, 60), bool)
    unlabelled[30:] = True
    expressions = (("the round tank", (0,)),)
    return Scene(image, objects, 0.3, frozenset(["building"]), frozenset(["boat"]), expressions, unlabelled, "one")


def test_a_scene_survives_its_file(tmp_path):
    before = scene()
    write_scene(before, tmp_path / "a.scene")
    after = read_scene(tmp_path / "a.scene")
    assert (after.image == before.image).all()
    assert (after.unlabelled == before.unlabelled).all()
    assert [(o.category, o.color, o.top, o.left) for o in after.objects] == [
        ("storage tank", "white", 12, 22),
        ("building", None, 0, 55),
    ]
    for one, other in zip(after.objects, before.objects, strict=True):
        assert (one.mask == other.mask).all()
    assert (after.complete, after.absent, after.expressions, after.gsd, after.name) == (
        before.complete,
        before.absent,
        before.expressions,
        0.3,
        "one",
    )


def test_a_union_puts_objects_back_in_their_places():
    one = scene()
    whole = union_mask(one.objects, (40, 60))
    assert whole.sum() == sum(o.mask.sum() for o in one.objects)
    assert whole[20, 30] and whole[0, 59] and not whole[39, 0]


def test_a_broken_file_is_an_input_error(tmp_path):
    (tmp_path / "a.scene").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError) as caught:
        read_scene(tmp_path / "a.scene")
    assert caught.value.code == "scene.unreadable"
