"""Colouring puts a model's answer to a phrase with a colour right by the colours that the pixels have.

A small model hears "blue" less well than "roofs". So it is asked for the roofs as well: what people call blue of that
answer's objects is one of the blue ones too, and what nobody would call blue of the answer to "the blue roofs" is
dropped. What people call blue is a Gaussian in CIE Lab, fitted to the objects of the training data by
training/make_colors.py.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from rrsis_core.contract import SegmentOptions
from rrsis_core.data.colors import lightness_chroma_hue
from rrsis_core.geo.raster import Raster, open_raster
from rrsis_core.geo.raster_info import Frame
from rrsis_core.inference.instances import Floats, Polygons
from rrsis_core.inference.questions import Question, colored_expressions, local_expressions
from rrsis_core.inference.relations import Flags, covered_share
from rrsis_core.inference.scene_answers import Portion, Scene, inside, mean_colors, read_again, stored_instances

CALLED_FROM = 0.5  # chance of the name among all names
KNOWN_FROM = 0.5  # of an object: the model's own answer covers so much of it that it knows better where the colour ends
NEVER_BELOW, FARTHEST = 0.05, 9.0  # chance, and squared Mahalanobis distance, of what nobody calls so


@cache
def people() -> dict[str, tuple[Floats, Floats]]:
    """Return mean (3) and covariance (3, 3) in Lab of what each colour name is said of."""
    table = json.loads((files("rrsis_core.inference") / "colors.json").read_text())
    return {name: (np.array(item["mean"]), np.array(item["covariance"])) for name, item in table.items()}


def lab(rgb: Floats) -> Floats:
    """Return CIE L, a and b (n, 3) of sRGB colours (n, 3) of 0..255."""
    named = np.array([lightness_chroma_hue(color) for color in rgb.tolist()]).reshape(-1, 3)
    lightness, chroma, hue = named[:, 0], named[:, 1], np.radians(named[:, 2])
    return np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)


def judge(rgb: Floats, color: str) -> tuple[Flags, Flags]:
    """Tell which sRGB colours (n, 3) of 0..255 people call so, and which nobody does. Others may be, or may not."""
    table = people()
    if color not in table:
        return np.zeros(len(rgb), bool), np.zeros(len(rgb), bool)
    points, squares, likelihoods = lab(rgb), {}, {}
    for name, (mean, covariance) in table.items():
        off = points - mean
        squares[name] = np.einsum("ni,ij,nj->n", off, np.linalg.inv(covariance), off)
        likelihoods[name] = -(squares[name] + np.linalg.slogdet(covariance)[1]) / 2
    chance = np.exp(likelihoods[color] - np.logaddexp.reduce(list(likelihoods.values())))
    return chance > CALLED_FROM, (chance < NEVER_BELOW) & (squares[color] > FARTHEST)


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
            dropped, added = judge(looks[text], color)[1], judge(looks[plain], color)[0]
            added[added] = covered_share(found[plain][added], found[text]) < KNOWN_FROM
            outlines = found[text].outlines[dropped], found[plain].outlines[added]
            changes.append((local.index(text), local.index(plain), *outlines))
        with open_raster(store) as stored:
            yield _changed(stored, valid, changes, scene.frame)


def _changed(
    stored: Raster, valid: int, changes: Sequence[tuple[int, int, Polygons, Polygons]], frame: Frame
) -> Iterator[Portion]:
    """Read the rows again, zero what is dropped and put in what is added."""
    for top, some, counted, last in read_again(stored, valid):
        for index, plain, dropped, added in changes:
            some[index][inside(dropped, frame, top, some.shape[1])] = 0
            there = inside(added, frame, top, some.shape[1])
            some[index][there] = np.maximum(some[index], some[plain])[there]
        yield some, counted, last
