"""Runs the command line inside the test process, and makes what it needs."""

import json
import sys

import numpy as np
import pytest
import rasterio
import torch
from rasterio.transform import from_origin

from rrsis_core.cli import main
from rrsis_core.models import create_model, save_weights
from rrsis_core.models.loading import Card
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path

PRESET = "crobim_convnext_pico_256"
TINY = {
    "backbone": {"name": "convnext_atto"},
    "bert": {"hidden": 32, "layers": 1, "heads": 2, "intermediate": 32},
    "dim": 32,
    "capm": {"heads": 2},
    "lgfa": {"heads": 2},
    "mid": {"layers": 1, "heads": 2, "visual_self_attn": "none"},
}


class Ran:
    """What a command left: exit code, standard output and error."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        assert len(self.out.splitlines()) == 1, self.out
        return json.loads(self.out)


@pytest.fixture
def rrsis(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["rrsis", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return Ran(left.value.code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory):
    """Untrained weights of the default preset's kind, small enough to run in a moment."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    card = Card(PRESET, "tiny", ExpressionTokenizer(vocabulary_path()).sha256, gsd=0.5, tile=64)
    save_weights(create_model(PRESET, **TINY), path, card)
    return path


@pytest.fixture
def scene(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (3, 90, 120)).astype(np.uint8)
    profile = {"count": 3, "height": 90, "width": 120, "dtype": "uint8", "crs": "EPSG:32645"}
    with rasterio.open(
        tmp_path / "scene.tif", "w", driver="GTiff", transform=from_origin(500000, 3060000, 0.5, 0.5), **profile
    ) as target:
        target.write(pixels)
    return tmp_path / "scene.tif"
