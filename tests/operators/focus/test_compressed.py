"""What compression leaves in flat places is no texture."""

import cv2
import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack
from napari_stack.operators.focus.compressed import without_compression
from napari_stack.operators.focus.focus_measure import Sharpness, sharpness
from support.focus_scenes import defocus, texture

SHAPE, THING = (240, 400), np.s_[80:160, 40:160]


@pytest.fixture(scope="module")
def compressed():
    """Return JPEG frames of a textured thing before light that is uneven and noisy."""
    rng = np.random.default_rng(3)
    rows, columns = np.indices(SHAPE).astype(np.float32)
    truth = 205 + columns / 25 + 6 * np.sin(rows / 40)
    truth[THING] = texture(SHAPE)[THING]
    series = defocus(truth, np.full(SHAPE, 2.0, np.float32), 5, 1.2)
    frames = []
    for frame in series:
        noisy = np.clip(frame + rng.normal(0, 2, SHAPE), 0, 255).astype(np.uint8)
        _, stored = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 40])
        frames.append(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE))
    return np.array(frames)


def _ground():
    ground = np.zeros(SHAPE, bool)
    ground[12:-12, 210:-12] = True
    return ground


def test_the_ground_of_compressed_frames_has_no_blotches(compressed):
    found = focus_stack(Stack.wrap(compressed))
    ground = _ground()
    assert (found.confidence[ground] > 0).mean() < 0.25
    assert found.depth[ground].std() < 0.3  # 0.52 where compression counts as texture
    inside = np.s_[90:150, 50:150]
    assert np.median(np.abs(found.depth[inside] - 2)) < 0.1
    assert (found.confidence[inside] > 0).mean() > 0.9


def test_frames_without_flat_halves_are_left_alone(compressed):
    noisy = compressed[0] + np.random.default_rng(0).normal(0, 1, SHAPE).astype(np.float32)
    scales = tuple(Sharpness.of(plane, None) for plane in (noisy, noisy[::4, ::4]))
    assert without_compression(scales, noisy) is scales


def test_nothing_is_left_by_compression_in_what_is_flat_all_over():
    flat = np.full((32, 32), 7, np.float32)
    scales = (Sharpness.of(flat, None),) * 2
    assert [scale.noise for scale in without_compression(scales, flat)] == [0, 0]


def test_pixels_that_are_not_valid_do_not_count(compressed):
    grey = compressed[0].astype(np.float32)
    valid = np.zeros(SHAPE, bool)
    valid[:, 200:] = True
    part = Sharpness(sharpness(grey, valid), 0.0)
    (found,) = without_compression((part,), grey)
    assert found.noise == pytest.approx(4 * np.median(part.energy[::4, ::4][:, 50:]))
    (none,) = without_compression((Sharpness(np.full(SHAPE, -1, np.float32), 0.0),), grey)
    assert none.noise == 0
