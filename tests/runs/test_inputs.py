"""rrsis_core.runs.inputs and stac: what people name becomes rasters, and every scene becomes an item."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pystac
import pytest
import rasterio
import shapely
from pystac.validation import validate_dict

from rrsis_core.contract import RrsisError
from rrsis_core.runs import Outputs
from rrsis_core.runs.inputs import find_sources, identify

WHEN = "2024-05-17T10:11:12Z"


def hrefs(*inputs, **more):
    return [source.href for source in find_sources([str(text) for text in inputs], **more)]


def item(name, asset="visual", **assets):
    """Return a STAC item whose raster is named as a path relative to it."""
    assets = assets or {asset: {"href": f"./{name}.tif", "type": "image/tiff; application=geotiff"}}
    facts = {"type": "Feature", "stac_version": "1.0.0", "id": name, "geometry": None, "links": [], "assets": assets}
    return facts | {"properties": {"datetime": WHEN}}


def save(path, document):
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def abc(make_scene, tmp_path):
    return [str(make_scene(f"d/{name}.tif", seed)) for seed, name in enumerate("abc")]


def test_files_folders_patterns_and_lists(abc, tmp_path):
    (tmp_path / "d/notes.txt").write_text("no raster")
    (tmp_path / "list.txt").write_text(f"# a list\n{abc[1]}\n\n{tmp_path}/d/[ac].tif\n")
    assert hrefs(abc[2], abc[0], abc[2]) == [abc[2], abc[0]]
    assert hrefs(tmp_path / "d") == hrefs(tmp_path / "d/*.tif") == hrefs(tmp_path / "**/*.tif") == abc
    assert hrefs(f"@{tmp_path}/list.txt") == [abc[1], abc[0], abc[2]]
    assert hrefs(tmp_path / "later.tif") == [str(tmp_path / "later.tif")]
    assert hrefs("/vsizip/x.zip/y.tif", "s3://bucket/z.tif") == ["/vsizip/x.zip/y.tif", "s3://bucket/z.tif"]


@pytest.mark.parametrize(
    ("text", "code"), [("@none.txt", "input.list"), ("*.none", "raster.not_found"), (".", "raster.not_found")]
)
def test_inputs_without_a_raster(tmp_path, monkeypatch, text, code):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RrsisError) as refused:
        hrefs(text)
    assert refused.value.code == code


def test_stac_items_search_results_and_collections(abc, tmp_path):
    folder = tmp_path / "d"
    alone = save(folder / "a.json", item("a"))
    search = save(folder / "found.geojson", {"type": "FeatureCollection", "features": [item("a"), item("b")]})
    save(folder / "b.json", item("b"))
    links = [{"rel": "item", "href": f"./{name}.json"} for name in "ab"]
    extent = {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [[WHEN, None]]}}
    facts = {"type": "Collection", "stac_version": "1.0.0", "id": "c", "description": "-", "license": "CC0-1.0"}
    collection = save(folder / "collection.json", facts | {"extent": extent, "links": links})
    assert hrefs(alone) == abc[:1]
    assert hrefs(search) == hrefs(collection) == abc[:2]
    first = find_sources([str(collection)])[0]
    assert (first.name, first.datetime, first.item) == ("a", WHEN, str(alone))


def test_which_asset(abc, tmp_path):
    tiff = {"type": "image/tiff; application=geotiff; profile=cloud-optimized"}
    two = {"nir": {"href": "./b.tif", **tiff}, "red": {"href": "./a.tif", **tiff}, "page": {"href": "./x.html"}}
    path = save(tmp_path / "d/i.json", item("i", **two))
    assert hrefs(path, asset="red") == abc[:1]
    for wanted in (None, "blue"):
        with pytest.raises(RrsisError) as refused:
            hrefs(path, asset=wanted)
        assert refused.value.code == "stac.asset" and "red" in refused.value.hint
    one = save(tmp_path / "d/j.json", item("j", page=two["page"], picture=two["nir"]))
    assert hrefs(one) == abc[1:2]


@pytest.mark.parametrize("content", ["no json", "[]", "{}", '{"type": "Feature"}'])
def test_what_is_no_stac(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(RrsisError) as refused:
        hrefs(tmp_path / "x.json")
    assert refused.value.code == "stac.unreadable"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The address of a server of the folder "d": a process of its own, as GDAL stops all threads while it opens."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    script = Path(__file__).parents[1] / "inference/range_server.py"
    command = [sys.executable, str(script), str(tmp_path / "d"), str(tmp_path / "given.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        yield f"http://127.0.0.1:{serving.stdout.readline().strip()}"
        serving.terminate()


def test_over_http(abc, tmp_path, go, server):
    save(tmp_path / "d/a.json", item("a"))
    assert hrefs(f"{server}/a.json") == [f"{server}/a.tif"]
    assert identify(f"{server}/a.tif") == str(os.path.getsize(abc[0]))
    assert identify(f"{server}/none.tif") is None
    result = go(f"{server}/a.json", f"{server}/none.tif")
    assert (result.done, [entry["code"] for entry in result.failed]) == (1, ["raster.not_found"])


def test_items_out_are_valid_and_in_place(go, make_scene, tmp_path):
    scene = make_scene("d/a.tif")
    save(tmp_path / "d/i.json", item("a"))
    go(tmp_path / "d/i.json", outputs=Outputs(probability=True))
    path = next((tmp_path / "out/scenes").glob("*.json"))
    made = pystac.read_file(path)
    with rasterio.open(scene) as raster:
        bounds = rasterio.warp.transform_bounds(raster.crs, "EPSG:4326", *raster.bounds)
        assert made.properties["proj:code"] == "EPSG:32645"
        assert made.properties["proj:transform"] == list(raster.transform)[:6]
    assert made.bbox == pytest.approx(bounds, abs=1e-6)
    assert shapely.geometry.shape(made.geometry).bounds == pytest.approx(bounds, abs=1e-6)
    assert made.datetime.isoformat() == "2024-05-17T10:11:12+00:00"
    assert made.properties["rrsis:phrases"] == ["the roofs", "the largest roof"]
    assert set(made.assets) == {"polygons", "probability"}
    assert all((path.parent / asset.href).exists() for asset in made.assets.values())
    assert [link.get_href() for link in made.links if link.rel == "derived_from"] == [str(tmp_path / "d/i.json")]
    pytest.importorskip("jsonschema")
    assert validate_dict(made.to_dict() | {"stac_extensions": []})  # the schema of the core comes with pystac


def test_without_crs_or_time(go, make_scene, tmp_path):
    go(make_scene(crs=None))
    made = pystac.read_file(next((tmp_path / "out/scenes").glob("*.json")))
    assert made.geometry is None and made.bbox is None
    assert made.properties["rrsis:datetime"] == "of the file"
