"""Where layers are believed."""

import cv2
import numpy as np
import pytest

from napari_stack.operators.focus.occlusion import acceptance
from napari_stack.operators.focus.occlusion.layering import Layers, Series


@pytest.fixture(scope="module")
def series():
    """A textured ground, in focus in the first frame, left of a flat area."""
    random = np.random.default_rng(2)
    sharp = np.full((64, 96, 1), 120, np.float32)
    sharp[:, :48, 0] += random.normal(0, 25, (64, 48))
    soft = [cv2.GaussianBlur(sharp, (0, 0), sigma)[..., np.newaxis] for sigma in (1.5, 3.0)]
    frames = np.stack([sharp, *soft]).astype(np.float32)
    labels = np.zeros((64, 96), np.uint16)
    return Series(frames, sharp, labels, np.arange(3, dtype=np.float32), 1.5, 0.5)


def layers(series, opacity):
    rest = [np.zeros_like(opacity)] * 2
    return Layers([opacity, *rest], list(series.frames), [np.ones_like(opacity)] * 3)


def test_what_the_blur_explains_has_no_error(series):
    sure = np.ones(series.labels.shape, bool)
    assert acceptance.model_error(series, series.labels, sure) < 2
    uneven = series._replace(frames=series.frames + np.float32([[[[0]]], [[[9]]], [[[9]]]]))
    assert acceptance.model_error(uneven, series.labels, sure) > 20


def test_nowhere_sure_has_no_error(series):
    assert acceptance.model_error(series, series.labels, np.zeros((64, 96), bool)) == 0


def test_edges_need_texture_on_both_sides(series):
    labels = series.labels.copy()
    labels[:, 70:] = 2  # where nothing is to be seen
    assert not acceptance.certain_edges(series._replace(labels=labels)).near.any()
    labels[:, 24:] = 2
    edges = acceptance.certain_edges(series._replace(labels=labels))
    assert edges.here[:, 20:28].all()
    assert not edges.here[:, 60:].any()
    assert (edges.farthest[edges.here] == 0).all()


def test_only_the_clearly_better_is_believed(series):
    near = np.ones(series.labels.shape, bool)
    right = layers(series, np.ones(series.labels.shape, np.float32))
    wrong = np.full(series.labels.shape, 2, np.uint16)  # the plain result's depth
    assert acceptance.believed(series, right, wrong, near, 0)[8:-8, 8:40].min() > 0.9
    assert not acceptance.believed(series, right, series.labels, near, 0).any()
    assert not acceptance.believed(series, right, wrong, near, 1e4).any()
    assert not acceptance.believed(series, right, wrong, ~near, 0).any()


def test_islands_are_dropped():
    mask = np.zeros((40, 40), bool)
    mask[2:6, 2:6] = mask[20:30, 20:30] = True
    kept = acceptance.without_islands(mask)
    assert not kept[:10].any()
    assert (kept[20:] == mask[20:]).all()


def test_no_value_is_far_from_what_frames_show(series):
    bright = acceptance.within_frames(series, np.full_like(series.fused, 255))
    assert (bright[:, 60:] <= 122).all()
    assert bright.max() <= series.frames.max()
    assert (acceptance.within_frames(series, series.fused) == series.fused).all()
