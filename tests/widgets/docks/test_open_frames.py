"""The dock that opens frames."""

import os
import threading

import imagecodecs
import numpy as np
import pytest
import tifffile
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
def dock(viewer, qtbot):
    dock = OpenFramesDock(viewer)
    viewer.window.add_dock_widget(dock)
    yield dock
    dock.preview.latest.drop()
    qtbot.waitUntil(lambda: not run_threads_of(), timeout=20_000)


def run_threads_of():
    return [t for t in threading.enumerate() if t.name.startswith("napari-stack")]


def previewed(dock, qtbot):
    qtbot.waitUntil(lambda: not dock.preview.latest.busy, timeout=20_000)
    return dock.preview.label.text()


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
    inputs += [dock.pattern, *(field.native for field, _ in dock._fields.values())]
    assert len(inputs) == 15
    assert all(part.toolTip() for part in inputs)


def test_some_frames(dock, viewer, qtbot, folder, cells):
    dock.set_paths(folder)
    assert dock.options() == {
        "every": 1, "start": 0, "stop": None, "order": "given", "odd": "refuse", "series": None,
        "from_names": False, "demosaic": True,
    }  # fmt: skip
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


def test_preview_tells_what_will_be_opened(dock, viewer, qtbot, folder, tmp_path, hyper):
    assert previewed(dock, qtbot) == ""
    dock.set_paths(folder)
    assert dock.preview.latest.busy
    text = previewed(dock, qtbot)
    lines = text.splitlines()
    assert lines[:2] == ["6 frames", "112 x 96 pixels, uint16, grey"]
    assert lines[2].startswith("126 KiB in all, fits into the ")
    assert lines[3:] == ["frame0.tif to frame5.tif", "The headers of all files are alike."]
    dock.set_options(every=2, start=1)
    lines = previewed(dock, qtbot).splitlines()
    assert (lines[0], lines[3]) == ("3 frames", "frame1.tif to frame5.tif")
    dock.pattern.setText("frame[01].tif")
    dock.set_options(every=1, start=0)
    assert previewed(dock, qtbot).startswith("2 frames\n")
    ns.write(tmp_path / "h.tif", hyper)
    dock.set_paths(tmp_path / "h.tif")
    lines = previewed(dock, qtbot).splitlines()
    assert lines[0] == "24 frames (t = 3, c = 2, z = 4)"
    assert lines[2] == "a pixel is 0.25 x 0.25 micrometer"
    assert not viewer.layers


def test_preview_says_what_is_wrong(dock, qtbot, folder, tmp_path):
    dock.set_paths(tmp_path / "nowhere")
    assert "nowhere does not exist" in previewed(dock, qtbot)
    for number in (2, 4):
        ns.write(folder / f"frame{number}.tif", np.zeros((3, 4), np.uint8), overwrite=True)
    dock.set_paths(folder)
    text = previewed(dock, qtbot)
    assert text.startswith("6 frames\n")
    assert text.splitlines()[4] == (
        "2 files are odd: frame2.tif, frame4.tif. frame2.tif holds 4 x 3 uint8 pixels where the "
        "first file, frame0.tif, holds 112 x 96 uint16 pixels. Odd files: skip leaves them out."
    )
    dock.set_options(odd="skip")
    text = previewed(dock, qtbot)
    assert text.startswith("4 frames\n")


def test_preview_follows_and_never_waits(dock, viewer, qtbot, folder, monkeypatch):
    """Typing on makes what was asked before void, and the main thread reads nothing."""
    main, readers = threading.current_thread(), []

    def read(*paths, **options):
        readers.append(threading.current_thread())
        return ns.read(*paths, **options)

    monkeypatch.setattr("napari_stack._widgets.docks.open_frames.read", read)
    for length in range(1, len(str(folder)) + 1):
        dock.path.setText(str(folder)[:length])
    assert previewed(dock, qtbot).startswith("6 frames")
    assert len(readers) == 1
    assert main not in readers
    dock.set_paths(folder)
    viewer.window.remove_dock_widget(dock)
    assert not dock.preview.latest.busy


