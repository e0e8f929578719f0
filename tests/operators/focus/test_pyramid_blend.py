"""Frames that are blended by weights: no seam, and parts that merge."""

from functools import partial

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.operators.focus.depth_map import picked_weights
from napari_stack.operators.focus.frame_statistics import SeriesStatistics
from napari_stack.operators.focus.pyramid_blend import BlendingFold

NO_GAINS = SeriesStatistics({}, noise=0, top=255)


def test_flat_frames_of_different_brightness_show_no_seam():
    light = np.full((2, 128, 128), 100, np.float32)
    light[1] += 20
    label = np.zeros((128, 128), np.uint16)
    label[:, 64:] = 1
    stack = Stack.wrap(light)
    fold = BlendingFold(stack, ChannelWeights(), NO_GAINS, partial(picked_weights, label))
    for index in range(2):
        fold.add(index, fold.prepare(stack, index))
    image = fold.result()[0][..., 0]
    assert image[:, 0].max() < 103
    assert image[:, -1].min() > 117
    assert np.abs(np.diff(image, axis=1)).max() < 4  # a step of 20 would be the seam


def test_parts_of_a_blend_merge():
    frames = np.random.default_rng(1).uniform(0, 255, (4, 64, 70)).astype(np.float32)
    label = np.random.default_rng(2).integers(0, 4, (64, 70)).astype(np.uint16)
    stack = Stack.wrap(frames)

    def folded(numbers):
        fold = BlendingFold(stack, ChannelWeights(), NO_GAINS, partial(picked_weights, label))
        for i in numbers:
            fold.add(i, fold.prepare(stack, i))
        return fold

    parts, whole = folded([0, 1]), folded(range(4))
    parts.merge(folded([2, 3]))
    np.testing.assert_allclose(parts.result()[0], whole.result()[0], atol=1e-3)
