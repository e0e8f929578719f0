"""The strip of axes, in docks."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack._widgets import FocusStackDock, FrameInspectorDock, RegisterDock, StackDock
from napari_stack._widgets.parts.options.axes_strip import AxesStrip
from support.docks import docked, ran


def texts(strip):
    return [chip.text() for chip in strip.chips]


def added(viewer, data, **more):
    return viewer.add_image(data, rgb=False, multiscale=False, **more)


def menu_of(chip):
    return {action.text(): action for action in chip.menu().actions()}


def test_chips_name_axes_and_rename_them(viewer, noise):
    dock = docked(viewer, RegisterDock)
    strip = dock.source.strip
    assert not strip.isVisibleTo(dock)
    layer = added(viewer, noise(3, 4, 24, 32))
    assert texts(strip) == ["? 3", "? 4"]
    menu_of(strip.chips[0])["Time (t)"].trigger()
    assert layer.axis_labels == ("t", "-3", "-2", "-1")
    assert texts(strip) == ["t 3", "? 4"]
    menu_of(strip.chips[1])["Time (t)"].trigger()
    assert texts(strip) == ["? 3", "t 4"]
    assert "t (4 frames)" in [text for text, _ in dock.source.axes()]


@pytest.mark.parametrize("kind", [StackDock, RegisterDock, FrameInspectorDock])
def test_every_kind_of_dock_has_the_strip(kind, viewer, cells, qtbot):
    dock = docked(viewer, kind)
    added(viewer, cells, axis_labels=("t", "y", "x"))
    (strip,) = dock.findChildren(AxesStrip)
    assert texts(strip) == ["t 6"]
    viewer.layers[0].axis_labels = ("z", "y", "x")
    assert texts(strip) == ["z 6"]
    viewer.layers.clear()
    assert texts(strip) == []
    if kind is StackDock:
        dock.looking.drop()
        qtbot.waitUntil(lambda: not dock.looking.busy)


def test_focus_stacking_asks_for_the_axis(viewer, noise, qtbot, notes):
    dock = docked(viewer, FocusStackDock)
    layer = added(viewer, noise(2, 3, 48, 48))
    assert dock.axis == ""
    assert not dock.runner.run_button.isEnabled()
    assert "Choose the axis" in dock.runner.message.text()
    dock.run()
    assert "choose the axis" in notes[-1][1]
    assert len(viewer.layers) == 1
    menu_of(dock.source.strip.chips[1])["Focus, depth (z)"].trigger()
    assert dock.axis == "z"
    assert dock.runner.run_button.isEnabled()
    layer.axis_labels = ("-4", "-3", "y", "x")
    assert not dock.runner.run_button.isEnabled()
    dock.axis = "-4"  # chosen in the box
    assert dock.runner.run_button.isEnabled()
    ran(dock, qtbot)
    assert viewer.layers[1].data.shape == (3, 48, 48)


def test_what_the_file_says_is_taken_in_one_click(viewer, tmp_path, hyper, qtbot):
    path = tmp_path / "cells.ome.tif"
    ns.write(path, hyper)
    dock = docked(viewer, RegisterDock)
    viewer.open(path, plugin="napari")
    strip = dock.source.strip
    qtbot.waitUntil(lambda: strip.take.isVisibleTo(dock), timeout=20_000)
    assert strip.take.text() == "File says t, c, z; 0.25 um, 30 s, 2 um"
    strip.take.click()
    assert dock.layer.axis_labels == ("t", "c", "z", "y", "x")
    assert tuple(dock.layer.scale) == (30.0, 1.0, 2.0, 0.25, 0.25)
    assert not strip.take.isVisibleTo(dock)
    np.testing.assert_array_equal(np.asarray(dock.layer.data), np.asarray(hyper))
    qtbot.waitUntil(lambda: not strip.asking.busy, timeout=20_000)


def test_colours_are_recognised(viewer, noise):
    dock = docked(viewer, RegisterDock)
    layer = added(viewer, noise(4, 40, 50, 3, dtype="uint8"), name="shots")
    dock.source.strip.colour.click()
    assert dock.layer.rgb
    assert dock.layer.ndim == 3
    assert not layer.visible
    assert not dock.source.strip.colour.isVisibleTo(dock)
