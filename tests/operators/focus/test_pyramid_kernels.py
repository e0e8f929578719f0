"""The compiled loops of pyramids against the same in NumPy, for every way that channels go."""

import numpy as np
import pytest

from napari_stack.operators.focus.pyramid_kernels import (
    add_expanded,
    add_weighted,
    divide,
    flat,
    generating_weights,
    keep_larger,
    reduce,
    window_mean,
)

CHANNELS = (1, 2, 3, 5)
SHAPES = ((33, 47), (8, 12), (5, 9), (1, 1), (1, 6), (7, 2))


def smoothed(image, axis, centre):
    """Smooth along an axis, edges replicated."""
    weights = generating_weights(centre, image.dtype)
    pad = [(2, 2) if a == axis else (0, 0) for a in range(3)]
    padded = np.pad(image, pad, mode="edge")
    count = image.shape[axis]
    return sum(w * padded.take(range(k, k + count), axis) for k, w in enumerate(weights))


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("centre", [0.4, 0.6])
def test_reducing_smooths_and_keeps_every_second_pixel(shape, channels, centre):
    image = np.random.default_rng(0).random((*shape, channels))
    expected = smoothed(smoothed(image, 0, centre), 1, centre)[::2, ::2]
    np.testing.assert_allclose(reduce(image, centre), expected, rtol=1e-12)


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("shape", SHAPES)
def test_expanding_smooths_what_has_gaps(shape, channels):
    rng = np.random.default_rng(1)
    fine = rng.random((*shape, channels))
    coarse = rng.random(((shape[0] + 1) // 2, (shape[1] + 1) // 2, channels))
    padded = np.pad(coarse, ((1, 1), (1, 1), (0, 0)), mode="edge")
    gaps = np.zeros((2 * padded.shape[0], 2 * padded.shape[1], channels))
    gaps[::2, ::2] = padded
    expanded = 4 * smoothed(smoothed(gaps, 0, 0.4), 1, 0.4)
    expected = fine - expanded[2 : 2 + shape[0], 2 : 2 + shape[1]]
    found = np.empty_like(fine)
    add_expanded(fine, coarse, -1, found)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    add_expanded(fine, coarse, -1, fine)
    np.testing.assert_array_equal(fine, found)


@pytest.mark.parametrize("shape", [(33, 47), (64, 64), (101, 66), (5, 9), (128, 31)])
def test_pyramid_of_one_frame_is_exact(shape):
    frame = np.random.default_rng(0).random((*shape, 2))
    coarse = reduce(frame)
    assert coarse.shape == ((shape[0] + 1) // 2, (shape[1] + 1) // 2, 2)
    detail, back = np.empty_like(frame), np.empty_like(frame)
    add_expanded(frame, coarse, -1, detail)
    add_expanded(detail, coarse, 1, back)
    np.testing.assert_allclose(back, frame, atol=1e-15)
    np.testing.assert_allclose(reduce(np.full_like(frame, 3)), 3)


def test_expanding_keeps_a_slope():
    coarse = np.arange(20.0)[None, :, None].repeat(6, 0)
    fine = np.zeros((12, 40, 1))
    add_expanded(fine, coarse, 1, fine)
    np.testing.assert_allclose(fine[4, 2:-3, 0], np.arange(2, 37) / 2)


@pytest.mark.parametrize("channels", CHANNELS)
def test_the_larger_energy_brings_its_pixels(channels):
    rng = np.random.default_rng(2)
    best, energy = rng.random((2, 9, 11), np.float32)
    energy[0] = best[0]  # of equal ones the first is kept
    pixels, candidate = rng.random((2, 9, 11, channels), np.float32)
    larger = energy > best
    expected = np.where(larger[..., None], candidate, pixels)
    keep_larger(best, pixels, energy, candidate)
    np.testing.assert_array_equal(pixels, expected)
    assert (best >= energy).all()
    assert not larger[0].any()


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("partial", [False, True])
def test_values_are_added_by_powers_of_the_energy_within_their_frames(channels, partial):
    rng = np.random.default_rng(3)
    values, energy = rng.random((9, 11, channels)), rng.random((9, 11))
    first, last = np.sort(rng.integers(0, 5, (2, 9, 11)), axis=0).astype(np.uint16)
    support = rng.random((9, 11)) if partial else np.ones((9, 11))
    weights = np.where((first <= 2) & (last >= 2), energy**8 * support, 0)
    total, weight = np.zeros_like(values), np.zeros_like(energy)
    more = {"support": support} if partial else {}
    add_weighted(total, weight, values, energy, squarings=3, frames=(first, last), index=2, **more)
    np.testing.assert_allclose(weight, weights, rtol=1e-12)
    np.testing.assert_allclose(total, weights[..., None] * values, rtol=1e-12)
    divide(total, weight)
    np.testing.assert_allclose(total, np.where(weights[..., None] > 0, values, 0), rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_mean_over_a_narrow_window(shape):
    plane = np.random.default_rng(4).normal(size=shape).astype(np.float32)
    weights = np.array([0.1, 0.8, 0.1])
    padded = np.abs(np.pad(plane, 1, mode="edge"))
    rows = sum(w * padded[k : k + shape[0]] for k, w in enumerate(weights))
    mean = sum(w * rows[:, k : k + shape[1]] for k, w in enumerate(weights))
    found = window_mean(plane, 0.8, 0.1, 3.0, 0.5)
    np.testing.assert_allclose(found, 3 * mean + 0.5, rtol=1e-6)


def test_what_cannot_be_written_to_is_refused():
    with pytest.raises(AssertionError, match="contiguous"):
        flat(np.zeros((4, 6))[:, ::2])
