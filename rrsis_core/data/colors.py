"""A colour name is the word most people would use for a colour in an aerial image, or none where they would disagree.

Named in CIE Lab: lightness 0..100, chroma (distance from gray) and hue (degrees: 40 red, 70 orange, 100 yellow, 140
green, 260 blue, 330 purple). Aerial colours are muted, so that a chroma of ten is already a colour.
"""

import math
from collections.abc import Sequence

COLOR_NAMES = (
    "white",
    "gray",
    "black",
    "red",
    "orange",
    "brown",
    "beige",
    "yellow",
    "green",
    "blue",
    "purple",
)

_RED_LIGHTEST = 66.0
_GRAY_CHROMA = 7.5
_MARGINS = (2.0, 1.2, 4.0)  # lightness, chroma, hue: closer than this to another name is no name


def _linear(channel: float) -> float:
    scaled = min(max(channel / 255.0, 0.0), 1.0)
    return scaled / 12.92 if scaled <= 0.04045 else ((scaled + 0.055) / 1.055) ** 2.4


def _lab_curve(ratio: float) -> float:
    return ratio ** (1 / 3) if ratio > 0.008856 else 7.787 * ratio + 16 / 116


def lightness_chroma_hue(rgb: Sequence[float]) -> tuple[float, float, float]:
    """CIE Lab lightness (0..100), chroma and hue (degrees) of an sRGB colour of 0..255 per channel."""
    red, green, blue = (_linear(float(channel)) for channel in rgb[:3])
    x = _lab_curve((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505)
    y = _lab_curve(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    z = _lab_curve((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089)
    a, b = 500 * (x - y), 200 * (y - z)
    return 116 * y - 16, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def _gray_limit(lightness: float, hue: float) -> float:
    """Chroma below which nobody sees a colour.

    Eyes miss a tint in the dark, forgive it in the very light, and take for gray the yellow green of old concrete and
    the blue that the sky gives to shaded tin.
    """
    limit = _GRAY_CHROMA + 0.45 * max(0.0, 40 - lightness) + 0.35 * max(0.0, lightness - 78)
    if 98 < hue < 128:
        return limit + 5
    return limit + 3 if 215 < hue < 300 else limit


def _achromatic(lightness: float) -> str:
    if lightness < 28:
        return "black"
    return "gray" if lightness < 80 else "white"


def _warm(lightness: float, chroma: float, hue: float) -> str | None:
    """Hues 345..108: the reds, browns and yellows, which differ by lightness and chroma as much as by hue."""
    if hue >= 345 or hue < 46:
        return "red" if lightness < _RED_LIGHTEST and chroma > 12 else None
    if hue > 85 and chroma > 38 and lightness > 60:
        return "yellow"
    if hue < 82 and chroma > 32 and lightness > 54:
        return "orange"
    if hue < 97 and lightness < 60 and chroma < 36:
        return "brown"
    if hue < 105 and lightness > 71 and chroma < 23:
        return "beige"
    return None


def _strict_name(lightness: float, chroma: float, hue: float) -> str | None:
    hue %= 360
    if chroma < _gray_limit(lightness, hue):
        return _achromatic(lightness)
    if hue < 108 or hue >= 345:
        return _warm(lightness, chroma, hue)
    if 111 <= hue < 170:
        return "green"
    if 192 <= hue < 302:
        return "blue"
    return "purple" if 308 <= hue < 338 and lightness < 70 else None


def color_name(rgb: Sequence[float]) -> str | None:
    """Name of an sRGB colour of 0..255 per channel: one of COLOR_NAMES, or None near the border of two names."""
    lightness, chroma, hue = lightness_chroma_hue(rgb)
    name = _strict_name(lightness, chroma, hue)
    for axis, margin in enumerate(_MARGINS):
        for sign in (-1, 1):
            moved = [lightness, chroma, hue]
            moved[axis] += sign * margin
            if _strict_name(*moved) != name:
                return None
    return name


def color_shade(rgb: Sequence[float]) -> str | None:
    """The word "dark" or "light" that people put before the name of this colour, or None."""
    name = color_name(rgb)
    if name in (None, "white", "black", "beige", "yellow"):
        return None
    lightness = lightness_chroma_hue(rgb)[0]
    if lightness < (46 if name == "gray" else 38):
        return "dark"
    return "light" if lightness > (69 if name == "gray" else 66) else None
