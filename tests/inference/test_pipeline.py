"""The corridor from raster to files, with a predictor that needs no model."""

import warnings

import geopandas
import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.features import rasterize
from rasterio.transform import from_origin

from rrsis_core.contract import (
    ConfigError,
    ExpressionError,
    InferenceError,
    NullProgress,
    OperationCanceled,
    RasterError,
    RrsisWarning,
    SegmentOptions,
    SinkError,
)
from rrsis_core.inference import segment_raster

PHRASES = ("the red roofs", "the river")


def segment(path, predictor, **options):
    return segment_raster(SegmentOptions(str(path), **({"expressions": PHRASES} | options)), predictor)


def test_polygons_masks_and_probabilities_say_the_same(write_raster, blobs, predictor, tmp_path):
    pixels, mask = blobs
    path = write_raster(pixels)
    outputs = {name: str(tmp_path / f"out.{suffix}") for name, suffix in (("output", "gpkg"), ("preview", "png"))}
    outputs |= {"mask": str(tmp_path / "mask.tif"), "probability": str(tmp_path / "p.tif")}
    result = segment(path, predictor, **outputs)
    with rasterio.open(outputs["mask"]) as source, rasterio.open(path) as raster:
        assert source.count == 2 and source.descriptions == PHRASES
        assert (source.shape, source.transform, source.crs) == (raster.shape, raster.transform, raster.crs)
        assert (source.read() == mask).all()
    with rasterio.open(outputs["probability"]) as source:
        assert source.scales == (1 / 65535,) * 2
        assert np.abs(source.read(1) / 65535 - pixels[0] / 255).max() < 1e-4
    frame = geopandas.read_file(outputs["output"])
    assert frame.crs == "EPSG:32645"
    assert list(frame.columns) == ["phrase", "score", "score_max", "area_m2", "n_px", "geometry"]
    assert frame.geometry.is_valid.all()
    for index, phrase in enumerate(PHRASES):
        rows = frame[frame.phrase == phrase]
        drawn = rasterize(rows.geometry, mask.shape, transform=from_origin(500000, 3060000, 0.5, 0.5))
        assert (drawn.astype(bool) == mask).all()
        assert (rows.score == 1).all() and (rows.score_max == 1).all()
        assert rows.n_px.sum() == mask.sum()
        assert rows.area_m2.sum() == pytest.approx(mask.sum() * 0.25, rel=2e-3)
        found = result.found[index]
        assert (found.polygons, found.pixels, found.best) == (len(rows), mask.sum(), 1.0)
        assert found.area_m2 == pytest.approx(rows.area_m2.sum())
    with Image.open(outputs["preview"]) as picture:
        assert picture.width == 1600
    assert set(result.outputs) == set(outputs)


def test_the_threshold_is_the_users_then_the_weights_then_a_half(write_raster, predictor):
    pixels = np.zeros((3, 90, 90), np.uint8)
    pixels[0, :30], pixels[0, 30:60] = 90, 200  # 0.35 and 0.78
    path = write_raster(pixels)
    found = segment(path, predictor)
    assert (found.threshold, found.found[0].pixels) == (0.5, 2700)
    predictor.threshold = 0.3
    found = segment(path, predictor)
    assert (found.threshold, found.found[0].pixels) == (0.3, 5400)
    assert segment(path, predictor, threshold=0.9).found[0].pixels == 0


@pytest.mark.parametrize("tile", [64, 96, 256, 1024])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_tiles_leave_no_trace(write_raster, blobs, predictor, tmp_path, tile, overlap):
    pixels, _ = blobs
    path = write_raster(pixels)
    for name, options in {"a": {}, "b": {"tile": tile, "overlap": overlap, "batch_size": 1}}.items():
        segment(path, predictor, probability=str(tmp_path / f"{name}.tif"), threshold=0.2, **options)
    with rasterio.open(tmp_path / "a.tif") as one, rasterio.open(tmp_path / "b.tif") as other:
        assert (one.read() == other.read()).all()


def test_a_coarser_or_finer_model_answers_on_the_rasters_pixels(write_raster, blobs, predictor, tmp_path):
    pixels, mask = blobs
    path = write_raster(pixels)
    for gsd in (0.25, 1.0):
        predictor.gsd = gsd
        out = tmp_path / f"{gsd}.tif"
        result = segment(path, predictor, mask=str(out))
        assert result.gsd == gsd
        with rasterio.open(out) as source:
            assert source.shape == mask.shape
            overlap = (source.read(1).astype(bool) & mask).sum() / (source.read(1).astype(bool) | mask).sum()
        assert overlap > 0.93


