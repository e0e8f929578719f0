"""What the axes of layers are."""

import numpy as np
import pytest
from napari.layers import Image, Labels

import napari_stack as ns
from napari_stack import layers, samples
from napari_stack.layers.axis_names import (
    as_colours,
    asks_its_file,
    axes_text,
    file_reader,
    may_be_colours,
    renamed,
    take_axes,
    why_to_choose,
)


def test_renaming_swaps():
    assert renamed(("-4", "-3", "y", "x"), 0, "t") == ("t", "-3", "y", "x")
    assert renamed(("t", "c", "y", "x"), 1, "t") == ("c", "t", "y", "x")
    assert renamed(("t", "-3", "y", "x"), 1, "t") == ("-4", "t", "y", "x")
    assert renamed(("t", "c", "y", "x"), 1, "c") == ("t", "c", "y", "x")


def unnamed(*shape, **more):
    return Image(np.zeros(shape, np.uint8), rgb=False, **more)


def test_focus_stacking_asks_for_its_axis():
    assert "-4 (3), -3 (4)" in why_to_choose("focus_stack", unnamed(3, 4, 8, 8))
    assert why_to_choose("focus_stack", unnamed(4, 8, 8)) == ""
    assert why_to_choose("focus_stack", unnamed(1, 4, 8, 8)) == ""
    assert why_to_choose("register", unnamed(3, 4, 8, 8)) == ""
    named = unnamed(3, 4, 8, 8, axis_labels=("t", "Depth", "y", "x"))
    assert why_to_choose("focus_stack", named) == ""
    times = unnamed(3, 4, 8, 8, axis_labels=("t", "c", "y", "x"))
    assert "t (3), c (4)" in why_to_choose("focus_stack", times)


def test_scripts_are_told_which_axis_is_taken(noise):
    layer = Image(noise(3, 2, 24, 24), rgb=False)
    with pytest.warns(UserWarning, match="-4 is taken; give axis="):
        layers.prepare("focus_stack", layer)
    layers.prepare("focus_stack", layer, axis=0)


@pytest.mark.parametrize(
    ("shape", "labels", "expected"),
    [
        ((40, 50, 3), None, True),
        ((5, 40, 50, 4), None, True),
        ((40, 50, 5), None, False),
        ((5, 8, 3), None, False),
        ((40, 50, 3), ("t", "y", "x"), False),
    ],
)
def test_colours_that_were_taken_for_an_axis(shape, labels, expected):
    layer = unnamed(*shape, **({"axis_labels": labels} if labels else {}))
    assert may_be_colours(layer) is expected
    assert not may_be_colours(Labels(np.zeros((40, 50, 3), int)))


def test_made_colours(noise):
    layer = Image(noise(5, 40, 50, 3, dtype="uint8"), rgb=False, scale=(2, 0.5, 0.25, 1), name="a")
    made = as_colours(layer)
    assert made.rgb
    assert made.ndim == 3
    assert tuple(made.scale) == (2, 0.5, 0.25)
    assert made.axis_labels == ("-3", "y", "x")
    assert made.data is layer.data
    assert layers.combine(made)[0].rgb


@pytest.fixture
def recording(tmp_path, hyper):
    """A file along t, c, z, and a layer of it as a reader without names of axes gives."""
    path = tmp_path / "cells.ome.tif"
    ns.write(path, hyper[0])
    layer = Image(np.asarray(hyper[0]), rgb=False, multiscale=False)
    object.__setattr__(layer, "_source", layer.source.model_copy(update={"path": str(path)}))
    return layer


def test_the_file_is_asked(recording):
    assert asks_its_file(recording)
    data = file_reader(recording)()
    assert axes_text(data) == "t, c, z; 0.25 um, 30 s, 2 um"
    assert take_axes(recording, data)
    assert recording.axis_labels == ("t", "c", "z", "y", "x")
    assert tuple(recording.scale) == (30.0, 1.0, 2.0, 0.25, 0.25)
    assert str(recording.units[0]) == "second"
    assert not asks_its_file(recording)
    assert file_reader(recording)() is None


def test_other_shapes_are_not_taken(recording):
    data = file_reader(recording)()
    other = unnamed(2, 3, 4, 64, 80)
    before = other.axis_labels
    assert not take_axes(other, data)
    assert other.axis_labels == before


def test_what_has_no_file_is_not_asked(tmp_path):
    assert not asks_its_file(unnamed(3, 8, 8))
    assert not asks_its_file(None)
    assert not asks_its_file(layers.to_layer(samples.focus_series(3, (32, 32))[0]))
