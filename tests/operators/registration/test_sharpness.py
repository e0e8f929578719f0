"""Frames that differ in blur: their growth, and how sure it is, are as of frames that do not."""

from dataclasses import replace

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.matrices import corners_of
from napari_stack.operators.geometry.covariance import at_points
from napari_stack.operators.registration.preprocess import prepare
from napari_stack.operators.registration.refinement import sharpness
from napari_stack.operators.registration.refinement.blur import blur
from napari_stack.operators.registration.refinement.gauss_newton import Refined
from napari_stack.operators.registration.refinement.sharpness import (
    feigned_growth,
    made_alike,
    refined_alike,
    unlike_sharpness,
)
from napari_stack.operators.registration.search.align import ANY, align
from napari_stack.operators.registration.sequence.track import follow, placed

SHAPE = (160, 160)
CENTRE = (159 / 2, 159 / 2)
GROWTH, SHIFT = 1.015, (1.3, -0.8)
TRUTH = np.array([[GROWTH, 0, 0], [0, GROWTH, 0], [0, 0, 1.0]])
TRUTH[:2, 2] = CENTRE + np.array(SHIFT) - GROWTH * np.array(CENTRE)


def waves(seed, matrix, sigma, noise=0.01, *, brief=False, wanted=()):
    """A texture of random waves under a matrix, blurred by a Gaussian: both exactly."""
    rng = np.random.default_rng(seed)
    lengths = 1 / rng.uniform(1 / 40, 1 / 6, 90)
    angles, phases = rng.uniform(0, 2 * np.pi, (2, 90))
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    back = np.linalg.inv(matrix)
    u, v = (back[i, 0] * x + back[i, 1] * y + back[i, 2] for i in (0, 1))
    image = np.random.default_rng([seed, int(10 * sigma)]).normal(0, noise, SHAPE)
    for length, angle, phase in zip(lengths, angles, phases, strict=True):
        k = 2 * np.pi / length
        strength = length / 40 * np.exp(-((sigma * k * back[0, 0]) ** 2) / 2)
        image += strength * np.cos(k * (np.cos(angle) * u + np.sin(angle) * v) + phase)
    return prepare(image.astype(np.float32), brief=brief, wanted=wanted)


def pair(seed, first, second):
    return waves(seed, np.eye(3), first), waves(seed, TRUTH, second)


def off(found):
    """Errors (corners, 2) at the corners."""
    return ((found.matrix - TRUTH) @ corners_of(SHAPE))[:2].T


@pytest.mark.parametrize(("first", "second"), [(0, 3), (2.5, 0), (1, 3)])
def test_growth_of_unlike_blur(first, second):
    found = align(*pair(1, first, second), transform="similarity")
    assert found.verified
    assert np.hypot(*off(found).T).max() < 0.05


def test_covariance_is_honest():
    ratios = []
    for seed in range(2, 6):
        found = align(*pair(seed, 0, 3), transform="similarity")
        at = corners_of(SHAPE)[:2].T
        claimed = at_points(found.matrix[None], found.covariance[None], at)[0]
        # Frames left as they are differ by more than noise does: it would be 0.15 px.
        assert np.sqrt(np.trace(claimed, axis1=1, axis2=2)).max() < 0.1
        ratios.append(np.einsum("ni,nij,nj->n", off(found), np.linalg.inv(claimed), off(found)))
    # The mean of two unknowns with the covariance that is claimed is 2; waves blurred by Gaussians
    # are what the frames are taken to be, and better known than photographs.
    assert 0.02 < np.mean(ratios) < 4


def test_objects_that_hide_others_do_not_feign_growth():
    """Their edges are sharp in one frame and veil what is behind in the other: it was 0.24 px."""
    series, truth = samples.focus_series(3, (160, 200), blur=2.4, breathing=0.01, noise=1 / 510)
    frames = [prepare(frame.astype(np.float32)) for frame in np.asarray(series)]
    for k in (0, 2):
        true = truth["matrices"][k]
        found = align(frames[1], frames[k], transform="similarity", start=true, only=True)
        errors = (found.matrix - true) @ corners_of((160, 200))
        assert np.hypot(*errors[:2]).max() < 0.08


