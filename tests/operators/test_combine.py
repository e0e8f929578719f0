"""`combine` and `sigma_clip` against NumPy, known values, and bad input."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_stack.operators import combine, sigma_clip
from napari_stack.run import Run
from napari_stack.stack import Stack

CASES = Path(__file__).parents[3] / "shared" / "data" / "sigma_clip_cases"


def clipped_by_numpy(data, sigma, iterations):
    """Clip as the operator says, plainly."""
    values = np.ma.masked_invalid(data.astype(np.float64))
    for _ in range(iterations):
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        few = values.count(axis=0) < 3
        stray = (np.abs(values - mean) > sigma * deviation) & ~few
        stray &= ~(stray | np.ma.getmaskarray(values)).all(axis=0)
        if not stray.any():
            break
        values = np.ma.masked_where(np.ma.filled(stray, False), values)
    return values.mean(axis=0).filled(0), len(data) - values.count(axis=0)


@pytest.mark.parametrize("method", ["mean", "sum", "minimum", "maximum"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5, 7, 6), (4, 7, 6, 3), (1, 7, 6)])
def test_combine_is_what_numpy_makes(method, dtype, shape):
    data = np.random.default_rng(2).integers(0, 255, shape).astype(dtype)
    found = combine(Stack.wrap(data), method=method)
    function = {"mean": np.mean, "sum": np.sum, "minimum": np.min, "maximum": np.max}[method]
    expected = (
        function(data, axis=0, dtype=np.float64)
        if method in ("mean", "sum")
        else function(data, axis=0)
    )
    if method == "mean" and np.dtype(dtype).kind in "ui":
        expected = np.rint(expected)
    assert found.dtype == (np.float64 if method == "sum" else dtype)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@given(
    seed=st.integers(0, 2**16),
    frames=st.integers(1, 40),
    sigma=st.floats(0.5, 4),
    iterations=st.integers(0, 8),
    dtype=st.sampled_from([np.uint8, np.uint16, np.int16, np.float32, np.float64]),
)
@settings(max_examples=40, deadline=None)
@pytest.mark.filterwarnings("ignore:.*cannot be clipped:UserWarning")
def test_clipping_is_what_numpy_makes(seed, frames, sigma, iterations, dtype):
    rng = np.random.default_rng(seed)
    data = rng.normal(100, 10, (frames, 6, 5))
    data[rng.random(data.shape) < 0.05] += 60
    data = data.astype(dtype)
    if data.dtype.kind == "f":
        data[rng.random(data.shape) < 0.1] = np.nan
    found = sigma_clip(Stack.wrap(data), sigma=sigma, iterations=iterations)
    mean, rejected = clipped_by_numpy(data, sigma, iterations)
    if data.dtype.kind == "f":
        covered = np.isfinite(data).any(axis=0)
        rejected = rejected - (~np.isfinite(data)).sum(axis=0)
        assert np.isnan(found.image[~covered]).all()
        np.testing.assert_allclose(found.image[covered], mean[covered], rtol=1e-6)
    else:
        np.testing.assert_allclose(found.image, mean, atol=0.5001)
    np.testing.assert_array_equal(found.rejected, rejected)


@pytest.mark.skipif(not CASES.exists(), reason="the sample files are not here")
@pytest.mark.parametrize(
    ("sigma", "iterations", "expected", "count"),
    [
        (1.0, 0, [19, 4700, 1171, 9073], 0),
        (1.0, 1, [10, 99, 1015, 10144], 4),
        (1.0, 2, [10, 99, 1005, 9982], 12),
        (1.0, 3, [10, 99, 998, 9991], 22),
        (1.0, 6, [10, 100, 997, 10002], 28),
        (1.0, 9, [10, 100, 997, 10002], 28),
        (2.5, 1, [10, 99, 1015, 10144], 4),
        (2.5, 2, [10, 99, 1015, 9982], 5),
        (2.5, 9, [10, 99, 1015, 9982], 5),
    ],
)
def test_the_values_that_imgstack_gives(sigma, iterations, expected, count):
    import tifffile

    files = [CASES / f"1d_{i}.tif" for i in range(1, 10)]
    data = np.stack([np.atleast_2d(tifffile.imread(file)) for file in files])
    exact = sigma_clip(Stack.wrap(data.astype(np.float64)), sigma=sigma, iterations=iterations)
    np.testing.assert_array_equal(np.floor(exact.image.ravel() + 1e-9), expected)
    assert exact.rejected.sum() == count
    rounded = sigma_clip(Stack.wrap(data), sigma=sigma, iterations=iterations)
    assert rounded.image.dtype == data.dtype
    np.testing.assert_array_equal(rounded.image, np.rint(exact.image))


def test_the_order_of_frames_does_not_matter():
    data = np.random.default_rng(3).integers(0, 4000, (12, 9, 8), np.uint16)
    order = np.random.default_rng(4).permutation(12)
    for one, other in zip(
        sigma_clip(Stack.wrap(data), sigma=1.5), sigma_clip(Stack.wrap(data[order]), sigma=1.5),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(combine(Stack.wrap(data)), combine(Stack.wrap(data[order])))


def test_transparent_pixels_do_not_count():
    data = np.full((3, 1, 2, 4), 255, np.uint8)
    data[:, 0, 0, 0] = [10, 20, 90]
    data[2, 0, 0, 3] = 0
    data[:, 0, 1, 3] = 0
    stack = Stack.wrap(data, rgb=True)
    for image in (combine(stack), sigma_clip(stack, sigma=1).image):
        assert image[0, 0].tolist() == [15, 255, 255, 255]
        assert image[0, 1].tolist() == [0, 0, 0, 0]


def test_too_few_frames_to_clip_are_said():
    data = np.zeros((7, 4, 4), np.uint8)
    with pytest.warns(UserWarning, match="7 frames cannot be clipped at 2.5 sigma.*use 8 frames"):
        sigma_clip(Stack.wrap(data))
    sigma_clip(Stack.wrap(data), sigma=2.4)
    sigma_clip(Stack.wrap(data), iterations=0)
    with pytest.warns(UserWarning, match="one frame cannot be clipped.*use 8 frames or more$"):
        assert sigma_clip(Stack.wrap(data[:1] + 3)).image.tolist() == [[3] * 4] * 4


def test_constant_pixels_and_small_sigmas_keep_a_value():
    data = np.full((9, 2, 2), 0.1)
    found = sigma_clip(Stack.wrap(data), sigma=0.1)
    np.testing.assert_allclose(found.image, 0.1)
    two = np.array([0.0, 0, 0, 1, 1, 1]).reshape(6, 1, 1)
    assert sigma_clip(Stack.wrap(two), sigma=0.5).image.item() == 0.5


def test_many_frames_and_large_values_lose_no_digits():
    data = np.full((500, 2, 2), 65535, np.uint16)
    assert (combine(Stack.wrap(data)) == 65535).all()
    assert (sigma_clip(Stack.wrap(data)).image == 65535).all()
    wide = np.full((9, 2, 2), 2**31 - 1, np.int32)
    assert (combine(Stack.wrap(wide)) == 2**31 - 1).all()
    deep = np.full((9, 2, 2), 1e9) + np.arange(9).reshape(9, 1, 1) * 1e-3
    np.testing.assert_allclose(combine(Stack.wrap(deep)), 1e9 + 4e-3, rtol=1e-15)


@pytest.mark.parametrize("operator", [combine, sigma_clip])
def test_no_used_frame_is_refused(operator):
    from dataclasses import replace

    stack = replace(Stack.wrap(np.zeros((3, 4, 4))), used=np.zeros(3, bool))
    with pytest.raises(ValueError, match="none of the 3 frames is used"):
        operator(stack)


def test_memory_that_forces_bands_changes_nothing():
    data = np.random.default_rng(8).integers(0, 255, (30, 300, 200, 3), np.uint8)
    expected = sigma_clip(Stack.wrap(data))
    found = sigma_clip(Stack.wrap(data), run=Run(memory=2**20))
    np.testing.assert_array_equal(found.image, expected.image)
