"""`plot`: values as PNG and SVG."""

import sys
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import PIL.Image
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
from napari_stack.operators.inspection import drawings
from napari_stack.operators.inspection.plots import new_figure, plot
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
    with PIL.Image.open(tmp_path / "a.png") as image:
        assert min(image.size) > 300
        assert len(image.convert("RGB").getcolors(2**24)) > 10, "more than an empty page"


def test_lines_are_drawn_to_svg_and_no_file_is_replaced(tmp_path):
    pytest.importorskip("matplotlib")
    plot(VALUES[2], tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert sum(1 for part in root.iter() if part.tag.endswith("path")) > 10
    with pytest.raises(FileExistsError):
        plot(VALUES[2], tmp_path / "a.svg")


def drawn(draw, value):
    """Axes of a figure on which a value was drawn, and their lines as (x, y)."""
    pytest.importorskip("matplotlib")
    figure = new_figure()
    draw(figure, value)
    return figure.axes, [[np.asarray(line.get_xydata()) for line in a.lines] for a in figure.axes]


def test_gains_are_drawn_over_the_frames():
    (axes,), ((first, second, one),) = drawn(drawings.draw_gains, VALUES[2])
    np.testing.assert_array_equal(first, [[0, 1.0], [1, 1.1]])
    np.testing.assert_array_equal(second, [[0, 2.0], [1, 2.2]])
    assert set(one[:, 1]) == {1}
    assert axes.get_xlabel() == "frame"


def test_drift_is_drawn_in_a_panel_for_each_motion():
    axes, lines = drawn(drawings.draw_drift, VALUES[0])
    x, y, failed = lines[0]
    found = VALUES[0].decomposed()
    np.testing.assert_allclose(x[:3, 1], found.shift[:3, 0])
    assert np.ptp(x[:3, 1]) == pytest.approx(5)
    np.testing.assert_allclose(y[:3, 1], 0, atol=1e-9)
    assert np.isnan(x[3, 1]), "a failed frame has no shift"
    assert set(failed[:, 0]) == {3}
    assert [a.get_ylabel() for a in axes][1:] == ["rotation (degrees)", "scale", "quality"]


def test_drift_has_bars_where_it_is_known_how_sure_it_is():
    covariance = np.zeros((len(VALUES[0]), 8, 8))
    covariance[:, 2, 2], covariance[:, 5, 5] = 0.04, 0.01
    axes, _ = drawn(drawings.draw_drift, replace(VALUES[0], entry_covariance=covariance))
    shift, sigma = axes[:2]
    assert sigma.get_ylabel() == "sigma (pixel)"
    assert [len(axis.containers) for axis in axes] == [2, 0, 0, 0, 0]
    across, _ = shift.containers
    ends = np.array(across.lines[2][0].get_segments()[0])
    assert np.ptp(ends[:, 1]) == pytest.approx(2 * 0.2)
    assert sigma.lines[0].get_ydata()[0] == pytest.approx(0.2)


def test_light_is_drawn_over_the_distance_from_the_centre():
    _, (lines, *_) = drawn(drawings.draw_vignetting, VALUES[3])
    curve, border = lines
    share = curve[:, 1]
    assert share[0] == 1
    assert (np.diff(share) < 0).all(), "it falls off"
    np.testing.assert_allclose(share, VALUES[3].share(curve[:, 0], 0, 0))
    assert set(border[:, 0]) == {30}


def test_bleaching_is_drawn_with_its_curve():
    _, ((measured, fitted),) = drawn(drawings.draw_bleaching, VALUES[4])
    for line in (measured, fitted):
        np.testing.assert_array_equal(line[:, 1], np.linspace(2, 1, 5))


def test_defective_pixels_lie_where_they_are():
    (axes,), ((marks,),) = drawn(lambda figure, v: drawings.draw_mask(figure, v.mask), VALUES[5])
    np.testing.assert_array_equal(marks, [[k, k] for k in range(9)])
    assert axes.get_title() == "9 of 108 pixels, 8.33%"


def test_a_flat_field_is_drawn_as_light():
    axes, _ = drawn(drawings.draw_flat_field, VALUES[6])
    (image,) = axes[0].images
    np.testing.assert_allclose(image.get_array(), 1 / VALUES[6].gain, rtol=1e-6)


def test_matches_are_joined_by_lines():
    (axes,), (lines,) = drawn(drawings.draw_matches, VALUES[1])
    bad, *good = lines
    np.testing.assert_array_equal(bad, [[20, 30], [40 + 50, 3]])
    np.testing.assert_array_equal(good, [[[5, 6], [6 + 50, 6]], [[7, 8], [8 + 50, 8]]])
    assert axes.get_title() == "2 of 3 matches agree"


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
