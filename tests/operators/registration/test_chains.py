"""Frames that are linked to their neighbours: gaps, breathing, redundant pairs."""

from functools import partial

import numpy as np
import pytest

from napari_stack import Stack, measure_transforms, samples
from napari_stack.core.matrices import corners_of
from napari_stack.operators.geometry.covariance import at_points
from napari_stack.operators.registration.search.align import Alignment
from napari_stack.operators.registration.sequence.chains import (
    _grown,
    _multiplied,
    badly_known,
    near,
    surer,
)

SIZE = (96, 128)
#: Quick, and enough for what these tests ask.
HOW = {"transform": "translation", "method": "intensity"}


@pytest.fixture(scope="module")
def drift():
    stack, truth = samples.drifting_cells(frames=9, size=SIZE, shift=6, rotation=0, scale=0)
    return np.asarray(stack).astype(np.float32), truth["matrices"]


def errors(found, truth):
    """Largest corner error of each frame."""
    truth = truth @ np.linalg.inv(truth[found.reference])
    corners = np.array(
        [[0, SIZE[1] - 1, 0, SIZE[1] - 1], [0, 0, SIZE[0] - 1, SIZE[0] - 1], [1] * 4]
    )
    rest = (found.matrices @ corners - truth @ corners)[:, :2]
    return np.hypot(rest[:, 0], rest[:, 1]).max(axis=1)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("sequence", ["previous", "global"])
def test_what_lies_behind_blank_frames_is_found(drift, sequence):
    frames, truth = drift[0].copy(), drift[1]
    frames[2:8] = 100
    found = measure_transforms(Stack.wrap(frames), reference="first", sequence=sequence, **HOW)
    np.testing.assert_array_equal(np.flatnonzero(found.failed), range(2, 8))
    assert errors(found, truth)[[0, 1, 8]].max() < 0.2


def test_all_pairs_together_are_as_good_as_each_alone(drift):
    frames, truth = drift
    stack = Stack.wrap(frames)
    alone, together = (
        measure_transforms(stack, sequence=sequence, transform="rigid", method="intensity")
        for sequence in ("direct", "global")
    )
    assert not together.failed.any()
    assert errors(together, truth).mean() < 1.1 * errors(alone, truth).mean() + 0.01
    assert np.isfinite(together.covariance).all()
    assert np.trace(together.covariance[0]) > 0


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_frames_of_another_scene_are_not_found_globally(drift):
    frames, truth = drift[0].copy(), drift[1]
    other = np.asarray(samples.drifting_cells(frames=2, size=SIZE, seed=77)[0]).astype(np.float32)
    frames[5:7] = other
    found = measure_transforms(Stack.wrap(frames), reference=2, sequence="global", **HOW)
    assert found.failed[5:7].all()
    good = ~found.failed
    assert good.sum() == 7
    assert errors(found, truth)[good].max() < 0.2


def test_more_rounds_against_the_mean(drift):
    frames, truth = drift
    found = measure_transforms(Stack.wrap(frames[:4]), reference="mean", mean_rounds=2, **HOW)
    relative = found.matrices @ np.linalg.inv(found.matrices[2])
    true = truth[:4] @ np.linalg.inv(truth[2])
    np.testing.assert_allclose(relative[:, :2, 2], true[:, :2, 2], atol=0.3)


def test_which_frames_are_measured_with_lost_ones():
    assert near([20], 40) == list(range(12, 29))
    assert near([1], 6) == list(range(6))


def test_frames_that_became_unlike_the_reference_are_told_by_their_covariance():
    def alignment(sigma):
        covariance = np.zeros((8, 8))
        covariance[2, 2] = covariance[5, 5] = sigma**2
        return Alignment(np.eye(3), 1.0, True, covariance=covariance)

    sigmas = [0.02] * 6 + [0.05, 0.3, 0.4]
    found = {i: alignment(s) for i, s in enumerate(sigmas)}
    assert badly_known(found, SIZE) == [7, 8]
    # Noise alone is no reason: all are known alike.
    assert badly_known({i: alignment(0.4) for i in range(5)}, SIZE) == []
    assert badly_known({}, SIZE) == []


def test_what_misleads_one_link_adds_up_along_a_chain():
    """Noise adds up by its squares: beside it 10 links of 0.1 px are off by 1 px at the corners."""
    grown = partial(_grown, transform="similarity", shape=SIZE)
    link = Alignment(np.eye(3), 0.9, True, covariance=grown(np.eye(3), 0.1), misled=0.1)
    found, own = link, None
    for _ in range(9):
        found, own = _multiplied(link, found, own, grown)
    corners = corners_of(SIZE)[:2].T
    covariance = at_points(found.matrix[None], found.covariance[None], corners)[0]
    np.testing.assert_allclose(np.sqrt(np.trace(covariance, axis1=1, axis2=2) / 2), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("before", "sigma", "quality", "why"),
    [
        (0.1, 0.05, 0.9, "surer than before"),
        (0.1, 0.5, 0.99, "the one before was surer"),
        (None, 0.5, 0.9, "found by pairs alone"),
        (None, 9.0, 0.0, "nobody knows where it lies"),
    ],
)
def test_of_two_places_the_surer_is_taken(before, sigma, quality, why):
    def placed(error, quality):
        covariance = np.zeros((8, 8))
        covariance[2, 2] = covariance[5, 5] = error**2 / 2
        return Alignment(np.eye(3), quality, True, None, covariance)

    first = placed(before, 0.99) if before else Alignment(np.eye(3), 0.0, False, hurried=True)
    found = {1: first}
    found |= surer(found, {1: placed(sigma, 0.9)}, (60, 80))
    assert found[1].quality == quality, why
    assert found[1].verified == (quality > 0)
    assert not found[1].hurried
