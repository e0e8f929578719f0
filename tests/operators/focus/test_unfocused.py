"""Places where no frame is sharp: calm, without confidence, told; the depth filled in or open."""

import cv2
import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack
from napari_stack.operators.focus.unfocused import untextured
from support.focus_scenes import defocus, texture

SHAPE = (140, 240)


def _series(beyond=1.0, light=0.02, noise=2.0, growth=1.2, frames=6):
    """Return texture with a smooth thing in it, under light that changes: frames, truth, inside."""
    rng = np.random.default_rng(4)
    rows, columns = np.indices(SHAPE)
    mask = ((columns > 70) & (columns < 170) & (rows > 20)).astype(np.float32)
    smooth = cv2.GaussianBlur(mask, (0, 0), 1.0)
    truth = texture(SHAPE) * (1 - smooth) + (120 + columns / 8) * smooth
    depth = columns / (SHAPE[1] - 1) * (frames - 1) * beyond
    series = defocus(truth.astype(np.float32), depth, frames, growth)
    for frame in series:
        uneven = rng.normal(0, light, (3, 4)).astype(np.float32)
        frame *= 1 + cv2.resize(uneven, SHAPE[::-1], interpolation=cv2.INTER_CUBIC)
        frame += rng.normal(0, noise, SHAPE)
    inside = cv2.erode(mask, np.ones((41, 41))) > 0
    return np.clip(np.rint(series), 0, 255).astype(np.uint8), truth, inside


@pytest.fixture(scope="module")
def smooth_thing():
    return _series()


def _blotches(image, truth, inside):
    error = image - truth
    rough = cv2.GaussianBlur(error, (0, 0), 2) - cv2.GaussianBlur(error, (0, 0), 8)
    return rough[inside].std()


def test_where_nothing_is_to_be_seen_the_image_is_calm(smooth_thing):
    frames, truth, inside = smooth_thing
    found = focus_stack(Stack.wrap(frames))
    average = _blotches(frames.mean(axis=0), truth, inside)
    still = _blotches(frames[2].astype(float), truth, inside)
    assert average < _blotches(found.image.astype(float), truth, inside) < still
    assert (found.confidence[inside] == 0).mean() > 0.98


def test_the_depth_there_is_filled_or_open(smooth_thing):
    frames, _, inside = smooth_thing
    filled = focus_stack(Stack.wrap(frames))
    opened = focus_stack(Stack.wrap(frames), depth_gaps="NaN")
    assert np.isfinite(filled.depth).all()
    np.testing.assert_array_equal(np.isnan(opened.depth), filled.confidence == 0)
    assert np.isnan(opened.depth[inside]).mean() > 0.98


@pytest.mark.parametrize("method", ["auto", "pyramid", "depth map"])
def test_a_series_that_is_too_short_is_told(method):
    frames, _, _ = _series(beyond=1.4, light=0, noise=1, growth=0.7)
    with pytest.warns(UserWarning, match="never in focus, it gets sharper towards the last frame"):
        found = focus_stack(Stack.wrap(frames), method=method)
    assert (found.confidence == 0).mean() > 0.04
    with pytest.warns(UserWarning, match="towards the first frame: take more"):
        focus_stack(Stack.wrap(frames[::-1]), method=method)


def test_noise_alone_is_no_texture():
    weight = np.zeros((80, 100), np.float32)
    coarse = np.zeros((20, 25), np.float32)
    assert (untextured(weight, coarse) == 1).all()
    weight[40, 50] = 1  # one pixel of noise
    assert untextured(weight, coarse).min() > 0.5
    weight[30:50, 40:60] = 1
    found = untextured(weight, coarse)
    assert found[30:50, 40:60].max() < 0.05
    assert found[0].min() > 0.95
