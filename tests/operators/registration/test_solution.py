"""The global solution of pairs with known places, noise and wrong ones among them."""

import numpy as np
import pytest

from napari_stack.core.matrices import corners_of
from napari_stack.operators.geometry.covariance import at_points
from napari_stack.operators.registration.refinement.motion_models import (
    TRANSFORMS,
    growth_of,
    unknowns_of,
    update_matrix,
    update_of,
)
from napari_stack.operators.registration.refinement.uncertainty import of_entries
from napari_stack.operators.registration.search.align import Alignment
from napari_stack.operators.registration.sequence.block_tridiagonal import solve_blocks
from napari_stack.operators.registration.sequence.pair_graph import Pair
from napari_stack.operators.registration.sequence.solution import solved

SHAPE = (200, 260)
COUNT, REFERENCE = 30, 11


def places_of(transform, rng):
    """Places of a series that drifts, the reference's being none."""
    size = len(unknowns_of(transform))
    steps = rng.normal(0, 3, (COUNT, size)) + np.r_[4, 2, np.zeros(size - 2)]
    place, made = np.eye(3), []
    for step in steps:
        place = place @ update_matrix(step, transform, SHAPE)
        made.append(place / place[2, 2])
    back = np.linalg.inv(made[REFERENCE])
    return [m @ back / (m @ back)[2, 2] for m in made]


def measured(transform, places, rng, sigma=0.05):
    """Pairs at 1, 2, 4, 8 and with the reference, with noise of a standard deviation."""
    pairs, size = [], len(unknowns_of(transform))
    for i in range(COUNT):
        others = {i - back for back in (1, 2, 4, 8) if i >= back} | {REFERENCE} - {i}
        for j in others:
            true = places[i] @ np.linalg.inv(places[j])
            matrix = true @ update_matrix(rng.normal(0, sigma, size), transform, SHAPE)
            covariance = of_entries(matrix, sigma**2 * np.eye(size), transform, SHAPE)
            matrix = matrix / matrix[2, 2]
            pairs.append(Pair(j, i, Alignment(matrix, 0.9, True, covariance=covariance)))
    return pairs


def error(found, true):
    corners = corners_of(SHAPE)
    one, two = found @ corners, true @ corners
    return np.hypot(*(one[:2] / one[2] - two[:2] / two[2])).max()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_an_update_is_read_back(transform):
    step = np.random.default_rng(0).normal(0, 1e-3, len(unknowns_of(transform)))
    found = update_of(update_matrix(step, transform, SHAPE)[None], transform, SHAPE)[0]
    np.testing.assert_allclose(found, step, atol=1e-7)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_wrong_pairs_do_not_move_the_others(transform):
    rng = np.random.default_rng(1)
    places = places_of(transform, rng)
    pairs = measured(transform, places, rng)
    for k in rng.choice(len(pairs), len(pairs) // 8, replace=False):
        moved = pairs[k].alignment.matrix + np.array([[0, 0, 9.0], [0, 0, -14], [0, 0, 0]])
        wrong = Alignment(moved, 0.9, True, covariance=pairs[k].alignment.covariance)
        pairs[k] = Pair(pairs[k].first, pairs[k].second, wrong)
    found = solved(pairs, REFERENCE, transform, SHAPE)
    assert max(error(a.matrix, places[i]) for i, a in found.items()) < 0.5
    assert len(found) >= COUNT - 6  # some have more wrong pairs than right ones


def test_covariance_and_quality_of_a_solution():
    rng, squared = np.random.default_rng(2), []
    for _ in range(4):
        places = places_of("translation", rng)
        found = solved(measured("translation", places, rng), REFERENCE, "translation", SHAPE)
        for i, alignment in found.items():
            rest = (alignment.matrix - places[i])[:2, 2]
            squared.append(rest @ np.linalg.inv(alignment.covariance[2::3, 2::3]) @ rest / 2)
            assert alignment.quality == 0.9
    # The noise here is all of the pairs: as the solution takes most of it to be of the frames,
    # it claims less than it knows, never more.
    assert 0.1 < np.mean(squared) < 1.2


def test_a_growth_that_misleads_all_pairs_alike_adds_up():
    """They agree, and do not show it: unlike sharpness, which each pair tells of, does."""
    transform, growth = "similarity", growth_of("similarity")
    pairs = []
    for i in range(COUNT):
        for j in {i - back for back in (1, 2, 4, 8) if i >= back}:
            misled = 0.04 * (i - j)
            matrix = update_matrix(misled * growth, transform, SHAPE)
            noise = 0.01**2 * np.eye(4) + misled**2 * np.outer(growth, growth)
            covariance = of_entries(np.eye(3), noise, transform, SHAPE)
            alignment = Alignment(matrix, 0.9, True, covariance=covariance, misled=misled)
            pairs.append(Pair(j, i, alignment))
    found = solved(pairs, 0, transform, SHAPE)
    corners = corners_of(SHAPE)[:2].T
    for i in (10, COUNT - 1):
        covariance = at_points(found[i].matrix[None], found[i].covariance[None], corners)
        claimed = np.sqrt(np.trace(covariance[0], axis1=1, axis2=2).max())
        off = error(found[i].matrix, np.eye(3))
        assert off == pytest.approx(0.04 * i, rel=0.05)
        assert 0.9 < claimed / off < 1.6


def test_a_frame_whose_pairs_contradict_each_other_is_not_found():
    rng = np.random.default_rng(3)
    places = places_of("translation", rng)
    pairs = [p for p in measured("translation", places, rng) if 20 not in (p.first, p.second)]
    covariance = pairs[0].alignment.covariance
    for other, off in ((19, 0), (18, 40)):
        matrix = places[20] @ np.linalg.inv(places[other]) + np.array([[0, 0, off]] + [[0] * 3] * 2)
        pairs.append(Pair(other, 20, Alignment(matrix, 0.9, True, covariance=covariance)))
    found = solved(pairs, REFERENCE, "translation", SHAPE)
    assert 20 not in found
    assert 19 in found


def test_frames_that_no_pair_leads_to_are_not_found():
    rng = np.random.default_rng(4)
    pairs = measured("rigid", places_of("rigid", rng), rng)
    kept = [p for p in pairs if (p.first >= 25) == (p.second >= 25)]
    assert set(solved(kept, REFERENCE, "rigid", SHAPE)) == set(range(25)) - {REFERENCE}


def test_equations_of_blocks_agree_with_dense_ones():
    rng, count, k = np.random.default_rng(5), 23, 2
    first = np.r_[np.arange(count - 1), np.arange(count - 4)]
    second = np.r_[np.arange(1, count), np.arange(4, count)]
    root = rng.normal(size=(len(first), k, k))
    information = root @ root.swapaxes(1, 2) + np.eye(k)
    right = rng.normal(size=(count, k))
    dense = np.zeros((count, k, count, k))
    for a, b, part in zip(first, second, information, strict=True):
        for i, j, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
            dense[i, :, j] += sign * part
    rest = [i for i in range(count) if i != 7]
    inverse = np.linalg.inv(dense[np.ix_(rest, range(k), rest, range(k))].reshape(44, 44))
    values, covariances = solve_blocks(first, second, information, right, 7)
    np.testing.assert_allclose(values[rest].ravel(), inverse @ right[rest].ravel(), atol=1e-9)
    blocks = inverse.reshape(22, k, 22, k)[np.arange(22), :, np.arange(22)]
    np.testing.assert_allclose(covariances[rest], blocks, atol=1e-9)
    assert not values[7].any()