def test_resolutions_too_far_apart_are_not_resampled(write_raster, blobs, predictor, tmp_path):
    predictor.gsd = 0.1
    with pytest.warns(RrsisWarning, match=r"0\.5 m.*0\.1 m"):
        assert segment(write_raster(blobs[0]), predictor, mask=str(tmp_path / "m.tif")).gsd == pytest.approx(
            0.5, rel=0.01
        )
    with pytest.warns(RrsisWarning, match="84 x 60"):
        result = segment(write_raster(blobs[0]), predictor, mask=str(tmp_path / "n.tif"), gsd=2.5)
    assert result.gsd == 2.5


def test_a_raster_without_crs_is_searched_in_pixels(write_raster, blobs, predictor, tmp_path):
    predictor.gsd = 0.1
    path = write_raster(blobs[0], crs=None, transform=rasterio.Affine.identity())
    with pytest.warns(RrsisWarning, match="no georeference"):
        result = segment(path, predictor, output=str(tmp_path / "o.gpkg"))
    assert result.gsd is None and result.found[0].area_m2 is None
    frame = geopandas.read_file(tmp_path / "o.gpkg")
    assert frame.crs is None and frame.area_m2.isna().all()
    assert frame.total_bounds[3] <= 0 and frame.total_bounds[0] >= 0  # y is minus row, as QGIS draws it
    with pytest.warns(RrsisWarning):
        few = segment(path, predictor, output=str(tmp_path / "few.gpkg"), min_area_m2=500)
    assert 0 < few.found[0].polygons < result.found[0].polygons


def test_nodata_is_never_found(write_raster, predictor, tmp_path):
    pixels = np.full((3, 80, 80), 255, np.uint8)
    pixels[:, :, 40:] = 0
    path = write_raster(pixels, nodata=0)
    predictor.answer = lambda chips: np.ones_like(chips[:, :1])
    segment(path, predictor, mask=str(tmp_path / "m.tif"), threshold=0.0, expressions=("the roofs",))
    with rasterio.open(tmp_path / "m.tif") as source:
        assert source.read(1)[:, :40].all() and not source.read(1)[:, 40:].any()


def test_an_empty_raster_gives_an_empty_layer(write_raster, predictor, tmp_path):
    path = write_raster(np.zeros((3, 50, 50), np.float32) * np.nan)
    with pytest.warns(RrsisWarning, match="holds no data"):
        result = segment(path, predictor, output=str(tmp_path / "o.gpkg"))
    assert predictor.chips == 0
    assert [item.polygons for item in result.found] == [0, 0]
    frame = geopandas.read_file(tmp_path / "o.gpkg")
    assert len(frame) == 0 and frame.crs == "EPSG:32645" and "score" in frame.columns


def test_bbox_and_aoi_bound_the_search(write_raster, blobs, predictor, tmp_path):
    pixels, mask = blobs
    path = write_raster(pixels)
    box = (500050, 3059900, 500100, 3059950)
    result = segment(path, predictor, mask=str(tmp_path / "m.tif"), bbox=box)
    assert result.window == (100, 100, 100, 100)
    with rasterio.open(tmp_path / "m.tif") as source:
        assert source.bounds == box
        assert (source.read(1) == mask[100:200, 100:200]).all()
    triangle = geopandas.GeoSeries.from_wkt(
        ["POLYGON((500050 3059900, 500100 3059900, 500050 3059950, 500050 3059900))"]
    )
    triangle.set_crs(32645).to_crs(4326).to_file(tmp_path / "aoi.geojson")
    segment(path, predictor, mask=str(tmp_path / "t.tif"), aoi=str(tmp_path / "aoi.geojson"))
    inside = rasterize(triangle, mask.shape, transform=from_origin(500000, 3060000, 0.5, 0.5)).astype(bool)
    with rasterio.open(tmp_path / "t.tif") as source:
        window = rasterio.windows.from_bounds(*source.bounds, from_origin(500000, 3060000, 0.5, 0.5)).round()
        part = window.toslices()
        differ = source.read(1).astype(bool) != (mask & inside)[part]
    assert differ.mean() < 0.01  # a straight side in degrees is none in metres


