"""Calibrate weights: `python training/calibrate.py WEIGHTS OUT.safetensors [PLOT.png]` writes them in half precision.

On the calibration split, expressions of all kinds, for what is there and what is not. The temperature is the one with
the least log loss; the least peak is what 95 % of the phrases for something that is there reach; the threshold is the
one with the best mean IoU after that. The plot shows how often pixels of some probability belong to the answer.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from tqdm import tqdm

from rrsis_core import load_predictor
from rrsis_core.data.samples import ChipConfig, draw_samples
from rrsis_core.data.scenes import read_scene
from rrsis_core.models import load_model, save_weights
from rrsis_core.weights.card import Card

CHIPS = {"chips": 2, "dubai": 6, "banepa": 6}  # of each scene
PHRASES, PIXELS = 4, 400  # a chip, a phrase
MISSED = 0.05


@dataclasses.dataclass
class Asked:
    """What calibration needs of a phrase asked of a chip."""

    part: str
    there: bool
    peak: float
    ious: np.ndarray
    """By threshold."""
    margins: np.ndarray
    truth: np.ndarray
    """Of the same pixels."""


def ask(weights: str, folder: Path) -> tuple[Card, list[Asked], np.ndarray]:
    """Ask everything; the third is the margins that the thresholds of the IoUs stand for."""
    predictor = load_predictor(weights)
    predictor.card = dataclasses.replace(predictor.card, temperature=1.0, least_peak=0.0)
    rng, config = np.random.default_rng(3), ChipConfig(size=256)
    levels = np.arange(-4.0, 2.01, 0.125)
    asked = []
    for part, count in CHIPS.items():
        for path in tqdm(sorted((folder / part).glob("*.scene")), desc=part):
            scene = read_scene(path)
            for samples in (draw_samples(scene, rng, config, PHRASES) for _ in range(count)):
                if samples is None:
                    continue
                chip = (samples[0].image.transpose(2, 0, 1)[None] / 255).astype(np.float32)
                answers = predictor(chip, [sample.expression for sample in samples])[0]
                for sample, answer in zip(samples, answers, strict=True):
                    known, truth = sample.mask != 255, sample.mask == 1
                    margin = torch.logit(torch.from_numpy(answer), eps=1e-7).numpy()
                    found = [(margin > level) & known for level in levels]
                    ious = [(some & truth).sum() / max(1, ((some | truth) & known).sum()) for some in found]
                    chosen = rng.permutation(np.flatnonzero(known))[:PIXELS]
                    rest = margin.ravel()[chosen], truth.ravel()[chosen]
                    asked.append(Asked(part, bool(truth.any()), float(margin.max()), np.array(ious), *rest))
    return predictor.card, asked, levels


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def calibrate(weights: str, folder: Path, plot: Path | None = None) -> tuple[Card, dict[str, float]]:
    """Return the card with temperature, threshold and least peak, and what they come to on the calibration split."""
    card, asked, levels = ask(weights, folder)
    margins = np.concatenate([one.margins for one in asked])
    truth = np.concatenate([one.truth for one in asked])

    def loss(temperature: float) -> float:
        chance = sigmoid(margins / temperature)
        return float(-np.log(np.where(truth, chance, 1 - chance) + 1e-9).mean())

    temperature = min(np.arange(0.5, 5, 0.05).tolist(), key=loss)
    there, gone = ([one for one in asked if one.there is kind] for kind in (True, False))
    least = float(np.quantile([one.peak for one in there], MISSED))
    ious = np.array([one.ious * (one.peak >= least) for one in there])
    parts = np.array([one.part for one in there])
    means = np.mean([ious[parts == part].mean(axis=0) for part in CHIPS], axis=0)
    best = int(means.argmax())
    card = dataclasses.replace(
        card,
        temperature=round(temperature, 2),
        threshold=round(float(sigmoid(levels[best] / temperature)), 3),
        least_peak=round(float(sigmoid(np.array(least / temperature))), 3),
    )
    chances = sigmoid(margins / temperature)
    bins = np.clip((chances * 10).astype(int), 0, 9)
    shares = [(chances[bins == k].mean(), truth[bins == k].mean(), (bins == k).mean()) for k in np.unique(bins)]
    if plot:
        draw(shares, card).save(plot)
    peak = max(least, levels[best])
    return card, {
        "phrases": len(asked),
        "mean IoU at the threshold": round(float(means[best]), 3),
        "mean IoU at 0.5": round(float(means[np.abs(levels).argmin()]), 3),
        "expected calibration error": round(float(sum(abs(p - t) * n for p, t, n in shares)), 4),
        "absent phrases with an empty answer": round(float(np.mean([one.peak < peak for one in gone])), 3),
        "present phrases with an empty answer": round(float(np.mean([one.peak < peak for one in there])), 3),
    }


def draw(shares: list[tuple[float, float, float]], card: Card) -> Image.Image:
    """Draw the reliability of scores: what belongs to the answer, by probability, with the diagonal."""
    side, rim = 360, 48
    picture = Image.new("RGB", (side + 2 * rim, side + 2 * rim), "white")
    pen = ImageDraw.Draw(picture)

    def at(x: float, y: float) -> tuple[float, float]:
        return rim + x * side, rim + (1 - y) * side

    pen.rectangle([*at(0, 1), *at(1, 0)], outline="black")
    pen.line([at(0, 0), at(1, 1)], fill="#999999", width=2)
    pen.line([at(card.threshold, 0), at(card.threshold, 1)], fill="#cc3311", width=1)
    points = [at(chance, share) for chance, share, _ in shares]
    pen.line(points, fill="#0077bb", width=3)
    for (x, y), (_, _, count) in zip(points, shares, strict=True):
        radius = 3 + 9 * count**0.5
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill="#0077bb")
    pen.text((rim, 8), "share of pixels that belong to the answer", "black", font_size=14)
    pen.text((rim, 26), f"red: threshold {card.threshold:g}", "#cc3311", font_size=12)
    pen.text((rim + side / 2 - 60, side + rim + 22), "probability (score)", "black", font_size=14)
    for tick in (0, 0.5, 1):
        pen.text((at(tick, 0)[0] - 8, at(0, 0)[1] + 4), f"{tick:g}", "black", font_size=12)
        pen.text((rim - 24, at(0, tick)[1] - 8), f"{tick:g}", "black", font_size=12)
    return picture


def main(weights: str, out: Path, plot: Path | None) -> None:
    """Write the weights with a calibrated card."""
    model, _ = load_model(weights)
    card, told = calibrate(weights, Path("cache/calibration"), plot)
    save_weights(
        model, out, dataclasses.replace(card, description={**card.description, "calibration": told}), half=True
    )
    print(f"temperature {card.temperature}, threshold {card.threshold}, least peak {card.least_peak}")
    for name, value in told.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3:] else None)
