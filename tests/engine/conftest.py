"""A model whose answers are known beforehand, and records that it gets right, wrong, and rightly empty."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from rrsis_core.data.opening import open_dataset
from rrsis_core.data.rle import encode_rle
from rrsis_core.models import ReferringModel, SegmentationOutput
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path


@dataclass(frozen=True)
class RedConfig:
    img_size: int = 100
    max_tokens: int = 20


class RedModel(ReferringModel):
    """Answers what is red, whatever it is asked."""

    def forward(self, images, token_ids, attention_mask):
        redness = F.avg_pool2d(images[:, :1] - images[:, 1:2], 4) - 0.25
        return SegmentationOutput(torch.cat([-redness, redness], dim=1), {})


@pytest.fixture(scope="session")
def red_model():
    return RedModel(RedConfig())


@pytest.fixture(scope="session")
def tokenizer():
    return ExpressionTokenizer(vocabulary_path())


@pytest.fixture(scope="session")
def red_records(tmp_path_factory):
    root = tmp_path_factory.mktemp("red")
    (root / "images").mkdir()
    lines = []
    for number, (text, category, red, meant) in enumerate(
        [
            ("the red court <b>", "tennis court", (40, 120), (40, 120)),
            ("the blue ship", "ship", (40, 120), (140, 160)),
            ("the plane", "", None, None),
        ]
    ):
        image, mask = np.full((200, 200, 3), 90, np.uint8), np.zeros((200, 200), bool)
        if red:
            image[red[0] : red[1], red[0] : red[1]] = (220, 20, 20)
            mask[meant[0] : meant[1], meant[0] : meant[1]] = True
        Image.fromarray(image).save(root / f"images/{number}.png")
        runs = {"size": [200, 200], "counts": encode_rle(mask)}
        lines.append({"file_name": f"{number}.png", "sent": text, "category_name": category, "segmentation": [runs]})
    (root / "test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return open_dataset(root).records("test")
