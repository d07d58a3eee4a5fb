"""Vector files of every format, read back."""

import json
import os
import warnings

import geopandas
import numpy as np
import pyarrow.parquet
import pyogrio
import pytest
import rasterio
import shapely

from rrsis_core.contract import RrsisWarning, SinkError
from rrsis_core.geo.vector_sinks import VECTOR_SUFFIXES, vector_sink

UTM = rasterio.CRS.from_epsg(32633)
FIELDS = ["phrase", "score", "score_max", "area_m2", "n_px", "geometry"]
BOXES = shapely.box([500_000, 500_010, 500_020.5], 5_000_000, [500_005, 500_017, 500_030], 5_000_010)


def write(path, crs=UTM, phrases=("the blue roofs", "die Bäume"), areas=True):
    before = sorted(path.parent.glob("answer.*"))
    with vector_sink(path, crs) as sink:
        for phrase in phrases:
            values = np.array([50.00004, 70, 95]) if areas else None
            known = (np.array([0.99999, 0.5, 1]), np.array([5, 7, 2**40])) if areas else ()
            sink.write(phrase, BOXES, np.array([0.91234567, 0.5, 1]), values, *known)
        assert sink.count == 3 * len(phrases)
        assert sorted(path.parent.glob("answer.*")) == before
    return path


def read(path):
    return geopandas.read_parquet(path) if path.suffix == ".parquet" else geopandas.read_file(path)


@pytest.mark.parametrize("suffix", VECTOR_SUFFIXES)
def test_polygons_come_back(tmp_path, suffix):
    path = write(tmp_path / f"answer{suffix}")
    frame = read(path)
    assert list(frame.columns) == FIELDS
    assert set(frame.geom_type) == {"Polygon"}
    assert sorted(frame.phrase) == ["die Bäume"] * 3 + ["the blue roofs"] * 3
    assert sorted(frame.score.round(12))[::2] == [0.5, 0.9123, 1]
    assert sorted(frame.score_max.round(12))[::2] == [0.5, 1, 1]
    assert sorted(frame.area_m2.round(12))[::2] == [50, 70, 95]
    assert sorted(frame.n_px)[::2] == [5, 7, 2**40]
    assert shapely.is_ccw(shapely.get_exterior_ring(np.asarray(frame.geometry))).all() or suffix == ".shp"
    lonlat = suffix in (".geojson", ".json")
    assert frame.crs == ("EPSG:4326" if lonlat else "EPSG:32633")
    here = frame.to_crs(32633).geometry.iloc[np.lexsort((frame.area_m2, frame.phrase))]
    apart = shapely.hausdorff_distance(np.asarray(here), np.tile(BOXES, 2))
    assert apart.max() < (0.002 if lonlat else 1e-6)
    leftovers = {name for name in os.listdir(tmp_path) if not name.startswith("answer.")}
    assert not leftovers


@pytest.mark.parametrize("suffix", VECTOR_SUFFIXES)
def test_empty_answers_are_valid_files(tmp_path, suffix):
    path = write(tmp_path / f"answer{suffix}", phrases=())
    frame = read(path)
    assert len(frame) == 0
    if suffix not in (".geojson", ".json"):  # which has no place for the fields of no feature, nor another CRS
        assert list(frame.columns) == FIELDS
        assert frame.crs == "EPSG:32633"
    if suffix != ".parquet":
        (layer,) = pyogrio.list_layers(path)
        assert layer[0] == "answer"
        assert layer[1] == "Polygon" or suffix in (".geojson", ".json")


@pytest.mark.parametrize("suffix", VECTOR_SUFFIXES)
def test_pixel_coordinates_without_crs(tmp_path, suffix):
    path = write(tmp_path / f"answer{suffix}", crs=None, areas=False)
    frame = read(path)
    assert frame.crs is None or suffix in (".geojson", ".json", ".gpkg")
    assert frame[["score_max", "area_m2", "n_px"]].isna().all(axis=None)
    assert tuple(frame.total_bounds) == pytest.approx((500_000, 5_000_000, 500_030, 5_000_010))


