"""Lets the tests of this room import their shared class of checks, and gives them real samples."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rrsis_core.data.samples import ReferringSample, collate
from rrsis_core.data.transforms import resize_image, resize_mask
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path

sys.path.insert(0, str(Path(__file__).parent))
SIDE = 128


@pytest.fixture(scope="session")
def eight_samples(shared):
    """A batch of eight real chips, each with the first expression that means 10 to 60 % of it."""
    samples = []
    for record in json.loads((shared / "uc_merced_polygons/annotations.json").read_text()):
        image = Image.open(shared / "uc_merced" / record["image"]).convert("RGB")
        for expression in record["expressions"]:
            picture = Image.new("L", image.size)
            for index in expression["objects"]:
                for polygon in record["objects"][index]["polygons"]:
                    ImageDraw.Draw(picture).polygon([tuple(point) for point in polygon], fill=1)
            mask = resize_mask(np.asarray(picture) > 0, SIDE).astype(np.uint8)
            if 0.1 < mask.mean() < 0.6:
                pixels = resize_image(np.asarray(image), SIDE)
                samples.append([ReferringSample(pixels, mask, expression["text"], "written")])
                break
        if len(samples) == 8:
            return collate(samples, ExpressionTokenizer(vocabulary_path()), 24)
    raise AssertionError("fewer than eight samples")
