"""`SharingPlace`: docks that share one place of the window, as tabs."""

from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget


class SharingPlace(QWidget):
    """A dock that joins the others of this package when it is first shown."""

    _placed = False

    def showEvent(self, event: Any) -> None:
        """Join the others, once the window has placed this dock."""
        super().showEvent(event)
        if not self._placed:
            self._placed = True
            QTimer.singleShot(0, self.share_place)

    def share_place(self) -> None:
        """Become a tab beside another dock of this package that is in the same part of the window.

        One that the user made float, or put elsewhere, stays alone.
        """
        frame = _frame_of(self) if isalive(self) else None
        window = None if frame is None else frame.parentWidget()
        if not isinstance(window, QMainWindow) or frame is None or frame.isFloating():
            return
        area = window.dockWidgetArea(frame)
        for other in window.findChildren(SharingPlace):
            its = _frame_of(other)
            if its is None or its is frame or its.isFloating() or its.isHidden():
                continue
            if window.dockWidgetArea(its) == area:
                window.tabifyDockWidget(its, frame)
                frame.show()
                frame.raise_()
                return


def _frame_of(widget: QWidget) -> QDockWidget | None:
    """Return the dock widget of the window that a widget is in."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent
