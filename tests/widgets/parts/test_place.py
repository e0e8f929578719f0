"""Docks that share one place."""

from napari_stack._widgets import CombineDock, RegisterDock, SurfaceDock
from support.docks import docked


def frame_of(dock):
    parent = dock.parentWidget()
    while parent.metaObject().className() not in ("QDockWidget", "QtViewerDockWidget"):
        parent = parent.parentWidget()
    return parent


def test_docks_become_tabs(viewer, window):
    main = window.window._qt_window
    first = frame_of(docked(viewer, RegisterDock))
    assert not main.tabifiedDockWidgets(first)
    for kind in (CombineDock, SurfaceDock):
        dock = docked(viewer, kind)
        dock.share_place()
        assert frame_of(dock) in main.tabifiedDockWidgets(first)


def test_a_floating_dock_stays_alone(viewer, window):
    main = window.window._qt_window
    one, other = docked(viewer, RegisterDock), docked(viewer, CombineDock)
    frame_of(one).setFloating(True)
    other.share_place()
    one.share_place()
    assert not main.tabifiedDockWidgets(frame_of(other))


def test_alone_it_stays_where_it_is(viewer):
    dock = docked(viewer, RegisterDock)
    dock.share_place()
    RegisterDock(viewer).share_place()
