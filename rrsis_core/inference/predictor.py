"""A predictor turns chips and expressions into probabilities. The corridor knows nothing else about models."""

import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from rrsis_core.contract import InferenceError, WeightsError
from rrsis_core.inference.devices import choose_device, default_batch_size, half_is_faster, use_threads
from rrsis_core.inference.edges import onto_edges
from rrsis_core.models import ReferringModel, load_model
from rrsis_core.models.layers import resize
from rrsis_core.models.loading import Card
from rrsis_core.text.tokenizer import ExpressionTokenizer
from rrsis_core.weights import find_weights, vocabulary_path

MULTIPLE = 32  # coarsest stride of the encoders
BLANK = 33  # pixels: 10 m at the default weights' resolution


class ChipPredictor(Protocol):
    """What the corridor needs of a predictor; tests pass one without a model.

    Where it has a `threshold`, that is the probability from which a pixel counts as found, else 0.5. Where it has a
    `second_look`, it takes a third argument, `looks`: 2 has it look at twice the size as well.
    """

    gsd: float | None
    """Ground resolution that it works best at, metres a pixel."""
    tile: int
    """Tile side that it works best with."""
    batch_size: int
    """Chips it takes at once."""

    def __call__(self, chips: NDArray[np.float32], expressions: Sequence[str]) -> NDArray[np.float32]:
        """Return probabilities (B, P, h, w) for chips (B, 3, h, w) in [0, 1] and P expressions."""


class Predictor:
    """A model with its tokenizer on a device. `seconds` adds up, per expression, the time it took.

    `threads` is how many the CPU works with, None for one a core. The image is encoded once for all expressions; the
    time of that is shared out evenly.
    """

    def __init__(self, model: ReferringModel, card: Card, tokenizer: ExpressionTokenizer, device: torch.device) -> None:
        self.model = model.to(device).eval()
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing from torch's stubs
        self.card = card
        self.device = device
        self.gsd, self.tile, self.threshold, self.second_look = card.gsd, card.tile, card.threshold, card.second_look
        self.batch_size = default_batch_size(device)
        self._half = half_is_faster(device)
        self.threads: int | None = None
        self.seconds: dict[str, float] = {}
        self._tokenizer = tokenizer
        self._texts: OrderedDict[str, list[Tensor]] = OrderedDict()

    @torch.inference_mode()
    def __call__(self, chips: NDArray[np.float32], expressions: Sequence[str], looks: int = 1) -> NDArray[np.float32]:
        """Return probabilities (B, P, h, w) for chips (B, 3, h, w) in [0, 1], of any size.

        With two looks, the logits are a mean of those at the chips' size and of those at twice that, where small things
        are drawn finer; the second have the share that the card gives, or half. On a GPU that runs out of memory the
        batch is halved. Raises InferenceError inference.out_of_memory when one chip alone is too much.
        """
        use_threads(self.threads)
        try:
            return self._predict(chips, expressions, looks)
        except torch.OutOfMemoryError as error:
            if len(chips) == 1:
                raise InferenceError(
                    f"The device has too little memory for one tile of {chips.shape[-1]} pixels.",
                    code="inference.out_of_memory",
                    hint="Use a smaller --tile, or --device cpu.",
                ) from error
        torch.cuda.empty_cache()
        half = self.batch_size = math.ceil(len(chips) / 2)
        return np.concatenate([self(chips[:half], expressions, looks), self(chips[half:], expressions, looks)])

    def _predict(self, chips: NDArray[np.float32], expressions: Sequence[str], looks: int) -> NDArray[np.float32]:
        images = torch.from_numpy(chips).to(self.device)
        margins = self._margins(images, expressions)
        if looks == 2:
            share = self.second_look or 0.5
            larger = F.interpolate(images, scale_factor=2, mode="bicubic", align_corners=False).clamp(0, 1)
            margins = (1 - share) * margins + share * F.avg_pool2d(self._margins(larger, expressions), 2)
        sure = torch.sigmoid(margins.amax(dim=(2, 3)) / self.card.temperature) >= self.card.least_peak
        found = sure.any(dim=0)
        if self.card.edge_radius and found.any():
            margins[:, found] = onto_edges(images, margins[:, found], self.card.edge_radius)
        shown = sure[:, :, None, None] & ~blank(images)[:, None]
        probabilities: NDArray[np.float32] = (torch.sigmoid(margins / self.card.temperature) * shown).cpu().numpy()
        return probabilities

    def _margins(self, images: Tensor, expressions: Sequence[str]) -> Tensor:
        """Return by how much the logits (B, P, h, w) are for the answer and not against it."""
        start = time.perf_counter()
        height, width = images.shape[-2:]
        images = pad_to_multiple(images).contiguous(memory_format=torch.channels_last)  # a third faster on CPUs
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            visual = self.model.encode_image(images)
            shared = (time.perf_counter() - start) / len(expressions)
            answers = []
            for expression in expressions:
                start = time.perf_counter()
                text = [x.expand(len(images), *x.shape[1:]) for x in self._encode(expression)]
                logits = resize(self.model.segment(visual, text).logits.float(), images.shape[-2:])
                answers.append((logits[:, 1] - logits[:, 0])[:, :height, :width])
                spent = time.perf_counter() - start + shared
                self.seconds[expression] = self.seconds.get(expression, 0.0) + spent
        return torch.stack(answers, dim=1)

    def _encode(self, expression: str) -> list[Tensor]:
        """Encode an expression once for all tiles; the 64 latest are kept."""
        if expression not in self._texts:
            ids, mask = self._tokenizer.encode([expression], self.model.config.max_tokens)
            used = int(mask.sum())  # the answer does not depend on padding, so none is computed
            tokens = [torch.from_numpy(x[:, :used]).to(self.device) for x in (ids, mask)]
            self._texts[expression] = self.model.encode_text(*tokens)
            if len(self._texts) > 64:
                self._texts.popitem(last=False)
        return self._texts[expression]


