"""Bright spots that the camera clips: their discs out of focus do not pass for sharp."""

import cv2
import numpy as np
import pytest

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import focus_stack
from napari_stack.operators.focus.frame_statistics import SharpnessFold
from napari_stack.operators.focus.highlights import DarkPlaces, Veils, light_around, weigh_by_light
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


@pytest.mark.parametrize(("method", "most"), [("auto", 0.02), ("depth map", 0.25)])
def test_little_is_left_of_discs_around_clipped_spots(spots, method, most):
    frames, truth, around = spots
    pyramid = _halo(focus_stack(Stack.wrap(frames), method="pyramid").image, truth, around)
    found = focus_stack(Stack.wrap(frames), method=method).image
    assert _halo(found, truth, around) < most * pyramid


def test_spots_themselves_stay(spots):
    frames, truth, _ = spots
    found = focus_stack(Stack.wrap(frames)).image
    bright = truth > 200
    assert np.mean(found[bright]) > 0.97 * np.mean(truth[bright])


@pytest.mark.parametrize("exposure", [0.25, 1.45])
def test_a_middle_that_is_exposed_otherwise_leaves_no_more_halos(spots, exposure):
    frames, truth, around = spots
    even = frames.astype(np.float32)
    uneven = even.copy()
    uneven[2:4] *= np.float32(exposure)  # frames are compared with those in the middle
    least = _halo(focus_stack(Stack.wrap(even)).image, truth, around)
    assert _halo(focus_stack(Stack.wrap(uneven)).image, truth, around) < 1.3 * least


def test_bands_and_gaps_leave_no_halos_either(spots):
    frames, _, _ = spots
    tall = np.concatenate([frames] * 4, axis=1).astype(np.float32)
    whole = focus_stack(Stack.wrap(tall)).image
    parts = focus_stack(Stack.wrap(tall), run=Run(memory=2**20)).image
    np.testing.assert_array_equal(parts, whole)
    tall[:3, :7, 61:] = np.nan
    gaps = focus_stack(Stack.wrap(tall)).image
    assert np.isfinite(gaps).all()
    assert np.mean(np.abs(gaps[60:] - whole[60:]) > 1) < 0.002


def test_a_frame_counts_less_where_others_are_darker_but_not_where_it_is_the_sharpest():
    least, label = np.full((4, 5), 20, np.float32), np.zeros((8, 10), np.uint16)
    label[:, 6:] = 1
    veils = Veils(least, label)
    dark, veiled = (np.full((4, 5), value, np.float32) for value in (25, 200))
    assert (veils.share(dark, 1, 255) == 1).all()
    share = veils.share(veiled, 1, 255)
    pedestal = 0.03 * 255
    np.testing.assert_allclose(share[:, :3], (1.5 * (20 + pedestal) / (200 + pedestal)) ** 4)
    assert (share[:, 3:] == 1).all()
    np.testing.assert_array_equal(veils.rows(slice(2, 6)).share(veiled[:2], 1, 255), share[1:3])


def test_the_least_light_leaves_out_what_is_not_valid_and_merges(spots):
    frames = spots[0].astype(np.float32)
    frames[1, :10, :10] = np.nan
    stack = Stack.wrap(frames)
    whole, first, later = (
        SharpnessFold(stack, ChannelWeights(), Run(executor="elsewhere"), even=True)
        for _ in range(3)
    )
    for index in range(6):
        for fold in (whole, first if index < 3 else later):
            fold.add(index, fold.prepare(stack, index))
    first.merge(later)
    np.testing.assert_array_equal(first.dark.least(255), whole.dark.least(255))
    darkest = np.nanmin(frames, axis=0)
    assert abs(whole.dark.light[2:4, 2:4].mean() - darkest[4:8, 4:8].mean()) < 3


def test_only_beside_what_is_much_brighter_than_the_scene_frames_are_veiled():
    half = np.full((40, 60), 30, np.float32)
    half[20, 30] = 200
    dark = DarkPlaces(half.shape)
    dark.add(half)
    dark.add(half + 10)
    near = np.isfinite(dark.least(255))
    assert (near.sum(axis=0).max(), near.sum(axis=1).max()) == (17, 17)
    assert (dark.least(255)[near] == half[near]).all()
    assert not np.isfinite(dark.least(900)).any()  # others are brighter by far
    bright = DarkPlaces(half.shape)
    bright.add(half + 70)
    assert not np.isfinite(bright.least(270)).any()
    nothing = DarkPlaces(half.shape)
    nothing.add(np.full(half.shape, np.inf, np.float32))
    assert not np.isfinite(nothing.least(255)).any()


def test_sharpness_of_noise_is_not_scaled():
    energy = np.full((80, 120), 2, np.float32)
    usual = light_around(np.full((20, 30), 50, np.float32), 255)
    weigh_by_light(energy, 4 * usual.mean, usual, 2.0)
    assert (energy == 2).all()
    energy[:] = 10
    weigh_by_light(energy, 4 * usual.mean, usual, 2.0)
    assert (energy > 2).all()
    assert (energy < 3).all()


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
