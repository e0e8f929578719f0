"""A user's hand: what it does in a dock is counted."""

from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QFileDialog

_LONG = 120_000


class Hand:
    """Drops files, presses buttons and makes choices, and counts that.

    Parameters
    ----------
    dock : StackDock
    qtbot : pytest-qt's
    monkeypatch : pytest's
        The dialog for a file takes what it suggests.
    """

    def __init__(self, dock, qtbot, monkeypatch):
        self.dock, self.qtbot, self.actions = dock, qtbot, 0
        self.saved = ""

        def suggested(_parent, _title, name, _filters, chosen=""):
            self.saved = name
            return name, chosen

        monkeypatch.setattr(QFileDialog, "getSaveFileName", suggested)

    def drop(self, *paths):
        """Drop files or folders on the dock, and wait until they are opened and looked at."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        how = (mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        at = QPointF(20, 20)
        enter = QDragEnterEvent(at.toPoint(), Qt.DropAction.CopyAction, *how)
        QApplication.sendEvent(self.dock, enter)
        assert enter.isAccepted()
        with self.qtbot.waitSignal(self.dock.runner.finished, timeout=_LONG):
            QApplication.sendEvent(self.dock, QDropEvent(at, Qt.DropAction.CopyAction, *how))
        self.wait()
        self.actions += 1

    def wait(self):
        """Wait until the frames are looked at."""
        self.qtbot.waitUntil(lambda: not self.dock.looking.busy, timeout=_LONG)

    def press(self, button):
        """Press a button that runs something, and wait until that is done."""
        assert button.isEnabled()
        with self.qtbot.waitSignal(self.dock.runner.finished, timeout=_LONG):
            button.click()
        self.wait()
        self.actions += 1

    def choose(self, box, value):
        """Choose in a box."""
        box.value = value
        self.actions += 1

    def tick(self, number, on=True):
        """Tick a step of the list."""
        assert self.dock.checklist.rows[number].tick.isChecked() is not on
        self.dock.checklist.rows[number].tick.click()
        self.actions += 1
