"""A viewer, docks in it, and frames that wait at a gate, so that a run can be met half-way."""

import gc
import threading

import napari
import napari.settings
import numpy as np
import pytest
from napari._qt.qt_viewer import QtViewer
from napari.utils._proxies import PublicOnlyProxy
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from napari_stack import samples
from napari_stack._widgets import SurfaceDock
from napari_stack._widgets.parts.options import preferences
from napari_stack._widgets.parts.run import precompile
from napari_stack._widgets.parts.run.runner import RunningDock
from napari_stack.layers.compat import grid_of


@pytest.fixture(scope="session")
def window(qapp):
    """The window that most tests share: to make one for each takes half a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari._qt.threads.status_checker.StatusChecker.start", lambda _self: None)
        made = napari.Viewer(show=False)
    QtViewer._instances.clear()  # napari's own fixtures ask that none is left
    without_pictures(made)
    yield made
    made.window._qt_window._save_current_window_settings = lambda: None
    made.close()


def without_pictures(viewer):
    """Neither draw layers nor make controls for them: half of the time that layers take.

    A viewer of a test's own has both.
    """
    shown = viewer.window._qt_viewer
    layers, controls, canvas = viewer.layers, shown.controls, shown.canvas
    layers.events.inserted.disconnect(shown._on_add_layer_change)
    layers.events.reordered.disconnect(canvas._update_scenegraph)
    layers.events.removed.disconnect(canvas._remove_layer)
    layers.events.inserted.disconnect(controls._add)
    layers.events.removed.disconnect(controls._remove)
    layers.selection.events.changed.disconnect(controls._populate)


@pytest.fixture
def viewer(window, monkeypatch):
    """An empty viewer that refuses to be touched by other threads."""
    monkeypatch.setenv("NAPARI_ENSURE_PLUGIN_MAIN_THREAD", "True")
    yield PublicOnlyProxy(window)
    window.window.remove_dock_widget("all")
    window.layers.clear()
    window.dims.reset()
    window.dims.ndisplay = 2
    window.cursor.position = (1.0, 1.0)
    window.reset_view()
    grid_of(window).enabled = False
    for widget in QApplication.topLevelWidgets():  # closed docks, which would go on following
        if isinstance(widget, (RunningDock, SurfaceDock)):
            widget.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()


@pytest.fixture
def own_viewer(make_napari_viewer_proxy):
    """A viewer that may be closed, and is deleted after the test."""
    return make_napari_viewer_proxy()


@pytest.fixture(scope="session")
def cells():
    """Six frames of cells that only shift."""
    stack, _ = samples.drifting_cells(6, (96, 112), shift=5.0, rotation=0.0, scale=0.0)
    return np.asarray(stack)


@pytest.fixture(scope="session")
def hyper():
    """A small (t, c, z, y, x) hyperstack."""
    return samples.hyperstack(3, 4, (64, 80))[0]


class Gate:
    """Frames that runs wait for from the second on; the main thread never waits."""

    def __init__(self, data):
        self.data, self.shape, self.dtype, self.ndim = data, data.shape, data.dtype, data.ndim
        self.reached, self.opened = threading.Event(), threading.Event()
        self.reads = 0

    def __getitem__(self, key):
        if threading.current_thread() is not threading.main_thread():
            self.reads += 1
            if self.reads > 1:
                self.reached.set()
                assert self.opened.wait(20)
        return self.data[key]


@pytest.fixture
def gate(cells):
    """The cells behind a gate, which is open at the end in any case."""
    gate = Gate(cells)
    yield gate
    gate.opened.set()


@pytest.fixture
def notes(monkeypatch):
    """What is said to the user while the test runs: (severity, text)."""
    heard = []

    def hear(notification):
        heard.append((str(notification.severity), notification.message))

    monkeypatch.setattr(notification_manager, "dispatch", hear)
    return heard


def _run_threads():
    return [t for t in threading.enumerate() if t.name.startswith("napari-stack")]


@pytest.fixture
def run_threads():
    """Gives the threads of runs that still live."""
    return _run_threads


class Everything(set):
    """A set that holds all there is."""

    def __contains__(self, item):
        return True


@pytest.fixture(autouse=True)
def quick_garbage_collection():
    """The collector leaves alone what was there before the test.

    napari keeps some thousand objects of every viewer that was closed, and each viewer, and tests
    of what stays alive, collect garbage several times.
    """
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_to_warm(monkeypatch):
    """Docks start no thread of their own; the tests of that take this back."""
    monkeypatch.setattr(precompile, "_begun", Everything())


@pytest.fixture(autouse=True)
def settings_folder(monkeypatch, tmp_path):
    """Docks keep their options in a folder of the test, and ask for no Preferences of the user."""
    folder = tmp_path / "settings"
    monkeypatch.setattr(preferences, "_path", lambda: folder / "last-used.json")
    monkeypatch.setattr(napari.settings, "_CFG_PATH", str(folder / "settings.yaml"), raising=False)
    monkeypatch.setattr(napari.settings, "_PLUGIN_SETTINGS", {}, raising=False)
    # napari writes all its settings whenever a dock is added.
    monkeypatch.setattr(napari.settings.NapariSettings, "_maybe_save", lambda _self: None)
    return folder


@pytest.fixture(autouse=True)
def no_thread_left():
    """Every test ends without a thread of ours."""
    yield
    assert not _run_threads()
