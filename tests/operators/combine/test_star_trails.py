"""`star_trails`: trails without gaps, and nothing else that is changed."""

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import combine, star_trails


def night(frames=8, gap=0.25, channels=(), dtype=np.uint16, seed=0):
    """Stars that turn about a pole while the shutter is open, and the trails without gaps."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:150, :200]
    radius = np.array([50.0, 80, 110, 140, 170])
    begin = rng.uniform(0.2, 0.4, len(radius))
    light = rng.uniform(800, 3000, len(radius))
    distance, angle = np.hypot(y + 10, x + 10), np.arctan2(y + 10, x + 10)
    step = 14 / radius
    data, whole = np.zeros((frames, 150, 200)), np.zeros((150, 200))
    for r, a, b, s in zip(radius, begin, light, step, strict=True):
        profile = b * np.exp(-((distance - r) ** 2) / 2 / 1.2**2)
        for k in range(frames):
            inside = (angle > a + k * s) & (angle < a + (k + 1 - gap) * s)
            data[k] += profile * inside
        whole += profile * ((angle > a) & (angle < a + (frames - gap) * s))
    data = 100 + data + rng.normal(0, 5, data.shape)
    if channels:
        data = data[..., None] * np.linspace(1, 0.5, channels[0])
    return Stack.wrap(np.rint(data).astype(dtype)), 100 + whole


@pytest.mark.parametrize(("channels", "dtype"), [((), np.uint16), ((3,), np.float32)])
def test_gaps_are_filled_along_the_trails(channels, dtype):
    stack, whole = night(channels=channels, dtype=dtype)
    filled, plain = star_trails(stack), combine(stack, method="maximum")
    assert filled.dtype == dtype
    assert filled.shape == plain.shape
    assert (filled >= plain).all()
    one, other = (image[..., 0] if channels else image for image in (filled, plain))
    trail = whole > 600
    gaps = trail & (other < 0.4 * whole)
    assert gaps.sum() > 50
    assert (one[gaps] > 0.6 * whole[gaps]).mean() > 0.85
    dark = whole < 101
    assert (one[dark] > other[dark]).mean() < 0.02
    np.testing.assert_array_equal(star_trails(stack, fill=0), plain)


def test_stars_that_are_points_are_not_joined_and_it_can_be_cancelled():
    rng = np.random.default_rng(0)
    data = rng.normal(100, 5, (4, 80, 90))
    data[:, rng.integers(0, 80, 30), rng.integers(0, 90, 30)] += 2000
    stack = Stack.wrap(data.astype(np.float32))
    changed = star_trails(stack, fill=3) > combine(stack, method="maximum") + 200
    assert changed.mean() < 0.01

    def tick(done, total, what):
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        star_trails(stack, run=Run(tick=tick))
