"""What every referring model is: images and expressions in, logits out.

A model takes RGB images in [0, 1]; mean and standard deviation are its own buffers, so nobody can feed it wrongly
standardised pixels. `encode_image` is the half that does not depend on the expression.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class SegmentationOutput(NamedTuple):
    """Logits (B, 2, h, w), channel 0 background and 1 foreground, and what the criterion needs beside them."""

    logits: Tensor
    extras: dict[str, Tensor]


class ReferringModel(nn.Module):
    """Base class: standardisation, and the two halves that inference calls apart.

    An image is encoded once for any number of expressions, an expression once for any number of images; only
    `segment` needs both. Encodings are lists of tensors whose first dimension is the batch.
    """

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("pixel_mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def standardise(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> zero mean, unit variance."""
        return (images - self.pixel_mean) / self.pixel_std

    def encode_image(self, images: Tensor) -> list[Tensor]:
        """Encode images (B, 3, H, W) in [0, 1] as far as that goes without the expression."""
        raise NotImplementedError

    def encode_text(self, token_ids: Tensor, attention_mask: Tensor) -> list[Tensor]:
        """Encode expressions (B, N) as far as that goes without the image.

        attention_mask is bool or integer: 0 padding, 1 token, 2 token of a target word (what BTDNet hides).
        """
        raise NotImplementedError

    def segment(self, visual: list[Tensor], text: list[Tensor]) -> SegmentationOutput:
        """Segment B encoded images with one encoded expression each; logits (B, 2, H / 4, W / 4)."""
        raise NotImplementedError

    def forward(self, images: Tensor, token_ids: Tensor, attention_mask: Tensor) -> SegmentationOutput:
        """Segment images (B, 3, H, W) in [0, 1] with K expressions each, token_ids and attention_mask (B K, N).

        Returns logits (B K, 2, H / 4, W / 4), image by image.
        """
        visual, text = self.encode_image(images), self.encode_text(token_ids, attention_mask)
        total = token_ids.shape[0]
        count = total // images.shape[0]
        if count == 1:
            return self.segment(visual, text)
        if self.training or images.device.type != "cpu":
            return self.segment([x.repeat_interleave(count, dim=0) for x in visual], text)
        # One after the other: what a processor computes for one expression fits its cache better.
        outputs = [
            self.segment([x[i // count : i // count + 1] for x in visual], [x[i : i + 1] for x in text])
            for i in range(total)
        ]
        extras = {name: torch.cat([output.extras[name] for output in outputs]) for name in outputs[0].extras}
        return SegmentationOutput(torch.cat([output.logits for output in outputs]), extras)


def foreground_probability(logits: Tensor) -> Tensor:
    """Soft-max over the two channels: (B, 2, h, w) -> probability of foreground (B, h, w)."""
    return torch.sigmoid(logits[:, 1].float() - logits[:, 0].float())
