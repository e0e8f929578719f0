"""Clipping of single pixels: robust spreads, and values that are mostly the same."""

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.operators import sigma_clip
from support.combining import few, scene


@pytest.mark.parametrize("spread", ["MAD", "winsorised"])
def test_robust_clipping_works_on_few_frames(spread):
    data, rng = scene(1, 5, np.uint16, (30, 40), strays=0)
    clean = data.mean(axis=0)
    data[rng.integers(0, 5, (30, 40)), *np.indices((30, 40))] += 5000
    found = sigma_clip(Stack.wrap(data), spread=spread, centre="median", sigma=3)
    assert (found.rejected >= 1).all()
    assert np.abs(found.image - clean).mean() < 10
    with pytest.warns(UserWarning, match="cannot be clipped"):
        assert sigma_clip(Stack.wrap(data), sigma=3).rejected.sum() == 0


def winsorised_by_numpy(values):
    spread = values.std()
    for _ in range(100):
        median = np.median(values)
        before = spread
        spread = 1.134 * np.clip(values, median - 1.5 * spread, median + 1.5 * spread).std()
        if abs(spread - before) <= 5e-4 * before:
            break
    return spread


@pytest.mark.parametrize("frames", [5, 20, 61])
def test_winsorised_clipping_is_the_published_one(frames):
    data, _ = scene(frames, frames, np.float64, (1, 40))
    found = sigma_clip(
        Stack.wrap(data), spread="winsorised", centre="median", sigma=3, iterations=1
    )
    for i, values in enumerate(data[:, 0].T):
        stray = np.abs(values - np.median(values)) > 3 * winsorised_by_numpy(values)
        assert found.rejected[0, i] == stray.sum()
        np.testing.assert_allclose(found.image[0, i], values[~stray].mean())


@pytest.mark.parametrize("spread", ["MAD", "winsorised"])
def test_values_that_are_mostly_the_same_are_not_all_that_is_kept(spread):
    values = np.array([10] * 12 + [11] * 7 + [200], np.uint8).reshape(20, 1, 1)
    for dtype in (np.uint8, np.float32):
        found = sigma_clip(Stack.wrap(values.astype(dtype)), spread=spread, centre="median")
        assert found.rejected.item() == 1
    values[12:19] = 10
    assert sigma_clip(Stack.wrap(values), spread=spread, centre="median").rejected.item() == 1
    assert sigma_clip(Stack.wrap(values[15:]), spread=spread, centre="median").rejected.item() == 1
    assert sigma_clip(Stack.wrap(values[:9]), spread=spread).rejected.item() == 0


def test_constant_pixels_and_small_sigmas_keep_a_value():
    found = sigma_clip(Stack.wrap(np.full((9, 2, 2), 0.1)), sigma=0.1)
    np.testing.assert_allclose(found.image, 0.1)
    two = np.array([0.0, 0, 0, 1, 1, 1]).reshape(6, 1, 1)
    for centre in ("mean", "median"):
        assert sigma_clip(Stack.wrap(two), sigma=0.5, centre=centre).image.item() == 0.5


@few
@pytest.mark.parametrize("count", [1, 2, 3, 10, 40, 41, 100])
@pytest.mark.parametrize("spread", ["standard deviation", "MAD"])
def test_values_beside_invalid_ones_are_put_in_order_and_clipped(count, spread):
    values = np.random.default_rng(count).normal(size=(count + 1, 1, 1))
    values[0] = 1000
    values[count // 2 + 1] = np.nan
    found = sigma_clip(
        Stack.wrap(values), sigma=3, centre="median", spread=spread, details=True, dtype="float64"
    )
    clipped = count >= (8 if spread == "standard deviation" else 3)
    assert found.rejected.item() == clipped
    assert found.used.item() == count - clipped
    kept = np.delete(values, [0, count // 2 + 1] if clipped else [count // 2 + 1])
    np.testing.assert_allclose(found.image.item(), kept.mean())
