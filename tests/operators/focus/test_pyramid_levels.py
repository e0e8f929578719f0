"""The levels of a pyramid: how many, how large, their energies, and their collapse."""

from itertools import pairwise

import numpy as np
import pytest

from napari_stack.operators.focus.pyramid_levels import (
    Splitter,
    collapse,
    details_of,
    gaussian_levels,
    level_count,
    level_sizes,
    local_deviation,
    local_entropy,
    rows_at,
)


@pytest.mark.parametrize(
    ("shape", "levels"),
    [((32, 500), 0), ((63, 63), 0), ((64, 64), 1), ((500, 741), 3), ((5, 5), 0)],
)
def test_levels(shape, levels):
    assert level_count(shape, 32) == levels


def test_entropy_in_the_units_of_the_pixels():
    grey = np.random.default_rng(0).random((40, 40))
    entropy = local_entropy(grey, 5)
    np.testing.assert_allclose(local_entropy(20 * grey + 3, 5), 20 * entropy)
    assert not local_entropy(np.ones((5, 5)), 5).any()


@pytest.mark.parametrize("shape", [(33, 47), (64, 64), (5, 9), (1, 1)])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_details_collapse_to_the_image_that_they_are_of(shape, count):
    image = np.random.default_rng(0).random((*shape, 3))
    levels = gaussian_levels(image, count)
    assert [level.shape[:2] for level in levels] == level_sizes(shape, count)
    details = [details_of(*pair) for pair in pairwise(levels)]
    back = collapse([*details, levels[-1].copy()])
    np.testing.assert_allclose(back, image, atol=1e-14)


def test_rows_of_a_level_cover_those_of_the_image():
    assert [rows_at(slice(8, 21), level) for level in range(3)] == [
        slice(8, 21),
        slice(4, 11),
        slice(2, 6),
    ]


def test_the_deviation_of_white_noise_is_its_own_on_any_pedestal():
    noise = np.random.default_rng(1).normal(0, 3, (80, 90)).astype(np.float32)
    deviation = local_deviation(noise, 31)
    assert np.median(deviation) == pytest.approx(3, rel=0.05)
    np.testing.assert_allclose(local_deviation(noise + 5000, 31), deviation, rtol=2e-3)


def test_pixels_without_full_support_rank_below_all_others():
    colours = np.random.default_rng(2).random((64, 64, 1), np.float32)
    share = np.ones((64, 64), np.float32)
    share[:, 40:] = 0
    splitter = Splitter(0.4, np.ones(1, np.float32), 5)
    energies, levels = splitter.coarser(colours.copy(), share, 2)
    assert [level.shape for level in levels] == [(64, 64, 1), (32, 32, 1), (32, 32, 1)]
    for energy, step in zip(energies, (1, 2, 2), strict=True):
        assert (energy[:, : 32 // step] >= 0).all()
        assert (energy[:, 42 // step :] < 0).all()
