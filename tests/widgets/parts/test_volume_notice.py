"""The question before the 3-D view computes all frames."""

import gc
import weakref

import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_stack import _widgets, layers
from napari_stack._widgets.parts.frames.volume_notice import Question
from support.docks import cells_layer, docked


@pytest.fixture
def lazy(viewer, cells):
    """A registered layer, and its source."""
    source = cells_layer(viewer, cells)
    return viewer.add_layer(layers.register(source, transform="translation"))


def asked():
    """Return the questions that are open."""
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, Question) and w.isVisible()]


def answer(choose):
    (question,) = asked()
    choose(question).click()


def cancel(question):
    return question.button(QMessageBox.StandardButton.Cancel)


def test_it_is_asked_once_and_shown_anyway(viewer, qtbot, lazy):
    docked(viewer, _widgets.CombineDock)
    docked(viewer, _widgets.RegisterDock)
    lazy.visible = False
    viewer.dims.ndisplay = 3
    assert asked() == [], "only what is shown is computed"
    viewer.dims.ndisplay = 2
    lazy.visible = True
    viewer.dims.ndisplay = 3
    assert viewer.dims.ndisplay == 2, "nothing is computed yet"
    (question,) = asked()
    assert "all frames of 'cells - aligned'" in question.text()
    assert "126 KiB" in question.text()
    answer(lambda box: box.anyway)
    assert viewer.dims.ndisplay == 3
    viewer.dims.ndisplay = 2
    viewer.dims.ndisplay = 3
    assert asked() == [], "once is enough"


def test_cancelled_it_is_asked_again(viewer, qtbot, lazy):
    docked(viewer, _widgets.RegisterDock)
    viewer.dims.ndisplay = 3
    answer(cancel)
    assert viewer.dims.ndisplay == 2
    viewer.dims.ndisplay = 3
    answer(cancel)


def test_computed_first_the_result_is_shown(own_viewer, qtbot, cells):
    source = cells_layer(own_viewer, cells)
    lazy = own_viewer.add_layer(layers.register(source, transform="translation"))
    docked(own_viewer, _widgets.RegisterDock)
    own_viewer.dims.ndisplay = 3
    answer(lambda box: box.first)
    qtbot.waitUntil(lambda: own_viewer.dims.ndisplay == 3, timeout=20_000)
    assert own_viewer.layers[-1].name == "cells - aligned - computed"
    assert not lazy.visible
    assert asked() == []


@pytest.mark.parametrize(
    "kind", [_widgets.RecipeDock, _widgets.FrameInspectorDock, _widgets.OpenFramesDock]
)
def test_every_dock_that_runs_something_asks(kind, own_viewer, cells):
    source = cells_layer(own_viewer, cells)
    own_viewer.add_layer(layers.register(source, transform="translation"))
    docked(own_viewer, kind)
    own_viewer.dims.ndisplay = 3
    answer(cancel)


def test_without_a_window_it_is_said(cells, qtbot, notes):
    viewer = ViewerModel()
    source = cells_layer(viewer, cells)
    viewer.add_layer(layers.register(source, transform="translation"))
    qtbot.addWidget(_widgets.RegisterDock(viewer))
    viewer.dims.ndisplay = 3
    ((severity, text),) = notes
    assert severity == "info"
    assert "compute_now" in text


def test_layers_asked_for_do_not_stay(viewer, qtbot, cells):
    source = cells_layer(viewer, cells)
    viewer.add_layer(layers.register(source, transform="translation"))
    docked(viewer, _widgets.RegisterDock)
    viewer.dims.ndisplay = 3
    answer(lambda box: box.anyway)
    viewer.dims.ndisplay = 2
    alive = weakref.ref(viewer.layers[-1]), weakref.ref(viewer.layers[-1].data)
    del source
    viewer.layers.clear()
    viewer.window.remove_dock_widget("all")
    qtbot.waitUntil(lambda: gc.collect() >= 0 and not any(ref() is not None for ref in alive))
