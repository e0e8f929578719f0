"""Blur, and how it grows along a series."""

import cv2
import numpy as np
import pytest

from napari_stack import samples
from napari_stack.operators.focus.occlusion.defocus import Looks, blur_growth, blurred


@pytest.mark.parametrize("sigma", [0.1, 1.0, 5.0, 12.0])
def test_large_blurs_at_a_smaller_size_are_those_of_the_whole(sigma):
    image = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (160, 180)), (0, 0), 2)
    image = image.astype(np.float32)[..., np.newaxis]
    whole = image[..., 0] if sigma < 0.15 else cv2.GaussianBlur(image, (0, 0), sigma, borderType=1)
    found = blurred(image, sigma)
    assert found.shape == image.shape
    assert np.abs(found[..., 0] - whole)[40:-40, 40:-40].max() < 0.08 * whole.std()


@pytest.mark.parametrize("growth", [0.8, 1.5])
def test_the_growth_is_that_of_the_lens(growth):
    stack, truth = samples.focus_series(frames=5, size=(128, 140), blur=growth)
    frames = np.asarray(stack).astype(np.float32)
    places = np.arange(5, dtype=np.float32)
    depth, fused = truth["depth"].astype(np.float32), truth["image"].astype(np.float32)
    even = cv2.erode(depth, np.ones((15, 15))) > cv2.dilate(depth, np.ones((15, 15))) - 1
    looks = Looks(fused, depth, even, places)
    found = blur_growth(looks.compare(n, frame) for n, frame in enumerate(frames))
    assert found == pytest.approx(growth, rel=0.1)


def test_nothing_tells_it_where_nothing_is_sure():
    frames = np.zeros((3, 32, 32), np.float32)
    none = np.zeros((32, 32), bool)
    looks = Looks(frames[0], frames[0], none, np.arange(3, dtype=np.float32))
    assert blur_growth(looks.compare(n, frame) for n, frame in enumerate(frames)) is None
