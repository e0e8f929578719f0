"""Docks that were opened, run and closed leave nothing (more of it: benchmarks/dock_leaks.py)."""

import gc
import weakref

import pytest
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from napari_stack._widgets import RegisterDock, RepairHotPixelsDock
from support.docks import cells_layer, ran, references_to


def settle():
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
    gc.collect()


@pytest.mark.parametrize("kind", [RegisterDock, RepairHotPixelsDock])
def test_nothing_stays_of_a_dock_that_was_run_and_closed(kind, viewer, qtbot, cells):
    held = []
    for _ in range(3):
        cells_layer(viewer, cells.copy())
        dock = kind(viewer)
        frame = viewer.window.add_dock_widget(dock, name="leaks")
        ran(dock, qtbot)
        held.append([weakref.ref(dock), *references_to(viewer)])
        viewer.window.remove_dock_widget(frame)
        viewer.layers.clear()
        del dock, frame
        settle()
    # Of the last one napari's own lists may hold something until the next layer comes.
    assert [ref() for refs in held[:-1] for ref in refs if ref() is not None] == []
