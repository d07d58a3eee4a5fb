"""Align pixels and phrases before anything else: `training/pretrain.py RECIPE OUT.safetensors ITERATIONS [START]`.

A referring model learns one phrase an image, and at first nothing tells it that "river" and wet pixels belong together.
Here each chip teaches where all categories are at once, and their names teach the text encoder: the logit of a pixel
for a phrase is the product of CroBIM's own pixels and prototypes, before they tell each other anything. What comes out
are weights of the whole model, for a recipe's `initial_encoders`.
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
from rrsis_core.models.crobim import CroBIM
from rrsis_core.models.layers import flatten_map, sine_positions, unflatten_map
from rrsis_core.models.linguistic import with_prompts
from rrsis_core.text.grammar import Referent, say
from rrsis_core.text.lexicon import GROUPS
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path

CLASSES = """
    building road path driveway vehicle truck tree forest grass field vegetation river lake sea water sand bunker green
    fairway airplane runway taxiway boat pier bridge shed bare_soil swimming_pool parking_lot storage_tank tennis_court
    baseball_diamond
""".split()
NAMED, COLORED = 9, 6  # category and colour phrases a chip
UNKNOWN = 255
STRIDE = 4
TOKENS = 12
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
        labels, phrases = self.named(scene, list(objects.values()), side, rng)
        for label, phrase in zip(*self.colored(scene, objects, side, rng), strict=True):
            labels.append(label)
            phrases.append(phrase)
        labels = np.stack(labels)
        if scene.unlabelled is not None:
            labels[:, self.shrink(scene.unlabelled[top : top + side, left : left + side])] = UNKNOWN
        turned = int(rng.integers(4)), bool(rng.integers(2))
        labels = np.stack([turn(label, *turned) for label in labels])
        return turn(weather(image, rng), *turned).copy(), labels, phrases

    def shrink(self, mask: np.ndarray) -> np.ndarray:
        """Bring a mask to the size of the label maps."""
        return resize_mask(mask, self.chips.size // STRIDE)

    def named(
        self, scene: Scene, objects: list[SceneObject], side: int, rng: np.random.Generator
    ) -> tuple[list[np.ndarray], list[str]]:
        """Return maps and wordings of category phrases: what is there first, then what is not."""
        labels = {name: self.label(name.replace("_", " "), scene, objects, side) for name in CLASSES}
        order = rng.permutation(CLASSES).tolist()
        order.sort(key=lambda name: -1 if (labels[name] == 1).any() else int((labels[name] == UNKNOWN).all()))
        chosen = order[:NAMED]
        numbers = rng.choice(["one", "all"], size=NAMED)
        says = [say(Referent(n.replace("_", " "), str(k)), rng) for n, k in zip(chosen, numbers, strict=True)]
        return [labels[name] for name in chosen], says

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


class Alignment(nn.Module):
    """CroBIM without what pixels and words tell each other: one product of pixels and prototypes for many phrases.

    The last layer of every such exchange starts at zero, so that here and there the same weights mean the same.
    """

    def __init__(self, model: CroBIM) -> None:
        super().__init__()
        self.model = model
        exchanges = [*model.lgfa.interactions]
        for layer in model.mid.layers:
            exchanges += [layer.words["cross"], layer.pixels["cross"]]
        for exchange in exchanges:
            nn.init.zeros_(exchange.out.weight)
            nn.init.zeros_(exchange.out.bias)

    def forward(self, images: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        """Return logits (B, K, H / 4, W / 4) of images (B, 3, H, W) for K phrases each, ids and mask (B K, N)."""
        *maps, prompts = self.model.encode_image(images)
        tokens = self.model.linguistic(ids, mask, prompts=prompts.repeat_interleave(len(ids) // len(images), dim=0))
        tokens = self.model.text_projection(tokens)
        count = prompts.shape[1]
        mask = with_prompts(mask, count)
        # At the start relevance is a half everywhere.
        norms = self.model.lgfa.norms
        maps = [1.5 * unflatten_map(norm(flatten_map(x)), *x.shape[-2:]) for norm, x in zip(norms, maps, strict=True)]
        mid = self.model.mid
        shapes = [tuple(x.shape[-2:]) for x in maps[1:]]
        pixels = torch.cat([flatten_map(x) for x in maps[1:]], dim=1)
        places = [sine_positions(*shape, pixels.shape[-1], pixels) for shape in shapes]
        positions = torch.cat([place + embedding for place, embedding in zip(places, mid.level_embedding, strict=True)])
        for layer in mid.layers:
            tokens = layer.word_norms["cross"](tokens)
            tokens = layer.word_norms["self"](tokens + layer.words["self"](tokens, tokens, tokens, mask))
            tokens = layer.word_norms["ffn"](tokens + layer.words["ffn"](tokens))
            pixels = layer.pixel_norms["cross"](pixels)
            pixels = layer.pixel_norms["self"](pixels + layer.pixels["self"](pixels + positions, pixels, shapes))
            pixels = layer.pixel_norms["ffn"](pixels + layer.pixels["ffn"](pixels))
        height, width = shapes[0]
        finest = unflatten_map(pixels[:, : height * width], height, width)
        finest = F.interpolate(finest, size=maps[0].shape[-2:], mode="bilinear", align_corners=False)
        shown = mid.pixel_projection(mid.fuse(maps[0] + finest))
        text = torch.stack([tokens[:, -count:].mean(dim=1), tokens[:, 0]], dim=1)
        prototypes = mid.prototype_projection(text).unflatten(0, (len(images), -1))
        logits = torch.einsum("bdhw,bkcd->bkchw", shown, prototypes)
        return logits[:, :, 1] - logits[:, :, 0]


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
    config = read_recipe(recipe)
    model = create_model(config.preset, **config.model).train()
    if begin is not None:
        model.load_state_dict(load_file(begin))
    model.to(memory_format=torch.channels_last)
    tokenizer = ExpressionTokenizer(vocabulary_path())
    alignment = Alignment(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-4, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: min(1, (i + 1) / 80) * (0.55 + 0.45 * math.cos(math.pi * i / iterations))
    )
    chips = DenseChips(config.data.train, iterations * 8, config.data.chips)
    loader = DataLoader(chips, batch_size=8, num_workers=1, collate_fn=collate)
    start, recent = time.time(), []
    for number, (images, labels, texts) in enumerate(loader, start=1):
        ids, mask = (torch.from_numpy(x) for x in tokenizer.encode(list(chain.from_iterable(texts)), TOKENS))
        with torch.autocast("cpu", torch.bfloat16):
            logits = alignment(images.contiguous(memory_format=torch.channels_last), ids, mask > 0)
        loss = loss_of(logits.float(), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        recent.append(loss.item())
        if number % 25 == 0:
            print(f"{number} {np.mean(recent):.4f} {time.time() - start:.0f} s", flush=True)
            recent = []
        if number % 250 == 0 or number == iterations:
            save_file({name: x.contiguous() for name, x in model.state_dict().items()}, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]) if len(sys.argv) > 4 else None)
