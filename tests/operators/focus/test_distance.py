"""Depth as a distance, also of frames that lie unevenly, and its uncertainty."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack
from support.focus_scenes import blur, texture

SHAPE = (120, 160)
PLACES = np.array([0, 2, 3, 5, 8, 9, 11], float)  # micrometers


def _series(places, seed=0, noise=1.5):
    """Return a plane that is tilted from 1 to 10 um: frames, and its depth in um."""
    picture = texture(SHAPE, seed)
    depth = np.broadcast_to(np.linspace(1, 10, SHAPE[1], dtype=np.float32), SHAPE)
    sigmas = np.arange(0, 12.5, 0.25) * 0.5
    levels = np.stack([blur(picture, sigma) for sigma in sigmas])
    rows, columns = np.indices(SHAPE)
    rng = np.random.default_rng(seed)
    frames = []
    for place in places:
        near = np.rint(np.abs(depth - place) / 0.25).astype(int)
        frames.append(levels[near, rows, columns] + rng.normal(0, noise, SHAPE))
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8), depth


def _stack(frames, z):
    return Stack.wrap(frames, axes=[z, Axis("y"), Axis("x")])


@pytest.mark.parametrize("places", [PLACES, 40 - PLACES])
@pytest.mark.parametrize("method", ["auto", "pyramid"])
def test_frames_that_lie_unevenly(places, method):
    frames, depth = _series(PLACES)
    stack = _stack(frames, Axis("z", unit="micrometer", positions=tuple(places)))
    found = focus_stack(stack, method=method, depth_unit="distance", uncertainty=True)
    inner = np.s_[10:-10, 10:-10]
    error = np.abs(found.depth - depth)[inner]
    assert np.median(error) < 0.2
    even = focus_stack(_stack(frames, Axis("z")), method=method)
    as_if = np.interp(even.depth, np.arange(len(places)), PLACES)
    assert error.mean() < np.abs(as_if - depth)[inner].mean()
    within = (error < found.uncertainty[inner])[found.confidence[inner] > 0]
    assert 0.55 < within.mean() < 0.85


def test_even_positions_are_steps():
    frames, _ = _series(np.arange(0, 12, 2.0))
    step = focus_stack(_stack(frames, Axis("z", 2.0, "micrometer")), depth_unit="distance")
    places = tuple(np.arange(5, 17, 2.0))
    even = _stack(frames, Axis("z", unit="micrometer", positions=places))
    np.testing.assert_allclose(
        focus_stack(even, depth_unit="distance").depth, step.depth, rtol=1e-6
    )


def test_a_step_downwards_is_a_distance_too():
    frames, _ = _series(np.arange(0, 12, 2.0))
    up, down = (
        focus_stack(_stack(frames, Axis("z", step, "micrometer")), depth_unit="distance").depth
        for step in (2.0, -2.0)
    )
    np.testing.assert_array_equal(down, up)


def test_positions_that_go_forth_and_back_are_no_distance():
    frames, _ = _series(PLACES)
    places = (0.0, 2.0, 1.0, 5.0, 8.0, 9.0, 11.0)
    stack = _stack(frames, Axis("z", unit="micrometer", positions=places))
    with pytest.raises(UserError, match="go forth and back: sort them"):
        focus_stack(stack, depth_unit="distance")
    assert np.isfinite(focus_stack(stack).depth).all()


def test_uncertainty_is_not_known_without_confidence_and_not_given_unasked():
    frames, _ = _series(np.arange(0, 12, 2.0))
    frames[:, :60, :80] = 128
    stack = _stack(frames, Axis("z", 2.0, "micrometer"))
    found = focus_stack(stack, uncertainty=True)
    np.testing.assert_array_equal(np.isnan(found.uncertainty), found.confidence == 0)
    scaled = focus_stack(stack, uncertainty=True, depth_unit="distance")
    np.testing.assert_allclose(scaled.uncertainty, 2 * found.uncertainty, rtol=1e-5)
    assert focus_stack(stack).uncertainty is None
    assert focus_stack(stack, depth=False, uncertainty=True).uncertainty is None


@pytest.mark.parametrize("noise", [1.0, 4.0])
def test_two_thirds_of_the_errors_lie_within_the_uncertainty(noise):
    places = np.arange(0, 12, 1.5)
    frames, depth = _series(places, seed=3, noise=noise)
    stack = replace(_stack(frames, Axis("z", 1.5, "micrometer")))
    found = focus_stack(stack, depth_unit="distance", uncertainty=True)
    sure = cv2.erode((found.confidence > 0).astype(np.uint8), np.ones((3, 3))) > 0
    assert np.median(np.abs(found.depth - depth)[sure]) < 0.1 * noise**0.5
    assert 0.55 < (np.abs(found.depth - depth) < found.uncertainty)[sure].mean() < 0.8
