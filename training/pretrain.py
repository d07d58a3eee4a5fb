"""Align pixels and phrases before anything else: `training/pretrain.py RECIPE OUT.safetensors ITERATIONS [START ...]`.

A referring model learns one phrase an image, and at first nothing tells it that "river" and wet pixels belong together.
Here every phrase is asked of every chip of a batch: all categories, and colours of what the batch shows. The logit of a
pixel for a phrase is the product of CroBIM's own pixels and prototypes, before they tell each other anything. What
comes out are weights of the whole model, for a recipe's `initial_encoders`. START files fill what they hold and fits,
one after the other.
"""

import argparse
import functools
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from rrsis_core.data.samples import ChipConfig, objects_in, window
from rrsis_core.data.scenes import SceneObject, read_scene, union_mask
from rrsis_core.data.transforms import resize_image, resize_mask, turn, weather
from rrsis_core.engine.config import read_recipe
from rrsis_core.models import create_model
from rrsis_core.models.crobim import CroBIM
from rrsis_core.models.layers import flatten_map, resize, sine_positions, unflatten_map
from rrsis_core.models.linguistic import with_prompts
from rrsis_core.models.losses import IGNORE, presence_loss
from rrsis_core.text.grammar import Referent, say
from rrsis_core.text.lexicon import GROUPS
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import vocabulary_path

CLASSES = """
    building road path driveway vehicle truck tree forest grass field vegetation river lake sea water sand bunker green
    fairway airplane runway taxiway boat pier bridge shed bare_soil swimming_pool parking_lot storage_tank tennis_court
    baseball_diamond
""".split()
CLASSES = [name.replace("_", " ") for name in CLASSES]
FAMILIES = {
    "roofs": "building shed", "paved": "road path driveway parking_lot pavement runway taxiway bridge pier median",
    "plants": "tree forest grass field vegetation green fairway", "wet": "river lake sea water swimming_pool",
    "bare": "bare_soil sand bunker mound", "things": "airplane vehicle truck boat storage_tank",
    "courts": "tennis_court basketball_court baseball_diamond sports_field",
}  # fmt: skip
FAMILY = {name.replace("_", " "): family for family, names in FAMILIES.items() for name in names.split()}
RULED_OUT = {  # by an outline; a car may stand on a road, grass may grow on a diamond
    "roofs": "paved plants wet bare courts things", "paved": "roofs wet courts", "plants": "roofs wet",
    "wet": "roofs plants bare courts", "things": "roofs plants wet bare courts", "bare": "roofs wet",
    "courts": "roofs paved wet",
}  # fmt: skip
COLORED = 12  # colour phrases a batch
BATCH, SIDE = 8, 208  # chips, and pixels of a chip
UNKNOWN = IGNORE
STRIDE = 2  # of the label maps: what is small needs its outline
TOKENS = 12
SMALLEST = 12  # pixels: below this nobody sees a colour
Pair = tuple[str, str]
read = functools.lru_cache(maxsize=1024)(read_scene)


@dataclass(frozen=True)
class Chip:
    """A chip with one small map a category, and one a colour of a category: 1 there, 0 not there, 255 unknown."""

    image: np.ndarray
    labels: np.ndarray
    colored: dict[Pair, np.ndarray]
    colorless: dict[str, np.ndarray]
    """For each category that is known, where it has no clear colour."""


