"""A scene that moves behind a pattern of the sensor, and something that moves before a ground."""

import numpy as np
import pytest
from scipy import ndimage

from napari_stack import Stack, measure_transforms


def texture(seed, sigma, size=160):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), sigma)
    return field / field.std()


def measured(frames, transform):
    noise = np.random.default_rng(5).normal(0, 0.1, (2, 128, 128))
    stack = Stack.wrap(np.float32(np.array(frames) + noise))
    return measure_transforms(stack, reference=0, transform=transform)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("transform", ["translation", "similarity"])
def test_a_pattern_that_outweighs_a_scene_that_moves_is_no_match(transform):
    """No motion was found, at a quality of 0.98: the pattern matches in every tile."""
    scene, pattern = texture(1, 2.0), 2.5 * texture(2, 1.0, 128)
    frames = [scene[16:144, 16:144] + pattern, scene[10:138, 25:153] + pattern]
    assert measured(frames, transform).failed[1]


def test_a_ground_that_stays_behind_something_that_moves_is_found():
    ground, thing = texture(1, 2.0, 128), 1.5 * texture(3, 2.0, 40)
    frames = [ground.copy(), ground.copy()]
    frames[0][40:80, 30:70] = thing
    frames[1][46:86, 45:85] = thing
    found = measured(frames, "translation")
    assert not found.failed[1]
    np.testing.assert_allclose(found.matrices[1][:2, 2], 0, atol=0.1)


def test_frames_that_differ_in_blur_and_brightness_have_one_layer():
    ground = texture(1, 1.2, 128)
    found = measured([ground, 0.5 * ndimage.gaussian_filter(ground, 2) + 3], "translation")
    assert not found.failed[1]
    np.testing.assert_allclose(found.matrices[1][:2, 2], 0, atol=0.1)
