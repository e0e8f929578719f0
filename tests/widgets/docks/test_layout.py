"""No text of any dock is cut off, at 300 x 700 pixels; see CONTRIBUTING for 200 % scaling."""

import pytest
from napari.qt import get_stylesheet
from qtpy.QtWidgets import QApplication, QLabel, QPushButton
from superqt import QCollapsible

from napari_stack import _widgets, layers
from napari_stack._widgets.parts.layout import below, holding
from support.clipped import clipped

DOCKS = [name for name in _widgets.__all__ if name != "OperatorDock"]

#: Pixels that docks need, where that is more than others.
WIDER = {"OpenFramesDock": 330}


@pytest.fixture
def frames(viewer, hyper):
    """A layer with several axes, which docks show all they have for."""
    return viewer.add_layer(layers.to_layer(hyper, "a recording with quite a long name"))


@pytest.fixture
def opened(viewer, frames, qtbot, run_threads):
    """Opens docks in windows of their own, in napari's style."""

    def open_dock(name, theme="dark", height=700):
        dock = getattr(_widgets, name)(viewer)
        qtbot.addWidget(dock)
        dock.setStyleSheet(get_stylesheet(theme))
        for part in dock.findChildren(QCollapsible):
            part.expand(animate=False)
        dock.setFixedSize(WIDER.get(name, 300), height)
        dock.show()
        if isinstance(dock, _widgets.StackDock):
            qtbot.waitUntil(lambda: dock.facts is not None, timeout=20_000)  # with all its steps
        for _ in range(4):
            QApplication.processEvents()
        return dock

    yield open_dock
    # pytest-qt has closed the docks by now, so that those who wait for the threads are deleted.
    qtbot.waitUntil(lambda: not run_threads(), timeout=20_000)  # kernels may be compiled


# A few in a test, since viewer and layer take longer than a dock.
@pytest.mark.parametrize("first", range(0, len(DOCKS), 6))
def test_nothing_is_cut_off(first, opened):
    for name in DOCKS[first : first + 6]:
        dock = opened(name)
        assert clipped(dock) == [], name
        assert dock.minimumSizeHint().height() <= 700, name
        dock.hide()


@pytest.mark.parametrize("name", ["StackDock", "RegisterDock", "RecipeDock"])
def test_nothing_is_cut_off_in_the_light_theme(name, opened):
    assert clipped(opened(name, "light")) == []


def test_the_measure_finds_what_is_cut_off(qtbot):
    label, narrow = QLabel("a text that is far too long"), QPushButton("Apply to all")
    for part in (label, narrow):
        qtbot.addWidget(part)
        holder = holding(below(part))
        qtbot.addWidget(holder)
        holder.setFixedWidth(30)
        holder.show()
        QApplication.processEvents()
        assert clipped(holder) == [part.text()]


def test_run_is_in_view_however_many_options_there_are(opened):
    button = opened("RegisterDock", height=360).runner.run_button
    assert button.visibleRegion().boundingRect().height() == button.height()
