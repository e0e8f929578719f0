"""A cell a frame: colours, clicks, keys, and the notice on the canvas."""

import threading
from base64 import b64decode

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QHelpEvent, QImage, QMouseEvent
from qtpy.QtWidgets import QApplication, QToolTip, QWidget

from napari_stack import layers
from napari_stack._widgets import FrameInspectorDock
from napari_stack._widgets.parts.frames import frame_pictures
from napari_stack._widgets.parts.frames.frame_pictures import FramePictures
from napari_stack._widgets.parts.frames.frame_strip import FrameStrip, colours_of, described
from napari_stack.core.notices import FailedFrames
from napari_stack.layers.compat import text_overlay_of
from napari_stack.operators.inspection.frame_table import FrameTable
from support.docks import docked


def table(columns=None, used=(1, 1, 1, 0), failed=(0, 0, 1, 0), missing=()):
    labels = [f"f{number}" for number in range(len(used))]
    numbers = {name: np.array(values, float) for name, values in (columns or {}).items()}
    flags = np.array(used, bool), np.array(failed, bool)
    return FrameTable(numbers, *flags, labels, frozenset(missing))


def green(colour):
    return colour.green() - colour.red()


def test_colours_tell_quality_failures_and_frames_left_out():
    good, bad, failed, out = colours_of(table({"quality": [1, 0.1, 0.9, 1]}))
    assert green(good) > 0 > green(bad)
    assert failed.name() == colours_of(table())[2].name()
    assert out.red() == out.green() == out.blue()
    rejected = colours_of(table({"rejected fraction": [0.0, 0.3, 0, 0]}, failed=(0,) * 4))
    assert green(rejected[0]) > 0 > green(rejected[1])
    even = colours_of(table({"rejected fraction": [0.2] * 4}, failed=(0,) * 4, used=(1,) * 4))
    assert all(green(colour) > 0 for colour in even)
    unknown = colours_of(table({"quality": [np.nan, 1, 1, 1]}))[0]
    assert unknown.name() == colours_of(table())[0].name()


def test_what_is_known_of_a_frame():
    assert described(table({"quality": [1, 0.5, 0.2, 1]}), 2) == "2: f2, failed\nquality: 0.2"
    assert described(table({"quality": [np.nan] * 4}), 0) == "0: f0"


@pytest.fixture
def strip(qtbot):
    made = FrameStrip()
    qtbot.addWidget(made)
    made.resize(200, 22)
    made.show_table(table(used=(1, 1, 1, 1), missing={3}))
    return made


def test_clicks_and_keys(strip, qtbot):
    chosen, toggled = [], []
    strip.chosen.connect(chosen.append)
    strip.toggled.connect(lambda *what: toggled.append(what))
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(120, 10))
    assert chosen == [2]
    strip.show_current(1)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Space):
        qtbot.keyClick(strip, key)
    assert chosen == [2, 0, 2]
    assert toggled == [(1, False)]
    strip.show_current(3)
    qtbot.keyClick(strip, Qt.Key.Key_Space)  # never recorded: it stays out
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert toggled == [(1, False)]
    assert chosen[-1] == 3


def test_it_is_drawn(strip):
    colours = {strip.grab().toImage().pixelColor(x, 5).name() for x in range(0, 200, 3)}
    assert {strip.colours[0].name(), strip.colours[2].name()} <= colours


def hovered(strip, x):
    """Move the mouse over the strip; return what is told then."""
    at = QPointF(x, 10)
    none = Qt.MouseButton.NoButton
    move = QMouseEvent(QEvent.Type.MouseMove, at, strip.mapToGlobal(at), none, none,
                       Qt.KeyboardModifier.NoModifier)  # fmt: skip
    QApplication.sendEvent(strip, move)
    return QToolTip.text()


def test_the_picture_of_the_frame_under_the_mouse_comes_when_it_is_made(qtbot):
    pictures = {}
    strip = FrameStrip(lambda frame: pictures.get(frame, ""))
    qtbot.addWidget(strip)
    strip.resize(200, 22)
    strip.show()
    strip.show_table(table({"quality": [1, 0.5, 0.2, 1]}))
    assert hovered(strip, 70) == "<qt>1: f1<br>quality: 0.5</qt>"
    pictures |= {1: "<b>one</b>", 2: "<b>two</b>"}
    strip.show_picture(2)
    assert "two" not in QToolTip.text()  # the mouse is elsewhere
    strip.show_picture(1)
    told = "<qt><b>one</b><br>1: f1<br>quality: 0.5</qt>"
    assert QToolTip.text() == told
    at = QPoint(70, 10)  # the mouse rests
    QApplication.sendEvent(strip, QHelpEvent(QEvent.Type.ToolTip, at, strip.mapToGlobal(at)))
    assert QToolTip.text() == told
    assert "Space" in strip.accessibleDescription()
    QApplication.sendEvent(strip, QEvent(QEvent.Type.Leave))
    pictures[1] = "<b>late</b>"
    strip.show_picture(1)
    assert "late" not in QToolTip.text()


