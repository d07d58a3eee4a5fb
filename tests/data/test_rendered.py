"""Rendered scenes: the same seed gives the same bytes, and everything said about a picture is true."""

import math

import numpy as np
import pytest

from rrsis_core.data.colors import COLOR_NAMES, color_name
from rrsis_core.data.rendered import CATEGORIES, KINDS, Scene, SceneObject, render_scene

MUST_SHOW = {
    "suburb": {"building", "road"},
    "town": {"building", "road"},
    "city": {"building", "road", "parking lot", "vehicle"},
    "industrial": {"building", "road", "storage tank"},
    "airport": {"airplane"},
    "coast": {"sea"},
    "countryside": {"grass"},
    "desert": {"building", "road", "bare soil"},
    "highway": {"road", "vehicle"},
    "sports": {"grass"},
}
SOLID = {"building", "storage tank", "bridge", "pier"}
EDGE = 3


@pytest.fixture(scope="module", params=sorted(KINDS))
def scene(request: pytest.FixtureRequest) -> Scene:
    return render_scene(11, 384, kind=request.param)


def _whole(item: SceneObject, scene: Scene) -> bool:
    """Whether an object is seen completely and does not touch the border of the picture."""
    rows, cols = scene.image.shape[:2]
    inside = item.rows[0] > EDGE and item.cols[0] > EDGE and item.rows[1] < rows - EDGE and item.cols[1] < cols - EDGE
    return inside and float(item.attributes["visible"]) > 0.97


def _sides(item: SceneObject) -> tuple[float, float]:
    """Length and width in pixels along the main axes of a mask."""
    places = np.argwhere(item.mask).astype(float)
    _, _, axes = np.linalg.svd(places - places.mean(axis=0), full_matrices=False)
    along = (places - places.mean(axis=0)) @ axes.T
    spread = np.sort(np.ptp(along, axis=0))[::-1] + 1
    return float(spread[0]), float(spread[1])


def test_same_seed_gives_the_same_bytes() -> None:
    first, second = render_scene(5, 160), render_scene(5, 160)
    assert first.image.tobytes() == second.image.tobytes()
    assert len(first.objects) == len(second.objects)
    for one, other in zip(first.objects, second.objects, strict=True):
        assert (one.category, one.color, one.attributes) == (other.category, other.color, other.attributes)
        assert (one.rows, one.cols) == (other.rows, other.cols)
        assert np.array_equal(one.mask, other.mask)


def test_other_scenes_in_between_change_nothing() -> None:
    before = render_scene(6, 128, kind="town")
    render_scene(7, 200, kind="coast")
    assert np.array_equal(before.image, render_scene(6, 128, kind="town").image)


def test_different_seeds_give_different_pictures() -> None:
    pictures = {render_scene(seed, 96, kind="suburb").image.tobytes() for seed in range(4)}
    assert len(pictures) == 4


def test_seeds_draw_every_kind() -> None:
    assert len({render_scene(seed, 48).kind for seed in range(60)}) == len(KINDS)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="moon"):
        render_scene(1, 64, kind="moon")


def test_size_may_differ_by_side() -> None:
    scene = render_scene(3, (96, 160), 0.4)
    assert scene.image.shape == (96, 160, 3)
    assert scene.image.dtype == np.uint8
    assert scene.gsd == 0.4


def test_kind_shows_what_it_must(scene: Scene) -> None:
    assert MUST_SHOW[scene.kind] <= scene.categories


def test_masks_lie_inside_and_fit_their_boxes(scene: Scene) -> None:
    rows, cols = scene.image.shape[:2]
    assert scene.objects
    for item in scene.objects:
        assert item.category in CATEGORIES
        assert 0 <= item.rows[0] < item.rows[1] <= rows
        assert 0 <= item.cols[0] < item.cols[1] <= cols
        assert item.mask.shape == (item.rows[1] - item.rows[0], item.cols[1] - item.cols[0])
        assert item.mask.dtype == bool
        assert item.mask[0].any() and item.mask[-1].any() and item.mask[:, 0].any() and item.mask[:, -1].any()


def test_color_is_the_name_of_the_median(scene: Scene) -> None:
    for item in scene.objects:
        pixels = scene.image[slice(*item.rows), slice(*item.cols)][item.mask]
        assert item.color == color_name(np.median(pixels, axis=0))
        assert item.color is None or item.color in COLOR_NAMES


def test_solid_things_do_not_overlap(scene: Scene) -> None:
    count = np.zeros(scene.image.shape[:2], dtype=int)
    for item in scene.objects:
        if item.category in SOLID:
            count[slice(*item.rows), slice(*item.cols)] += item.mask
    assert count.max(initial=0) <= 1


