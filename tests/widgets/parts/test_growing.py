"""`GrowingPicture`: the result so far, below the buttons of a run."""

import gc

import numpy as np
import pytest
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from napari_stack._widgets import CombineDock
from napari_stack._widgets.parts.run.growing import HEIGHT, GrowingPicture, image_of
from napari_stack._widgets.parts.run.worker import Worker
from support.docks import cells_layer, docked


def test_pixels_go_from_dark_to_bright_and_unknown_ones_are_clear():
    picture = np.linspace(100, 300, 200, dtype=np.float32).reshape(20, 10)
    picture[10:] = np.nan
    image = image_of(picture)
    first, last = (QColor(image.pixelColor(5, row)) for row in (0, 9))
    assert first.value() < 20
    assert last.value() > 235
    assert image.pixelColor(5, 12).alpha() == 0


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_colours_are_kept(channels):
    picture = np.zeros((4, 5, channels), np.float32)
    picture[0] = 1.0
    picture[1, :, 0] = 1.0
    image = image_of(picture)
    assert image.pixelColor(2, 0).getRgb() == (255, 255, 255, 255)
    red = image.pixelColor(2, 1).getRgb()
    assert red == ((255, 255, 255, 255) if channels == 1 else (255, 0, 0, 255))


def test_a_wide_picture_makes_no_dock_wider(qtbot):
    dock = QWidget()
    qtbot.addWidget(dock)
    dock.setLayout(QVBoxLayout())
    growing = GrowingPicture()
    dock.layout().addWidget(growing)
    dock.resize(400, 200)
    growing.show_picture(np.zeros((20, 160), np.float32))
    dock.layout().activate()
    assert growing.pixmap().width() > 300
    assert dock.minimumSizeHint().width() < 100


def test_it_is_hidden_until_there_is_something(qtbot):
    shown = GrowingPicture()
    qtbot.addWidget(shown)
    assert shown.isHidden()
    shown.show_picture(np.full((4, 6), np.nan))
    assert not shown.isHidden()
    assert shown.pixmap().height() <= HEIGHT * shown.devicePixelRatioF()
    shown.forget()
    assert shown.isHidden()
    assert shown.pixmap().isNull()


def test_a_run_that_a_lazy_result_holds_shows_nothing_once_it_is_over(qtbot):
    class Grown:
        def glimpse(self):
            return np.zeros((4, 6), np.float32)

    worker, seen = Worker(lambda run: run, shows=True), []
    worker.glimpsed.connect(seen.append)
    with qtbot.waitSignal(worker.returned) as returned:
        worker.start()
    run = returned.args[0]
    qtbot.waitUntil(lambda worker=worker: worker._work is None)
    del worker  # as a runner does; the signal of one that is gone crashes the program
    gc.collect()
    run.glimpses.offer(Grown())
    QApplication.processEvents()
    assert seen == []


def test_a_dock_shows_its_result_as_it_grows(viewer, qtbot, cells, monkeypatch):
    cells_layer(viewer, cells)
    dock = docked(viewer, CombineDock)
    seen = []
    show = dock.runner.growing.show_picture
    monkeypatch.setattr(dock.runner.growing, "show_picture", lambda p: seen.append(p) or show(p))
    with qtbot.waitSignal(dock.runner.finished, timeout=20_000):
        dock.run()
    QApplication.processEvents()
    assert seen
    assert seen[0].shape == cells.shape[1:]
    assert dock.runner.growing.isHidden()
