"""Bright spots that the camera clips: their discs out of focus do not pass for sharp."""

import cv2
import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack
from napari_stack.operators.focus.highlights import light_around, weigh_by_light
from support.focus_scenes import texture

SHAPE = (120, 200)


def _disc(image, radius):
    """Blur as a lens does: every point becomes a disc."""
    side = int(np.ceil(radius)) + 1
    rows, columns = np.indices((2 * side + 1, 2 * side + 1)) - side
    disc = np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1).astype(np.float32)
    return cv2.filter2D(image, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE)


@pytest.fixture(scope="module")
def spots():
    """Return frames, truth, and the surroundings of spots, some in focus in each frame."""
    light = 8 + texture(SHAPE) / 12
    near = np.zeros(SHAPE, np.uint8)
    for x in range(15, 190, 22):
        for y, strength in ((25, 100), (60, 300), (95, 800)):
            cv2.circle(light, (x, y), 2, strength, -1)
            cv2.circle(near, (x, y), 4, 1, -1)
    depth = np.indices(SHAPE)[1] // 34  # steps: every spot is in focus in one frame
    frames = []
    for index in range(6):
        away = np.abs(depth - index)
        frames.append(np.choose(away, [_disc(light, 1.2 * a) for a in range(6)]))
    around = (cv2.dilate(near, np.ones((21, 21))) > 0) & (near == 0)
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8), np.clip(light, 0, 255), around


def _halo(image, truth, around):
    return np.sum(np.maximum(image.astype(float) - truth, 0)[around] ** 2)


@pytest.mark.parametrize("method", ["auto", "depth map"])
def test_little_is_left_of_discs_around_clipped_spots(spots, method):
    frames, truth, around = spots
    pyramid = _halo(focus_stack(Stack.wrap(frames), method="pyramid").image, truth, around)
    found = focus_stack(Stack.wrap(frames), method=method).image
    assert _halo(found, truth, around) < 0.25 * pyramid


def test_light_that_is_the_same_in_all_frames_changes_no_sharpness():
    coarse = np.random.default_rng(0).uniform(0, 255, (20, 30)).astype(np.float32)
    energy = np.random.default_rng(1).uniform(0, 9, (80, 120)).astype(np.float32)
    energy[:5] = -1  # not valid
    before, usual = energy.copy(), light_around(coarse, 255)
    weigh_by_light(energy, usual.mean, usual)
    np.testing.assert_allclose(energy, before, rtol=1e-5)
    weigh_by_light(energy, 2 * usual.mean, usual)
    assert (energy[5:] < before[5:]).all()
    assert (energy[:5] == -1).all()


def test_dark_data_are_left_alone():
    coarse = np.full((5, 5), -3, np.float32)
    energy = np.ones((20, 20), np.float32)
    usual = light_around(coarse, -3.0)
    weigh_by_light(energy, usual.mean, usual)
    assert (energy == 1).all()
