"""Colours that a frame has, as near to the fused image as they come."""

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import Auto, focus_stack
from napari_stack.operators.focus.true_colours import TrueColoursFold, nearest_colours
from support.focus_scenes import blur, psnr, texture


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


def _pair(noise=0.0, gain=1.0):
    """Return the two halves in focus of a picture, a frame each, and the picture."""
    picture = texture((120, 150))
    inside = (np.arange(150) < 75).astype(np.float32)
    soft = blur(picture, 2.0)
    frames = np.stack(
        [picture * inside + soft * (1 - inside), soft * inside + picture * (1 - inside)]
    )
    frames[1] *= gain
    frames += np.random.default_rng(0).normal(0, noise, frames.shape)
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8), picture


def _as_recorded(frames, **options):
    image = focus_stack(Stack.wrap(frames), depth=False, method=Auto(**options)).image
    return (frames == image).any(axis=0).mean()


def test_pairs_come_as_recorded_where_that_is_better():
    frames, picture = _pair()
    assert _as_recorded(frames) == 1
    assert _as_recorded(frames, pairs_as_recorded=False) < 1
    blended = focus_stack(Stack.wrap(frames), method=Auto(pairs_as_recorded=False)).image
    assert psnr(focus_stack(Stack.wrap(frames)).image, picture) >= psnr(blended, picture) - 0.05


@pytest.mark.parametrize("kind", [{"noise": 4.0}, {"gain": 0.9}])
def test_noisy_and_flickering_pairs_are_blended(kind):
    assert _as_recorded(_pair(**kind)[0]) < 1
