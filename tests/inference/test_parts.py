"""Parts of a raster, answered apart and put together, are what one run makes."""

import itertools

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from shapely import normalize

from rrsis_core.contract import SegmentOptions
from rrsis_core.geo.tiling import plan_axis
from rrsis_core.inference import segment_part, segment_raster


def answers(folder):
    frame = geopandas.read_file(folder / "o.gpkg")
    outlines = zip(frame.phrase, shapely.to_wkb(normalize(frame.geometry.values)), strict=True)
    with rasterio.open(folder / "p.tif") as stored:
        return sorted(outlines), stored.read()


@pytest.mark.parametrize("overlap", [0.25, 0.5])
@pytest.mark.parametrize("cuts", [(1,), (2, 3), (1, 2, 3, 4)])
@pytest.mark.parametrize("gsd", [None, 0.7])
def test_not_a_bit_depends_on_the_cuts(write_raster, blobs, predictor, tmp_path, overlap, cuts, gsd):
    pixels = blobs[0].transpose(0, 2, 1)
    pixels[0, 100:115] = np.random.default_rng(5).integers(0, 255, (15, 300))  # many candidates, many of equal size
    path = write_raster(pixels)
    # The answer depends on the place in the tile, as a model's does.
    predictor.answer = lambda chips: chips[:, :1] * np.linspace(0.2, 1, chips.shape[2], dtype=np.float32)[:, None]
    predictor.gsd = gsd
    phrases = ("the roofs", "the largest roof left of the river")

    def options(name):
        (tmp_path / name).mkdir()
        wanted = {"output": str(tmp_path / name / "o.gpkg"), "probability": str(tmp_path / name / "p.tif")}
        return SegmentOptions(str(path), phrases, overlap=overlap, threshold=0.3, **wanted)

    segment_raster(options("whole"), predictor)
    rows = len(plan_axis(420 if gsd is None else 300, 128, overlap))
    edges = [0, *(cut for cut in cuts if cut < rows), rows]
    parts = []
    for first, last in itertools.pairwise(edges):
        parts.append(tmp_path / f"part-{first}.tif")
        segment_part(SegmentOptions(str(path), phrases, overlap=overlap), (first, last), parts[-1], predictor)
    asked = predictor.chips
    segment_raster(options("parts"), predictor, parts=parts)
    assert predictor.chips == asked
    (expected, probability), (found, stored) = answers(tmp_path / "whole"), answers(tmp_path / "parts")
    assert np.array_equal(stored, probability)
    assert len(found) > 1 and found == expected
