"""The real worker, with untrained weights."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from rrsis_core.contract import WorkerClient, worker_command


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    subprocess.run([sys.executable, str(Path(__file__).parents[1] / "tiny_weights.py"), str(path)], check=True)
    return str(path)


@pytest.fixture
def start():
    """Start workers; none outlives the test."""
    clients = []

    def begin(**how):
        made = WorkerClient(worker_command(sys.executable), **how)
        clients.append(made)
        made.start()
        return made

    yield begin
    for made in clients:
        made.kill()


@pytest.fixture
def worker(start):
    """A worker of this test's own, to be hurt."""
    return start()


@pytest.fixture(scope="module")
def steady():
    """A worker that many tests use one after the other."""
    client = WorkerClient(worker_command(sys.executable))
    client.start()
    yield client
    client.close()


@pytest.fixture
def scene(tmp_path):
    """A raster of 640 x 480 pixels at 0.5 m with squares of different colours."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(60, 120, (3, 480, 640)).astype(np.uint8)
    for _ in range(40):
        top, left, size = rng.integers(0, 440), rng.integers(0, 600), rng.integers(8, 40)
        pixels[:, top : top + size, left : left + size] = rng.integers(0, 255, (3, 1, 1))
    path = tmp_path / "scene.tif"
    with rasterio.open(
        path, "w", "GTiff", 640, 480, 3, "EPSG:32645", from_origin(500000, 3060000, 0.5, 0.5), "uint8"
    ) as target:
        target.write(pixels)
    return str(path)
