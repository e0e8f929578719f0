"""The dock that opens frames."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import layers
from napari_stack._widgets import OpenFramesDock


@pytest.fixture
def folder(tmp_path, cells):
    place = tmp_path / "night"
    place.mkdir()
    for number, frame in enumerate(cells):
        ns.write(place / f"frame{number}.tif", frame)
    return place


@pytest.fixture
def dock(viewer):
    dock = OpenFramesDock(viewer)
    viewer.window.add_dock_widget(dock)
    return dock


def opened(dock, qtbot):
    with qtbot.waitSignal(dock.runner.finished, timeout=20_000):
        dock.run()


@pytest.mark.parametrize("way", ["folder", "glob", "files"])
def test_open(way, dock, viewer, qtbot, folder, cells):
    files = [str(folder / f"frame{i}.tif") for i in range(6)]
    dock.set_paths({"folder": folder, "glob": folder / "*.tif", "files": files}[way])
    opened(dock, qtbot)
    (layer,) = viewer.layers
    assert layer.name == "night"
    np.testing.assert_array_equal(np.asarray(layer.data), cells)
    assert tuple(layer.contrast_limits) == (cells[3].min(), cells[3].max())
    assert dock.runner.message.text() == "Added 'night': 6 frames"
    mean = ns.combine(ns.Stack.wrap(cells))
    np.testing.assert_array_equal(layers.combine(layer)[0].data, mean)


def test_some_frames(dock, viewer, qtbot, folder, cells):
    dock.set_paths(folder)
    assert dock.options() == {"every": 1, "start": 0, "stop": None}
    dock.set_options(every=2, start=1, stop=5)
    opened(dock, qtbot)
    np.testing.assert_array_equal(np.asarray(viewer.layers[0].data), cells[1:5:2])


def test_bad_paths(dock, viewer, qtbot, notes, tmp_path):
    dock.run()
    assert "Choose a folder" in dock.runner.message.text()
    for path, sentence in (("nowhere", "nowhere"), ("", "")):
        if path:
            dock.set_paths(tmp_path / path)
            opened(dock, qtbot)
            assert sentence in notes[-1][1]
    dock.set_paths(tmp_path)
    opened(dock, qtbot)
    assert str(tmp_path) in notes[-1][1]
    assert not viewer.layers
