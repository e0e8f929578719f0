"""Frames of a focus series that were not registered are noticed; sound series are left in peace."""

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import Transforms, apply_transforms, focus_stack
from napari_stack.operators.focus.frame_statistics import SharpnessFold
from napari_stack.operators.focus.screening.misaligned import distance


def _distances(stack):
    fold = SharpnessFold(stack, ChannelWeights(), Run(), even=False)
    sketches = Run().fold(fold, stack, what="").sketches
    return [distance(sketches[i], sketches[i + 1]) for i in range(len(stack) - 1)]


@pytest.fixture(scope="module")
def sound():
    return samples.focus_series(frames=5, size=(256, 320))[0]


def test_a_shift_between_two_frames_is_told(sound):
    frames = np.asarray(sound)
    moved = np.concatenate([frames[:3], np.roll(frames[3:], (5, 11), (1, 2))])
    with pytest.warns(UserWarning, match="frames 2 and 3 lie 12 px apart: register first"):
        focus_stack(Stack.wrap(moved), depth=False, method="pyramid")


@pytest.mark.parametrize("growth", [0.02, 0.03])
def test_breathing_is_told(growth):
    stack, _ = samples.focus_series(frames=4, size=(256, 320), breathing=growth)
    expected = growth * np.hypot(128, 160)
    np.testing.assert_allclose(_distances(stack), expected, rtol=0.35)


@pytest.mark.parametrize("kind", [{}, {"noise": 0.1}, {"blur": 4.0}, {"seed": 3}])
def test_sound_series_raise_no_alarm(kind):
    stack, _ = samples.focus_series(frames=4, size=(200, 256), **kind)
    assert _distances(stack) == [0, 0, 0]


def test_unlike_frames_and_small_ones_raise_no_alarm():
    frames = np.random.default_rng(0).integers(0, 255, (4, 160, 200), np.uint8)
    assert _distances(Stack.wrap(frames)) == [0, 0, 0]
    assert _distances(Stack.wrap(frames[:, :40, :50])) == [0, 0, 0]


def test_what_was_registered_is_not_asked_for_again(sound):
    matrices = np.tile(np.eye(3), (5, 1, 1))
    matrices[3, 0, 2] = 14
    focus_stack(apply_transforms(sound, Transforms(matrices)), depth=False)  # warnings are errors
