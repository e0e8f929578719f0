"""Levels brought together tile by tile, where gradients differ between frames."""

import numpy as np
import pytest
from scipy import ndimage

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import combine, sigma_clip


def lit(frames=12, seed=0, dtype=np.float32, regional=False):
    """A textured scene under a light that moves, with passers-by; and the scene as in frame 0."""
    rng = np.random.default_rng(seed)
    size = (160, 200)
    texture = ndimage.gaussian_filter(rng.normal(0, 1, size), 4)
    scene = 1000 + 150 * texture / texture.std()
    y, x = np.mgrid[: size[0], : size[1]] / size[1]
    data, truth = [], None
    for k in range(frames):
        angle = 2 * np.pi * k / frames
        image = scene + 120 * (np.cos(angle) * x + np.sin(angle) * y)
        if regional:
            image = scene * (1 - 0.4 * k / frames * (x > 0.5))
        truth = image.copy() if truth is None else truth
        image = image + rng.normal(0, 8, size)
        if k:
            left = 12 * k
            image[60:90, left : left + 20] += 200
        data.append(image)
    return np.array(data).astype(dtype), truth


def error(image, truth):
    difference = image.astype(float) - truth
    return np.sqrt(np.mean((difference - np.median(difference)) ** 2))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_gradients_that_differ_between_frames(dtype):
    data, truth = lit(dtype=dtype)
    stack = Stack.wrap(data)
    found = {
        how: error(sigma_clip(stack, normalisation=how, method="generalised ESD").image, truth)
        for how in ("none", "both", "local")
    }
    assert found["local"] < 6, found
    assert found["local"] < 0.4 * min(found["none"], found["both"])


def test_a_region_that_bleaches():
    data, truth = lit(regional=True)
    stack = Stack.wrap(data)
    plain, local = (
        error(combine(stack, method="median", normalisation=how), truth)
        for how in ("multiplicative", "local")
    )
    assert local < 0.5 * plain


def test_bands_colours_holes_and_even_frames():
    data, _ = lit(frames=5)
    colours = np.stack([data, 0.5 * data, data + 100], axis=-1)
    colours[2, :30] = np.nan
    stack = Stack.wrap(colours)
    whole = combine(stack, method="median", normalisation="local")
    banded = combine(stack, method="median", normalisation="local", run=Run(memory=2**20))
    np.testing.assert_allclose(whole, banded, rtol=1e-5)
    same = np.repeat(data[:1], 4, axis=0)
    np.testing.assert_allclose(combine(Stack.wrap(same), normalisation="local"), data[0], rtol=1e-4)
    tiny = Stack.wrap(np.random.default_rng(0).normal(10, 1, (3, 5, 6)))
    assert np.isfinite(combine(tiny, normalisation="local")).all()
