import json

import pytest

from rrsis_core.contract import ConfigError, SegmentOptions


def test_options_go_through_json_and_back():
    options = SegmentOptions("a.tif", ("the roofs",), bbox=(0, 0, 2, 3), bands=(4, 3, 2), threshold=0.4)
    assert SegmentOptions.from_dict(json.loads(json.dumps(options.as_dict()))) == options


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"expressions": ()}, "config.expressions"),
        ({"bbox": (0, 0, 1, 1), "aoi": "a.gpkg"}, "config.aoi"),
        ({"bbox": (5, 0, 1, 1)}, "config.bbox"),
        ({"bands": (1, 2)}, "config.bands"),
        ({"bands": (0, 1, 2)}, "config.bands"),
        ({"scaling": "rainbow"}, "config.scaling"),
        ({"threshold": 1.5}, "config.threshold"),
        ({"threshold": float("nan")}, "config.threshold"),
        ({"overlap": 0.9}, "config.overlap"),
        ({"min_area_m2": -1}, "config.min_area_m2"),
        ({"alpha_band": 0}, "config.alpha_band"),
        ({"fill_holes_m2": -1}, "config.fill_holes_m2"),
        ({"simplify": -1}, "config.simplify"),
        ({"gsd": 0}, "config.gsd"),
        ({"tile": 100}, "config.tile"),
        ({"batch_size": 0}, "config.batch_size"),
    ],
)
def test_values_that_make_no_sense_are_refused_by_name(changes, code):
    with pytest.raises(ConfigError) as caught:
        SegmentOptions(**({"raster": "a.tif", "expressions": ("x",)} | changes))
    assert caught.value.code == code


def test_an_unknown_option_is_refused():
    with pytest.raises(ConfigError) as caught:
        SegmentOptions.from_dict({"raster": "a.tif", "expressions": ["x"], "treshold": 1})
    assert caught.value.code == "config.treshold"