def test_pictures_of_frames_are_made_once_and_small(viewer, cells, qtbot):
    dock = docked(viewer, FrameInspectorDock)
    layer = viewer.add_image(cells, rgb=False, axis_labels=("t", "y", "x"))
    assert dock.pictures.of(2) == ""
    with qtbot.waitSignal(dock.pictures.made, timeout=20_000) as told:
        pass
    assert told.args == [2]
    picture = dock.pictures.of(2)
    assert picture.startswith('<img src="data:image/png;base64,')
    assert len(picture) < 60_000
    image = QImage.fromData(b64decode(picture.split(",")[1][:-2]))
    assert (image.height(), image.width()) == cells.shape[1:]
    qtbot.waitUntil(lambda: not dock.pictures.latest.busy)
    layer.contrast_limits = (0, 500)  # shown otherwise by now
    assert dock.pictures.of(2) == ""
    assert dock.pictures.latest._timer.isActive()
    viewer.window.remove_dock_widget("all")
    assert not dock.pictures.latest._timer.isActive()
    assert not dock.pictures.latest.busy


class Unreadable:
    """Frames of a file that is gone."""

    shape, dtype, ndim = (3, 8, 9), np.dtype(np.uint8), 3

    def __getitem__(self, key):
        if threading.current_thread() is threading.main_thread():
            return np.zeros(self.shape, self.dtype)[key]
        raise OSError("the <file> is gone")


@pytest.fixture
def pictures_of(qtbot):
    """Gives pictures of the frames of a layer, and waits for them."""
    owner, shown = QWidget(), []
    qtbot.addWidget(owner)
    pictures = FramePictures(owner, lambda: (shown[0], "t", {}, 0))

    def pictures_of(layer, frame=0):
        shown[:] = [layer]
        with qtbot.waitSignal(pictures.made, timeout=20_000):
            assert pictures.of(frame) == ""
        return pictures.of(frame)

    pictures_of.pictures = pictures
    yield pictures_of
    pictures.forget()
    qtbot.waitUntil(lambda: not pictures.latest.busy, timeout=20_000)


def image(data, **more):
    return Image(data, axis_labels=("t", "y", "x"), contrast_limits=(0, 255), **more)


def shown(picture):
    return QImage.fromData(b64decode(picture.split(",")[1][:-2])).pixelColor(0, 0).value()


def test_pictures_are_of_the_array_not_of_its_id(pictures_of, monkeypatch):
    monkeypatch.setattr(frame_pictures, "id", lambda _thing: 1, raising=False)
    dark, bright = (image(np.full((3, 8, 9), value, np.uint8)) for value in (20, 200))
    assert shown(pictures_of(dark)) == 20
    assert shown(pictures_of(bright)) == 200
    bright.data[0] = 90
    bright.events.data()
    assert shown(pictures_of(bright)) == 90


def test_colours_are_shown_in_the_range_of_their_type(pictures_of):
    rng = np.random.default_rng(0)
    for dtype, white in ((np.uint8, 255), (np.uint16, 65535), (np.float32, 1)):
        data = rng.uniform(0.09, 0.11, (3, 8, 9, 3)) * white
        assert 20 < shown(pictures_of(image(data.astype(dtype), rgb=True))) < 30


def test_a_frame_that_cannot_be_read_says_so(pictures_of):
    text = pictures_of(image(Unreadable(), multiscale=False, rgb=False))
    assert text.startswith("could not be read")
    assert "the &lt;file&gt; is gone" in text
    assert not pictures_of.pictures.latest._timer.isActive()  # it is not read again


def test_without_frames_nothing_happens(qtbot):
    empty = FrameStrip()
    qtbot.addWidget(empty)
    empty.grab()
    qtbot.mouseClick(empty, Qt.MouseButton.LeftButton)
    qtbot.keyClick(empty, Qt.Key.Key_Space)


def test_in_the_inspector(viewer, cells, qtbot):
    dock = docked(viewer, FrameInspectorDock)
    data = cells.copy()
    data[2] = np.random.default_rng(1).integers(0, 4000, data[2].shape)
    source = viewer.add_image(data, rgb=False, axis_labels=("t", "y", "x"))
    with pytest.warns(FailedFrames):
        viewer.add_layer(layers.register(source, transform="translation"))
    overlay = text_overlay_of(viewer)
    dock.cells.chosen.emit(2)
    assert viewer.dims.current_step[0] == 2
    assert overlay.visible
    assert overlay.text == "Frame 2: failed"
    dock.cells.chosen.emit(1)
    assert not overlay.visible
    dock.cells.show_current(1)
    qtbot.keyClick(dock.cells, Qt.Key.Key_Space)
    assert not dock.table.used[1]
    assert overlay.text == "Frame 1: left out"
    viewer.window.remove_dock_widget("all")
    assert not overlay.visible


def test_a_text_of_the_user_stays(viewer, cells):
    overlay = text_overlay_of(viewer)
    overlay.text, overlay.visible = "mine", True
    dock = docked(viewer, FrameInspectorDock)
    viewer.add_image(cells, rgb=False, axis_labels=("t", "y", "x"))
    dock.cells.toggled.emit(dock.cells.current, False)
    assert overlay.text == "mine"
    overlay.text, overlay.visible = "", False
