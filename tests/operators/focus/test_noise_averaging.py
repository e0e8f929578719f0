"""Averaging of frames that agree within the noise."""

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.operators import Auto, focus_stack
from napari_stack.operators.focus.frame_statistics import SeriesStatistics
from napari_stack.operators.focus.noise_averaging import NoiseAveragingFold
from support.focus_scenes import psnr, steps


def test_frames_that_agree_are_averaged_where_there_is_noise():
    frames, truth, _ = steps(frames=8, noise=8, colour=True)
    stack = Stack.wrap(frames)
    averaged = psnr(focus_stack(stack).image, truth)
    assert averaged > psnr(focus_stack(stack, method=Auto(average_noise=False)).image, truth) + 0.3
    assert averaged > psnr(focus_stack(stack, method="pyramid").image, truth) + 0.5


def test_frames_that_differ_by_more_than_noise_do_not_count():
    rng = np.random.default_rng(0)
    image = np.full((48, 50, 1), 100, np.float32)
    frames = image[..., 0] + rng.normal(0, 2, (6, 48, 50)).astype(np.float32)
    frames[4:] += 90
    stack = Stack.wrap(frames)
    statistics = SeriesStatistics({}, noise=2.0, top=255.0)
    fold = NoiseAveragingFold(image, ChannelWeights(), statistics, slice(0, 48))
    for index in range(6):
        fold.add(index, fold.prepare(stack, index))
    averaged = fold.averaged(image)[..., 0]
    assert np.abs(averaged - 100).max() < 6
    assert (averaged - 100).std() < 0.7 * 2
