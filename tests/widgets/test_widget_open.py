"""The dock that opens frames."""

import numpy as np
import pytest
from qtpy.QtWidgets import QPushButton

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
    assert tuple(layer.contrast_limits) == _range(cells[[0, 1, 3, 4, 5]])
    assert dock.runner.message.text() == "Added 'night': 6 frames"
    mean = ns.combine(ns.Stack.wrap(cells))
    np.testing.assert_array_equal(layers.combine(layer)[0].data, mean)


def _range(data):
    return (data.min(), data.max())


@pytest.mark.parametrize("pattern", ["frame?.tif", "frame[0-5].tif", "frame[012345].t*"])
def test_name_of_a_glob(pattern, dock, viewer, qtbot, folder):
    dock.set_paths(folder / pattern)
    opened(dock, qtbot)
    assert viewer.layers[0].name == "night"


def test_one_picked_file(dock, viewer, qtbot, folder, cells):
    ns.write(folder / "series.tif", ns.Stack.wrap(cells))
    dock.set_paths([str(folder / "series.tif")])
    assert dock.path.text() == str(folder / "series.tif")
    opened(dock, qtbot)
    assert viewer.layers[0].name == "series"
    assert dock.runner.message.text() == "Added 'series': 6 frames"


def test_hyperstack(dock, viewer, qtbot, tmp_path, hyper):
    ns.write(tmp_path / "h.tif", hyper)
    dock.set_paths(tmp_path / "h.tif")
    opened(dock, qtbot)
    assert dock.runner.message.text() == "Added 'h': 24 frames (t = 3, c = 2, z = 4)"


def test_every_input_says_what_it_is_for(dock):
    inputs = [dock.path, *dock.findChildren(QPushButton)]
    assert len(inputs) == 5
    assert all(part.toolTip() for part in inputs)


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
