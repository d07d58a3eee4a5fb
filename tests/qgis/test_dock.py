"""The dock in real QGIS, offscreen: the cases are in dock_cases.py."""

import sys

import geopandas
import pytest


@pytest.fixture
def cases(profile, scene, weights, tmp_path):
    def run(case):
        profile.cases("dock_cases.py", scene, weights, tmp_path, case, RRSIS_ENGINE_PYTHON=sys.executable)

    return run


def test_dock_processing_and_command_line_find_the_same(
    cases, profile, scene, weights, tmp_path, by_command_line, shapes, phrases
):
    cases("Journey")
    target = tmp_path / "found.gpkg"
    run = profile.process(
        "run", "rrsis:segmentbyphrase", "--", f"INPUT={scene}", "PHRASES=" + "\n".join(phrases), "THREADS=1",
        f"WEIGHTS={weights}", f"OUTPUT={target}",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert len(by_command_line) > 10
    assert shapes(tmp_path / "saved.gpkg") == shapes(target) == by_command_line
    for path in (tmp_path / "saved.gpkg", target):
        assert list(geopandas.read_file(path).columns)[-6:] == "phrase score area_m2 weights run_id geometry".split()


@pytest.mark.parametrize("case", ["Trouble", "Spooled"])
def test_when_things_go_otherwise(cases, case):
    cases(case)
