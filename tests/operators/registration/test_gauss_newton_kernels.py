"""The sums of the normal equations, beside the same sums written in NumPy."""

import numpy as np
import pytest

from napari_stack.operators.registration.refinement.gauss_newton_kernels import (
    BAND,
    banded,
    moments,
)


def images(shape):
    rng = np.random.default_rng(3)
    fixed = rng.normal(size=shape).astype(np.float32)
    warped = fixed + 0.2 * rng.normal(size=shape).astype(np.float32)
    warped[:20] = np.nan
    warped[40, 50] = np.nan
    return fixed, warped


def reference(fixed, warped, model, radius, margin, every):
    gain, offset, flat, error, residual = model
    rows, columns = fixed.shape
    g, m = gain * fixed.astype(np.float64), warped.astype(np.float64)
    (fy, fx), (my, mx) = np.gradient(g), np.gradient(m)
    value, r = (g + m) / 2, m - g - offset
    gx, gy = (fx + mx) / 2, (fy + my) / 2
    squared = gx**2 + gy**2
    w = squared / ((flat + squared) * (1 + error * squared + residual * r**2))
    counts = np.zeros(fixed.shape, bool)
    counts[margin : rows - margin, margin : columns - margin] = True
    counts &= banded(rows, every)[:, None] & np.isfinite(w)
    both = [w * fx * mx, w * (fx * my + fy * mx) / 2, w * fy * my]
    lines = [w * gx * value, w * gy * value, w * gx, w * gy, w * gx * r, w * gy * r]
    single = [w * value**2, w * value, w, w * value * r, w * r, np.ones_like(w), w * squared,
              w * r**2]  # fmt: skip
    y, x = np.mgrid[:rows, :columns]
    px, py = (x - (columns - 1) / 2) / radius, (y - (rows - 1) / 2) / radius
    total = np.zeros((17, 5, 5))
    for q, quantity in enumerate([*both, *lines]):
        for k in range(5):
            for n in range(5 - k):
                total[q, k, n] = (quantity * px**k * py**n)[counts].sum()
    total[9:, 0, 0] = [quantity[counts].sum() for quantity in single]
    return total


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("perspective", [False, True])
def test_sums_are_those_that_numpy_makes(perspective, every):
    place = (*images((150, 170)), (1.1, 0.2, 1.0, 0.09, 0.25), 110.0, 7)
    found, expected = moments(*place, perspective, every), reference(*place, every)
    # Of two gradients, and of one: the powers that an affine transform, or a perspective, needs.
    for some, most in ((slice(0, 3), 4 if perspective else 2), (slice(3, 9), 1 + perspective)):
        for k in range(most + 1):
            for n in range(most + 1 - k):
                sums = found[some, k, n], expected[some, k, n]
                np.testing.assert_allclose(*sums, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(found[9:, 0, 0], expected[9:, 0, 0], rtol=1e-4, atol=1e-2)
    assert expected[14, 0, 0] > 1000  # pixels


def test_bands_are_whole():
    taken = banded(10 * BAND, 4)
    assert taken.reshape(-1, BAND).all(axis=1).tolist() == [i % 4 == 0 for i in range(10)]
    assert taken.sum() == 3 * BAND
    assert banded(50, 1).all()
