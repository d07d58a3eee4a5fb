"""Views of what a model attends to while it answers one expression on one image, for researchers.

They are taken from the modules while these run, so that no model needs to know of it: CAPM (where the prompts look),
LGFA (relevance a scale and their compensated sum), MID or MCI (where each word looks in the last layer), BSC (which
pixels take each word in, and where each word looks, stage by stage).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from rrsis_core.data.drawing import PREDICTION, heat, overlay, row_sheet
from rrsis_core.data.samples import encode
from rrsis_core.data.transforms import resize_image
from rrsis_core.engine.evaluate import masks_of, text_settings
from rrsis_core.models import ReferringModel, foreground_probability
from rrsis_core.models.btdnet.spatial_correlation import SpatialCorrelation
from rrsis_core.models.crobim.feature_aggregation import FeatureAggregation
from rrsis_core.models.crobim.prompt_modulation import PromptModulation
from rrsis_core.models.layers import Attention, flatten_map, resize
from rrsis_core.models.mask_decoder import MutualLayer
from rrsis_core.text.tokenizer import ExpressionTokenizer

MOST_WORDS = 9  # columns of the picture
Inputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class View:
    """A row of maps (H, W) float: one a word, a scale or a prompt."""

    title: str
    captions: tuple[str, ...]
    maps: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class Explanation:
    """The image (S, S, 3) as the model saw it, the probability (S, S), the mask (S, S) and the views."""

    image: NDArray[np.uint8]
    probability: NDArray[np.float32]
    mask: NDArray[np.bool_]
    views: tuple[View, ...]


@torch.inference_mode()
def explain(
    model: ReferringModel, tokenizer: ExpressionTokenizer, image: NDArray[np.uint8], expression: str
) -> Explanation:
    """Answer one expression on an image (H, W, 3) and keep what the modules attended to."""
    config: Any = model.config
    size = config.img_size
    picture = resize_image(np.ascontiguousarray(image), size)
    device = model.pixel_mean.device
    pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float().to(device) / 255
    ids, mask = (torch.from_numpy(x).to(device) for x in encode(tokenizer, [expression], *text_settings(config)))
    count = int((mask > 0).sum())
    words = ["[CLS]", *tokenizer.tokens(expression), "[SEP]"][:count]
    seen: list[tuple[nn.Module, Inputs]] = []
    hooks = [
        module.register_forward_hook(lambda module, inputs, _: seen.append((module, inputs)))
        for module in model.modules()
        if isinstance(module, (PromptModulation, FeatureAggregation, SpatialCorrelation, MutualLayer))
    ]
    try:
        logits = model.eval()(pixels, ids[:, :count], mask[:, :count]).logits.float()
    finally:
        for hook in hooks:
            hook.remove()
    probability = foreground_probability(resize(logits, (size, size)))[0].cpu().numpy()
    return Explanation(
        picture, probability, masks_of(logits, (size, size))[0].cpu().numpy(), tuple(_views(seen, words))
    )


def draw_explanation(explanation: Explanation, expression: str, path: Path) -> None:
    """Draw the answer and every view as one picture."""
    image, side = explanation.image, explanation.image.shape[:2]
    answer = [
        ("image", image),
        ("answer", overlay(image, explanation.mask, PREDICTION)),
        (f"probability, up to {explanation.probability.max():.2f}", heat(image, explanation.probability)),
    ]
    rows: list[tuple[str, Sequence[tuple[str, NDArray[np.uint8]]]]] = [(f"“{expression}”", answer)]
    for view in explanation.views:
        maps = (heat(image, _enlarged(values, side)) for values in view.maps)
        rows.append((view.title, list(zip(view.captions, maps, strict=True))))
    row_sheet(rows).save(path)


def attention(module: Attention, query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the weights (B, N, M) of an attention, averaged over its heads."""
    q, k = (x.unflatten(-1, (module.heads, -1)).transpose(1, 2) for x in (module.query(query), module.key(key)))
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], -math.inf)
    return scores.softmax(dim=-1).mean(dim=1)


