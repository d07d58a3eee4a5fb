"""Pre-train both encoders against each other: `training/pretrain.py RECIPE OUT.safetensors ITERATIONS [START]`.

A referring model learns one phrase an image, and at first nothing tells it that "river" and wet pixels belong together.
Here each chip teaches where all categories are at once, and their names teach the text encoder: the logit of a pixel
for a phrase is the product of the pixel's embedding with that of the phrase. What comes out are the weights of the two
encoders, for a recipe's `initial_encoders`.
"""

import math
import sys
import time
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from rrsis_core.data.describe import View, tell_color
from rrsis_core.data.samples import ChipConfig, objects_in, see, window
from rrsis_core.data.scenes import Scene, SceneObject, read_scene, union_mask
from rrsis_core.data.transforms import resize_image, resize_mask, turn, weather
from rrsis_core.engine.config import read_recipe
from rrsis_core.models import create_model
from rrsis_core.models.layers import group_norm
from rrsis_core.text.grammar import Referent, say
from rrsis_core.text.lexicon import GROUPS
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path

CLASSES = """
    building road path driveway vehicle truck tree forest grass field vegetation river lake sea water sand bunker green
    fairway airplane runway taxiway boat pier bridge shed bare_soil swimming_pool parking_lot storage_tank tennis_court
    baseball_diamond
""".split()
COLORED = 3  # colour phrases a chip
UNKNOWN = 255
STRIDE = 4
TOKENS = 16
Item = tuple[np.ndarray, np.ndarray, list[str]]


