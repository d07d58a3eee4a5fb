"""Drawing: pictures for people, of samples with their masks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Okabe and Ito's colours, which colour-blind people tell apart.
TRUTH, PREDICTION = (240, 228, 66), (204, 121, 167)
PAPER, INK, FAINT = (255, 255, 255), (30, 30, 30), (115, 115, 115)
_FILL, _GAP, _TEXT = 0.4, 12, 14
# Dark violet to yellow, even steps of lightness for every eye.
_HEAT = ((13, 8, 135), (126, 3, 168), (204, 71, 120), (248, 149, 64), (240, 249, 33))


@dataclass(frozen=True)
class Cell:
    """One picture of a sheet: image (H, W, 3) uint8, mask (H, W) bool of the same size, a text and a fainter note."""

    image: np.ndarray
    mask: np.ndarray
    text: str
    note: str = ""


def overlay(image: np.ndarray, mask: np.ndarray, color: tuple[int, int, int] = TRUTH) -> np.ndarray:
    """Return the image (H, W, 3) with the mask (H, W) tinted and outlined in a colour with a dark rim."""
    painted = image.astype(np.float32)
    painted[mask] += _FILL * (np.array(color, np.float32) - painted[mask])
    rim = _grown(mask) & ~mask
    painted[_grown(rim)] = 0
    painted[rim] = color
    return painted.astype(np.uint8)


def truth_and_answer(image: np.ndarray, truth: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """Return the image (H, W, 3) with both masks (H, W): the answer tinted and outlined, the truth outlined over it."""
    painted = overlay(image, answer, PREDICTION)
    rim = _grown(_grown(truth)) & ~truth
    painted[rim] = TRUTH
    return painted


def contact_sheet(cells: Sequence[Cell], columns: int = 4, side: int = 256) -> Image.Image:
    """Return a sheet of pictures with their masks, each above its text."""
    font = ImageFont.load_default(_TEXT)
    texts = [(*_wrapped(cell.text, font, side, lines=3), cell.note) for cell in cells]
    line = round(_TEXT * 1.35)
    height = side + line * max((len(text) for text in texts), default=0) + _GAP
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * (side + _GAP) + _GAP, rows * (height + _GAP) + _GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        left, top = _GAP + number % columns * (side + _GAP), _GAP + number // columns * (height + _GAP)
        shape = (side, side)
        small = np.asarray(Image.fromarray(cell.image).resize(shape, Image.Resampling.BILINEAR))
        mask = np.asarray(Image.fromarray(cell.mask).convert("L").resize(shape, Image.Resampling.BOX)) > 0
        sheet.paste(Image.fromarray(overlay(small, mask)), (left, top))
        for place, words in enumerate(text):
            fill = FAINT if place == len(text) - 1 else INK
            draw.text((left, top + side + 4 + place * line), words, fill, font)
    return sheet


def _grown(mask: np.ndarray) -> np.ndarray:
    """Return a mask grown by one pixel to all sides."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    wide = grown.copy()
    wide[:, 1:] |= grown[:, :-1]
    wide[:, :-1] |= grown[:, 1:]
    return wide


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int, lines: int) -> list[str]:
    """Break a text into lines of a width; the last one ends in an ellipsis where more would follow."""
    found = [""]
    for word in text.split():
        longer = f"{found[-1]} {word}".strip()
        if font.getlength(longer) <= width or not found[-1]:
            found[-1] = longer
        else:
            found.append(word)
    return found if len(found) <= lines else [*found[: lines - 1], found[lines - 1] + " …"]


def heat(image: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the image (H, W, 3) in grey under a map (H, W) of any range: from dark violet (least) to yellow (most)."""
    low, high = float(values.min()), float(values.max())
    place = (values - low) / ((high - low) or 1.0) * (len(_HEAT) - 1)
    below = np.clip(place.astype(int), 0, len(_HEAT) - 2)
    share = (place - below)[..., None]
    color = np.array(_HEAT, np.float32)[below] * (1 - share) + np.array(_HEAT, np.float32)[below + 1] * share
    grey = image.astype(np.float32).mean(axis=2, keepdims=True)
    return (0.35 * grey + 0.65 * color).astype(np.uint8)


def row_sheet(rows: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]], side: int = 180) -> Image.Image:
    """Return rows of pictures (H, W, 3), each row under its title and each picture above its caption."""
    font, small = ImageFont.load_default(_TEXT + 1), ImageFont.load_default(_TEXT - 1)
    columns = max(len(pictures) for _, pictures in rows)
    title, caption = 28, 24
    height = title + side + caption
    sheet = Image.new("RGB", (columns * (side + _GAP) + _GAP, len(rows) * height + _GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (name, pictures) in enumerate(rows):
        top = number * height + _GAP
        draw.text((_GAP, top), name, INK, font)
        for column, (words, picture) in enumerate(pictures):
            left = _GAP + column * (side + _GAP)
            sheet.paste(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR), (left, top + title))
            draw.text((left, top + title + side + 4), words, FAINT, small)
    return sheet
