"""Phrases asked of the whole scene, from raster to files, with a predictor that knows colours."""

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from PIL import Image
from rasterio.transform import from_origin

from rrsis_core.contract import ConfigError, RrsisWarning, SegmentOptions
from rrsis_core.inference import segment_raster

BANDS = {"the roofs": 0, "the red roofs": 0, "the trees": 1, "the rivers": 2, "the river": 2}


class ColourPredictor:
    """Finds roofs in the red band, trees in the green one, rivers in the blue one; remembers what it was asked."""

    gsd = None
    tile = 128
    batch_size = 4

    def __init__(self):
        self.asked = set()

    def __call__(self, chips, expressions):
        assert len(set(expressions)) == len(expressions)
        self.asked.update(expressions)
        return np.stack([chips[:, BANDS.get(text, 0)] for text in expressions], axis=1)


@pytest.fixture
def predictor():
    return ColourPredictor()


ROOFS = {"a": (10, 10, 20, 30), "b": (40, 300, 60, 340), "c": (250, 20, 290, 130), "d": (230, 360, 240, 370)}


@pytest.fixture
def scene():
    """Four roofs as (top, left, bottom, right), c is the largest and cut by tiles; a river down the middle."""
    pixels = np.zeros((3, 300, 420), np.uint8)
    for shade, (top, left, bottom, right) in enumerate(ROOFS.values()):
        pixels[0, top:bottom, left:right] = 250 - 10 * shade
    pixels[2, :, 200:220] = 255
    return pixels


def run(path, predictor, tmp_path, *phrases, **options):
    mask = tmp_path / "mask.tif"
    told = SegmentOptions(str(path), phrases, mask=str(mask), overwrite=True, **options)
    result = segment_raster(told, predictor)
    with rasterio.open(mask) as source:
        masks = source.read()
    found = [
        {name for name, (top, left, bottom, right) in ROOFS.items() if mask[top:bottom, left:right].all()}
        for mask in masks
    ]
    for mask, names in zip(masks, found, strict=True):
        assert mask.sum() == sum((ROOFS[n][2] - ROOFS[n][0]) * (ROOFS[n][3] - ROOFS[n][1]) for n in names)
    return result, found


def test_the_scene_decides_and_phrases_share_what_the_model_is_asked(write_raster, scene, predictor, tmp_path):
    phrases = {
        "the largest roof": {"c"},
        "the smallest roof": {"d"},
        "the second roof from the left": {"c"},
        "the roofs in the top half": {"a", "b"},
        "the roofs right of the river": {"b", "d"},
        "the roofs within 45 m of the river": {"c", "b"},
        "the roof closest to the river": {"c"},
        "the brightest roof": {"a"},
        "the two largest roofs and the leftmost roof": {"a", "b", "c"},
        "the roofs": set(ROOFS),
    }
    result, found = run(write_raster(scene), predictor, tmp_path, *phrases)
    assert dict(zip(phrases, found, strict=True)) == phrases
    assert predictor.asked == {"the roofs", "the rivers"}
    assert [reading.reference for reading in result.readings] == ["scene"] * 9 + ["tile"]
    assert result.readings[4].local == ["the roofs", "the rivers"]
    assert (result.readings[4].candidates, result.readings[4].dropped) == (4, {"not right of the river": 2})


@pytest.mark.parametrize("tile", [64, 96, 256])
def test_the_answer_does_not_depend_on_the_tile(write_raster, scene, predictor, tmp_path, tile):
    assert run(write_raster(scene), predictor, tmp_path, "the largest roof", tile=tile)[1] == [{"c"}]


def test_one_tile_and_the_wish_of_the_user(write_raster, scene, predictor, tmp_path):
    path = write_raster(scene)
    phrase, related = "the largest roof", "the roofs right of the river"
    assert run(path, predictor, tmp_path, phrase, tile=512)[1] == [{"c"}]
    result, found = run(path, predictor, tmp_path, related, tile=512)
    assert (found, result.readings[0].reference) == ([{"b", "d"}], "scene")
    with pytest.warns(RrsisWarning, match="tile by tile"):
        assert run(path, predictor, tmp_path, phrase, reference="tile")[1] == [set(ROOFS)]
    with pytest.raises(ConfigError) as caught:
        SegmentOptions("a.tif", (phrase,), reference="map")
    assert caught.value.code == "config.reference"


def test_in_one_tile_the_model_answers_where_geometry_finds_nothing(
    write_raster, scene, predictor, tmp_path, monkeypatch
):
    path = write_raster(scene)
    phrases = ("the roofs right of the river", "the roofs on the river")
    exact = ("the roofs within 5 m of the river", "the fifth roof from the left")
    result, found = run(path, predictor, tmp_path, *phrases, *exact, tile=512)
    assert found == [{"b", "d"}, set(ROOFS), set(), set()]
    assert [reading.reference for reading in result.readings] == ["scene", "tile", "scene", "scene"]
    assert result.readings[1].notes == [
        "4 candidate roofs, none left: 4 not on the river",
        "shown instead is what the model takes for the whole phrase: check it",
    ]
    monkeypatch.setitem(BANDS, "the trees on a roof", 1)
    nothing = run(path, predictor, tmp_path, "the trees on a roof", tile=512)[0]
    assert nothing.readings[0].notes == ["no trees were found"]
    assert run(path, predictor, tmp_path, phrases[1], tile=512, reference="scene")[1] == [set()]
    assert run(path, predictor, tmp_path, phrases[1])[1] == [set()]


