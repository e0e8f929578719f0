"""What is measured instead of the raw pixels: defects are replaced, structure is not."""

import numpy as np

from napari_stack.operators.registration.defect_kernels import replace_isolated
from napari_stack.operators.registration.preprocess import prepare, repaired


def test_isolated_pixels_get_the_median_and_groups_keep_theirs():
    """At most one of the eight neighbours may share half of a pixel's excess."""
    rng = np.random.default_rng(4)
    smooth = rng.normal(size=(40, 50)).astype(np.float32)
    excess = np.where(rng.random((40, 50)) > 0.9, rng.normal(0, 20, (40, 50)), 0).astype(np.float32)
    pixels = smooth + excess
    expected, around = pixels.copy(), np.pad(excess, 1)
    for y, x in np.argwhere(np.abs(excess) > 5):
        own = excess[y, x]
        near = around[y : y + 3, x : x + 3] * np.sign(own) > abs(own) / 2
        if near.sum() <= 2:  # with the pixel itself
            expected[y, x] = smooth[y, x]
    changed = (expected != pixels).sum()
    assert 0 < changed < (np.abs(excess) > 5).sum()
    flat = (image.reshape(-1) for image in (pixels, smooth, excess))
    replace_isolated(*flat, pixels.shape, np.float32(5))
    np.testing.assert_array_equal(pixels, expected)


def test_hot_pixels_at_the_corners_are_defects_too():
    image = np.random.default_rng(5).normal(0, 1, (60, 70)).astype(np.float32)
    image[[0, 0, 59, 59], [0, 69, 0, 69]] = 500
    pixels, valid = repaired(image, None)
    assert valid is None
    assert np.abs(pixels).max() < 20


def test_what_is_not_finite_or_masked_is_not_measured():
    image = np.random.default_rng(6).normal(0, 1, (120, 130)).astype(np.float32)
    image[60, 65] = np.nan
    mask = np.ones(image.shape, bool)
    mask[:30] = False
    level = prepare(image, mask).levels[0]
    assert np.isnan(level[:30]).all()
    assert np.isnan(level[60, 65])
    assert np.isfinite(level[40:50, 10:60]).all()