class DenseChips(Dataset[Chip]):
    """Chips cut out of scenes."""

    def __init__(self, sources: dict[str, float], length: int, chips: ChipConfig, seed: int) -> None:
        self.files = [sorted(Path(folder).glob("*.scene")) for folder in sources]
        self.shares = np.array(list(sources.values())) / sum(sources.values())
        self.length, self.chips, self.seed = length, chips, seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Chip:
        rng = np.random.default_rng([self.seed, index])
        files = self.files[rng.choice(len(self.files), p=self.shares)]
        scene = read(files[rng.integers(len(files))])
        top, left, side = window(scene, rng, self.chips)
        objects = [item for _, item in objects_in(scene.objects, top, left, side)]
        image = resize_image(np.ascontiguousarray(scene.image[top : top + side, left : left + side]), self.chips.size)
        unknown = np.zeros((self.chips.size // STRIDE,) * 2, bool)
        if scene.unlabelled is not None:
            unknown = self.shrink(scene.unlabelled[top : top + side, left : left + side])
        turned = int(rng.integers(4)), bool(rng.integers(2))

        def finish(label: np.ndarray) -> np.ndarray:
            return turn(np.where(unknown, UNKNOWN, label).astype(np.uint8), *turned)

        labels, colored, colorless = [], {}, {}
        outlined = {
            family: [item for item in objects if family in RULED_OUT.get(FAMILY.get(item.category, ""), "").split()]
            for family in FAMILIES
        }
        for name in CLASSES:
            names = {name, *GROUPS.get(name, ())}
            inside = [item for item in objects if item.category in names]
            known = name in scene.complete | scene.absent or (len(names) > 1 and names - {name} <= scene.complete)
            empty = np.full_like(unknown, 0 if known else UNKNOWN, np.uint8)
            if not known:
                empty = self.draw(outlined[FAMILY[name]], side, empty, 0)
            labels.append(finish(self.draw(inside, side, empty, 1)))
            if not known:
                continue
            doubtful = [item for item in inside if item.color is None or item.mask.sum() < SMALLEST]
            blank = self.draw(doubtful, side, np.zeros_like(unknown, np.uint8), UNKNOWN)
            colorless[name] = finish(blank)
            for color in {item.color for item in inside if item.color}:
                meant = [item for item in inside if item.color == color and item.mask.sum() >= SMALLEST]
                if meant:
                    colored[name, color] = finish(self.draw(meant, side, blank, 1))
        return Chip(turn(weather(image, rng), *turned).copy(), np.stack(labels), colored, colorless)

    def shrink(self, mask: np.ndarray) -> np.ndarray:
        """Bring a mask to the size of the label maps."""
        return resize_mask(mask, self.chips.size // STRIDE)

    def draw(self, objects: list[SceneObject], side: int, onto: np.ndarray, value: int) -> np.ndarray:
        """Return a copy of a label map with the objects in it."""
        label = onto.copy()
        if objects:
            label[self.shrink(union_mask(objects, (side, side)))] = value
        return label


def collate(chips: list[Chip]) -> tuple[Tensor, Tensor, list[str]]:
    """Return images (B, 3, S, S), labels (B, K, S / 2, S / 2) and K phrases: each is asked of every chip."""
    rng = np.random.default_rng(int(chips[0].image.sum()))
    pairs = sorted({pair for chip in chips for pair in chip.colored})
    chosen = [pairs[i] for i in rng.permutation(len(pairs))[:COLORED]]
    unknown = np.full_like(chips[0].labels[0], UNKNOWN)
    labels = [
        [*chip.labels, *(chip.colored.get(pair, chip.colorless.get(pair[0], unknown)) for pair in chosen)]
        for chip in chips
    ]
    phrases = [(name, None) for name in CLASSES] + chosen
    texts = [say(Referent(name, str(rng.choice(["one", "all"])), color=color), rng) for name, color in phrases]
    images = torch.from_numpy(np.stack([chip.image for chip in chips])).permute(0, 3, 1, 2).float() / 255
    return images, torch.from_numpy(np.array(labels)), texts


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
        """Return logits (B, K, H / 4, W / 4) of images (B, 3, H, W) for K phrases, ids and mask (K, N).

        A phrase goes with the prompts of one of the images: an encoding of each pair would cost B times as much.
        """
        *maps, prompts = self.model.encode_image(images)
        tokens = self.model.linguistic(ids, mask, prompts=prompts[torch.arange(len(ids)) % len(images)])
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
        prototypes = mid.prototype_projection(text)
        return torch.einsum("bdhw,kd->bkhw", shown, prototypes[:, 1] - prototypes[:, 0])


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy over what is known, a dice over the maps that hold something, and whether they do."""
    logits = resize(logits, labels.shape[-2:])
    known = labels != UNKNOWN
    truth = (labels == 1).float()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")[known].mean()
    probability = torch.sigmoid(logits) * known
    overlap, total = (probability * truth).sum((2, 3)), (probability + truth).sum((2, 3))
    there = truth.sum((2, 3)) > 80
    dice = (1 - 2 * overlap[there] / (total[there] + 1)).mean()
    return entropy * 4 + dice + presence_loss(logits.flatten(0, 1), labels.flatten(0, 1))


def main(recipe: Path, out: Path, iterations: int, begin: list[Path], seed: int) -> None:
    """Train and save the model."""
    torch.manual_seed(0)
    config = read_recipe(recipe)
    model = create_model(config.preset, **config.model).train()
    alignment = Alignment(model)
    for path in begin:
        state = model.state_dict()
        found = {name: x for name, x in load_file(path).items() if name in state and x.shape == state[name].shape}
        model.load_state_dict(found, strict=False)
        print(f"{len(found)} of {len(state)} tensors from {path}")
    model.to(memory_format=torch.channels_last)
    tokenizer = ExpressionTokenizer(vocabulary_path())
    visual = set(model.visual.parameters())
    groups = [
        {"params": list(visual), "lr": 6e-4},
        {"params": [p for p in model.parameters() if p not in visual], "lr": 4e-4},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: min(1, (i + 1) / 80) * (0.525 + 0.475 * math.cos(math.pi * i / iterations))
    )
    chips = DenseChips(config.data.train, iterations * BATCH, replace(config.data.chips, size=SIDE), seed)
    loader = DataLoader(chips, batch_size=BATCH, num_workers=1, collate_fn=collate)
    start, recent = time.time(), []
    for number, (images, labels, texts) in enumerate(loader, start=1):
        ids, mask = (torch.from_numpy(x) for x in tokenizer.encode(texts, TOKENS))
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("iterations", type=int)
    parser.add_argument("begin", type=Path, nargs="*", metavar="START")
    parser.add_argument("--seed", type=int, default=0, help="of the chips that are drawn")
    main(**vars(parser.parse_args()))
