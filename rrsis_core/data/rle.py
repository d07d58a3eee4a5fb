"""RLE, run-length encoding: a mask as the lengths of its runs, in the form that COCO files hold.

Pixels are read column by column; the first run is of zeros. Compressed, each length is written as characters of five
bits, from the fourth run on as the difference to the length two runs before (which is of the same colour).
"""

from collections.abc import Sequence

import numpy as np

from rrsis_core.contract import InputError

_FIRST = 48  # the character of the five bits 00000


def decode_rle(counts: str | bytes | Sequence[int], height: int, width: int) -> np.ndarray:
    """Return the mask (height, width) bool of compressed counts (text or bytes) or plain run lengths.

    Raises InputError data.mask where the runs do not fill the mask exactly.
    """
    runs = np.asarray(_lengths(counts) if isinstance(counts, (str, bytes)) else list(counts), np.int64)
    if (runs < 0).any() or runs.sum() != height * width:
        raise InputError(
            f"A mask's runs cover {int(runs.sum())} pixels and not {height} x {width}.",
            code="data.mask",
            hint="The annotation file is damaged: download it again.",
        )
    colours = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(colours, runs).reshape(width, height).T)


def encode_rle(mask: np.ndarray) -> str:
    """Return the compressed counts of a mask (H, W) bool."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    if flat.size and flat[0]:
        runs.insert(0, 0)
    return "".join(_characters(run - runs[index - 2] if index > 2 else run) for index, run in enumerate(runs))


def _lengths(counts: str | bytes) -> list[int]:
    runs: list[int] = []
    value = shift = 0
    for character in counts.encode("latin1", "replace") if isinstance(counts, str) else counts:
        bits = character - _FIRST
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    return runs


def _characters(value: int) -> str:
    text = ""
    while True:
        bits, value = value & 31, value >> 5
        is_last = value == (-1 if bits & 16 else 0)
        text += chr(bits + (0 if is_last else 32) + _FIRST)
        if is_last:
            return text
