"""Bad frames in a focus series: what they are called, and that they change nothing."""

import warnings

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.operators import Auto, Pyramid, focus_stack
from support.focus_scenes import blur, psnr, ramp

BAD = 3


def _nothing(frame, level):
    return np.random.default_rng(1).normal(level, 1.5, frame.shape)


SPOILS = {
    "black": lambda f: 0 * f,
    "white": lambda f: 0 * f + 255,
    "shows nothing": lambda f: _nothing(f, 128),
    "blurred": lambda f: blur(f, 8),
    "brighter": lambda f: 2 * f,
    "darker": lambda f: 40 + f / 8,
}


@pytest.fixture(scope="module")
def series():
    frames, truth, _ = ramp()
    frames = frames + np.random.default_rng(0).normal(0, 1.5, frames.shape)
    truth[50:100, 60:130] = 190  # a smooth thing
    frames[:, 50:100, 60:130] = 190
    return _stored(frames), truth


def _stored(frames):
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("method", ["auto", "pyramid", "depth map"])
@pytest.mark.parametrize("what", SPOILS)
def test_a_bad_frame_is_left_out_and_told(series, method, what):
    frames = series[0].astype(float)
    frames[BAD] = SPOILS[what](frames[BAD])
    with pytest.warns(UserWarning, match=f"^frame {BAD} .*{what}.*: left out$"):
        found = focus_stack(Stack.wrap(_stored(frames)), method=method)
    used = np.arange(len(frames)) != BAD
    without = Stack(Stack.wrap(series[0]).source, used=used)
    for one, other in zip(found, focus_stack(without, method=method), strict=True):
        np.testing.assert_array_equal(one, other)


def test_frames_that_are_doubled_or_black_are_told_together(series):
    frames = np.insert(series[0], 2, series[0][1], axis=0)
    frames[[4, 6]] = 0
    told = "frame 2 is the same as the one before; frames 4 and 6 are black: left out"
    with pytest.warns(UserWarning, match=told):
        focus_stack(Stack.wrap(frames), depth=False)


def test_a_frame_without_pixels_changes_nothing(series):
    frames = series[0].astype(np.float32)
    frames[0] = np.nan
    found = focus_stack(Stack.wrap(frames))
    # The brightness of all is that of the middle frames, which are others without it.
    without = focus_stack(Stack.wrap(frames[1:])).image
    np.testing.assert_allclose(found.image, without, atol=1)


@pytest.mark.parametrize("method", ["auto", "pyramid", "depth map"])
def test_exposure_and_flicker_are_levelled(series, method):
    frames, truth = series
    gains = np.array([1, 0.92, 0.5, 1.08, 0.95, 1.1])
    whole = focus_stack(Stack.wrap(frames), method=method).image
    image = focus_stack(
        Stack.wrap(_stored(frames * gains[:, None, None] * 0.8)), method=method
    ).image
    image = image * (truth * image).sum() / (image.astype(float) ** 2).sum()
    assert psnr(image, truth) > psnr(whole, truth) - 1.5


@pytest.mark.parametrize("method", [Auto(even_brightness=False), Pyramid(even_brightness=False)])
def test_levelling_is_an_option(series, method):
    frames, truth = series
    gains = np.array([1, 0.92, 0.9, 1.08, 0.95, 1.1])[:, None, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = focus_stack(Stack.wrap(_stored(frames * gains)), method=method).image
    even = focus_stack(Stack.wrap(_stored(frames * gains)), method=type(method)()).image
    assert psnr(even, truth) > psnr(image, truth) + 2


def test_planes_that_show_different_things_are_all_kept():
    """Confocal planes: what is not in focus is dark."""
    rng = np.random.default_rng(3)
    frames = np.zeros((7, 128, 160), np.float32)
    for number, row, column in zip(np.arange(70) % 7, rng.integers(8, 120, 70),
                                   rng.integers(8, 150, 70), strict=True):  # fmt: skip
        frames[number, row : row + 5, column : column + 6] += 40 * (number + 1)
    frames = rng.poisson(5 + np.stack([blur(frame, 1) for frame in frames])).astype(np.uint16)
    focus_stack(Stack.wrap(frames))  # warnings are errors
