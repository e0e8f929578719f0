"""Running results: what they are relative to, and that parts merge."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import combine, sigma_clip
from support.combining import product_by_numpy


def test_a_product_is_relative_to_the_greatest_value_whenever_it_comes():
    rng = np.random.default_rng(0)
    data = rng.integers(1, 4000, (9, 6, 5)).astype(np.uint16)
    for frames in (np.sort(data.ravel()), np.sort(data.ravel())[::-1]):
        some = frames.reshape(data.shape)
        expected = product_by_numpy(some.astype(np.float64))
        np.testing.assert_allclose(combine(Stack.wrap(some), method="product"), expected)


def test_many_frames_and_large_values_lose_no_digits():
    data = np.full((500, 2, 2), 65535, np.uint16)
    assert (combine(Stack.wrap(data)) == 65535).all()
    assert (sigma_clip(Stack.wrap(data)).image == 65535).all()
    wide = np.full((9, 2, 2), 2**31 - 1, np.int32)
    assert (combine(Stack.wrap(wide)) == 2**31 - 1).all()
    deep = np.full((9, 2, 2), 1e9) + np.arange(9).reshape(9, 1, 1) * 1e-3
    np.testing.assert_allclose(combine(Stack.wrap(deep)), 1e9 + 4e-3, rtol=1e-15)
    spread = combine(Stack.wrap(deep), method="standard deviation")
    np.testing.assert_allclose(spread, np.std(deep - 1e9, axis=0), rtol=1e-4)


@pytest.mark.parametrize(
    "method", ["mean", "sum", "product", "minimum", "maximum", "range", "standard deviation",
               "difference", "weighted mean"],
)  # fmt: skip
@pytest.mark.parametrize("holes", [False, True])
def test_parts_that_merge_give_what_one_pass_gives(method, holes):
    data = np.random.default_rng(5).normal(100, 9, (40, 11, 13))  # parts of 16, 16 and 8 frames
    if holes:
        data[np.random.default_rng(6).random(data.shape) < 0.2] = np.nan
        data[:17, 0, 0] = data[:, 1, 1] = np.nan  # in the first part alone, and everywhere
    with ThreadPoolExecutor(2) as pool:
        merged = combine(Stack.wrap(data), method=method, run=Run(executor=pool))
    once = combine(Stack.wrap(data), method=method)
    np.testing.assert_array_equal(np.isnan(merged), np.isnan(once))
    assert np.isnan(once[1, 1]) == holes
    np.testing.assert_allclose(merged, once, rtol=1e-9)
