"""Noise is a periodic random field of zero mean and unit deviation whose detail lies between two wavelengths.

Fields are made in the frequency domain and kept for the process, so that a thousand scenes pay for them once; each
scene looks at them through its own offsets.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

_STEPS_PER_OCTAVE = 2


@lru_cache(maxsize=4)
def _spectrum(side: int, variant: int) -> npt.NDArray[np.complex64]:
    white = np.random.default_rng(7919 + variant).standard_normal((side, side), dtype=np.float32)
    return np.fft.rfft2(white).astype(np.complex64)


@lru_cache(maxsize=96)
def _field(side: int, longest_step: int, shortest_step: int, slope: float, variant: int) -> Floats:
    """One (side, side) field; wavelengths in pixels are 2 ** (step / _STEPS_PER_OCTAVE)."""
    rows = np.fft.fftfreq(side).astype(np.float32)[:, None]
    cols = np.fft.rfftfreq(side).astype(np.float32)[None, :]
    frequency = np.sqrt(rows * rows + cols * cols)
    frequency[0, 0] = 1.0
    lowest = 2.0 ** (-longest_step / _STEPS_PER_OCTAVE)
    highest = 2.0 ** (-shortest_step / _STEPS_PER_OCTAVE)
    gain = frequency**-slope / (1 + (lowest / frequency) ** 6) / (1 + (frequency / highest) ** 6)
    gain[0, 0] = 0.0
    values = np.fft.irfft2(_spectrum(side, variant) * gain, s=(side, side))
    return np.asarray(values / max(float(values.std()), 1e-9), dtype=np.float32)


@dataclass(frozen=True)
class Noise:
    """Access to the noise fields of one scene."""

    gsd: float
    side: int
    offset: int

    def _lookup(self, longest_m: float, shortest_m: float, slope: float, salt: int) -> tuple[Floats, int, int]:
        longest_px = min(max(longest_m / self.gsd, 2.0), float(self.side))
        shortest_px = min(max(shortest_m / self.gsd, 2.0), longest_px)
        longest_step = round(_STEPS_PER_OCTAVE * math.log2(longest_px))
        shortest_step = round(_STEPS_PER_OCTAVE * math.log2(shortest_px))
        values = _field(self.side, longest_step, shortest_step, slope, salt % 3)
        shift = (self.offset + 7001 * salt + 131 * longest_step + 977 * shortest_step) * 2654435761 % 2**32
        return values, shift % self.side, (shift >> 12) % self.side

    def window(
        self, box: tuple[int, int, int, int], longest_m: float, shortest_m: float, slope: float = 1.0, salt: int = 0
    ) -> Floats:
        """Noise of the pixels of a box (top, left, bottom, right), (rows, cols); different salts are independent."""
        values, down, right = self._lookup(longest_m, shortest_m, slope, salt)
        top, left = (box[0] + down) % self.side, (box[1] + right) % self.side
        height, width = box[2] - box[0], box[3] - box[1]
        if top + height <= self.side and left + width <= self.side:
            return values[top : top + height, left : left + width]
        rows = (np.arange(height) + top) % self.side
        cols = (np.arange(width) + left) % self.side
        return values[rows[:, None], cols[None, :]]

    def at(self, u: Floats, v: Floats, longest_m: float, shortest_m: float, salt: int = 0) -> Floats:
        """Noise at places given in metres of any local coordinates: stretched where these are stretched."""
        values, down, right = self._lookup(longest_m, shortest_m, 1.0, salt)
        rows = (np.asarray(v / self.gsd, dtype=np.int32) + down) % self.side
        cols = (np.asarray(u / self.gsd, dtype=np.int32) + right) % self.side
        return values[rows, cols]
