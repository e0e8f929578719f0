"""`clip_band` and its kernels: tiles of any width, digits, limits."""

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import sigma_clip
from napari_stack.operators.combine.rejection.clip_band import clip_band
from napari_stack.operators.combine.rejection.clip_pixel import DEVIATION, MEAN, Rules
from support.combining import clipped_by_numpy, few, scene


@pytest.mark.parametrize("shape", [(1, 1), (3, 511), (2, 512), (3, 513), (2, 1030), (5, 7, 3)])
@pytest.mark.parametrize("masked", [False, True])
def test_any_width_gives_each_pixel_its_own_result(shape, masked):
    data, rng = scene(11, 15, np.float32, shape, strays=0.1)
    valid = np.ones(data.shape[:3], bool)
    if masked:
        valid = rng.random(valid.shape) < 0.98
        valid[:, 0, 0] = False
    over = valid.reshape(*valid.shape, *[1] * (data.ndim - 3))
    holes = np.where(over, data, np.nan)
    mean, rejected, _ = clipped_by_numpy(holes, 2, 2, 5)
    image, count, tally, present = clip_band(
        np.where(over, data, 0), valid if masked else None,
        rules=Rules(2, 2, MEAN, DEVIATION, 5), dtype=np.dtype(np.float64),
    )  # fmt: skip
    expected = np.where(over.any(axis=0), mean, np.nan)
    np.testing.assert_allclose(image, expected, rtol=1e-6)  # NaN where no frame is valid
    np.testing.assert_array_equal(count, rejected.sum(axis=0))
    axes = tuple(range(2, data.ndim))
    np.testing.assert_array_equal(tally, rejected.sum(axis=axes).T)
    np.testing.assert_array_equal(present, np.isfinite(holes).sum(axis=axes).T)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("far", [1e6, 1e18, 3e38])
@pytest.mark.parametrize("frame", [0, 7])
@pytest.mark.parametrize(
    "options", [{}, {"centre": "median"}, {"centre": "median", "spread": "MAD"}]
)
def test_a_value_far_away_costs_the_others_no_digit(dtype, far, frame, options):
    data = np.random.default_rng(0).normal(1, 1e-3, (20, 3, 4)).astype(dtype)
    data[frame, 1, 2] = far
    found = sigma_clip(Stack.wrap(data), sigma=3, details=True, **options)
    mean, rejected, kept = clipped_by_numpy(data, 3, 3, 5, **options)
    np.testing.assert_array_equal(found.rejected, rejected.sum(axis=0))
    np.testing.assert_allclose(found.image, mean, rtol=1e-7)
    error = kept.std(axis=0, ddof=1) / np.sqrt(kept.count(axis=0))
    np.testing.assert_allclose(found.standard_error, error, rtol=1e-4)
    assert found.rejected_fraction[frame] > 0


def test_a_tight_cluster_far_from_the_median_keeps_its_digits():
    # What is kept lies 30 from the median and 1e-5 from each other: sums of squares of distances
    # from the median would lose all that the standard error is made of.
    rng = np.random.default_rng(0)
    data = rng.normal(100, 10, (33, 20, 30))
    data[:3] = 130 + rng.normal(0, 1e-5, (3, 20, 30))
    found = sigma_clip(
        Stack.wrap(data), centre="mean", spread="winsorised", sigma_low=0.7, sigma_high=4,
        iterations=10, details=True,
    )  # fmt: skip
    cluster = (found.used == 3) & (abs(found.image - 130) < 1e-3)
    assert cluster.sum() > 5
    error = data[:3].std(axis=0, ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(found.standard_error[cluster], error[cluster], rtol=1e-6)


@few
@pytest.mark.parametrize("values", [[0.1] * 5 + [0.3], [1e-3] * 7 + [7e5], [0, 0, 0, 3]])
def test_a_value_at_the_limit_is_kept(values):
    data = np.array(values).reshape(-1, 1, 1)
    mean, spread = data.mean(), data.std()
    sigma = float(np.abs(data - mean).max() / spread)
    for options in ({}, {"centre": "mean", "spread": "standard deviation", "details": True}):
        assert sigma_clip(Stack.wrap(data), sigma=sigma, **options).rejected.item() == 0
        less = sigma * (1 - 1e-9)
        assert sigma_clip(Stack.wrap(data), sigma=less, iterations=1).rejected.item() == 1


def test_transparent_pixels_do_not_count():
    data = np.full((3, 1, 2, 4), 255, np.uint8)
    data[:, 0, 0, 0] = [10, 20, 90]
    data[2, 0, 0, 3] = 0
    data[:, 0, 1, 3] = 0
    found = sigma_clip(Stack.wrap(data, rgb=True), sigma=1)
    assert found.image[0, 0].tolist() == [15, 255, 255, 255]
    assert found.image[0, 1].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_no_frame_covers_is_nan_in_floats(dtype):
    data = np.full((5, 2, 2, 4), 255, np.uint8)
    data[:, 0, 0, 3] = 0
    found = sigma_clip(Stack.wrap(data, rgb=True), sigma=1.5, dtype=dtype, details=True)
    assert found.image.dtype == dtype
    assert np.isnan(found.image[0, 0]).all()
    assert (found.image[1] == 255).all()
    assert (found.used[0, 0] == 0).all()
    assert found.used[1, 1].tolist() == [5] * 4


def test_frames_without_overlap_are_laid_side_by_side():
    data = np.full((2, 4, 6), np.nan, np.float32)
    data[0, :, :3], data[1, :, 3:] = 5, 7
    with pytest.warns(UserWarning, match="2 frames cannot be clipped"):
        found = sigma_clip(Stack.wrap(data))
    np.testing.assert_array_equal(found.image, np.repeat([[5, 5, 5, 7, 7, 7]], 4, axis=0))
    np.testing.assert_array_equal(found.rejected_fraction, [0, 0])


def test_colours_in_bands():
    data = np.random.default_rng(8).integers(0, 255, (30, 300, 200, 3), np.uint8)
    expected = sigma_clip(Stack.wrap(data))
    found = sigma_clip(Stack.wrap(data), run=Run(memory=2**20))
    np.testing.assert_array_equal(found.image, expected.image)