def test_minimum_area_and_simplification(write_raster, blobs, predictor, tmp_path):
    path = write_raster(blobs[0])
    all_of_them = segment(path, predictor, output=str(tmp_path / "a.gpkg"))
    large = segment(path, predictor, output=str(tmp_path / "b.gpkg"), min_area_m2=100.0, simplify=2.0)
    assert 0 < large.found[0].polygons < all_of_them.found[0].polygons
    frame = geopandas.read_file(tmp_path / "b.gpkg")
    assert frame.area_m2.min() >= 100
    assert frame.get_coordinates().shape < geopandas.read_file(tmp_path / "a.gpkg").get_coordinates().shape


def test_bands_are_chosen(write_raster, blobs, predictor, tmp_path):
    pixels = np.concatenate([blobs[0][1:], blobs[0][:1]])  # red is the last band now
    path = write_raster(pixels)
    segment(path, predictor, mask=str(tmp_path / "m.tif"), bands=(3, 2, 1))
    segment(path, predictor, mask=str(tmp_path / "n.tif"), bands=(3,))
    for name in "mn":
        with rasterio.open(tmp_path / f"{name}.tif") as source:
            assert (source.read(1) == blobs[1]).all()
    with pytest.raises(RasterError) as caught:
        segment(path, predictor, mask=str(tmp_path / "o.tif"), bands=(1, 2, 9))
    assert caught.value.code == "raster.bands"


def test_unknown_and_relative_words_are_said(write_raster, blobs, predictor, tmp_path):
    path = write_raster(blobs[0])
    with pytest.warns(RrsisWarning, match="'florble'"):
        segment(path, predictor, mask=str(tmp_path / "m.tif"), expressions=("the florble roofs",))
    with pytest.warns(RrsisWarning, match="largest"):
        segment(path, predictor, mask=str(tmp_path / "n.tif"), expressions=("the largest roof",), reference="tile")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        segment(path, predictor, mask=str(tmp_path / "o.tif"), expressions=("the largest roof",), tile=512)


class StopAfter(NullProgress):
    def __init__(self, updates):
        self.left = updates

    def is_canceled(self):
        self.left -= 1
        return self.left < 0


def left_behind(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyboardInterrupt(), None])
def test_a_run_that_ends_early_leaves_nothing(write_raster, blobs, predictor, tmp_path, error):
    path = write_raster(blobs[0])
    names = {"output": "o.gpkg", "mask": "m.tif", "probability": "p.tif", "preview": "v.png"}
    outputs = {key: str(tmp_path / name) for key, name in names.items()}
    options = SegmentOptions(str(path), PHRASES, **outputs)
    if error is None:
        with pytest.raises(OperationCanceled):
            segment_raster(options, predictor, StopAfter(3))
    else:

        def fail(chips):
            if predictor.chips > 4:
                raise error
            return chips[:, :1]

        predictor.answer = fail
        with pytest.raises(type(error)):
            segment_raster(options, predictor)
    assert left_behind(tmp_path) == ["scene.tif"]


def test_scores_that_are_no_numbers_stop_the_run(write_raster, blobs, tmp_path, predictor):
    predictor.answer = lambda chips: chips[:, :1] * np.float32(np.nan)
    with pytest.raises(InferenceError) as caught:
        segment(write_raster(blobs[0]), predictor, output=str(tmp_path / "o.gpkg"))
    assert caught.value.code == "inference.not_finite"
    assert left_behind(tmp_path) == ["scene.tif"]


def test_everything_is_checked_before_the_first_tile(write_raster, blobs, predictor, tmp_path):
    path = write_raster(blobs[0])
    (tmp_path / "there.gpkg").write_text("x")
    cases = [
        ({"output": str(tmp_path / "there.gpkg")}, SinkError, "output.exists"),
        ({"output": str(tmp_path / "none/o.gpkg")}, SinkError, "output.folder"),
        ({"output": str(tmp_path / "o.docx")}, SinkError, "output.suffix"),
        ({"mask": str(tmp_path / "m.jpg")}, SinkError, "output.suffix"),
        ({"mask": str(path), "overwrite": True}, SinkError, "output.exists"),
        ({"mask": str(tmp_path / "a.tif"), "probability": str(tmp_path / "a.tif")}, SinkError, "output.exists"),
        ({"expressions": ("", "x")}, ExpressionError, "expression.empty"),
        ({"expressions": ("florble",)}, ExpressionError, "expression.unknown"),
        ({"bbox": (0, 0, 1, 1)}, RasterError, "raster.outside"),
    ]
    for options, kind, code in cases:
        with pytest.raises(kind) as caught:
            segment(path, predictor, **options)
        assert caught.value.code == code
    with pytest.raises(ConfigError):
        segment(path, predictor, tile=7)
    assert predictor.chips == 0
    assert (tmp_path / "there.gpkg").read_text() == "x"
