"""The sharpness of frames and its course over a series, against what is known of it."""

import numpy as np
import pytest

from napari_stack.operators.focus.focus_measure import (
    FocusCurve,
    Sharpness,
    noise_sharpness,
    rounding_sharpness,
    sharpness,
)


def test_sharpness_of_white_noise_is_foreseen():
    noise = np.random.default_rng(0).normal(0, 3, (300, 300))
    assert noise_sharpness(noise) == pytest.approx(sharpness(noise).mean(), rel=0.05)


def test_rounding_gives_the_sharpness_that_is_foreseen():
    smooth = np.random.default_rng(0).uniform(0, 200, (300, 300))
    error = np.rint(smooth) - smooth
    expected = sharpness(error).mean()
    assert rounding_sharpness(np.dtype(np.uint8)) == pytest.approx(expected, rel=0.05)
    assert rounding_sharpness(np.dtype(np.float32)) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (20, 31)])
def test_a_ridge_is_sharp_and_a_plane_is_not(shape):
    rows, columns = np.indices(shape, np.float32)
    plane = 3 * rows - 2 * columns
    inner = sharpness(plane)[8:-8, 8:-8]
    assert np.abs(inner).max(initial=0) < 0.01
    assert not sharpness(np.full(shape, 7, np.float32)).any()
    ridge = sharpness(np.where(columns == shape[1] // 2, np.float32(9), 0))
    assert (ridge[:, shape[1] // 2] == ridge.max()).all()


def test_invalid_pixels_have_a_sharpness_of_their_own():
    grey = np.random.default_rng(1).random((20, 30), np.float32)
    valid = np.ones(grey.shape, bool)
    valid[3:7, 5] = False
    found = Sharpness.of(grey, valid)
    assert (found.energy[~valid] == -1).all()
    np.testing.assert_array_equal(found.energy[valid], sharpness(grey)[valid])
    assert found.noise == noise_sharpness(grey)


def curve_of(planes, indices, shape=(1, 4)):
    curve = FocusCurve(shape)
    for index in indices:
        curve.add(index, np.asarray(planes[index], np.float32).reshape(shape), noise=0.0)
    return curve


def test_peaks_are_found_between_uneven_frames():
    numbers = [0, 1, 3, 4, 7]
    peaks = np.array([0.0, 1.4, 3.2, 7.0])
    planes = {n: 100 / (1 + (n - peaks) ** 2 / 4) for n in numbers}
    curve = curve_of(planes, numbers)
    np.testing.assert_allclose(curve.peak()[0], peaks, atol=1e-3)


def test_peaks_beside_the_ends_are_found_by_the_width_of_others():
    numbers, peaks = [0, 1, 3, 4, 7], np.array([1.4, 0.3, 0.2, 5.8, 3.2, 6.0, 0.49, 0.0])
    planes = {n: 100 / (1 + (n - peaks) ** 2 / 4) for n in numbers}
    curve = curve_of(planes, numbers, (1, 8))
    np.testing.assert_allclose(curve.peak()[0], peaks, atol=1e-3)


def test_noise_does_not_pull_peaks_towards_whole_frames():
    peaks = np.linspace(2, 3, 4)
    planes = {n: np.hypot(100 / (1 + (n - peaks) ** 2 / 4), 60) for n in range(6)}
    curve = FocusCurve((1, 4))
    for index, plane in planes.items():
        curve.add(index, plane.reshape(1, 4).astype(np.float32), noise=60.0)
    np.testing.assert_allclose(curve.peak()[0], peaks, atol=2e-3)


@pytest.mark.parametrize("cut", [0, 1, 3, 5])
def test_curves_of_parts_merge_to_that_of_all_frames(cut):
    planes = dict(enumerate(np.random.default_rng(2).uniform(-0.5, 1, (5, 1, 4))))
    planes[2][0, 1] = planes[3][0, 1] = -1
    whole, first, second = (
        curve_of(planes, part) for part in (range(5), range(cut), range(cut, 5))
    )
    first.merge(second)
    assert first.indices == whole.indices
    for name in ("best", "before", "after", "last", "first", "count", "label"):
        np.testing.assert_array_equal(getattr(first, name), getattr(whole, name), err_msg=name)
    np.testing.assert_allclose(first.total, whole.total, rtol=1e-6)


def test_clarity_is_one_for_a_lone_peak_and_none_for_equal_frames():
    planes = {n: [100 * (n == 2), 5, 0, 100] for n in range(5)}
    _, clarity, _ = curve_of(planes, range(5)).finish()
    assert clarity[0, 0] > 0.98
    np.testing.assert_array_equal(clarity[0, 1:], 0)