class DenseChips(Dataset[Item]):
    """Chips with one small map a phrase: 1 there, 0 not there, 255 unknown."""

    def __init__(self, sources: dict[str, float], length: int, chips: ChipConfig) -> None:
        self.files = [sorted(Path(folder).glob("*.scene")) for folder in sources]
        self.shares = np.array(list(sources.values())) / sum(sources.values())
        self.length, self.chips = length, chips

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Item:
        rng = np.random.default_rng([77, index])
        files = self.files[rng.choice(len(self.files), p=self.shares)]
        scene = read_scene(files[rng.integers(len(files))])
        top, left, side = window(scene, rng, self.chips)
        objects = dict(objects_in(scene.objects, top, left, side))
        image = resize_image(np.ascontiguousarray(scene.image[top : top + side, left : left + side]), self.chips.size)
        labels = [self.label(name.replace("_", " "), scene, list(objects.values()), side) for name in CLASSES]
        colored, phrases = self.colored(scene, objects, side, rng)
        labels = np.stack(labels + colored)
        if scene.unlabelled is not None:
            labels[:, self.shrink(scene.unlabelled[top : top + side, left : left + side])] = UNKNOWN
        turned = int(rng.integers(4)), bool(rng.integers(2))
        labels = np.stack([turn(label, *turned) for label in labels])
        return turn(weather(image, rng), *turned).copy(), labels, phrases

    def shrink(self, mask: np.ndarray) -> np.ndarray:
        """Bring a mask to the size of the label maps."""
        return resize_mask(mask, self.chips.size // STRIDE)

    def label(self, name: str, scene: Scene, objects: list[SceneObject], side: int) -> np.ndarray:
        """Return the map (S / 4, S / 4) of one class."""
        names = {name, *GROUPS.get(name, ())}
        inside = [item for item in objects if item.category in names]
        known = name in scene.complete | scene.absent or (len(names) > 1 and names - {name} <= scene.complete)
        label = np.full((self.chips.size // STRIDE,) * 2, 0 if known else UNKNOWN, np.uint8)
        if inside:
            label[self.shrink(union_mask(inside, (side, side)))] = 1
        return label

    def colored(
        self, scene: Scene, objects: dict[int, SceneObject], side: int, rng: np.random.Generator
    ) -> tuple[list[np.ndarray], list[str]]:
        """Return maps and wordings of colour phrases; unknown maps where there is no colour to speak of."""
        seen = tuple(see(index, item, side, self.chips.size / side, (0, False)) for index, item in objects.items())
        view = View(seen, scene.complete, scene.absent)
        labels, phrases = [], []
        for _ in range(COLORED):
            told = tell_color(view, rng)
            label = np.full((self.chips.size // STRIDE,) * 2, UNKNOWN if told is None else 0, np.uint8)
            if told is not None:
                label[self.shrink(union_mask((objects[i] for i in told.doubtful), (side, side)))] = UNKNOWN
                label[self.shrink(union_mask((objects[i] for i in told.objects), (side, side)))] = 1
            labels.append(label)
            phrases.append("nothing" if told is None else say(told.referent, rng))
        return labels, phrases


class Head(nn.Module):
    """Embeds pixels at a quarter of the resolution, and phrases, in one space."""

    def __init__(self, channels: list[int], hidden: int, dim: int = 96) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(nn.Sequential(nn.Conv2d(width, dim, 1), group_norm(dim)) for width in channels)
        self.pixels = nn.Conv2d(dim, dim, 1)
        self.phrases = nn.Linear(hidden, dim)
        self.bias = nn.Linear(hidden, 1)
        nn.init.constant_(self.bias.bias, -3.0)  # most phrases name what is not there

    def forward(self, maps: list[Tensor], sentences: Tensor) -> Tensor:
        """Return logits (B, K, H / 4, W / 4) for sentences (B, K, hidden)."""
        size = maps[0].shape[-2:]
        total = torch.stack(
            [
                F.interpolate(lateral(x), size=size, mode="bilinear", align_corners=False)
                for lateral, x in zip(self.laterals, maps, strict=True)
            ]
        ).sum(dim=0)
        pixels = self.pixels(F.gelu(total))
        logits = torch.einsum("bdhw,bkd->bkhw", pixels, self.phrases(sentences)) / math.sqrt(pixels.shape[1])
        return logits + self.bias(sentences)[:, :, :, None]


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy over what is known, plus a dice over the maps that hold something."""
    known = labels != UNKNOWN
    truth = (labels == 1).float()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")[known].mean()
    probability = torch.sigmoid(logits) * known
    overlap, total = (probability * truth).sum((2, 3)), (probability + truth).sum((2, 3))
    there = truth.sum((2, 3)) > 20
    return entropy * 4 + (1 - 2 * overlap[there] / (total[there] + 1)).mean()


def collate(items: list[Item]) -> tuple[Tensor, Tensor, list[list[str]]]:
    """Stack chips and labels."""
    images = torch.from_numpy(np.stack([image for image, _, _ in items])).permute(0, 3, 1, 2).float() / 255
    return images, torch.from_numpy(np.stack([labels for _, labels, _ in items])), [texts for _, _, texts in items]


def main(recipe: Path, out: Path, iterations: int, begin: Path | None = None) -> None:
    """Train and save the encoders."""
    torch.manual_seed(0)
    rng = np.random.default_rng(1)
    config = read_recipe(recipe)
    model = create_model(config.preset, **config.model).train()
    if begin is not None:
        model.load_state_dict(load_file(begin), strict=False)
    model.to(memory_format=torch.channels_last)
    tokenizer = ExpressionTokenizer(vocabulary_path())
    head = Head(model.visual.channels, model.linguistic.hidden)
    parameters = [*model.visual.parameters(), *model.linguistic.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=6e-4, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: min(1, (i + 1) / 150) * (0.55 + 0.45 * math.cos(math.pi * i / iterations))
    )
    chips = DenseChips(config.data.train, iterations * 8, config.data.chips)
    loader = DataLoader(chips, batch_size=8, num_workers=1, collate_fn=collate)
    start, recent = time.time(), []
    for number, (images, labels, texts) in enumerate(loader, start=1):
        names = [say(Referent(n.replace("_", " "), str(rng.choice(["one", "all"]))), rng) for n in CLASSES]
        ids, mask = (torch.from_numpy(x) for x in tokenizer.encode([*names, *chain.from_iterable(texts)], TOKENS))
        with torch.autocast("cpu", torch.bfloat16):
            sentences = model.linguistic(ids, mask)[:, 0]
            shared = sentences[: len(names)].expand(len(images), -1, -1)
            own = sentences[len(names) :].unflatten(0, (len(images), COLORED))
            maps = model.visual(model.standardise(images).contiguous(memory_format=torch.channels_last))
            logits = head(maps, torch.cat([shared, own], dim=1))
        loss = loss_of(logits.float(), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        schedule.step()
        recent.append(loss.item())
        if number % 25 == 0:
            print(f"{number} {np.mean(recent):.4f} {time.time() - start:.0f} s", flush=True)
            recent = []
        if number % 250 == 0 or number == iterations:
            state = {k: v.contiguous() for k, v in model.state_dict().items() if k.startswith(("visual", "linguistic"))}
            save_file(state, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]) if len(sys.argv) > 4 else None)
