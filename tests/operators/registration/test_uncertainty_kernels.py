"""The sums behind covariances, beside the same sums in NumPy, and beside differences of a score."""

import numpy as np
import pytest

from napari_stack.operators.geometry.warp_rows import resample
from napari_stack.operators.registration.refinement.near import WEIGHTS
from napari_stack.operators.registration.refinement.uncertainty_kernels import TAPS, row_sums

GAIN, OFFSET = 1.1, 0.2
LEFT, MARGIN = 5, 4
MATRIX = np.array([[1.01, 0.02, 1.3], [-0.015, 0.99, -0.6], [1e-5, -2e-5, 1]])


def images(shape=(60, 70)):
    rng = np.random.default_rng(3)
    fixed = rng.normal(size=shape).astype(np.float32)
    warped = fixed + 0.2 * rng.normal(size=shape).astype(np.float32)
    warped[:9] = np.nan
    warped[40, 50] = np.nan
    return fixed, warped


def shifted(image, y, x):
    moved = np.full_like(image, np.nan)
    rows, columns = image.shape
    y0, x0 = max(-y, 0), max(-x, 0)
    part = image[max(y, 0) : rows + min(y, 0), max(x, 0) : columns + min(x, 0)]
    moved[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]] = part
    return moved


def differences(image, axis):
    """Slopes by two and by four neighbours, third and second difference."""
    place = [(0, k) if axis == 0 else (k, 0) for k in range(4)]
    ahead = [shifted(image, *place[k]) for k in range(4)]
    back = [shifted(image, -place[k][0], -place[k][1]) for k in range(4)]
    one, two = ahead[1] - back[1], ahead[2] - back[2]
    even = [ahead[k] + back[k] for k in range(4)]
    second = (8 * (even[2] - 2 * image) + even[1] - even[3]) / 24
    return one / 2, 2 / 3 * one - two / 12, two / 2 - one, second


def expected(fixed, warped):
    """Every quantity as an image, 0 where a pixel is left out, and the weighted gradients."""
    f, m = GAIN * fixed.astype(np.float64), warped.astype(np.float64)
    mean, r = (f + m) / 2, m - f - OFFSET
    along = [(differences(mean, axis), differences(r, axis)) for axis in (0, 1)]
    (gx, tx, px3, _), (rx, _, rx3, rxx) = along[0]
    (gy, ty, py3, _), (ry, _, ry3, ryy) = along[1]
    flat, error, residual = WEIGHTS
    s = gx**2 + gy**2
    p, q = 1 + error * s, residual * r**2
    w = s / ((flat + s) * (p + q))
    dpsi = w * (p - q) / (p + q)
    dw = w * (1 / s - 1 / (flat + s) - error / (p + q))
    y, x = np.mgrid[: f.shape[0], : f.shape[1]]
    u, v, h = np.einsum("ij,jyx->iyx", MATRIX, np.stack([x, y, np.ones(x.shape)]))
    u, v = u / h, v / h
    cx, cy = (c * (1 - c) * (1 - 2 * c) / 6 for c in (u % 1, v % 1))
    both, rest = cx * px3 + cy * py3, (cx * rx3 + cy * ry3) / 4
    value = mean
    maps = [
        dpsi * gx * tx + r / 4 * (w + 2 * dw * gx**2) * rxx,
        dpsi * (gx * ty + gy * tx) / 2 + r / 4 * dw * gx * gy * (rxx + ryy),
        dpsi * gy * ty + r / 4 * (w + 2 * dw * gy**2) * ryy,
        w * (gx * both - rx * rest), w * (gy * both - ry * rest),
        w * value**2, w * value, w, w * value * r, w * r, s * w**2, s * (w * r) ** 2,
        s * w * s / ((flat + s) * p),
    ]  # fmt: skip
    counts = np.isfinite(rxx + ryy) & (u >= MARGIN) & (v >= MARGIN)
    counts &= (u < f.shape[1] - MARGIN) & (v < f.shape[0] - MARGIN)
    counts[:, :LEFT] = counts[:, f.shape[1] - LEFT :] = False
    return [np.where(counts, image, 0) for image in (*maps, w * gx, w * gy)]


def summed(fixed, warped, lines, matrix=MATRIX, gain=GAIN, offset=OFFSET):
    rows, columns = fixed.shape
    px = np.linspace(-1, 1, columns - 2 * LEFT).astype(np.float32)
    score = np.zeros((2, len(lines), columns), np.float32)
    sums = np.empty((len(lines), 29), np.float32)
    model = tuple(map(np.float32, (gain, offset, *WEIGHTS)))
    inside = tuple(map(np.float32, (MARGIN, columns - MARGIN, rows - MARGIN)))
    row_sums(
        fixed.reshape(-1), warped.reshape(-1), columns, lines, np.arange(len(lines)), LEFT, px,
        model, matrix, inside, score, sums,
    )  # fmt: skip
    return sums, score, px


def test_sums_are_those_that_numpy_makes():
    fixed, warped = images()
    lines = np.arange(LEFT, 60 - LEFT)
    sums, score, px = summed(fixed, warped, lines)
    maps = expected(fixed, warped)
    np.testing.assert_allclose(score[0], maps[-2][lines], atol=1e-4)
    np.testing.assert_allclose(score[1], maps[-1][lines], atol=1e-4)
    powers = [5, 5, 5, 3, 3, *[1] * 8]
    columns = [
        maps[number][lines][:, LEFT:-LEFT] @ px.astype(np.float64) ** power
        for number, most in enumerate(powers)
        for power in range(most)
    ]
    np.testing.assert_allclose(sums, np.stack(columns, axis=1), rtol=2e-3, atol=2e-3)
    assert np.count_nonzero(maps[7]) > 1000  # pixels


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_slopes_are_the_derivative_of_the_equations(noise):
    """Of the weighted sum of gradients and residuals, also where noise outweighs the scene."""
    rng, size = np.random.default_rng(0), 160
    wave = np.add.outer(np.sin(np.arange(size) / 3), np.sin(np.arange(size) / 4 + 1))
    frames = []
    for _ in range(2):
        grain = rng.normal(size=(size, size))
        for axis in (0, 1):  # as smooth as the band-pass makes it
            kernel = np.exp(-(np.arange(-4, 5) ** 2) / 2)
            grain = np.apply_along_axis(np.convolve, axis, grain, kernel / 2.5, "same")
        frames.append((wave + noise * grain).astype(np.float32))
    lines = np.arange(LEFT + TAPS, size - LEFT - TAPS)

    def equations(x):
        matrix = np.array([[1, 0, x], [0, 1, 0], [0, 0, 1.0]])
        warped = resample(frames[1], matrix, 1, np.arange(size))
        sums, score, _ = summed(frames[0], warped, lines, matrix, 1.0, 0.0)
        residual = np.nan_to_num(warped - frames[0])[lines]
        return (score[0] * residual).sum(), sums[:, 0].sum()

    step = 0.05
    (more, _), (less, _), (_, slope) = (equations(0.5 + k * step) for k in (1, -1, 0))
    assert slope == pytest.approx((more - less) / (2 * step), rel=0.08)
