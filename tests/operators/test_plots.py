"""`plot`: values as PNG and SVG."""

import sys

import numpy as np
import pytest

from napari_stack.operators import Bleaching, Gains, HotPixels, Vignetting
from napari_stack.operators.plots import plot

VALUES = [
    Gains(False, [[1.0, 2.0], [1.1, 2.2]]),
    Vignetting(False, (60, 80), "polynomial", [[[39.5, 29.5]]], [[[-0.5, 0, 0]]]),
    Bleaching(False, "ratio", *[np.linspace(2, 1, 5)[:, np.newaxis]] * 3),
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
    with pytest.raises(TypeError, match="not HotPixels"):
        plot(HotPixels(np.zeros((3, 3), bool)), tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="plots need matplotlib"):
        plot(VALUES[0], tmp_path / "a.png")