def test_frames_beside_one_of_unlike_blur_are_made_alike():
    """Followed frames of a long recording; as they are they would be off by 0.15 px."""
    reference, beside = pair(1, 0, 3)
    known = align(reference, beside, transform="similarity")
    assert known.misled > 0
    reference = waves(1, np.eye(3), 0, brief=True)
    place = placed(reference, beside, known, "similarity")
    moving = waves(1, TRUTH, 2.7, brief=True)
    found = follow(reference, moving, known.matrix, place, known.quality, "similarity", ANY)
    assert np.hypot(*off(found.alignment).T).max() < 0.05
    assert found.alignment.misled > 0
    assert place.wanted == ()
    like = placed(reference, waves(1, TRUTH, 0), known, "similarity")
    assert like.wanted == like.levels
    how = moving, known.matrix, like, known.quality, "similarity", ANY
    afresh = follow(reference, *how, afresh=True)
    assert afresh.wanted == ()
    assert np.hypot(*off(afresh.alignment).T).max() < 0.05


def test_a_followed_frame_of_few_levels_is_no_more_unlike_than_the_one_beside_it():
    """It is known better than that one: only with all levels it could be made alike."""
    reference = waves(1, np.eye(3), 0, brief=True)
    beside = waves(1, TRUTH, 3)
    known = align(waves(1, np.eye(3), 0), beside, transform="similarity")
    place = placed(reference, beside, known, "similarity")
    place = replace(place, unknowns=1e4 * place.unknowns, error=1e3 * place.error)
    moving = waves(1, TRUTH, 2.7, brief=True, wanted=place.wanted)
    assert len(moving.levels) < len(reference.levels)
    how = known.matrix, place, known.quality, "similarity", ANY
    assert follow(reference, moving, *how) is not None


def test_like_sharpness_is_left_alone():
    reference, moving = pair(1, 0, 0)
    growth = feigned_growth(reference, moving, TRUTH, "similarity")
    one, other, state, left = refined_alike(
        reference, moving, Refined(TRUTH), "similarity", lambda *_: pytest.fail("refined again")
    )
    assert one is reference
    assert other is moving
    assert state.matrix is TRUTH
    assert 0 < left < growth < 0.01


def test_only_the_sharper_one_is_blurred():
    sharp, soft = pair(1, 0, 3)
    first, second = made_alike(sharp, soft, TRUTH, unlike_sharpness(sharp, soft, TRUTH))
    assert np.std(first.levels[0]) < 0.8 * np.std(sharp.levels[0])
    np.testing.assert_array_equal(second.levels[0], soft.levels[0])


def test_blur_varies_and_keeps_holes():
    image = np.zeros((40, 80), np.float32)
    image[20, [20, 60]] = 1
    image[0, 0] = np.nan
    variance = np.zeros_like(image)
    variance[:, 40:] = 4
    result = blur(image, variance)
    assert np.isnan(result[0, 0])
    assert result[20, 20] == 1
    assert result[20, 60] == pytest.approx(1 / (2 * np.pi * 4), rel=0.03)


def test_an_image_stored_by_columns_is_blurred_alike():
    image = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    image[3, 4] = np.nan
    variance = np.full_like(image, 1.3)
    expected = blur(image, variance)
    assert np.nanstd(expected) > 0.1
    np.testing.assert_array_equal(blur(np.asfortranarray(image), variance), expected)


def test_wide_blurs_add_up():
    image = np.zeros((121, 121), np.float32)
    image[60, 60] = 1
    result = blur(image, np.full_like(image, 24))
    variances = ((np.arange(121) - 60) ** 2) @ result
    assert result.sum() == pytest.approx(1, abs=1e-4)
    assert variances.sum() == pytest.approx(24, rel=0.02)


def test_levels_that_tell_little_are_left_out(monkeypatch):
    one, two = pair(1, 0, 5)
    for variance, large, first in ((30, 600_000, 0), (50, 600_000, 1), (30, 20_000, 1)):
        monkeypatch.setattr(sharpness, "LARGE", large)
        excess = np.full((80, 80), variance, np.float32)
        monkeypatch.setattr(sharpness, "_excess", lambda *_, excess=excess: excess)
        unlike = unlike_sharpness(one, two, TRUTH)
        assert unlike is not None
        reference, moving = made_alike(one, two, TRUTH, unlike)
        assert reference.factors == moving.factors == one.factors[first:]
