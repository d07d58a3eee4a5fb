"""Every small real raster goes through the corridor: CRS, bounds and nodata come out as they went in."""

import warnings

import geopandas
import numpy as np
import pytest
import rasterio

from rrsis_core.contract import SegmentOptions
from rrsis_core.inference import segment_raster

HRO = "hro_201404_13SED190110_201404_0x1500m_CL_1"
HRO_BOUNDS = (519467.496, 4311634.966, 519524.875, 4311669.766)
# name, EPSG, left, bottom, right, top, share of pixels that hold data
RASTERS = [
    ("5dded5bc0140b80006d2e565_23.tif", 3395, (-5743476.5, -1750591.0, -5743272.0, -1750386.25), 1.0),
    (f"{HRO}.tif", 26913, HRO_BOUNDS, 1.0),
    (f"{HRO}_alpha.tif", 26913, HRO_BOUNDS, 0.886963),
    (f"{HRO}_extmask.tif", 26913, HRO_BOUNDS, 0.969175),
    (f"{HRO}_mask.tif", 26913, HRO_BOUNDS, 0.969175),
    (f"{HRO}_nodata.tif", 26913, HRO_BOUNDS, 0.973395),
    ("naip_m_3211605_ne_11_060_20200415.tif", 26911, (557699.311, 3648255.034, 557858.870, 3648377.148), 1.0),
    ("naip_m_4208701_ne_16_060_20200902.tif", 26916, (426571.077, 4755278.198, 426675.969, 4755364.112), 1.0),
    ("rasterio_RGB.byte.tif", 32618, (101985.0, 2611485.0, 339315.0, 2826915.0), 0.674572),
    ("rasterio_cogeo.tif", 3857, (14321853.116, 4532410.029, 14322464.612, 4533021.525), 1.0),
    ("spacenet_RGB-PanSharpen_AOI_4_Shanghai_img6917.tif", 4326, (121.734, 31.228, 121.736, 31.229), 1.0),
]


def test_the_list_is_complete(shared):
    assert {path.name for path in (shared / "rasters").glob("*.tif")} == {name for name, *_ in RASTERS}


@pytest.mark.parametrize(("name", "epsg", "bounds", "share"), RASTERS)
def test_crs_bounds_and_nodata(shared, predictor, tmp_path, name, epsg, bounds, share):
    predictor.gsd = 0.3
    predictor.answer = lambda chips: np.ones_like(chips[:, :1])
    options = SegmentOptions(
        str(shared / "rasters" / name), ("the roofs",), output=str(tmp_path / "o.gpkg"), mask=str(tmp_path / "m.tif")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are far from 0.3 m, and say so
        result = segment_raster(options, predictor)
    with rasterio.open(tmp_path / "m.tif") as mask, rasterio.open(shared / "rasters" / name) as raster:
        assert mask.crs.to_epsg() == epsg
        assert mask.bounds == pytest.approx(bounds, abs=0.001)
        assert mask.transform == raster.transform and mask.shape == raster.shape
        assert mask.read(1).mean() == pytest.approx(share, abs=1e-6)
    frame = geopandas.read_file(tmp_path / "o.gpkg")
    assert frame.crs.to_epsg() == epsg
    if share == 1:
        assert frame.total_bounds == pytest.approx(bounds, abs=0.001)
        assert len(frame) == 1
    assert result.found[0].area_m2 == pytest.approx(frame.area_m2.sum())
