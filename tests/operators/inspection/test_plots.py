"""`plot`: values as PNG and SVG."""

import sys

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.operators import (
    Bleaching,
    Features,
    FlatField,
    Gains,
    HotPixels,
    Transforms,
    Vignetting,
)
from napari_stack.operators.inspection.plots import plot
from napari_stack.operators.registration.matches import Matches, find_matches

_TURNED = np.tile(np.eye(3), (4, 1, 1))
_TURNED[:, 0, 2] = [0, 2, 5, 0]

VALUES = [
    Transforms(_TURNED, failed=np.array([False, False, False, True]), size=(60, 80)),
    Matches(
        (np.zeros((40, 50), np.uint8),) * 2,
        np.array([[5.0, 6], [7, 8], [20, 30]]),
        np.array([[6.0, 6], [8, 8], [40, 3]]),
        np.array([True, True, False]),
    ),
    Gains(False, [[1.0, 2.0], [1.1, 2.2]]),
    Vignetting(False, (60, 80), "polynomial", [[[39.5, 29.5]]], [[[-0.5, 0, 0]]]),
    Bleaching(False, "ratio", *[np.linspace(2, 1, 5)[:, np.newaxis]] * 3),
    HotPixels(np.eye(9, 12, dtype=bool)),
    FlatField(False, np.linspace(1, 2, 108, dtype=np.float32).reshape(9, 12)),
    Transforms(np.tile(np.eye(3), (4, 1, 1)), failed=np.array([False, True, False, False])),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_drawn_to_files(value, tmp_path):
    pytest.importorskip("matplotlib")
    plot(value, tmp_path / "a.png")
    plot(value, tmp_path / "a.svg")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "a.svg").read_text()
    with pytest.raises(FileExistsError):
        plot(value, tmp_path / "a.png")


def test_what_cannot_be_drawn_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"written as \.png or \.svg"):
        plot(VALUES[0], tmp_path / "a.txt")
    with pytest.raises(TypeError, match="not ndarray"):
        plot(np.zeros((3, 3)), tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="plots need matplotlib"):
        plot(VALUES[0], tmp_path / "a.png")


def test_matches_of_drifting_frames():
    stack, truth = ns.samples.drifting_cells(3, (192, 224), shift=8.0, rotation=2.0, scale=0.0)
    found = find_matches(stack, 0, method=Features(threshold=2.0))
    assert found.agree.sum() > 10
    assert found.images[0].shape == (192, 224)
    matrix = truth["matrices"][0] @ np.linalg.inv(truth["matrices"][1])
    expected = np.column_stack([found.reference, np.ones(len(found.reference))]) @ matrix.T
    error = np.hypot(*(expected[:, :2] - found.moving).T)
    assert np.median(error[found.agree]) < 1
    with pytest.raises(ValueError, match="holds no structure to match"):
        find_matches(ns.Stack.wrap(np.zeros((2, 64, 64), np.uint8)), 0)
