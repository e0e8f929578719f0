"""The notice before the 3-D view computes all frames."""

import gc
import weakref

import pytest

from napari_stack import _widgets, layers
from support.docks import cells_layer, docked, ran


@pytest.fixture
def lazy(viewer, cells):
    """A registered layer, and its source."""
    source = cells_layer(viewer, cells)
    return viewer.add_layer(layers.register(source, transform="translation"))


def test_a_word_before_3d_display(viewer, qtbot, lazy, notes):
    docked(viewer, _widgets.CombineDock)
    docked(viewer, _widgets.RegisterDock)
    lazy.visible = False
    viewer.dims.ndisplay = 3
    assert notes == [], "only what is shown is computed"
    viewer.dims.ndisplay = 2
    lazy.visible = True
    viewer.dims.ndisplay = 3
    ((severity, text),) = notes
    assert severity == "info"
    assert "all frames of 'cells - aligned'" in text
    assert "126 KiB" in text
    assert "Compute Now" in text
    viewer.dims.ndisplay = 2
    viewer.dims.ndisplay = 3
    assert len(notes) == 1, "once is enough"


@pytest.mark.parametrize(
    "kind", [_widgets.RecipeDock, _widgets.FrameInspectorDock, _widgets.OpenFramesDock]
)
def test_every_dock_that_runs_something_says_it(kind, own_viewer, cells, notes):
    source = cells_layer(own_viewer, cells)
    own_viewer.add_layer(layers.register(source, transform="translation"))
    docked(own_viewer, kind)
    own_viewer.dims.ndisplay = 3
    assert len(notes) == 1


def test_layers_told_of_do_not_stay(viewer, qtbot, lazy, notes):
    dock = docked(viewer, _widgets.ComputeNowDock)
    ran(dock, qtbot)
    viewer.dims.ndisplay = 3
    assert len(notes) == 1
    viewer.dims.ndisplay = 2
    alive = weakref.ref(viewer.layers[-1]), weakref.ref(viewer.layers[-1].data)
    viewer.layers.clear()
    qtbot.waitUntil(lambda: gc.collect() >= 0 and not any(ref() is not None for ref in alive))
