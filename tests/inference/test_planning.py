"""What a run will cost, told without a model; a run that is watched and stopped; polygons made anew."""

import json
import subprocess
import sys
from contextlib import nullcontext

import geopandas
import numpy as np
import pytest
import shapely
from rasterio.transform import from_origin
from safetensors.numpy import save_file

from rrsis_core.contract import (
    ConfigError,
    NullProgress,
    OperationCanceled,
    RasterError,
    RrsisWarning,
    SegmentOptions,
    SinkError,
)
from rrsis_core.inference import Watch, plan_raster, revectorise, segment_raster
from rrsis_core.inference.pieces import tile_pieces
from rrsis_core.inference.planning import Suited

PHRASES = ("the red roofs", "the river")


@pytest.fixture
def weights(tmp_path):
    """A checkpoint with a card and no tensor: enough for a plan."""
    path = tmp_path / "card.safetensors"
    card = {"preset": "any", "gsd": 1.0, "tile": 64}
    save_file({}, path, metadata={"format": "rrsis-1", "config": "{}", "card": json.dumps(card)})
    return str(path)


def geometries(path):
    """Return phrase and geometry of every polygon, in an order that does not depend on how they were written."""
    frame = geopandas.read_file(path)
    rows = zip(frame.phrase, frame.score, shapely.to_wkb(shapely.normalize(frame.geometry.values)), strict=True)
    return sorted(rows)


def test_a_plan_is_what_the_run_does(write_raster, blobs, predictor, weights):
    path = write_raster(blobs[0])
    predictor.gsd, predictor.tile = 1.0, 64
    plan = plan_raster(SegmentOptions(str(path), PHRASES, weights=weights))
    result = segment_raster(SegmentOptions(str(path), PHRASES), predictor)
    assert (plan.tiles, plan.window, plan.gsd) == (result.tiles, result.window, result.gsd)
    assert (plan.width, plan.height, plan.tile) == (210, 150, 64)
    assert plan.raster_gsd == pytest.approx(0.5, rel=1e-3)
    assert (plan.bands, plan.count, plan.dtype, plan.crs) == ((1, 2, 3), 3, "uint8", "EPSG:32645")


def test_a_plan_follows_the_options_and_warns(write_raster, blobs, weights):
    path = write_raster(blobs[0])
    some = plan_raster(SegmentOptions(str(path), PHRASES, weights=weights, bbox=(500000, 3059950, 500032, 3060000)))
    assert some.window == (0, 0, 64, 100)
    with pytest.warns(RrsisWarning, match="Running at 2 m"):
        assert plan_raster(SegmentOptions(str(path), PHRASES, weights=weights, gsd=2.0)).gsd == 2.0
    with pytest.raises(RasterError) as error:
        plan_raster(SegmentOptions(str(path), PHRASES, weights=weights, bands=(9,)))
    assert error.value.code == "raster.bands"


@pytest.mark.parametrize(("usual", "run_at"), [(0.12, 0.5), (0.13, 0.13), (7.0, 7.0), (15.9, 15.9), (16.1, 0.5)])
def test_a_raster_is_resampled_where_that_makes_sense(write_raster, blobs, usual, run_at):
    """It has 0.5 m: half a metre enlarged four times shows nothing new, a drone's centimetres are made coarser."""
    options, model = SegmentOptions(str(write_raster(blobs[0])), PHRASES), Suited(usual, 64)
    with nullcontext() if run_at == usual else pytest.warns(RrsisWarning, match="too far apart.*Give --gsd to choose"):
        plan = plan_raster(options, model)
    assert plan.gsd == pytest.approx(run_at, rel=1e-3)


