"""Rows are told to move where what they say is not noise, nor a shift of all."""

import numpy as np
import pytest

from napari_stack.operators.registration.nonrigid.row_priors import (
    RowPrior,
    RowSystem,
    most_probable,
)

ROWS, FRAMES = 160, 6


def systems(move, noise=(1.0, 1.0), seed=0):
    """What rows say that move so (frames, rows, 2), with so much more noise than their pixels."""
    rng = np.random.default_rng(seed)
    found = []
    for rows in np.broadcast_to(move, (FRAMES, ROWS, 2)):
        told = rng.uniform(20, 200, (ROWS, 2))
        normal = np.stack([told[:, 0], np.zeros(ROWS), told[:, 1]], axis=1)
        pull = told * rows + np.sqrt(told * noise) * rng.normal(size=(ROWS, 2))
        found.append(RowSystem(normal, pull, np.zeros((ROWS, 2)), np.zeros(2)))
    return found


def test_rows_that_are_noisier_than_their_pixels_do_not_move():
    said = systems(np.zeros(2), noise=(1.0, 4.0))
    prior = most_probable(said, None)
    np.testing.assert_allclose(prior.noise, (1.0, 4.0), rtol=0.15)
    assert sum(prior.odds(system) for system in said) < 3
    assert np.abs([prior.solve(system) for system in said]).max() < 0.1


def test_a_shift_of_all_rows_is_none_of_their_own():
    said = systems(np.array([0.4, -0.3]))
    prior = most_probable(said, None)
    assert sum(prior.odds(system) for system in said) < 3
    assert said[0].shifted() > 100


@pytest.mark.parametrize("fixed", [None, 300.0])
def test_a_walk_of_rows_is_found(fixed):
    walk = np.cumsum(np.random.default_rng(1).normal(0, 0.05, (FRAMES, ROWS, 2)), axis=1)
    said = systems(walk - walk.mean(axis=1, keepdims=True), noise=(1.5, 1.5))
    prior = most_probable(said, fixed)
    assert prior.order == 1
    # a walk of steps of 0.05 px has the smoothness 1 / 0.05 ** 2
    assert prior.smoothness == pytest.approx(fixed or 400.0, rel=0.5)
    assert min(prior.odds(system) for system in said) > 5
    left = np.array([prior.solve(s) for s in said]) - (walk - walk.mean(axis=1, keepdims=True))
    assert np.sqrt((left**2).mean()) < 0.09


def test_frames_are_judged_alike_together_and_alone():
    said, prior = systems(np.zeros(2)), RowPrior(300.0, 1, (1.2, 0.8))
    alone = sum(prior.told(system, 1) for system in said)
    assert prior.told(RowSystem.joined(said), FRAMES) == pytest.approx(alone)
