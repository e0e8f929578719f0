"""Colours that a frame has, as near to the fused image as they come."""

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import focus_stack
from napari_stack.operators.focus.true_colours import TrueColoursFold, nearest_colours


@pytest.mark.parametrize("method", ["auto", "pyramid", "depth map"])
@pytest.mark.parametrize("colour", [True, False])
def test_true_colours_are_those_of_a_frame(method, colour):
    grey = np.asarray(samples.focus_series(frames=4, size=(96, 100))[0])
    data = np.stack([grey, 255 - grey, grey // 2], axis=3) if colour else grey
    stack = Stack.wrap(data)
    result = focus_stack(stack, method=method, true_colours=True)
    same = data == result.image
    assert (same.all(axis=3) if colour else same).any(axis=0).all()
    fused = focus_stack(stack, method=method)
    assert np.abs(fused.image.astype(int) - result.image).mean() < 3
    np.testing.assert_array_equal(result.depth, fused.depth)


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_every_pixel_is_that_of_the_nearest_frame(channels):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (4, 30, 35, channels)).astype(np.uint8)
    image = rng.uniform(0, 255, (30, 35, channels)).astype(np.float32)
    distance = np.abs(frames - image).sum(axis=3)
    expected = np.take_along_axis(frames, distance.argmin(axis=0)[None, ..., None], axis=0)[0]
    stack, weights = Stack.wrap(frames, rgb=False), ChannelWeights()
    np.testing.assert_array_equal(nearest_colours(stack, Run(), weights, image), expected)
    first, second = TrueColoursFold(stack, weights, image), TrueColoursFold(stack, weights, image)
    for fold, numbers in ((first, (0, 1)), (second, (2, 3))):
        for index in numbers:
            fold.add(index, fold.prepare(stack, index))
    first.merge(second)
    np.testing.assert_array_equal(first.picked, expected)
