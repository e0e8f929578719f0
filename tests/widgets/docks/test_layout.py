"""No text of any dock is cut off, at 300 x 700 pixels, in both themes, and at 200 %."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from napari.qt import get_stylesheet
from qtpy.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QSpinBox
from superqt import QCollapsible

from napari_stack import _widgets, layers
from napari_stack._widgets.parts.layout import below, holding
from napari_stack.operators import CATALOGUE
from support.clipped import clipped

DOCKS = [name for name in _widgets.__all__ if name != "OperatorDock"]

#: Names of layers, which are shortened where they do not fit.
NAMES = ["a recording with quite a long name"]

#: Pixels that docks need, where that is more than others.
WIDER = {"OpenFramesDock": 330}


@pytest.fixture
def frames(viewer, hyper):
    """A layer with several axes, which docks show all they have for."""
    return viewer.add_layer(layers.to_layer(hyper, NAMES[0]))


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
        assert clipped(dock, NAMES) == [], name
        assert dock.minimumSizeHint().height() <= 700, name
        dock.hide()


@pytest.mark.parametrize("name", ["RegisterDock", "FocusStackDock", "SigmaClipDock"])
def test_nothing_is_cut_off_of_the_options_of_methods(name, opened):
    dock = opened(name)
    for method in CATALOGUE[dock.operator].options["method"].methods:
        dock.set_options({"method": method})
        for _ in range(3):
            QApplication.processEvents()
        assert clipped(dock, NAMES) == [], method


@pytest.mark.parametrize("name", ["StackDock", "RegisterDock", "RecipeDock"])
def test_nothing_is_cut_off_in_the_light_theme(name, opened):
    assert clipped(opened(name, "light"), NAMES) == []


def test_nothing_is_cut_off_at_200_percent():
    """In a process of its own, for Qt reads the scale once: the Stack dock on every journey."""
    tests = Path(__file__).parents[2]
    paths = [str(tests), str(tests.parent / "src"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"QT_SCALE_FACTOR": "2", "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-W", "ignore", "-m", "support.scaled"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["scale"] == 2.0
    assert len(told["cut"]) == 9
    assert {name: cut for name, cut in told["cut"].items() if cut} == {}


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


def test_the_measure_finds_entries_and_numbers_that_are_cut_off(qtbot):
    box, number = QComboBox(), QSpinBox()
    box.addItems(["short", "standard deviation", "a long name"])
    number.setMaximum(10**9)
    number.setValue(123_456_789)
    holder = holding(below(box, number))
    qtbot.addWidget(holder)
    for part in (box, number):
        part.setFixedWidth(70)
    holder.show()
    QApplication.processEvents()
    assert clipped(holder, ["a long name"]) == ["standard deviation", "123456789"]


def test_run_is_in_view_however_many_options_there_are(opened):
    button = opened("RegisterDock", height=360).runner.run_button
    assert button.visibleRegion().boundingRect().height() == button.height()