def test_directions_are_those_of_the_map(write_raster, scene, predictor, tmp_path):
    """Turned by a quarter: rows run to the east, columns to the north."""
    turned = rasterio.Affine(0, 0.5, 500000, 0.5, 0, 3060000)
    path = write_raster(scene, transform=turned)
    _, found = run(
        path, predictor, tmp_path, "the leftmost roof", "the northernmost roof", "the roofs in the east half"
    )
    assert found == [{"a"}, {"d"}, {"c", "d"}]


def test_left_is_left_of_the_area(write_raster, scene, predictor, tmp_path):
    path = write_raster(scene)
    bbox = (500125, 3059850, 500210, 3060000)
    result, found = run_bbox(path, predictor, tmp_path, "the roofs in the left half", bbox)
    assert found == 1 and result.readings[0].dropped == {"not in the left half of the area": 1}


def run_bbox(path, predictor, tmp_path, phrase, bbox):
    told = SegmentOptions(str(path), (phrase,), output=str(tmp_path / "o.gpkg"), bbox=bbox, tile=64)
    result = segment_raster(told, predictor)
    return result, result.found[0].polygons


def test_nothing_found_has_a_reason_and_several_have_a_hint(write_raster, scene, predictor, tmp_path):
    path = write_raster(scene)
    phrases = ("the roofs within 5 m of the river", "the largest tree", "the roof", "the roof in the top half")
    phrases += ("the roof more than 60 m from the river",)
    result, found = run(path, predictor, tmp_path, *phrases)
    assert found == [set(), set(), {"c"}, {"b"}, {"a", "d"}]
    notes = [reading.notes for reading in result.readings]
    assert notes[0] == ["4 candidate roofs, none left: 4 not within 5 m of the river"]
    assert notes[1] == ["no trees were found"]
    assert notes[2] == ["3 that are smaller are left out: say 'the roofs' for all of them"]
    assert notes[3] == ["one that is smaller is left out: say 'the roofs' for all of them"]
    assert "any of 2" in notes[4][0]


def test_a_slip_is_read_and_said(write_raster, scene, predictor, tmp_path):
    with pytest.warns(RrsisWarning, match="'largset' was read as 'largest'"):
        result, found = run(write_raster(scene), predictor, tmp_path, "the largset roof")
    assert found == [{"c"}] and result.readings[0].corrected == [("largset", "largest")]


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp", "parquet"])
def test_the_explanation_holds_every_candidate_and_why(write_raster, scene, predictor, tmp_path, suffix):
    layer, picture = tmp_path / f"why.{suffix}", tmp_path / "p.png"
    told = SegmentOptions(
        str(write_raster(scene)), ("the largest roof near the river",), explain=str(layer), preview=str(picture)
    )
    result = segment_raster(told, predictor)
    frame = (geopandas.read_parquet if suffix == "parquet" else geopandas.read_file)(layer)
    targets = frame[frame.role == "target"]
    assert len(frame) == 5 and len(targets) == 4 and targets.kept.astype(int).sum() == 1
    reason = targets[targets.kept.astype(int) == 0].reason
    assert sorted(reason) == ["not near the river", "not near the river", "not the largest"]
    assert result.outputs["explain"] == str(layer)
    if suffix == "gpkg":
        kept = targets[targets.kept.astype(bool)]
        assert kept.ground_m2.iloc[0] == pytest.approx(40 * 110 / 4, rel=2e-3)
        top, left, bottom, right = ROOFS["c"]
        outline = shapely.transform(
            shapely.box(left, top, right, bottom), lambda p: p * (0.5, -0.5) + (500000, 3060000)
        )
        assert kept.geometry.iloc[0].equals(outline)
    with Image.open(picture) as image:
        assert image.width == 1600


def test_stored_probabilities_hold_only_what_is_meant(write_raster, scene, predictor, tmp_path):
    path, stored = write_raster(scene), tmp_path / "p.tif"
    result = segment_raster(SegmentOptions(str(path), ("the largest roof",), probability=str(stored)), predictor)
    with rasterio.open(stored) as source:
        values = source.read(1)
        assert source.descriptions == ("the largest roof",)
    top, left, bottom, right = ROOFS["c"]
    assert (values[top:bottom, left:right] == round(230 / 255 * 65535)).all() and np.count_nonzero(values) == 4400
    assert result.found[0].area_m2 == pytest.approx(1100, rel=2e-3)


def test_directions_hold_in_degrees_too(write_raster, scene, predictor, tmp_path):
    path = write_raster(scene, crs="EPSG:4326", transform=from_origin(85.0, 60.0, 1e-5, 5e-6))  # 0.56 m a pixel
    phrases = ("the roofs within 42 m of the river", "the largest roof", "the easternmost roof")
    assert run(path, predictor, tmp_path, *phrases)[1] == [{"c"}, {"c"}, {"d"}]
