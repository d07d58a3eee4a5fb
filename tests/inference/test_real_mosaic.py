"""The packaged weights on a real town that nobody labelled: sixteen drone tiles as one VRT."""

from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
from rasterio.features import rasterize

from rrsis_core import SegmentOptions, segment_raster

PHRASES = ("the blue roofs", "the buildings", "the green field")
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


@pytest.fixture(scope="module")
def answer(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mosaic")
    mosaic = write_vrt(sorted((shared / "banepa/unlabelled").glob("*.tif")), folder / "town.vrt")
    options = SegmentOptions(str(mosaic), PHRASES, output=str(folder / "o.gpkg"), mask=str(folder / "m.tif"))
    segment_raster(options)
    with rasterio.open(mosaic) as raster, rasterio.open(folder / "m.tif") as masks:
        assert masks.shape == raster.shape == (2048, 2048)
        return geopandas.read_file(folder / "o.gpkg"), masks.read().astype(bool), raster.read(), raster.transform


def test_the_polygons_are_the_masks_in_degrees(answer):
    frame, masks, _, transform = answer
    assert frame.crs.to_epsg() == 4326
    for phrase, mask in zip(PHRASES, masks, strict=True):
        drawn = rasterize(frame[frame.phrase == phrase].geometry, mask.shape, transform=transform).astype(bool)
        assert (drawn == mask).all()


def test_each_phrase_is_found_and_not_in_the_void(answer):
    _, masks, pixels, _ = answer
    void = (pixels >= 250).all(axis=0)
    assert void.mean() > 0.02
    for phrase, mask in zip(PHRASES, masks, strict=True):
        assert mask.mean() >= 0.01, phrase
        assert mask[void].mean() < 0.05, phrase


def test_blue_roofs_are_blue(answer):
    _, masks, pixels, _ = answer
    blue = blue_pixels(pixels)
    assert blue[masks[0]].mean() >= 5 * blue[~masks[0]].mean()


def test_buildings_are_no_fields(answer):
    _, masks, _, _ = answer
    buildings, field = masks[1], masks[2]
    assert (buildings & field).sum() / (buildings | field).sum() < 0.2