def test_order_and_pattern_count(dock, viewer, qtbot, tmp_path):
    place = tmp_path / "run [1]"
    place.mkdir()
    for number in range(3):
        (place / f"{number}.png").write_bytes(imagecodecs.png_encode(np.full((4, 5), number, "u1")))
        os.utime(place / f"{number}.png", (0, 1000 - number))
    dock.set_paths(place)
    dock.pattern.setText("[12].png")
    dock.set_options(order="time")
    opened(dock, qtbot)
    (layer,) = viewer.layers
    assert layer.name == "run [1]"
    assert np.asarray(layer.data)[:, 0, 0].tolist() == [2, 1]


def offered(dock):
    box = dock._fields["series"][0].native
    return [box.itemText(number) for number in range(box.count())]


def test_one_of_several_images_is_chosen_from_a_list(dock, viewer, qtbot, tmp_path):
    small, large = np.ones((3, 8, 9), np.uint8), np.full((2, 10, 11), 7, np.uint8)
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as tif:
        for name, pixels in (("small", small), ("large", large)):
            tif.write(pixels, metadata={"axes": "TYX", "Name": name})
    dock.set_paths(tmp_path / "two.ome.tif")
    text = previewed(dock, qtbot)
    assert text.startswith("3 frames\n")
    assert "two.ome.tif holds 2 series that differ, and the first is read: 0 'small'" in text
    assert offered(dock) == [
        "all if alike", "0 'small' (9 x 8 uint8 pixels, t = 3)",
        "1 'large' (11 x 10 uint8 pixels, t = 2)",
    ]  # fmt: skip
    dock._fields["series"][0].native.setCurrentIndex(2)
    assert dock.options()["series"] == 1
    text = previewed(dock, qtbot)
    assert text.startswith("2 frames\n")
    assert "differ" not in text
    opened(dock, qtbot)
    np.testing.assert_array_equal(np.asarray(viewer.layers[0].data), large)
    ns.write(tmp_path / "one.tif", ns.Stack.wrap(small))
    dock.set_paths(tmp_path / "one.tif")
    assert previewed(dock, qtbot).startswith("3 frames\n")
    assert offered(dock) == ["all if alike"]
    assert dock.options()["series"] is None


def test_axes_in_names_are_shown_and_confirmed(dock, viewer, qtbot, tmp_path):
    for t in range(2):
        for z in range(3):
            if (t, z) != (1, 1):
                pixels = np.full((4, 5), 10 * t + z + 1, np.uint8)
                tifffile.imwrite(tmp_path / f"e_t{t}_z{z}.tif", pixels)
    dock.set_paths(tmp_path)
    text = previewed(dock, qtbot)
    assert text.startswith("5 frames\n")
    assert "the names of the 5 files tell of axes, t = 2, z = 3" in text
    field = dock._fields["from_names"][0]
    assert field.found.text() == "t = 2, z = 3"
    field.tick.click()
    text = previewed(dock, qtbot)
    assert text.startswith("6 frames (t = 2, z = 3)\n")
    assert "of the 6 frames that are declared 1 is missing" in text
    opened(dock, qtbot)
    data = layers.prepare("combine", viewer.layers[0]).chain.data
    assert data.frames.used.tolist() == [True, True, True, True, False, True]
    field.pattern.setText("e_t{frame}_z{c}")
    assert previewed(dock, qtbot).startswith("6 frames (frame = 2, c = 3)\n")
    dock.set_options(from_names=False)
    assert not field.pattern.isVisibleTo(dock)
    assert previewed(dock, qtbot).startswith("5 frames\n")


def test_a_layer_for_each_channel(dock, viewer, qtbot, tmp_path):
    frames = np.arange(2 * 3 * 24 * 30, dtype=np.uint16).reshape(3, 2, 24, 30)
    axes = ("t", ns.Axis("c", labels=("DAPI", "GFP")), "y", "x")
    ns.write(tmp_path / "cells.ome.tif", frames, axes=axes)
    dock.set_paths(tmp_path / "cells.ome.tif")
    dock.channels.setChecked(True)
    opened(dock, qtbot)
    assert [layer.name for layer in viewer.layers] == ["cells.ome DAPI", "cells.ome GFP"]
    for number, layer in enumerate(viewer.layers):
        np.testing.assert_array_equal(np.asarray(layer.data), frames[:, number])
    assert dock.runner.message.text().startswith("Added 'cells.ome DAPI', 'cells.ome GFP':")
