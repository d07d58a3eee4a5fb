"""The dock in real QGIS, offscreen: the cases are in dock_cases.py."""

import sys

import pytest


@pytest.fixture
def cases(profile, scene, weights, tmp_path):
    def run(case):
        profile.cases("dock_cases.py", scene, weights, tmp_path, case, RRSIS_ENGINE_PYTHON=sys.executable)

    return run


def test_from_phrase_to_layer(cases, tmp_path, by_command_line, shapes):
    cases("Journey")
    assert shapes(tmp_path / "saved.gpkg") == by_command_line


@pytest.mark.parametrize("case", ["Trouble", "Spooled"])
def test_when_things_go_otherwise(cases, case):
    cases(case)
