import numpy as np
import torch

from rrsis_core.inference.edges import SMOOTHNESS, onto_edges


def test_a_pixel_is_the_mean_of_the_linear_functions_of_its_windows():
    """Equations 14 to 16 of the paper, pixel by pixel."""
    rng = np.random.default_rng(0)
    image, answer, radius = rng.random((3, 9, 11)), rng.normal(size=(9, 11)), 2

    def window(row, column):
        return slice(max(row - radius, 0), row + radius + 1), slice(max(column - radius, 0), column + radius + 1)

    slopes, offsets = np.empty((3, 9, 11)), np.empty((9, 11))
    for row in range(9):
        for column in range(11):
            colors = image[:, *window(row, column)].reshape(3, -1)
            values = answer[window(row, column)].ravel()
            spread = np.cov(colors, bias=True) + SMOOTHNESS * np.eye(3)
            along = (colors * values).mean(axis=1) - colors.mean(axis=1) * values.mean()
            slopes[:, row, column] = np.linalg.solve(spread, along)
            offsets[row, column] = values.mean() - slopes[:, row, column] @ colors.mean(axis=1)
    expected = np.empty((9, 11))
    for row in range(9):
        for column in range(11):
            here = window(row, column)
            slope = slopes[:, *here].mean(axis=(1, 2))
            expected[row, column] = slope @ image[:, row, column] + offsets[here].mean()
    tensors = torch.from_numpy(image)[None], torch.from_numpy(answer)[None, None].repeat(1, 2, 1, 1)
    filtered = onto_edges(*tensors, radius)
    np.testing.assert_allclose(filtered[0].numpy(), np.stack([expected, expected]), atol=1e-8)


def test_an_answer_that_misses_an_edge_by_a_pixel_is_drawn_onto_it():
    image = torch.zeros(1, 3, 32, 32)
    image[..., 16:] = 0.5  # the roof begins here
    coarse = torch.full((1, 1, 32, 32), -2.0)
    coarse[..., 15:] = 2.0  # and the answer a pixel before
    found = onto_edges(image, coarse, 4)[0, 0] > 0
    assert (found == (image[0, 0] > 0)).all()


def test_a_picture_of_one_colour_changes_nothing_but_smooths():
    flat, answers = torch.full((2, 3, 20, 20), 0.3), torch.full((2, 2, 20, 20), 1.5)
    torch.testing.assert_close(onto_edges(flat, answers, 4), answers)


def test_a_gray_picture_of_strong_contrast_is_as_exact_as_others():
    rng = torch.Generator().manual_seed(0)
    gray = (torch.rand(1, 1, 40, 40, generator=rng, dtype=torch.float64) > 0.5).double().repeat(1, 3, 1, 1)
    answers = 10 * torch.randn(1, 2, 40, 40, generator=rng, dtype=torch.float64)
    torch.testing.assert_close(
        onto_edges(gray.float(), answers.float(), 3).double(), onto_edges(gray, answers, 3), atol=1e-2, rtol=0
    )
