"""Colour names: clear colours get their name, colours between two names get none."""

import numpy as np
import pytest

from rrsis_core.data.colors import COLOR_NAMES, color_name, color_shade, lightness_chroma_hue

CLEAR = {
    "white": [(255, 255, 255), (226, 224, 216), (240, 238, 232), (236, 225, 212)],
    "gray": [(128, 128, 128), (157, 154, 149), (171, 176, 178), (110, 108, 104), (100, 104, 112)],
    "black": [(0, 0, 0), (38, 39, 43), (52, 51, 56)],
    "red": [(176, 70, 62), (160, 50, 48), (190, 92, 92), (119, 74, 76)],
    "orange": [(206, 122, 60), (214, 132, 70)],
    "brown": [(118, 88, 66), (130, 100, 78), (96, 70, 50)],
    "beige": [(214, 196, 168), (205, 187, 160)],
    "yellow": [(226, 196, 70), (240, 210, 60)],
    "green": [(84, 112, 62), (116, 134, 104), (60, 90, 58), (100, 150, 110)],
    "blue": [(62, 116, 178), (90, 142, 192), (48, 78, 130), (100, 170, 200)],
    "purple": [(120, 60, 130)],
}  # fmt: skip


@pytest.mark.parametrize(("name", "rgb"), [(name, rgb) for name, colors in CLEAR.items() for rgb in colors])
def test_clear_colors(name: str, rgb: tuple[int, int, int]) -> None:
    assert color_name(rgb) == name


@pytest.mark.parametrize(
    "rgb",
    [
        (197, 197, 196),  # gray or white
        (201, 153, 127),  # weathered terracotta: people say red, orange and brown
        (120, 178, 168),  # green or blue
        (144, 133, 124),  # gray or brown
    ],
)
def test_colors_between_names_have_none(rgb: tuple[int, int, int]) -> None:
    assert color_name(rgb) is None


def test_every_color_has_a_known_name_or_none() -> None:
    levels = range(0, 256, 15)
    names = {color_name((red, green, blue)) for red in levels for green in levels for blue in levels}
    assert names == {*COLOR_NAMES, None}


def test_names_do_not_depend_on_the_container() -> None:
    assert color_name(np.array([62.0, 116.0, 178.0])) == color_name([62, 116, 178]) == "blue"


def test_neighbours_of_a_named_color_never_have_another_name() -> None:
    rng = np.random.default_rng(4)
    for rgb in rng.integers(5, 250, (400, 3)):
        name = color_name(rgb)
        near = color_name(rgb + rng.integers(-1, 2, 3))
        assert near in (name, None) or name is None


def test_shades() -> None:
    assert color_shade((84, 82, 82)) == "dark"
    assert color_shade((180, 180, 178)) == "light"
    assert color_shade((128, 128, 128)) is None
    assert color_shade((40, 60, 110)) == "dark"
    assert color_shade((250, 250, 250)) is None


def test_lightness_chroma_hue_of_known_colors() -> None:
    assert lightness_chroma_hue((255, 255, 255)) == pytest.approx((100, 0, 0), abs=0.6)
    lightness, chroma, hue = lightness_chroma_hue((255, 0, 0))
    assert (lightness, chroma, hue) == pytest.approx((53.2, 104.6, 40.0), abs=0.5)
    lightness, chroma, hue = lightness_chroma_hue((0, 0, 255))
    assert (lightness, chroma, hue) == pytest.approx((32.3, 133.8, 306.3), abs=0.5)