def test_the_model_looks_twice_where_the_ground_resolution_is_unknown_or_fine(write_raster, blobs):
    known, unknown = write_raster(blobs[0], "known.tif"), write_raster(blobs[0], "unknown.tif", crs=None)

    def looks(path, worth, usual=0.7, **options):
        return plan_raster(SegmentOptions(str(path), PHRASES, **options), Suited(usual, 64, worth)).looks

    assert (looks(known, 0.0), looks(known, 0.3), looks(known, 0.0, looks=2)) == (1, 1, 2)
    with pytest.warns(RrsisWarning, match="no CRS"):
        assert (looks(unknown, 0.0), looks(unknown, 0.3), looks(unknown, 0.3, looks=1)) == (1, 2, 1)
    assert [looks(known, 0.3, usual) for usual in (0.99, 1.01)] == [1, 2]  # the raster has 0.5 m
    with pytest.warns(RrsisWarning, match="Running at 1.1 m"):
        assert looks(known, 0.3, 1.1, gsd=1.1) == 1  # somebody chose how coarse it is to be
    with pytest.raises(ConfigError, match="Looks is 3"):
        SegmentOptions("-", PHRASES, looks=3)


def test_a_run_looks_as_often_as_planned(write_raster, blobs, predictor):
    asked = []

    class Twice(type(predictor)):
        second_look = 0.3

        def __call__(self, chips, expressions, looks=1):
            asked.append(looks)
            return super().__call__(chips, expressions)

    path = str(write_raster(blobs[0]))
    assert segment_raster(SegmentOptions(path, PHRASES), Twice()).looks == 1
    assert set(asked) == {1}
    assert segment_raster(SegmentOptions(path, PHRASES, looks=2), Twice()).looks == 2
    assert set(asked) == {1, 2}
    with pytest.raises(ConfigError, match="cannot look twice"):
        segment_raster(SegmentOptions(path, PHRASES, looks=2), predictor)


