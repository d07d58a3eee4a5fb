"""Curves: a run's loss and validation scores over its iterations, as one picture."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rrsis_core.engine.logbook import read_log

COLORS = ((0, 114, 178), (213, 94, 0), (0, 158, 115))  # of Okabe and Ito
PAPER, INK, GRID, FAINT = (255, 255, 255), (40, 40, 40), (225, 225, 225), (170, 200, 225)
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 70, 20, 40, 50
FINER = 2  # drawn so many times larger, then shrunk: smooth lines
Line = tuple[str, Sequence[float], Sequence[float]]


def draw_curves(log: Path, target: Path) -> None:
    """Draw the log of a run: the loss on the left, mIoU and oIoU of the validation samples on the right."""
    lines = list(read_log(log))
    steps = [(line["iteration"], line["loss"]) for line in lines if "loss" in line]
    epochs = [line for line in lines if "val_mIoU" in line]
    at = [line["iteration"] for line in epochs]
    scores: list[Line] = [(name, at, [line[f"val_{name}"] for line in epochs]) for name in ("mIoU", "oIoU")]
    raw: list[Line] = [("each iteration", [step for step, _ in steps], [loss for _, loss in steps])] if steps else []
    smooth: list[Line] = [("smoothed", *smoothed(steps))] if steps else []
    sheet = Image.new("RGB", (2 * WIDTH, HEIGHT), PAPER)
    sheet.paste(_panel("loss", raw, smooth), (0, 0))
    sheet.paste(_panel("validation", [], scores, bounds=(0.0, 1.0)), (WIDTH, 0))
    sheet.save(target)


def draw_comparison(logs: Mapping[str, Path], target: Path) -> None:
    """Draw up to three runs, by name: the smoothed loss on the left, mIoU of the validation samples on the right."""
    losses: list[Line] = []
    scores: list[Line] = []
    for name, log in logs.items():
        lines = list(read_log(log))
        losses.append((name, *smoothed([(line["iteration"], line["loss"]) for line in lines if "loss" in line])))
        epochs = [line for line in lines if "val_mIoU" in line]
        scores.append((name, [line["iteration"] for line in epochs], [line["val_mIoU"] for line in epochs]))
    sheet = Image.new("RGB", (2 * WIDTH, HEIGHT), PAPER)
    sheet.paste(_panel("loss (each model's own)", [], losses), (0, 0))
    sheet.paste(_panel("validation mIoU", [], scores, bounds=(0.0, 1.0)), (WIDTH, 0))
    sheet.save(target)


def smoothed(steps: Sequence[tuple[float, float]], points: int = 200) -> tuple[list[float], list[float]]:
    """Return the means of stretches of the loss: at most `points` of them, of at least ten iterations."""
    count = max(1, min(points, len(steps) // 10))
    parts = np.array_split(np.array(steps, float), count)
    return [float(part[:, 0].mean()) for part in parts], [float(part[:, 1].mean()) for part in parts]


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Return round numbers from low to high, about `count`."""
    span = (high - low) or 1.0
    power = 10 ** math.floor(math.log10(span / count))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= count)
    return [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _panel(
    title: str, faint: Sequence[Line], strong: Sequence[Line], bounds: tuple[float, float] | None = None
) -> Image.Image:
    """Draw one pair of axes with faint and strong lines."""
    xs = [x for _, across, _ in (*faint, *strong) for x in across] or [0.0, 1.0]
    ys = [y for _, _, up in (*faint, *strong) for y in up] or [0.0, 1.0]
    low, high = bounds or (min(0.0, *ys), float(np.quantile(ys, 0.995)) * 1.05 or 1.0)
    last = max(xs) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (WIDTH - LEFT - RIGHT) * x / last
        up = TOP + (HEIGHT - TOP - BOTTOM) * (1 - (min(max(y, low), high) - low) / (high - low))
        return across * FINER, up * FINER

    panel = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), PAPER)
    draw = ImageDraw.Draw(panel)
    font = ImageFont.load_default(14 * FINER)
    for y in ticks(low, high):
        draw.line([place(0, y), place(last, y)], GRID, FINER)
        draw.text((place(0, y)[0] - 8 * FINER, place(0, y)[1]), f"{y:g}", INK, font, anchor="rm")
    for x in ticks(0, last):
        draw.text((place(x, low)[0], place(x, low)[1] + 8 * FINER), f"{x:g}", INK, font, anchor="mt")
    draw.text((LEFT * FINER, 12 * FINER), title, INK, font, anchor="lt")
    draw.text(((WIDTH - RIGHT) * FINER, (HEIGHT - 24) * FINER), "iteration", INK, font, anchor="rt")
    for _, across, up in faint:
        draw.line([place(x, y) for x, y in zip(across, up, strict=True)], FAINT, FINER)
    for number, (name, across, up) in enumerate(strong):
        points = [place(x, y) for x, y in zip(across, up, strict=True)]
        draw.line(points, COLORS[number], 2 * FINER, joint="curve")
        for x, y in points if len(points) < 60 else []:
            draw.ellipse((x - 3 * FINER, y - 3 * FINER, x + 3 * FINER, y + 3 * FINER), COLORS[number])
        value = f"{name} {up[-1]:.3f}" if len(up) else name
        draw.text(((WIDTH - RIGHT - 130 * number) * FINER, 12 * FINER), value, COLORS[number], font, anchor="rt")
    return panel.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
