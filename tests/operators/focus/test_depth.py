"""Depth maps: the nearest frames, and what is filled in where nothing is known."""

import numpy as np

from napari_stack.operators.focus.depth import evenness, fill_unsure, nearest_frame


def test_filling_is_smooth_and_keeps_what_is_sure():
    depth = np.tile(np.linspace(0, 5, 60, dtype=np.float32), (50, 1))
    weight = np.ones_like(depth)
    weight[10:40, 20:40] = 0
    spoilt = np.where(weight > 0, depth, 99).astype(np.float32)
    small = np.zeros((13, 15), np.float32)
    filled = fill_unsure(spoilt, weight, small, small)
    np.testing.assert_allclose(filled[weight > 0], depth[weight > 0], atol=1e-5)
    assert np.abs(filled - depth).max() < 1
    nothing = np.zeros_like(weight)
    np.testing.assert_array_equal(fill_unsure(depth, nothing, small, small), depth)


def test_the_coarser_map_counts_where_the_finer_one_does_not():
    depth, weight = np.zeros((40, 48), np.float32), np.zeros((40, 48), np.float32)
    coarse = np.full((10, 12), 5, np.float32)
    filled = fill_unsure(depth, weight, coarse, np.ones_like(coarse))
    np.testing.assert_allclose(filled, 5, rtol=1e-6)


def test_every_depth_has_its_nearest_frame():
    depth = np.array([0.0, 2.0, 2.1, 4.4, 4.6, 9.0])
    frames = nearest_frame(depth.astype(np.float32), np.array([0, 4, 5]))
    np.testing.assert_array_equal(frames, [0, 0, 4, 4, 5, 5])
    assert frames.dtype == np.uint16


def test_a_slope_is_even_and_noise_is_not():
    slope = np.tile(np.linspace(0, 3, 100, dtype=np.float32), (80, 1))
    assert evenness(slope, 1.5).min() > 0.95
    noise = np.random.default_rng(0).uniform(0, 10, slope.shape).astype(np.float32)
    assert evenness(noise, 1.5).max() < 0.5
