"""Colouring puts a model's answer to a phrase with a colour right by the colours that the pixels have.

A small model hears "blue" less well than "roofs". So it is asked for the roofs as well: what people call blue of that
answer's objects is one of the blue ones too, and what nobody would call blue of the answer to "the blue roofs" is
dropped. What people call blue is a Gaussian in CIE Lab, fitted to the objects of the training data by
training/make_colors.py.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rrsis_core.contract import NullProgress, SegmentOptions
from rrsis_core.data.colors import lightness_chroma_hue
from rrsis_core.geo.raster import Raster, open_raster
from rrsis_core.geo.raster_info import Frame
from rrsis_core.inference.instances import Floats, Polygons
from rrsis_core.inference.questions import Question, colored_expressions, local_expressions
from rrsis_core.inference.revectorising import stored_rows
from rrsis_core.inference.scene_answers import Portion, Scene, drawn, mean_colors, stored_instances

CALLED_FROM = 0.5  # chance of the name among all names
NEVER_BELOW, FARTHEST = 0.05, 9.0  # chance, and squared Mahalanobis distance, of what nobody calls so


@cache
def people() -> dict[str, tuple[Floats, Floats]]:
    """Return mean (3) and covariance (3, 3) in Lab of what each colour name is said of."""
    table = json.loads((files("rrsis_core.inference") / "colors.json").read_text())
    return {name: (np.array(item["mean"]), np.array(item["covariance"])) for name, item in table.items()}


def lab(rgb: Floats) -> Floats:
    """Return CIE L, a and b of an sRGB colour of 0..255 per channel."""
    lightness, chroma, hue = lightness_chroma_hue(rgb.tolist())
    return np.array([lightness, chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))])


def judge(rgb: Floats, color: str) -> bool | None:
    """Tell whether people call an sRGB colour (0..255) so: True, False, or None where they may."""
    squares, likelihoods = {}, {}
    for name, (mean, covariance) in people().items():
        off = lab(rgb) - mean
        squares[name] = float(off @ np.linalg.solve(covariance, off))
        likelihoods[name] = -(squares[name] + float(np.linalg.slogdet(covariance)[1])) / 2
    if color not in squares:
        return None
    chance = 1 / sum(math.exp(min(other - likelihoods[color], 700)) for other in likelihoods.values())
    if chance > CALLED_FROM:
        return True
    return False if chance < NEVER_BELOW and squares[color] > FARTHEST else None


@contextmanager
def colored(
    rows: Iterable[Portion], questions: Sequence[Question], scene: Scene, options: SegmentOptions
) -> Iterator[Iterable[Portion]]:
    """Put rows of local expressions (L, rows, width) that name a colour right; others pass as they are.

    They come and go with the number of pixels that hold something, and whether they are the last.
    """
    pairs = colored_expressions(questions) if len(set(scene.bands)) > 1 else {}  # one band shows no colour
    if not pairs:
        yield rows
        return
    local = local_expressions(questions)
    named = {text for text, (_, plain) in pairs.items() for text in (text, plain)}
    with tempfile.TemporaryDirectory(prefix="rrsis-") as folder:
        store = Path(folder) / "local.tif"
        found, valid = stored_instances(rows, store, local, named, scene, options)
        looks = {text: mean_colors(some, scene) * 255 for text, some in found.items()}
        changes = []
        for text, (color, plain) in pairs.items():
            added = [judge(rgb, color) is True for rgb in looks[plain]]
            dropped = [judge(rgb, color) is False for rgb in looks[text]]
            outlines = found[text].outlines[np.array(dropped, bool)], found[plain].outlines[np.array(added, bool)]
            changes.append((local.index(text), local.index(plain), *outlines))
        with open_raster(store) as stored:
            yield _changed(stored, valid, changes, scene.frame)


def _changed(
    stored: Raster, valid: int, changes: Sequence[tuple[int, int, Polygons, Polygons]], frame: Frame
) -> Iterator[Portion]:
    """Read the rows again, zero what is dropped and put in what is added; all pixels are counted with the first."""
    top = 0
    for some, _, last in stored_rows(stored, NullProgress()):
        for index, plain, dropped, added in changes:
            some[index][_inside(dropped, frame, top, some.shape[1])] = 0
            inside = _inside(added, frame, top, some.shape[1])
            some[index][inside] = np.maximum(some[index], some[plain])[inside]
        yield some, valid, last
        top, valid = top + some.shape[1], 0


def _inside(outlines: Polygons, frame: Frame, top: int, height: int) -> NDArray[np.bool_]:
    return drawn(outlines, frame, top, height, np.ones(len(outlines), np.int64)) > 0
