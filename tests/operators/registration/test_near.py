"""Refinement compiled as a whole: beside the one that reads and sums frames row by row."""

import numpy as np
import pytest
from scipy import ndimage

from napari_stack.operators.registration.band_pass import _blur, _plain_band, _wide_blur
from napari_stack.operators.registration.refinement import one_level
from napari_stack.operators.registration.refinement.motion_models import update_matrix

SHAPE = (120, 136)
#: Displacements for one unit of each unknown, in pixels at half a diagonal.
STEPS = {
    "translation": [0.4, -0.3],
    "rigid": [0.4, -0.3, 0.8],
    "similarity": [0.4, -0.3, 0.5, 0.8],
    "affine": [0.4, -0.3, 0.5, 0.8, -0.6, 0.3],
}


def pair(step, transform):
    """Two frames of one texture, with noise and a hole, and the matrix between them."""
    rng = np.random.default_rng(2)
    scene = ndimage.gaussian_filter(rng.normal(size=(200, 210)), 1.5)
    scene = ndimage.spline_filter(scene / scene.std(), 3)
    matrix = update_matrix(np.array(step), transform, SHAPE)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    frames = []
    for m in (np.eye(3), np.linalg.inv(matrix)):
        px, py = (m[i, 0] * x + m[i, 1] * y + m[i, 2] + 36 for i in range(2))
        frame = ndimage.map_coordinates(scene, [py, px], order=3, prefilter=False)
        frames.append((frame + rng.normal(0, 0.1, SHAPE)).astype(np.float32))
    frames[0][50:60, 70:80] = np.nan
    frames[1][10, 20] = np.nan
    return *frames, matrix


@pytest.mark.parametrize("transform", STEPS)
def test_it_finds_what_the_other_one_finds(transform):
    fixed, moving, truth = pair(STEPS[transform], transform)
    how = fixed, moving, np.eye(3), transform, 12, fixed.size
    near, error = one_level.refine_level(*how, apart=1)
    other, expected = one_level.refine_level(*how)
    distance = one_level.corner_distance
    assert distance(near, other, SHAPE) < 0.003
    assert distance(near, truth, SHAPE) < 0.05
    assert error == pytest.approx(expected, rel=0.02)


def test_every_second_row_tells_nearly_as_much():
    fixed, moving, truth = pair(STEPS["rigid"], "rigid")
    how = fixed, moving, np.eye(3), "rigid", 12, fixed.size
    (whole, error), (half, expected) = (
        one_level.refine_level(*how, apart=apart) for apart in (1, 2)
    )
    assert one_level.corner_distance(half, truth, SHAPE) < 0.05
    assert one_level.corner_distance(half, whole, SHAPE) < 0.03
    assert error == pytest.approx(expected, rel=0.1)


def test_frames_that_do_not_overlap_or_are_flat_tell_nothing():
    fixed, moving, _ = pair(STEPS["rigid"], "rigid")
    away = np.eye(3)
    away[0, 2] = 130
    assert one_level.refine_level(fixed, moving, away, "rigid", 3, fixed.size, apart=1) is None
    flat = np.zeros_like(fixed)
    assert one_level.refine_level(flat, flat, np.eye(3), "rigid", 3, fixed.size, apart=1) is None


@pytest.mark.parametrize("slope", [1e-17, -1e-17, 1e-300])
def test_a_slope_that_is_but_rounding_is_none(slope):
    # The places where such rows leave the frame are beyond all whole numbers.
    fixed, moving, truth = pair(STEPS["similarity"], "similarity")
    start = np.eye(3)
    level, _ = one_level.refine_level(fixed, moving, start, "similarity", 12, fixed.size, apart=1)
    start[1, 0] = slope
    found, _ = one_level.refine_level(fixed, moving, start, "similarity", 12, fixed.size, apart=1)
    assert one_level.corner_distance(found, truth, SHAPE) < 0.05
    np.testing.assert_allclose(found, level, atol=1e-6)


@pytest.mark.parametrize("away", [0.0, -1e-16, 1e-16])
def test_tiny_frames_are_read_up_to_their_border_and_no_further(away):
    # A sum that is rounded to the margin may lie before it.
    frame = pair(STEPS["translation"], "translation")[1][30:54, 30:54].copy()
    start = np.eye(3)
    start[:2, 2] = away
    found, _ = one_level.refine_level(
        frame, frame, start, "translation", 6, frame.size, converged=0.02, apart=1
    )
    np.testing.assert_allclose(found, np.eye(3), atol=1e-3)


@pytest.mark.parametrize("sigma", [8.0, 12.0])
def test_the_band_pass_in_one_loop_is_that_of_two_blurs(sigma):
    pixels = np.random.default_rng(1).normal(0, 9, (104, 132)).astype(np.float32)
    expected = _blur(pixels) - _wide_blur(pixels, sigma)
    np.testing.assert_allclose(_plain_band(pixels, sigma), expected, atol=2e-5)


def test_columns_may_lie_one_after_another_in_memory():
    pixels = np.random.default_rng(1).normal(0, 9, (104, 132)).astype(np.float32)
    found = _plain_band(np.asfortranarray(pixels), 8.0)
    np.testing.assert_array_equal(found, _plain_band(pixels, 8.0))