def test_surfaces_do_not_overlap(scene: Scene) -> None:
    surfaces = {"grass", "field", "bare soil", "river", "lake", "pond", "sea", "road", "parking lot", "driveway"}
    count = np.zeros(scene.image.shape[:2], dtype=int)
    for item in scene.objects:
        if item.category in surfaces:
            count[slice(*item.rows), slice(*item.cols)] += item.mask
    assert count.max(initial=0) <= 1


def test_ground_without_traffic_is_free_of_vehicles(scene: Scene) -> None:
    vehicles = scene.mask_of(item for item in scene.objects if item.category in ("vehicle", "airplane", "boat", "ship"))
    soft = scene.mask_of(item for item in scene.objects if item.category in ("grass", "sea", "river", "lake", "field"))
    assert not (vehicles & soft).any()


def test_trees_hide_what_is_under_them(scene: Scene) -> None:
    trees = scene.mask_of(item for item in scene.objects if item.category in ("tree", "forest"))
    others = scene.mask_of(item for item in scene.objects if item.category not in ("tree", "forest"))
    assert not (trees & others).any()


def test_map_placement_is_sane(scene: Scene) -> None:
    a, b, c, d, e, f = scene.transform
    assert a == scene.gsd and e == -scene.gsd and b == d == 0
    assert 160_000 < c < 840_000 and 0 < f < 10_000_000
    assert 32_601 <= scene.crs_epsg <= 32_660 or 32_701 <= scene.crs_epsg <= 32_760


def test_ground_resolution_is_usual_for_the_kind() -> None:
    for kind, (_, _, (finest, coarsest)) in KINDS.items():
        assert finest <= render_scene(8, 48, kind=kind).gsd <= coarsest


def test_cars_keep_their_metric_size() -> None:
    scene = render_scene(21, 512, 0.15, "city")
    cars = [
        _sides(item)
        for item in scene.objects
        if item.category == "vehicle" and item.attributes["type"] == "car" and _whole(item, scene)
    ]
    assert len(cars) >= 5
    for length, width in cars:
        assert 3.5 < length * scene.gsd < 6.0
        assert 1.3 < width * scene.gsd < 2.7


def test_tennis_courts_keep_their_metric_size() -> None:
    courts = []
    for seed in range(40, 60):
        scene = render_scene(seed, 448, 0.3, "sports")
        courts += [_sides(item) for item in scene.objects if item.category == "tennis court" and _whole(item, scene)]
        if len(courts) >= 3:
            break
    assert len(courts) >= 3
    for length, width in courts:
        assert length * 0.3 == pytest.approx(23.77, abs=1.0)
        assert width * 0.3 == pytest.approx(10.97, abs=0.9)


@pytest.mark.parametrize("kind", ["suburb", "desert"])
def test_houses_have_the_size_of_houses(kind: str) -> None:
    scene = render_scene(31, 448, 0.3, kind)
    areas = [
        item.mask.sum() * scene.gsd**2 for item in scene.objects if item.category == "building" and _whole(item, scene)
    ]
    assert areas
    assert 60 < float(np.median(areas)) < 420


def test_objects_do_not_depend_on_the_ground_resolution_in_metres() -> None:
    for gsd in (0.2, 0.5):
        scene = render_scene(77, 384, gsd, "town")
        sizes = [
            math.sqrt(item.mask.sum()) * gsd
            for item in scene.objects
            if item.category == "building" and _whole(item, scene)
        ]
        assert 5 < float(np.median(sizes)) < 16


def test_masks_follow_the_picture() -> None:
    """A mask moved aside fits worse: the step of colour along its edge is smaller."""
    scene = render_scene(12, 384, 0.3, "industrial")
    picture = scene.image.astype(float).mean(axis=2)
    row_steps, col_steps = np.abs(np.diff(picture, axis=0)), np.abs(np.diff(picture, axis=1))
    mask = scene.mask_of(item for item in scene.objects if item.category in ("building", "storage tank"))

    def edge_contrast(shift: int) -> float:
        moved = np.roll(mask, (shift, shift), axis=(0, 1))
        rows, cols = moved[1:] != moved[:-1], moved[:, 1:] != moved[:, :-1]
        return float((row_steps[rows].sum() + col_steps[cols].sum()) / (rows.sum() + cols.sum()))

    assert edge_contrast(0) > 1.3 * max(edge_contrast(5), edge_contrast(-5))


def test_union_of_no_objects_is_empty() -> None:
    scene = render_scene(2, 64)
    assert not scene.mask_of([]).any()


def test_doubtful_ground_belongs_to_nobody(scene: Scene) -> None:
    assert scene.doubtful.shape == scene.image.shape[:2]
    assert not (scene.doubtful & scene.mask_of(scene.objects)).any()


def test_desert_sand_is_disputed() -> None:
    scene = render_scene(4, 96, kind="desert")
    assert "sand" in scene.disputed
    assert "building" not in scene.disputed
