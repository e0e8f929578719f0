"""Brightness of frames: sums of channels, alpha as declared, pixels that are not finite."""

import numpy as np
import pytest

from napari_stack.core.pixels.luminance import ChannelWeights, brightness_of, weighted_sum
from napari_stack.core.stack import Stack
from napari_stack.operators import Transforms, apply_transforms, balance
from support.focus_scenes import steps


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_channels_are_summed_by_their_weights(channels, dtype):
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 200, (13, 17, channels)).astype(dtype)
    weights = rng.random(channels).astype(np.result_type(dtype, np.float32))
    found = weighted_sum(image, weights)
    assert found.dtype == weights.dtype
    np.testing.assert_allclose(found, image @ weights.astype(float), rtol=1e-6)


def test_a_fourth_channel_is_alpha_only_where_it_is_declared():
    values = np.random.default_rng(1).random((5, 6, 4), np.float32)
    colours, opacity, _ = ChannelWeights(rgb=True, alpha=True).split(values, None)
    np.testing.assert_array_equal(colours, values[..., :3])
    np.testing.assert_array_equal(opacity, values[..., 3:])
    weights = ChannelWeights(rgb=True)
    colours, opacity, _ = weights.split(values, None)
    assert opacity is None
    np.testing.assert_array_equal(colours, values)
    np.testing.assert_allclose(weights.grey(colours), values.mean(axis=2), rtol=1e-6)


def test_one_channel_counts_alone():
    values = np.random.default_rng(2).random((5, 6, 3), np.float32)
    np.testing.assert_array_equal(ChannelWeights(rgb=True, channel=2).grey(values), values[..., 2])


def test_what_is_not_finite_is_not_valid_and_takes_the_nearest_pixel():
    halves = np.repeat(np.array([[1, 2]], np.float32), 8, axis=1).repeat(9, axis=0)
    values = halves.copy()
    values[2:5, 1:3] = np.nan
    values[8, 15] = np.inf
    colours, _, valid = ChannelWeights().split(values, None)
    np.testing.assert_array_equal(valid, np.isfinite(values))
    np.testing.assert_array_equal(colours[..., 0], halves)


def test_what_is_warped_alone_is_warped_in_brightness():
    frames, _, _ = steps(colour=True)
    moved = apply_transforms(Stack.wrap(frames), Transforms(np.tile(np.eye(3), (6, 1, 1))))
    balanced = balance(moved)
    for stack, corrections in ((moved, 1), (balanced, 0)):
        grey = brightness_of(stack, ChannelWeights(rgb=True))
        assert len(grey.corrections) == corrections
        values, valid = grey.read(2)
        assert valid is None
        np.testing.assert_allclose(values, frames[2] @ (0.299, 0.587, 0.114), rtol=1e-5)
