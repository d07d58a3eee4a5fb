"""The wheel holds all that the main job needs, and runs outside the checkout."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build the wheel and unpack it into a folder of its own, beside the dependencies of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        folder,
        CHECKOUT,
    ]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target, wheel], check=True
    )
    return target


def test_the_demo_runs_from_the_wheel(installed, tmp_path):
    run = subprocess.run(
        [sys.executable, "-P", "-m", "rrsis_core", "demo", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = json.loads(run.stdout)["found"]
    assert len(rows) == 4
    assert sum(row["iou"] >= 0.5 for row in rows) >= 3
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == [
        "mask.tif", "preview.png", "result.gpkg", "scene.tif",
    ]  # fmt: skip


def test_the_wheel_is_what_ran(installed):
    code = "import rrsis_core; print(rrsis_core.__file__)"
    env = {**os.environ, "PYTHONPATH": str(installed)}
    run = subprocess.run([sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True, check=True)
    assert Path(run.stdout.strip()).is_relative_to(installed)


def test_no_training_and_no_tests_are_inside(installed):
    names = {path.name for path in installed.iterdir()}
    assert "rrsis_core" in names and not names & {"training", "tests", "benchmarks", "qgis_plugin"}
    assert (installed / "rrsis_core/weights/files/vocab.txt").is_file()
