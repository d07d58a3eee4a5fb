"""rrsis bench and rrsis models --details."""

import json

from click.testing import CliRunner

from rrsis_core.cli import rrsis


def test_models_are_measured_beside_their_floor():
    arguments = ["bench", "models", "lavt_convnext_pico_256", "--rounds", "1", "--json"]
    answer = json.loads(CliRunner().invoke(rrsis, arguments, catch_exceptions=False).stdout)
    (line,) = answer["models"]
    assert line["preset"] == "lavt_convnext_pico_256"
    assert min(line[name] for name in ("floor_ms", "one_ms", "many_ms")) > 0  # whichever is faster
    assert line["to_floor"] == line["one_ms"] / line["floor_ms"]  # one round: its ratio is the median
    assert line["memory_mb"] > 100 and line["cost"]["parameters"] > 1e7


def test_ways_to_polygons_are_compared_on_one_mask():
    arguments = ["bench", "geo", "--size", "700", "--rounds", "1", "--polygons", "3000", "--json"]
    answer = json.loads(CliRunner().invoke(rrsis, arguments, catch_exceptions=False).stdout)
    ways = {way["name"]: way for way in answer["ways"]}
    truth, ours = ways["rasterio + shapely"], ways["rrsis"]
    assert truth["polygons"] > 20
    for way in (truth, ours):
        assert (way["polygons"], way["exact"], way["invalid"], way["lost"]) == (*[truth["polygons"]] * 2, 0, 0)
        assert way["seconds"] > 0 and way["memory_mb"] > 50
    assert truth["to_ours"] == truth["seconds"] / ours["seconds"]
    assert set(answer["missing"]) == {"gdal_polygonize", "cv2.findContours"} - set(ways)
    assert answer["writing"]["polygons"] == 3000 and answer["writing"]["to_bare"] > 0


def test_details_count_parameters_and_operations():
    answer = json.loads(CliRunner().invoke(rrsis, ["models", "--details", "--json"], catch_exceptions=False).stdout)
    assert answer["presets"]["btdnet_swin_base_512"]["parameters"] > 240e6
    assert answer["presets"]["btdnet_swin_base_512"]["macs"] > answer["presets"]["btdnet_convnext_pico_256"]["macs"]
