"""Maps as one HTML file: what they hold, and what a real browser makes of them."""

import base64
import io
import json
import re

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from PIL import Image
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.features import rasterize

from rrsis_core.contract import ResultError, SinkError
from rrsis_core.geo import map_page
from rrsis_core.geo.map_page import write_map
from rrsis_core.geo.polygons import Vectoriser, areas_m2
from rrsis_core.geo.vector_sinks import VECTOR_SUFFIXES, vector_sink, write_table

SHAPE = 120, 160
UTM = Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000)
PLACES = {
    "utm": ("EPSG:32633", UTM),
    "south up": ("EPSG:32633", Affine(0.5, 0, 500_000, 0, 0.5, 5_000_000)),
    "turned": ("EPSG:32633", UTM @ Affine.rotation(30)),
    "degrees": ("EPSG:4326", Affine(1e-5, 0, 85.5, 0, -1e-5, 27.6)),
    "antimeridian": ("EPSG:4326", Affine(1e-3, 0, 179.92, 0, -1e-3, -16)),
    "antimeridian in metres": ("EPSG:32760", Affine(100, 0, 815_000, 0, -100, 8_100_000)),
    "pole": ("EPSG:3031", Affine(100, 0, -8000, 0, -100, 6000)),
    "no CRS": (None, Affine(2, 0, 1000, 0, -2, 300)),
    "no place": (None, None),
}

# Before the page's own scripts, and after them: what went wrong, and what a person would see and do.
LISTEN = """<script>
const problems = [];
for (const kind of ["error", "unhandledrejection", "securitypolicyviolation"])
  addEventListener(kind, event => problems.push(`${kind} ${event.message || event.blockedURI || event.reason}`), true);
console.error = console.warn = (...words) => problems.push(words.join(" "));
</script>"""
PROBE = """<script>
const text = id => element(id).innerText;
function colour(outline) {
  const place = map.latLngToLayerPoint(outline.getCenter()).subtract(canvas._bounds.min);
  redraw();
  return Array.from(canvas._ctx.getImageData(place.x, place.y, 1, 1).data);
}
function slide(value) {
  element("least").value = value;
  element("least").dispatchEvent(new Event("input"));
  return [text("count"), text("legend").split(/\\s*\\n\\s*/), outlines.map(colour).map(rgba => rgba[3] > 0)];
}
function report() {
  const seen = {all: slide(0), colours: outlines.map(colour), some: slide(0.75), problems};
  slide(0);
  const place = map.latLngToContainerPoint([outlines[0].getBounds().getSouth() + 1, outlines[0].getCenter().lng]);
  const click = {clientX: place.x, clientY: place.y, bubbles: true, view: window};
  canvas._container.dispatchEvent(new MouseEvent("click", click));
  seen.popup = document.querySelector(".leaflet-popup-content").innerText;
  document.querySelector("#legend input").click();
  seen.unchecked = text("count");
  seen.picture = [...document.images].map(image => image.naturalWidth);
  seen.scale = document.querySelector(".leaflet-control-scale-line").innerText;
  seen.fetched = performance.getEntriesByType("resource").filter(entry => !entry.name.startsWith("data:")).length;
  seen.overflow = document.documentElement.scrollWidth > innerWidth;
  return seen;
}
addEventListener("load", () => {
  try {
    document.title = JSON.stringify(report());
  } catch (error) {
    document.title = JSON.stringify(String(error.stack));
  }
});
</script>"""


def blobs(transform):
    """A mask of two rectangles, one with a hole, and their outlines."""
    mask = np.zeros(SHAPE, bool)
    mask[20:60, 30:70] = mask[70:100, 100:150] = True
    mask[35:45, 40:50] = False
    probability = np.where(np.arange(SHAPE[1]) < 80, 0.7 * 65535, 0.9 * 65535)[None].repeat(SHAPE[0], 0)
    return mask, Vectoriser(SHAPE[1], transform or Affine(1, 0, 0, 0, -1, 0)).feed(
        mask, probability.astype(np.uint16), True
    )


@pytest.fixture
def written(make_raster, tmp_path):
    """Write a raster and a result on it."""

    def write(place="utm", suffix=".gpkg", **profile):
        crs, transform = PLACES[place]
        mask, batch = blobs(transform)
        pixels = np.where(mask, 220, 40)[None].repeat(3, 0).astype(np.uint8)
        scene = make_raster(pixels, crs=crs, transform=transform, **profile)
        crs = None if crs is None else CRS.from_string(crs)
        with vector_sink(tmp_path / f"found{suffix}", crs) as sink:
            for index, phrase in enumerate(("the <b>big</b> {{script}}", "others & more")):
                some = batch.polygons[[index]]
                sink.write(phrase, some, batch.score[[index]], areas_m2(some, crs))
        return scene, tmp_path / f"found{suffix}"

    return write


