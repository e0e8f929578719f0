"""Pyramids of the frames that are sharp around each pixel."""

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.operators.focus.frame_statistics import SeriesStatistics
from napari_stack.operators.focus.restricted_pyramid import RestrictedFold, frame_limits


def test_frame_limits_hold_the_labels_around_a_pixel():
    labels = np.zeros((40, 40), np.uint16)
    labels[:, 20:] = 9
    limits = frame_limits(labels, 4)
    np.testing.assert_array_equal(limits.first[0], 9 * (np.indices((40, 40))[1] >= 24))
    np.testing.assert_array_equal(limits.last[0], 9 * (np.indices((40, 40))[1] >= 16))
    assert [plane.shape for plane in limits.first] == [(40, 40), (20, 20), (10, 10)]


def test_only_frames_within_the_limits_contribute():
    frames = np.random.default_rng(0).uniform(0, 255, (3, 64, 64)).astype(np.float32)
    labels = np.zeros((64, 64), np.uint16)
    labels[:, 32:] = 2
    rows = slice(0, 64)
    limits = frame_limits(labels, 0)
    stack = Stack.wrap(frames)
    statistics = SeriesStatistics({}, noise=0.0, top=255.0)

    def folded(numbers):
        fold = RestrictedFold(stack, ChannelWeights(), limits, statistics, rows)
        for index in numbers:
            fold.add(index, fold.prepare(stack, index))
        return fold

    whole, first = folded(range(3)), folded([0])
    first.merge(folded([1, 2]))
    image = whole.sums.collapse()[..., 0]
    np.testing.assert_allclose(first.sums.collapse()[..., 0], image, atol=1e-3)
    np.testing.assert_allclose(image[:, :20], frames[0, :, :20], atol=1e-3)
    np.testing.assert_allclose(image[:, 44:], frames[2, :, 44:], atol=1e-3)
