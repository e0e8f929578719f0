"""`Latest`: work in a thread of which only the newest request matters."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_stack._widgets.parts.worker import Worker
from napari_stack.engine.run import Run

#: Milliseconds in which requests are gathered: a mouse tells of itself more often.
_GATHER = 40


class Latest(QObject):
    """Does the newest work that was asked for, one at a time; older work is given up.

    Parameters
    ----------
    parent : QObject
        When it goes, the work ends.
    """

    returned = Signal(object)
    errored = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._next: Callable[[Run], Any] | None = None
        self._how = Run()
        self._worker: Worker | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_GATHER)
        self._timer.timeout.connect(self._begin)

    @property
    def busy(self) -> bool:
        """Whether something is being done, or about to be."""
        return self._worker is not None or self._next is not None

    def ask(self, work: Callable[[Run], Any], how: Run = Run()) -> None:
        """Do this instead of whatever was asked for before."""
        self._next, self._how = work, how
        if self._worker is not None:
            self._worker.cancel()  # when it has stopped, the next begins
        elif not self._timer.isActive():
            self._timer.start()

    def drop(self) -> None:
        """Do nothing more."""
        self._next = None
        self._timer.stop()
        if self._worker is not None:
            self._worker.cancel()

    def _begin(self) -> None:
        work, self._next = self._next, None
        if work is None or self._worker is not None:
            return
        self._worker = worker = Worker(work, self._how)
        worker.returned.connect(self._returned)
        worker.errored.connect(self.errored)
        worker.finished.connect(self._finished)
        self.destroyed.connect(worker.cancel)
        worker.start()

    def _returned(self, result: Any) -> None:
        if self._worker is not None and not self._worker.abort_requested:
            self.returned.emit(result)

    def _finished(self) -> None:
        self._worker = None
        if self._next is not None:
            self._begin()