def contents(path):
    """The data of a page and its picture."""
    page = path.read_text()
    data, picture = (
        json.loads(re.search(f'<script type="application/json" id="{name}">(.*?)</script>', page, re.DOTALL)[1])
        for name in ("data", "picture")
    )
    if picture:
        encoded = base64.b64decode(picture["address"].partition(",")[2])
        picture["pixels"] = np.asarray(Image.open(io.BytesIO(encoded)).convert("RGBA"))
    return data, picture


def outlines(data):
    polygons = []
    for rings in data["rings"]:
        rings = [np.cumsum(np.reshape(ring, (-1, 2)), axis=0) * data["step"] + data["bounds"][:2] for ring in rings]
        polygons.append(shapely.Polygon(rings[0], rings[1:]))
    return polygons


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_polygons_lie_on_the_picture(written, tmp_path, place):
    scene, result = written(place)
    summary = write_map(result, tmp_path / "map.html", scene)
    data, picture = contents(tmp_path / "map.html")
    left, bottom, right, top = picture["bounds"]
    height, width = picture["pixels"].shape[:2]
    assert summary.picture == (width, height) and 0.9 < width * height / (SHAPE[0] * SHAPE[1]) < 3
    transform = Affine((right - left) / width, 0, left, 0, -(top - bottom) / height, top)
    drawn = rasterize(outlines(data), (height, width), transform=transform).astype(bool)
    seen = (picture["pixels"][..., 0] > 130) & (picture["pixels"][..., 3] > 0)
    assert (drawn & seen).sum() / (drawn | seen).sum() > 0.93
    assert data["unit"] == {"no CRS": "units", "no place": "px"}.get(place, "m")
    crs = CRS.from_string(PLACES[place][0]) if PLACES[place][0] else None
    known = areas_m2(blobs(PLACES[place][1])[1].polygons, crs)
    assert data["area"] == pytest.approx([1500 * (1 if place == "no place" else 4)] * 2 if known is None else known)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_ground_control_points(written, tmp_path):
    corners = ((0, 0), (0, SHAPE[1]), (SHAPE[0], 0), SHAPE)
    points = [GroundControlPoint(row, column, *(UTM @ (column, row))) for row, column in corners]
    _, result = written()
    pixels = np.full((3, *SHAPE), 90, np.uint8)
    scene = result.with_name("points.tif")
    with rasterio.open(scene, "w", driver="GTiff", count=3, height=SHAPE[0], width=SHAPE[1], dtype="uint8") as target:
        target.write(pixels)
        target.gcps = points, CRS.from_epsg(32633)
    write_map(result, tmp_path / "map.html", scene)
    data, picture = contents(tmp_path / "map.html")
    left, bottom, right, top = picture["bounds"]
    assert shapely.box(left, bottom, right, top).covers(shapely.union_all(outlines(data)))


@pytest.mark.parametrize("suffix", VECTOR_SUFFIXES)
@pytest.mark.parametrize("place", ["utm", "no place"])
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_every_format_gives_the_same_map(written, tmp_path, place, suffix):
    scene, result = written(place, suffix)
    write_map(result, tmp_path / "map.html", scene)
    write_map(written(place)[1], tmp_path / "other.html")
    data, other = (contents(tmp_path / name)[0] for name in ("map.html", "other.html"))
    order = np.argsort(data["score"])  # FlatGeobuf stores polygons in an order of its own
    texts = [data["phrases"][data["phrase"][index]]["text"] for index in order]
    assert texts == ["the <b>big</b> {{script}}", "others & more"]
    assert sorted(data["score"]) == [0.7, 0.9]
    assert np.array(data["area"])[order] == pytest.approx(np.array(other["area"]))
    assert data["unit"] == other["unit"]
    assert shapely.area(outlines(data))[order] == pytest.approx(shapely.area(outlines(other)), rel=1e-3)


def test_a_page_shows_and_filters_and_fetches_nothing(written, show, tmp_path):
    scene, result = written()
    write_map(result, tmp_path / "map.html", scene)
    page = (
        (tmp_path / "map.html").read_text().replace("<head>", "<head>" + LISTEN).replace("</body>", PROBE + "</body>")
    )
    (tmp_path / "probed.html").write_text(page)
    seen = show(tmp_path / "probed.html")
    assert seen["problems"] == []
    assert seen["fetched"] == 0
    assert seen["all"] == ["2 of 2", ["the <b>big</b> {{script}}", "1", "others & more", "1", "raster"], [True, True]]
    assert seen["some"] == ["1 of 2", ["the <b>big</b> {{script}}", "0", "others & more", "1", "raster"], [False, True]]
    assert seen["colours"][0][2] < seen["colours"][0][0] and seen["colours"][1][2] > seen["colours"][1][1]
    assert seen["popup"].split() == ["the", "<b>big</b>", "{{script}}", "score", "0.70", "area", "375", "m²"]
    assert seen["unchecked"] == "1 of 2"
    assert seen["picture"][0] >= SHAPE[1]
    assert seen["scale"].endswith(" m")
    assert not seen["overflow"]


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_pixels_on_a_narrow_screen(written, show, tmp_path):
    scene, result = written("no place")
    write_map(result, tmp_path / "map.html", scene)
    page = (
        (tmp_path / "map.html").read_text().replace("<head>", "<head>" + LISTEN).replace("</body>", PROBE + "</body>")
    )
    (tmp_path / "probed.html").write_text(page)
    seen = show(tmp_path / "probed.html", 500)
    assert seen["problems"] == [] and not seen["overflow"]
    assert seen["scale"].endswith(" px")
    assert seen["popup"].split()[-2:] == ["1,500", "px"]


