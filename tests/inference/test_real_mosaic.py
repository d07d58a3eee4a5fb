"""The packaged weights on a real town that nobody labelled: sixteen drone tiles as one VRT.

What is true of any weights is checked here: that geometry picks what the phrase says among what the model found.
"""

from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from rasterio.features import rasterize

from rrsis_core import SegmentOptions, segment_raster

PHRASES = ("the blue roofs", "the buildings", "the green field")
LARGEST, CLOSEST, NORTH = SCENE_PHRASES = (
    "the largest blue roof",
    "the red roof closest to the green field",
    "the blue roofs in the north half",
)
UTM = 32645
SOURCE = """
    <SimpleSource>
      <SourceFilename>{path}</SourceFilename><SourceBand>{band}</SourceBand>
      <SrcRect xOff="0" yOff="0" xSize="512" ySize="512"/>
      <DstRect xOff="{left}" yOff="{top}" xSize="512" ySize="512"/>
    </SimpleSource>"""


def write_vrt(tiles: list[Path], path: Path) -> Path:
    """Join XYZ tiles named OAM-x-y-19, which lie side by side without a gap."""
    places = {tile: tuple(int(part) for part in tile.stem.split("-")[1:3]) for tile in tiles}
    columns, rows = sorted({x for x, _ in places.values()}), sorted({y for _, y in places.values()})
    corner = next(tile for tile, place in places.items() if place == (columns[0], rows[0]))
    with rasterio.open(corner) as first:
        transform, wkt = first.transform.to_gdal(), first.crs.to_wkt()
    bands = ""
    for band in (1, 2, 3):
        sources = "".join(
            SOURCE.format(path=tile, band=band, left=(x - columns[0]) * 512, top=(y - rows[0]) * 512)
            for tile, (x, y) in places.items()
        )
        color = ("Red", "Green", "Blue")[band - 1]
        bands += (
            f'<VRTRasterBand dataType="Byte" band="{band}"><ColorInterp>{color}</ColorInterp>{sources}</VRTRasterBand>'
        )
    path.write_text(
        f'<VRTDataset rasterXSize="{len(columns) * 512}" rasterYSize="{len(rows) * 512}"><SRS>{wkt}</SRS>'
        f"<GeoTransform>{', '.join(map(repr, transform))}</GeoTransform>{bands}</VRTDataset>"
    )
    return path


def blue_pixels(pixels: np.ndarray) -> np.ndarray:
    """HSV hue of 190 to 250 degrees and saturation above 0.3, for (3, H, W) uint8."""
    red, green, blue = pixels.astype(float)
    high, low = pixels.max(axis=0).astype(float), pixels.min(axis=0).astype(float)
    spread = np.maximum(high - low, 1e-9)
    hue = 60 * (4 + (red - green) / spread)  # where blue is the largest
    return (blue == high) & (hue >= 190) & (hue <= 250) & (spread / np.maximum(high, 1) > 0.3)


@dataclass
class Answer:
    """What was found and written."""

    frame: geopandas.GeoDataFrame
    masks: dict[str, np.ndarray]
    pixels: np.ndarray
    transform: Affine
    considered: geopandas.GeoDataFrame
    """Candidates and landmarks of the explanation."""


@pytest.fixture(scope="module")
def answer(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mosaic")
    mosaic = write_vrt(sorted((shared / "banepa/unlabelled").glob("*.tif")), folder / "town.vrt")
    names = {"output": "o.gpkg", "mask": "m.tif", "explain": "why.gpkg", "preview": "p.png"}
    outputs = {name: str(folder / file) for name, file in names.items()}
    segment_raster(SegmentOptions(str(mosaic), (*PHRASES, *SCENE_PHRASES), **outputs))
    with rasterio.open(mosaic) as raster, rasterio.open(folder / "m.tif") as masks:
        assert masks.shape == raster.shape == (2048, 2048)
        bands = dict(zip(masks.descriptions, masks.read().astype(bool), strict=True))
        frame, considered = geopandas.read_file(folder / "o.gpkg"), geopandas.read_file(folder / "why.gpkg")
        return Answer(frame, bands, raster.read(), raster.transform, considered)


def test_the_polygons_are_the_masks_in_degrees(answer):
    frame = answer.frame
    assert frame.crs.to_epsg() == 4326
    for phrase, mask in answer.masks.items():
        drawn = rasterize(frame[frame.phrase == phrase].geometry, mask.shape, transform=answer.transform).astype(bool)
        assert (drawn == mask).all()


def test_each_phrase_is_found_and_not_in_the_void(answer):
    void = (answer.pixels >= 250).all(axis=0)
    assert void.mean() > 0.02
    for phrase in PHRASES:
        assert answer.masks[phrase].mean() >= 0.01, phrase
        assert answer.masks[phrase][void].mean() < 0.05, phrase


def test_blue_roofs_are_blue(answer):
    blue, roofs = blue_pixels(answer.pixels), answer.masks["the blue roofs"]
    assert blue[roofs].mean() >= 5 * blue[~roofs].mean()


def test_buildings_are_no_fields(answer):
    buildings, field = answer.masks["the buildings"], answer.masks["the green field"]
    assert (buildings & field).sum() / (buildings | field).sum() < 0.2


def test_the_largest_blue_roof_is_the_largest_of_them(answer):
    assert (answer.frame.phrase == LARGEST).sum() == 1
    assert not (answer.masks[LARGEST] & ~answer.masks["the blue roofs"]).any()
    roofs = answer.considered[answer.considered.phrase == LARGEST].to_crs(UTM)
    assert len(roofs) > 10 and roofs.area.idxmax() == roofs[roofs.kept].index.item()


def test_no_other_red_roof_is_closer_to_a_green_field(answer):
    assert (answer.frame.phrase == CLOSEST).sum() == 1
    those = answer.considered[answer.considered.phrase == CLOSEST].to_crs(UTM)
    roofs, fields = those[those.role == "target"], those[those.role == "other"]
    distance = roofs.distance(fields.union_all())
    assert len(roofs) > 5 and distance[roofs.kept].item() <= distance.min() + 0.1


def test_the_blue_roofs_in_the_north_half_are_all_of_those(answer):
    north = answer.masks[NORTH]
    assert north.any() and not (north & ~answer.masks["the blue roofs"]).any()
    roofs = answer.considered[answer.considered.phrase == NORTH]
    middle = answer.transform.f + 1024 * answer.transform.e
    assert ((shapely.get_y(shapely.centroid(roofs.geometry.values)) > middle) == roofs.kept).all()
