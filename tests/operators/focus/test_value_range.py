"""The range of the frames at every pixel: of valid pixels only, in the type of the frames."""

import numpy as np
import pytest

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.operators.focus.value_range import RangeState


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_range_holds_valid_pixels_and_no_others(dtype, channels):
    rng = np.random.default_rng(0)
    frames = rng.uniform(0, 200, (4, 20, 22, channels)).astype(dtype)
    valid = rng.random((4, 20, 22)) < 0.6
    valid[:, 3, 4] = False
    state, other = (
        RangeState((20, 22, channels), np.dtype(dtype), ChannelWeights(), slice(0, 20))
        for _ in range(2)
    )
    for number, part in enumerate((state, state, other, other)):
        for rows in (slice(0, 7), slice(7, 20)):
            part.widen(rows, frames[number, rows], None, valid[number, rows])
    state.merge(other)
    mask = valid[..., None] & np.ones(channels, bool)
    covered = valid.any(axis=0)
    low = np.min(frames, axis=0, where=mask, initial=250)
    high = np.max(frames, axis=0, where=mask, initial=0)
    np.testing.assert_array_equal(state.low[covered], low[covered])
    np.testing.assert_array_equal(state.high[covered], high[covered])
    image = rng.uniform(-50, 300, (20, 22, channels))
    state.clamp(image)
    finished, seen = state.finished(image)
    np.testing.assert_array_equal(seen, covered)
    assert (finished[covered] >= low[covered]).all()
    assert (finished[covered] <= high[covered]).all()
    assert not finished[~covered].any()


def test_alpha_is_the_largest_of_the_valid_ones():
    weights = ChannelWeights(rgb=True, alpha=True)
    state = RangeState((2, 2, 4), np.dtype(np.uint8), weights, slice(0, 2))
    colours = np.zeros((2, 2, 3), np.uint8)
    for alpha, valid in ((90, True), (200, False), (120, True)):
        opacity = np.full((2, 2, 1), alpha, np.float32)
        state.widen(slice(0, 2), colours, opacity, np.full((2, 2), valid))
    image, _ = state.finished(np.zeros((2, 2, 3), np.float32))
    np.testing.assert_array_equal(image[..., 3], 120)