def test_nothing_found_and_no_raster(tmp_path, show):
    with vector_sink(tmp_path / "none.gpkg", CRS.from_epsg(32633)):
        pass
    summary = write_map(tmp_path / "none.gpkg", tmp_path / "map.html")
    assert summary.shown == 0 and summary.picture is None and summary.found == {}
    page = (tmp_path / "map.html").read_text().replace("<head>", "<head>" + LISTEN)
    tell = "<script>document.title = JSON.stringify([problems, element('legend').innerText])</script>"
    (tmp_path / "probed.html").write_text(page.replace("</body>", tell + "</body>"))
    assert show(tmp_path / "probed.html") == [[], "Nothing was found."]


def test_many_polygons_are_the_largest_and_many_corners_fewer(tmp_path, monkeypatch):
    sizes = np.arange(1, 41)
    boxes = shapely.box(500_000 + 100 * sizes, 5_000_000, 500_000 + 101 * sizes, 5_000_000 + sizes)
    boxes = shapely.segmentize(boxes, 0.1)
    with vector_sink(tmp_path / "found.fgb", CRS.from_epsg(32633)) as sink:
        for some in np.array_split(boxes, 4):
            sink.write("boxes", some, np.full(len(some), 0.5), shapely.area(some))
    monkeypatch.setattr(map_page, "MOST_POLYGONS", 10)
    monkeypatch.setattr(map_page, "MOST_CORNERS", 200)
    summary = write_map(tmp_path / "found.fgb", tmp_path / "map.html")
    data, _ = contents(tmp_path / "map.html")
    assert (summary.shown, summary.found) == (10, {"boxes": 40})
    assert sorted(data["area"]) == pytest.approx(sizes[-10:] ** 2.0)
    assert sum(len(ring) // 2 for rings in data["rings"] for ring in rings) <= 200
    assert len(summary.notes) == 2 and "40" in summary.notes[0]


def test_other_columns_are_told_and_other_layers_are_shown(tmp_path):
    boxes = shapely.box([1, 2], [1, 2], [2, 3], [2, 3])
    columns = {"reason": ["", "too far"], "score": [0.5, None], "kept": [True, False], "length": [1.5, float("nan")]}
    write_table(tmp_path / "why.gpkg", columns, boxes, CRS.from_epsg(4326))
    write_map(tmp_path / "why.gpkg", tmp_path / "map.html")
    data, _ = contents(tmp_path / "map.html")
    assert [phrase["text"] for phrase in data["phrases"]] == ["why"]
    assert data["more"] == {"reason": ["", "too far"], "kept": [True, False], "length": [1.5, None]}
    assert data["score"] == [0.5, None]


def test_large_rasters_get_a_smaller_picture(make_raster, written, tmp_path, monkeypatch):
    _, result = written()
    scene = make_raster(np.full((3, 400, 600), 9, np.uint8), name="large.tif")
    monkeypatch.setattr(map_page, "PICTURE_PIXELS", 60_000)
    summary = write_map(result, tmp_path / "map.html", scene)
    assert summary.picture == pytest.approx((300, 200), abs=5)
    assert "600" in summary.notes[0]


def test_what_does_not_go(written, make_raster, tmp_path):
    _, result = written()
    plain = make_raster(np.full((3, 40, 60), 9, np.uint8), name="plain.tif", crs=None)
    (tmp_path / "text.gpkg").write_text("no layer")
    (tmp_path / "table.parquet").write_text("no table")
    write_points(tmp_path / "points.geojson")
    for given, raster, code in (
        (result, plain, "result.crs"),
        (tmp_path / "none.gpkg", None, "result.not_found"),
        (tmp_path / "text.gpkg", None, "result.unreadable"),
        (tmp_path / "table.parquet", None, "result.unreadable"),
        (tmp_path / "points.geojson", None, "result.unreadable"),
    ):
        with pytest.raises(ResultError) as error:
            write_map(given, tmp_path / "map.html", raster)
        assert error.value.code == code
    with pytest.raises(SinkError) as error:
        write_map(result, tmp_path / "nowhere" / "map.html")
    assert error.value.code == "output.folder"


def write_points(path):
    point = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [point]}))
