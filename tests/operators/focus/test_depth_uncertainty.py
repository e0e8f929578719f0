"""How far a depth may be off: where it is rough, filled in, noisy, or set by hand."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack
from napari_stack.operators.focus.methods import WorkingResult
from napari_stack.operators.focus.uncertainty import depth_deviation

SHAPE = (48, 64)


def _planes(*values):
    return [np.full(SHAPE, value, np.float32) for value in values]


def test_a_depth_is_less_sure_where_it_is_rough_and_where_it_was_filled_in():
    depth, share, clarity, confidence = _planes(3, 0.1, 0.5, 0.5)
    depth[:, 32:] += np.random.default_rng(0).normal(0, 0.1, (48, 32)).astype(np.float32)
    own = depth.copy()
    own[:, :16] += 0.4
    even, rough = (
        depth_deviation(depth, own, share, clarity, confidence)[:, part]
        for part in (slice(20, 24), slice(40, 60))
    )
    assert even.max() < 0.03
    assert 0.1 < np.median(rough) < 0.3
    filled = depth_deviation(depth, own, share, clarity, confidence)
    assert filled[:, :4].max() < 0.03  # all around is at one depth
    depth[:, 8:] += 1
    own[:, 8:] += 1
    assert depth_deviation(depth, own, share, clarity, confidence)[:, :5].min() > 0.2


def test_a_noisy_depth_is_less_sure_the_more_where_nothing_around_is_clear():
    depth, share, clear, unclear, confidence = _planes(3, 0.8, 0.5, 0.01, 0.5)
    sure, unsure = (
        depth_deviation(depth, depth, share, clarity, confidence) for clarity in (clear, unclear)
    )
    assert (unsure > 2 * sure).all()
    confidence[:] = 0
    assert np.isnan(depth_deviation(depth, depth, share, clear, confidence)).all()


def test_a_depth_that_was_set_is_as_sure_as_a_whole_frame():
    measured, deviation, confidence = _planes(3.3, 0.05, 0.5)
    depth = measured.copy()
    depth[:8], confidence[:4] = 5, 0
    image, covered = np.zeros(SHAPE), np.ones(SHAPE, bool)
    found = WorkingResult(image, depth, confidence, covered, deviation=deviation)
    told = found.with_set_depths(measured).deviation
    assert np.isnan(told[:4]).all()
    np.testing.assert_allclose(told[4:8], 0.29, rtol=1e-6)
    np.testing.assert_array_equal(told[8:], deviation[8:])


def test_of_two_frames_nothing_tells_where_between_them_a_depth_lies():
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 255, (2, *SHAPE)).astype(np.uint8)
    frames[0, :, :32] = frames[1, :, 32:] = 128
    told = focus_stack(Stack.wrap(frames), uncertainty=True).uncertainty
    assert np.nanmin(told) >= np.float32(0.29)


def test_the_farther_two_frames_lie_apart_the_less_sure_a_depth_is():
    frames = np.random.default_rng(1).integers(0, 255, (9, *SHAPE)).astype(np.uint8)
    frames[0, :, :32] = frames[8, :, 32:] = 128
    stack = replace(Stack.wrap(frames), used=np.isin(np.arange(9), [0, 8]))
    assert np.nanmin(focus_stack(stack, uncertainty=True).uncertainty) >= 8 * np.float32(0.29)


def test_a_depth_beside_what_no_frame_shows_is_as_sure_as_elsewhere():
    stack, _ = samples.focus_series(frames=6, size=(64, 96))
    frames = np.stack([stack.read(number)[0] for number in range(6)]).astype(np.float32)
    whole = focus_stack(Stack.wrap(frames), method="pyramid", uncertainty=True)
    hidden = frames.copy()
    hidden[:, :, 48:] = np.nan
    part = focus_stack(Stack.wrap(hidden), method="pyramid", uncertainty=True)
    rim = np.s_[:, 44:47]
    clear = whole.confidence[rim] > 0.5
    assert clear.mean() > 0.2
    assert np.median(part.confidence[rim][clear]) > 0.3
    told = (np.nanmedian(found.uncertainty[rim][clear]) for found in (part, whole))
    assert next(told) < 4 * next(told)
    assert (part.depth[:, 48:] == 0).all()


@pytest.mark.parametrize("beyond", [0.0, 0.4])
def test_two_planes_at_the_ends_of_a_series_tell_no_fractions_of_a_frame(beyond):
    rng = np.random.default_rng(0)
    texture, away = rng.normal(128, 60, (96, 128)), np.abs(np.arange(3) - beyond)
    blurs = [cv2.GaussianBlur(texture, (0, 0), np.hypot(0.8, 1.5 * z)) for z in away]
    blurs = [blur + rng.normal(0, 1, blur.shape) for blur in blurs]
    frames = [np.where(np.arange(128) < 64, blurs[i], blurs[2 - i]) for i in range(3)]
    found = focus_stack(Stack.wrap(np.stack(frames, dtype=np.float32)), uncertainty=True)
    sure = (found.confidence > 0.1) & (np.abs(np.arange(128) - 63.5) > 8)
    assert sure.mean() > 0.4
    depth = found.depth[sure]
    assert (np.minimum(depth, 2 - depth) < 0.1).mean() > 0.95
    assert (found.uncertainty[sure] >= np.float32(0.29)).mean() > 0.95