def test_a_plan_needs_no_torch(write_raster, blobs, weights):
    path = write_raster(blobs[0])
    code = f"""
import sys
from rrsis_core.contract import SegmentOptions
from rrsis_core.inference import plan_raster, revectorise
print(plan_raster(SegmentOptions({str(path)!r}, ("a",), weights={weights!r})).tiles, "torch" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["15", "False"]


def test_whoever_watches_sees_every_tile(write_raster, blobs, predictor):
    seen = []
    watch = Watch(lambda job, tile, probabilities: seen.append((tile.row, tile.column, probabilities.shape)) or True)
    result = segment_raster(SegmentOptions(str(write_raster(blobs[0])), PHRASES), predictor, watch=watch)
    assert len(seen) == result.tiles == watch.tiles
    assert {shape for _, _, shape in seen} == {(2, 128, 128)}
    assert result.stopped_after is None


@pytest.mark.parametrize("tiles", [1, 4, 7])
def test_what_was_found_until_the_stop_is_kept(write_raster, blobs, predictor, tmp_path, tiles):
    path = str(write_raster(blobs[0]))
    predictor.batch_size = 1
    full, part, stored = (str(tmp_path / name) for name in ("full.gpkg", "part.gpkg", "part.tif"))
    segment_raster(SegmentOptions(path, PHRASES, output=full), predictor)
    before, count = predictor.chips, []
    watch = Watch(lambda job, tile, probabilities: len(count) < tiles - 1 and not count.append(tile))
    result = segment_raster(
        SegmentOptions(path, PHRASES, output=part, probability=stored), predictor, NullProgress(), watch
    )
    assert (predictor.chips - before, result.stopped_after) == (tiles, tiles)
    everything = shapely.union_all(geopandas.read_file(full).geometry.values)
    kept = shapely.union_all(geopandas.read_file(part).geometry.values)
    assert 0 < kept.area < everything.area
    assert kept.difference(everything.buffer(1e-6)).area == 0


def test_a_stop_that_keeps_nothing(write_raster, blobs, predictor, tmp_path):
    class Impatient(NullProgress):
        def is_canceled(self):
            return True

    options = SegmentOptions(str(write_raster(blobs[0])), PHRASES, output=str(tmp_path / "o.gpkg"))
    with pytest.raises(OperationCanceled):
        segment_raster(options, predictor, Impatient())
    assert not (tmp_path / "o.gpkg").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"threshold": 0.9},
        {"min_area_m2": 40, "simplify": 2},
        {"right_angles": True},
        {"fill_holes_m2": 9},
        {"min_score": 0.6},
    ],
)
def test_polygons_made_anew_are_those_of_a_run(write_raster, blobs, predictor, tmp_path, settings):
    path = str(write_raster(np.clip(blobs[0].astype(int) * 2, 0, 255).astype(np.uint8)))
    stored, run, anew = (str(tmp_path / name) for name in ("p.tif", "run.gpkg", "anew.gpkg"))
    segment_raster(SegmentOptions(path, PHRASES, probability=stored), predictor)
    told = segment_raster(SegmentOptions(path, PHRASES, output=run, **settings), predictor)
    again = revectorise(stored, SegmentOptions(path, PHRASES, output=anew, **settings))
    assert geometries(run) == geometries(anew) and len(geometries(run)) > 20
    assert [vars(item) for item in told.found] == [vars(item) for item in again.found]


def test_polygons_of_a_raster_without_a_place(write_raster, blobs, predictor, tmp_path):
    path = str(write_raster(blobs[0], crs=None, transform=from_origin(0, 0, 1, -1)))
    stored, run, anew = (str(tmp_path / name) for name in ("p.tif", "run.gpkg", "anew.gpkg"))
    with pytest.warns(RrsisWarning):
        segment_raster(
            SegmentOptions(path, PHRASES, probability=stored, output=run, bbox=(50, 60, 300, 250)), predictor
        )
    revectorise(stored, SegmentOptions(path, PHRASES, output=anew))
    assert geometries(run) == geometries(anew)


def test_what_is_no_probability_raster_is_refused(write_raster, blobs, tmp_path):
    path = str(write_raster(blobs[0]))
    with pytest.raises(RasterError) as error:
        revectorise(path, SegmentOptions(path, PHRASES, output=str(tmp_path / "o.gpkg")))
    assert error.value.code == "raster.bands"
    with pytest.raises(SinkError):
        revectorise(path, SegmentOptions(path, PHRASES, output=str(tmp_path / "none" / "o.gpkg")))


def test_pieces_cover_what_will_be_found_once(write_raster, blobs, predictor, tmp_path):
    path = str(write_raster(blobs[0]))
    predictor.gsd = 0.7
    pieces = []

    def look(job, tile, probabilities):
        pieces.extend(tile_pieces(job, tile, probabilities, 0.5)[0].polygons)
        return True

    segment_raster(SegmentOptions(path, PHRASES, output=str(tmp_path / "o.gpkg")), predictor, watch=Watch(look))
    final = shapely.union_all(geopandas.read_file(tmp_path / "o.gpkg").query("phrase == 'the river'").geometry.values)
    seen = shapely.union_all(pieces)
    assert sum(piece.area for piece in pieces) == pytest.approx(seen.area)
    assert seen.intersection(final).area > 0.9 * seen.union(final).area


def test_pieces_keep_to_the_area(write_raster, blobs, predictor, tmp_path):
    path = str(write_raster(blobs[0]))
    field = shapely.affinity.rotate(shapely.box(500020, 3059900, 500120, 3059980), 30)
    geopandas.GeoSeries([field], crs="EPSG:32645").to_file(tmp_path / "area.gpkg")
    pieces = []

    def look(job, tile, probabilities):
        pieces.extend(tile_pieces(job, tile, probabilities, 0.5)[0].polygons)
        return True

    segment_raster(
        SegmentOptions(path, PHRASES, aoi=str(tmp_path / "area.gpkg"), output=str(tmp_path / "o.gpkg")),
        predictor,
        watch=Watch(look),
    )
    assert pieces
    assert shapely.union_all(pieces).difference(field.buffer(0.8)).area == 0
