"""Pre-train the visual encoder on every category at once: `training/pretrain.py RECIPE OUT.safetensors ITERATIONS`.

A referring model learns one phrase an image; here each chip teaches where all categories are, which are known to be
there or not. What comes out are the weights of the encoder alone, for a recipe's `initial_visual`.
"""

import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from rrsis_core.data.samples import ChipConfig, _objects_in, _window
from rrsis_core.data.scenes import Scene, read_scene, union_mask
from rrsis_core.data.transforms import resize_image, resize_mask, turn, weather
from rrsis_core.engine.config import read_recipe
from rrsis_core.models import create_model
from rrsis_core.models.layers import group_norm
from rrsis_core.text.lexicon import GROUPS

CLASSES = """
    building road path driveway vehicle truck tree forest grass field vegetation river lake sea water sand bunker green
    fairway airplane runway taxiway boat pier bridge shed bare_soil swimming_pool parking_lot storage_tank tennis_court
    baseball_diamond
""".split()
UNKNOWN = 255
STRIDE = 4
Chip = tuple[np.ndarray, np.ndarray]


class DenseChips(Dataset[Chip]):
    """Chips with one small map a class: 1 there, 0 not there, 255 unknown."""

    def __init__(self, sources: dict[str, float], length: int, chips: ChipConfig) -> None:
        self.files = [sorted(Path(folder).glob("*.scene")) for folder in sources]
        self.shares = np.array(list(sources.values())) / sum(sources.values())
        self.length, self.chips = length, chips

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Chip:
        rng = np.random.default_rng([77, index])
        files = self.files[rng.choice(len(self.files), p=self.shares)]
        scene = read_scene(files[rng.integers(len(files))])
        top, left, side = _window(scene, rng, self.chips)
        image = resize_image(np.ascontiguousarray(scene.image[top : top + side, left : left + side]), self.chips.size)
        turned = int(rng.integers(4)), bool(rng.integers(2))
        labels = np.stack([self.label(name.replace("_", " "), scene, top, left, side) for name in CLASSES])
        labels = np.stack([turn(label, *turned) for label in labels])
        return turn(weather(image, rng), *turned).copy(), np.ascontiguousarray(labels)

    def label(self, name: str, scene: Scene, top: int, left: int, side: int) -> np.ndarray:
        """Return the map (S / 4, S / 4) of one class."""
        size = self.chips.size // STRIDE
        names = {name, *GROUPS.get(name, ())}
        inside = [item for _, item in _objects_in(scene.objects, top, left, side) if item.category in names]
        known = name in scene.complete | scene.absent or (len(names) > 1 and names - {name} <= scene.complete)
        label = np.full((size, size), 0 if known else UNKNOWN, np.uint8)
        if inside:
            label[resize_mask(union_mask(inside, (side, side)), size)] = 1
        if scene.unlabelled is not None:
            label[resize_mask(scene.unlabelled[top : top + side, left : left + side], size)] = UNKNOWN
        return label


class Head(nn.Module):
    """Sums the four maps at the finest resolution; one logit a class."""

    def __init__(self, channels: list[int], dim: int = 96) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(nn.Sequential(nn.Conv2d(width, dim, 1), group_norm(dim)) for width in channels)
        self.out = nn.Conv2d(dim, len(CLASSES), 1)
        nn.init.constant_(self.out.bias, -3.0)  # most classes are not there

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Return logits (B, K, H / 4, W / 4)."""
        size = maps[0].shape[-2:]
        total = sum(
            F.interpolate(lateral(x), size=size, mode="bilinear", align_corners=False)
            for lateral, x in zip(self.laterals, maps, strict=True)
        )
        return self.out(F.gelu(total))


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy over what is known, plus a dice over the classes that are there."""
    known = labels != UNKNOWN
    truth = (labels == 1).float()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")[known].mean()
    probability = torch.sigmoid(logits) * known
    overlap, total = (probability * truth).sum((0, 2, 3)), (probability + truth * known).sum((0, 2, 3))
    there = truth.sum((0, 2, 3)) > 0
    return entropy * 4 + (1 - 2 * overlap[there] / (total[there] + 1)).mean()


def main(recipe: Path, out: Path, iterations: int, rate: float = 6e-4) -> None:
    """Train and save the encoder."""
    torch.manual_seed(0)
    config = read_recipe(recipe)
    model = create_model(config.preset, **config.model)
    encoder, head = model.visual.train(), Head(model.visual.channels)
    encoder.to(memory_format=torch.channels_last)
    parameters = [*encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: min(1, (i + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * i / iterations))
    )
    loader = DataLoader(
        DenseChips(config.data.train, iterations * config.batch_size, config.data.chips),
        batch_size=config.batch_size,
        num_workers=1,
    )
    start, recent = time.time(), []
    for number, (images, labels) in enumerate(loader, start=1):
        x = (images.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = head(encoder(model.standardise(x)))
        loss = loss_of(logits.float(), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        schedule.step()
        recent.append(loss.item())
        if number % 50 == 0:
            print(f"{number} {np.mean(recent):.4f} {time.time() - start:.0f} s", flush=True)
            recent = []
        if number % 500 == 0 or number == iterations:
            save_file({name: x.contiguous() for name, x in encoder.state_dict().items()}, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
