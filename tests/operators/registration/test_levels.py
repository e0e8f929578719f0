"""Levels of a frame that are made when they are asked for, and searches that end early."""

import pickle

import cv2
import numpy as np

from napari_stack.operators.registration import preprocess
from napari_stack.operators.registration.levels import Later, Levels
from napari_stack.operators.registration.preprocess import prepare
from napari_stack.operators.registration.refinement import sharpness
from napari_stack.operators.registration.search import hypotheses
from napari_stack.operators.registration.search.align import align


def test_a_level_is_made_once_when_it_is_asked_for():
    made = []

    def make():
        made.append(1)
        return np.ones((4, 6), np.float32)

    levels = Levels([Later((4, 6), make), np.zeros((2, 3), np.float32)])
    changed = levels[:1].changed(lambda number, level: level + number + 1)
    assert levels.shapes == ((4, 6), (2, 3))
    assert len(changed) == 1
    assert not made
    assert levels[0].sum() == 24
    assert changed[0].sum() == 48
    assert len(made) == 1
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(levels))[0], levels[0])


def textured(blur, shift):
    """A texture of coarse and fine structure, blurred, with noise of its own."""
    rng = np.random.default_rng(3)
    image = sum(s * cv2.GaussianBlur(rng.normal(size=(560, 660)), (0, 0), s) for s in (2, 4, 8, 16))
    image = cv2.GaussianBlur(image, (0, 0), blur) if blur else image
    image = image[10 : 10 + 540, 10 + shift : 10 + shift + 640]
    noise = np.random.default_rng(shift).normal(0, 0.003, image.shape)
    return prepare((image + noise).astype(np.float32))


def test_fine_levels_of_frames_of_unlike_sharpness_are_not_made(monkeypatch):
    made, band = [], preprocess._band

    def watched(pixels, most):
        made.append(pixels.shape)
        return band(pixels, most)

    monkeypatch.setattr(preprocess, "_band", watched)
    monkeypatch.setattr(sharpness, "LARGE", 100_000)
    found = align(textured(0, 0), textured(5, 3), transform="similarity")
    assert found.verified
    assert not made
    corners = found.matrix @ [[0, 639, 0, 639], [0, 0, 539, 539], [1] * 4]
    true = np.array([[-3, 636, -3, 636], [0, 0, 539, 539]])
    assert np.abs(corners[:2] - true).max() < 0.3
    assert align(textured(0, 0), textured(0, 3), transform="similarity").verified
    assert made == [(540, 640)] * 2


def test_a_hurried_search_tells_that_it_was_one(monkeypatch):
    pair = textured(0, 0), textured(0, 3)
    at_once = align(*pair, transform="similarity", patient=False)
    assert at_once.verified
    assert not at_once.hurried
    monkeypatch.setattr(hypotheses, "decided", lambda *_: False)
    hurried = align(*pair, transform="similarity", patient=False)
    assert hurried.hurried
    assert not hurried.verified
