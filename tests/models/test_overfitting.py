"""Each model, at a tiny width, learns eight real pictures with their phrases by heart."""

import pytest
import torch

from rrsis_core.models import create_criterion, create_model

STEPS = 120
SHARED = {
    "backbone": {"name": "convnext_atto", "drop_path": 0.0, "layer_scale": 0.1},
    "bert": {"vocab_size": 2048, "hidden": 64, "layers": 4, "heads": 2, "intermediate": 128, "dropout": 0.0},
    "img_size": 128,
}
TINY = {
    "btdnet_convnext_pico_256": {"dim": 64, "bsc": {"dim": 32}, "rec": {"dim": 32, "heads": 2}},
    "crobim_convnext_pico_256": {"dim": 64},
    "lavt_convnext_pico_256": {"decoder_dim": 64},
}


@pytest.mark.parametrize("preset", TINY)
def test_overfits_eight_real_samples(preset, eight_samples):
    torch.manual_seed(0)
    model, criterion = create_model(preset, **SHARED, **TINY[preset]).train(), create_criterion(preset)
    optimizer = torch.optim.AdamW(model.parameters())
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1, (step + 1) / 10)
        output = model(*(eight_samples[name] for name in ("images", "token_ids", "attention_mask")))
        if mean_iou(output.logits, eight_samples["masks"]) > 0.9:
            return
        optimizer.zero_grad()
        criterion(output, eight_samples["masks"])["loss"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    raise AssertionError(f"mIoU {mean_iou(output.logits, eight_samples['masks']):.2f} after {STEPS} steps")


def mean_iou(logits, masks):
    """Compare at the masks' size, as the criteria and the metrics do."""
    full = torch.nn.functional.interpolate(logits, size=masks.shape[-2:], mode="bilinear", align_corners=False)
    found, truth = full.argmax(1) == 1, masks == 1
    return ((found & truth).sum((1, 2)) / (found | truth).sum((1, 2)).clamp(min=1)).mean()