def blank(chips: Tensor) -> Tensor:
    """Tell where chips (B, 3, h, w) in [0, 1] show nothing at all: (B, h, w).

    Mosaics are filled up with white or black that nobody declared nodata. A pixel is blank inside a square of BLANK
    pixels that is all white, or all black, up to the last step of eight bits.
    """
    empty = torch.stack([(chips >= 254 / 255).all(dim=1), (chips <= 0).all(dim=1)], dim=1).float()
    if not empty.any():
        return torch.zeros_like(empty[:, 0], dtype=torch.bool)
    inside = -_highest(-empty)
    return _highest(inside).amax(dim=1) > 0


def _highest(maps: Tensor) -> Tensor:
    """Return the highest value in the square of BLANK pixels around each, rows first and then columns."""
    rows = F.max_pool2d(maps, (1, BLANK), stride=1, padding=(0, BLANK // 2))
    return F.max_pool2d(rows, (BLANK, 1), stride=1, padding=(BLANK // 2, 0))


def pad_to_multiple(images: Tensor) -> Tensor:
    """Pad images (B, 3, h, w) at the bottom and right by their last pixels, to a multiple of the coarsest stride."""
    height, width = images.shape[-2:]
    return F.pad(images, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")


def load_predictor(
    weights: str | Path | None = None, device: str = "auto", batch_size: int | None = None, threads: int | None = None
) -> Predictor:
    """Load weights by name or path (default: the packaged ones) as a predictor; `threads` are those of the CPU.

    Raises WeightsError (not_found, corrupt, preset, keys, vocabulary) and InferenceError inference.device.
    """
    chosen = choose_device(device)
    model, card = load_model(find_weights(None if weights is None else str(weights)))
    tokenizer = ExpressionTokenizer(vocabulary_path())
    if card.vocabulary_sha256 and card.vocabulary_sha256 != tokenizer.sha256:
        raise WeightsError(
            f"The weights '{card.name}' were trained with another vocabulary.",
            code="weights.vocabulary",
            hint="Use weights made for this version of rrsis.",
        )
    predictor = Predictor(model, card, tokenizer, chosen)
    predictor.batch_size = batch_size or predictor.batch_size
    predictor.threads = threads
    return predictor