def _views(seen: Sequence[tuple[nn.Module, Inputs]], words: Sequence[str]) -> list[View]:
    """Turn what was seen into views, in the order in which it happened; of the mutual layers only the last."""
    views = []
    stage = 0
    last = [inputs for module, inputs in seen if isinstance(module, MutualLayer)][-1:]
    for module, inputs in seen:
        if isinstance(module, PromptModulation):
            views += _prompts(module, inputs)
        elif isinstance(module, FeatureAggregation) and module.config.enabled:
            views.append(_relevance(module, inputs))
        elif isinstance(module, SpatialCorrelation):
            stage += 1
            views += _correlation(module, inputs, words, stage)
        elif isinstance(module, MutualLayer) and inputs is last[0] and module.words is not None:
            views.append(_decoder(module, inputs, words))
    return views


def _prompts(module: PromptModulation, inputs: Inputs) -> list[View]:
    """CAPM: how much the prompts look at each quarter of the image, for every scale."""
    if module.attention is None or module.config.grids != (1, 2):
        return []
    context = module.context(list(inputs[0]))
    weights = attention(module.attention, module.prompts[None], context)[0].mean(dim=0).cpu()
    maps = []
    for scale in weights.unflatten(0, (-1, 5)):  # one token of the whole map, then four of its quarters
        maps.append((scale[1:] + scale[0] / 4).view(2, 2).numpy())
    captions = tuple(f"stage {number}: {x.sum():.0%}" for number, x in enumerate(maps, start=1))
    return [View("CAPM: where the prompts look", captions, tuple(maps))]


def _relevance(module: FeatureAggregation, inputs: Inputs) -> View:
    """LGFA: relevance of every scale, and the compensated map."""
    projected, words, mask = inputs
    guided = module.interact(list(projected), module.words(words), mask)
    maps = [module.relevance(x, words, mask) for x in guided]
    fused = module.compensate([resize(x, maps[0].shape[-2:]) for x in maps])
    captions = (*(f"stage {number}" for number in range(1, len(maps) + 1)), "compensated")
    return View("LGFA: relevance", captions, tuple(x[0, 0].float().cpu().numpy() for x in (*maps, fused)))


def _correlation(module: SpatialCorrelation, inputs: Inputs, words: Sequence[str], stage: int) -> list[View]:
    """BSC: which pixels take a word in (soft-max over words), and where a word looks (soft-max over pixels)."""
    x, text, mask = inputs
    shape = x.shape[-2:]
    scores = flatten_map(module.pixels(x)) @ module.words(text).transpose(1, 2) * module.scale
    taken = scores.masked_fill(~mask[:, None, :], -math.inf).softmax(dim=-1)[0].T
    views = [_by_word(f"BSC, stage {stage}: pixels that take a word in", taken, words, shape)]
    if module.config.direction == "both":
        valid = mask[:, :, None].to(text.dtype)
        queries = module.phrases((text * valid).transpose(1, 2)).transpose(1, 2)
        looks = (queries @ module.patches(flatten_map(x)).transpose(1, 2) * module.scale).softmax(dim=-1)[0]
        views.append(_by_word(f"BSC, stage {stage}: where a word looks", looks, words, shape))
    return views


def _decoder(module: MutualLayer, inputs: Inputs, words: Sequence[str]) -> View:
    """MID or MCI: where each word looks in the last layer, on the finest of its three levels."""
    text, pixels, _, positions, shapes = inputs
    assert module.words is not None
    cross: Any = module.words["cross"]
    height, width = shapes[0]
    weights = attention(cross, text, pixels + positions)[0, :, : height * width]
    return _by_word("Decoder, last layer: where a word looks", weights, words, (height, width))


def _by_word(title: str, weights: Tensor, words: Sequence[str], shape: Sequence[int]) -> View:
    """Make a view of weights (N, H W), one map a word."""
    chosen = list(words)[:MOST_WORDS]
    maps = (weights[place].float().reshape(tuple(shape)).cpu().numpy() for place in range(len(chosen)))
    return View(title, tuple(chosen), tuple(maps))


def _enlarged(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Resize a map: blocks where it has few cells, smooth otherwise."""
    how = Image.Resampling.NEAREST if values.size < 64 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size[::-1], how))