def test_geojson_follows_its_standard(tmp_path):
    document = json.loads(write(tmp_path / "answer.geojson").read_text())
    assert "crs" not in document
    ring = document["features"][0]["geometry"]["coordinates"][0]
    assert shapely.LinearRing(ring).is_ccw
    assert ring[0][0] == pytest.approx(15, abs=0.001)
    assert document["features"][0]["properties"] == {
        "phrase": "the blue roofs",
        "score": 0.9123,
        "score_max": 1.0,
        "area_m2": 50.0,
        "n_px": 5,
    }


def test_geojson_is_cut_at_the_antimeridian(tmp_path):
    path = tmp_path / "answer.geojson"
    across = shapely.box([179.9], [-17.1], [180.1], [-17.0])
    with vector_sink(path, rasterio.CRS.from_epsg(4326)) as sink:
        sink.write("the island", across, np.array([0.9]), np.array([1.0]))
    geometry = geopandas.read_file(path).geometry[0]
    assert geometry.geom_type == "MultiPolygon"
    assert geometry.bounds == pytest.approx((-180, -17.1, 180, -17.0))
    assert geometry.area == pytest.approx(0.02)


def test_geopackage_replaces_the_whole_old_one(tmp_path):
    path = tmp_path / "answer.gpkg"
    geopandas.GeoDataFrame(geometry=BOXES, crs=UTM).to_file(path, layer="other")
    write(path)
    assert [name for name, _ in pyogrio.list_layers(path)] == ["answer"]


def test_shapefile_cuts_long_phrases_between_letters_and_says_so(tmp_path):
    phrase = "x" + "ä" * 200
    with pytest.warns(RrsisWarning):
        path = write(tmp_path / "answer.shp", phrases=(phrase,))
    assert set(read(path).phrase) == {"x" + "ä" * 126}
    assert path.with_suffix(".cpg").read_text() == "UTF-8"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(read(write(tmp_path / "answer.gpkg", phrases=(phrase,))).phrase) == {phrase}


def test_geoparquet_tells_its_crs_and_shape(tmp_path):
    path = write(tmp_path / "answer.parquet")
    facts = json.loads(pyarrow.parquet.read_schema(path).metadata[b"geo"])
    assert facts["version"] == "1.1.0"
    column = facts["columns"][facts["primary_column"]]
    assert column["geometry_types"] == ["Polygon"]
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 32633}
    assert pyarrow.parquet.ParquetFile(path).num_row_groups == 1


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("suffix", VECTOR_SUFFIXES)
def test_exception_in_the_middle_leaves_what_was_there(tmp_path, suffix, failure):
    path = write(tmp_path / f"answer{suffix}")
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    with pytest.raises(failure), vector_sink(path, UTM) as sink:
        sink.write("p", BOXES, np.ones(3), np.ones(3))
        raise failure
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before


@pytest.mark.parametrize("count", [3, 300])
@pytest.mark.parametrize("suffix", VECTOR_SUFFIXES)
def test_full_disk_is_an_error_or_did_not_matter(tmp_path, suffix, count, full_disk):
    """Some drivers of GDAL close a file that is cut off without an error."""
    path = tmp_path / f"answer{suffix}"
    boxes = shapely.box(*np.random.default_rng(0).uniform(400_000, 600_000, (4, count)))

    def write():
        with vector_sink(path, UTM) as sink:
            sink.write("p", boxes, *[np.ones(count)] * 3, np.ones(count, int))

    write()
    size = max(file.stat().st_size for file in tmp_path.iterdir())
    for share in (0.01, 0.2, 0.5, 0.9, 0.95, 0.99):
        for file in tmp_path.iterdir():
            file.unlink()
        try:
            with full_disk(int(size * share)):
                write()
        except SinkError as error:
            assert error.code == "output.write"
            assert not os.listdir(tmp_path)
        else:
            assert len(read(path)) == count
            assert not read(path).isna().any(axis=None)
            assert read(path).crs is not None


def test_many_small_batches(tmp_path):
    path = tmp_path / "answer.fgb"
    with vector_sink(path, UTM) as sink:
        for number in range(500):
            sink.write(f"phrase {number % 3}", BOXES[: number % 4], np.full(number % 4, 0.75), np.ones(number % 4))
    assert len(read(path)) == sum(number % 4 for number in range(500))
