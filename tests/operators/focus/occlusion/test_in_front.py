"""`focus_stack(prefer=...)` on hairs before a ground, whose truth is known."""

import tracemalloc

import cv2
import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.progress import Cancelled
from napari_stack.engine.run import Run
from napari_stack.operators import focus_stack
from napari_stack.operators.focus.focus_stack import fuse
from napari_stack.operators.focus.occlusion import in_front, tiles

BORDER = 8


@pytest.fixture(scope="module")
def scene():
    return samples.occluded(frames=7, size=(120, 144), hairs=3, seed=3)


@pytest.fixture(scope="module")
def plain(scene):
    return focus_stack(scene[0])


@pytest.fixture(scope="module")
def near(scene):
    return focus_stack(scene[0], prefer="near")


def at_edges(depth):
    square = np.ones((3, 3), np.uint8)
    depth = depth.astype(np.float32)
    edges = cv2.dilate(depth, square) - cv2.erode(depth, square) > 1
    return cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, 5) <= 6


def decibels(image, truth, where):
    inner = np.s_[BORDER:-BORDER, BORDER:-BORDER]
    error = (image.astype(float) - truth)[inner][where[inner]]
    return 10 * np.log10(255**2 / np.mean(error**2))


def test_near_things_are_cut_out_and_veil_nothing(scene, plain, near):
    truth = scene[1]["image"]
    band = at_edges(scene[1]["depth"])
    assert decibels(near.image, truth, band) > decibels(plain.image, truth, band) + 1
    assert decibels(near.image, truth, ~band) > decibels(plain.image, truth, ~band) - 0.1


def test_the_depth_follows(scene, plain, near):
    truth = scene[1]["depth"]
    band = at_edges(truth)
    before, after = (np.mean(abs(found.depth - truth)[band]) for found in (plain, near))
    assert after < 0.95 * before


def test_far_shows_what_lies_behind_hairs(scene, plain):
    far = focus_stack(scene[0], prefer="far").image
    hairs = (scene[1]["depth"] > 4.2) & (scene[1]["depth"] < 7)
    hairs[60:] = False  # there is a leaf
    behind = scene[1]["behind"]
    assert decibels(far, behind, hairs) > decibels(plain.image, behind, hairs) + 2


def test_far_does_nothing_where_specks_are_to_be_expected(scene, plain, monkeypatch):
    monkeypatch.setattr(in_front, "UNSAFE", 0.0)
    with pytest.warns(UserWarning, match='prefer="far" does nothing here: the blur'):
        found = focus_stack(scene[0], prefer="far")
    np.testing.assert_array_equal(found.image, plain.image)


def test_the_near_end_may_be_the_first(scene, near):
    turned = Stack.wrap(np.asarray(scene[0])[::-1])
    found = focus_stack(turned, prefer="near", near="first frame")
    difference = abs(found.image.astype(int) - near.image)
    assert np.mean(difference > 1) < 0.01


@pytest.mark.parametrize("method", ["pyramid", "depth map"])
def test_every_method_gains(scene, method):
    truth, band = scene[1]["image"], at_edges(scene[1]["depth"])
    before, after = (
        decibels(focus_stack(scene[0], method=method, prefer=p).image, truth, band)
        for p in ("none", "near")
    )
    assert after > before + 1


def test_tiles_give_what_the_whole_gives(near, scene, monkeypatch):
    monkeypatch.setattr(tiles, "LEAST_MEMORY", 0)
    monkeypatch.setattr(tiles, "MARGIN", 24)
    monkeypatch.setattr(tiles, "LEAST", 16)
    run = Run(memory=3 * 2**20)
    assert len(tiles.tiles((120, 144), 7, 1, run.memory)) > 2
    parts = focus_stack(scene[0], prefer="near", run=run).image.astype(int)
    assert np.mean(abs(parts - near.image) > 1) < 0.01


def test_all_frames_together_stay_within_the_memory(scene, monkeypatch):
    monkeypatch.setattr(tiles, "LEAST_MEMORY", 0)
    monkeypatch.setattr(tiles, "MARGIN", 24)
    monkeypatch.setattr(tiles, "LEAST", 16)
    found = fuse(scene[0])
    run = Run(memory=3 * 2**20, workers=1)
    tracemalloc.start()
    try:
        in_front.preferring(found, scene[0], run, ChannelWeights(), "near", "last frame")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    window = 120 * 144 * 4 * 40  # of the looks by which the growth of blur is found
    assert peak < run.memory + window


def test_colours_alpha_and_missing_pixels(scene, near):
    grey = np.asarray(scene[0]).astype(np.float32) / 255
    data = np.stack([grey, grey, grey, np.ones_like(grey)], axis=-1)
    data[2, :20, :30] = np.nan
    found = focus_stack(Stack.wrap(data, rgb=True), prefer="near").image
    assert found.shape == (120, 144, 4)
    assert (found[..., 3] == 1).all()
    assert np.isfinite(found).all()
    away = np.abs(found[40:, 50:, 0] * 255 - near.image[40:, 50:])
    assert np.median(away) < 1


def test_nothing_in_focus_is_told():
    flat = Stack.wrap(np.full((4, 64, 64), 0.5, np.float32))
    with pytest.warns(UserWarning, match='prefer="near" does nothing here'):
        found = focus_stack(flat, prefer="near")
    np.testing.assert_allclose(found.image, 0.5)


def stripes(spoilt):
    """Return frames of stripes at one depth, with paper in between that has none of its own."""
    random = np.random.default_rng(5)
    sharp = np.where(np.arange(128) // 16 % 2, 200.0, 40.0) * np.ones((96, 1))
    sharp[:, ::16] += random.normal(0, 30, (96, 8))
    frames = []
    for sigma in (0, 1.2, 2.4, 3.6, 4.8):
        seen = cv2.GaussianBlur(sharp, (0, 0), sigma) if sigma else sharp
        patches = cv2.GaussianBlur(random.normal(0, 1, sharp.shape), (0, 0), 6)
        frames.append(seen + spoilt * patches / patches.std() + random.normal(0, 1, sharp.shape))
    return Stack.wrap(np.clip(frames, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("near", ["first frame", "last frame"])
def test_flat_areas_between_strong_edges_stay_bit_for_bit(near):
    frames = stripes(spoilt=4)
    with pytest.warns(UserWarning, match='prefer="near" changes nothing here'):
        found = focus_stack(frames, prefer="near", near=near)
    assert (found.image == focus_stack(frames).image).all()


@pytest.mark.parametrize("part", ["Telling how blur grows", "Telling near from far"])
def test_it_stops_half_way(scene, part):
    def tick(_done, _total, what):
        if what == part:
            raise Cancelled

    with pytest.raises(Cancelled):
        focus_stack(scene[0], prefer="near", run=Run(tick=tick))
