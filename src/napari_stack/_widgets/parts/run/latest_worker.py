"""`LatestWorker`: work in a thread of which only the newest request matters."""

from collections.abc import Callable
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

from napari_stack._widgets.parts.run.worker import Worker
from napari_stack.engine.run import Run

#: What is done in the thread.
Work = Callable[[Run], Any]


class LatestWorker(QObject):
    """Does the newest work that was asked for, one at a time; older work is cancelled and ignored.

    Parameters
    ----------
    parent : QObject
        When it is deleted, the work ends.
    pause : int
        Milliseconds in which requests are gathered before the work begins.
    restart : bool
        Whether each request begins the pause anew, so that work waits until requests cease.
    """

    returned = Signal(object)
    errored = Signal(object)
    warned = Signal(str)
    progressed = Signal(int, int, str)

    def __init__(self, parent: QObject, pause: int, *, restart: bool = False) -> None:
        super().__init__(parent)
        self.worker: Worker | None = None
        self._prepare: Callable[[], Work | None] | None = None
        self._how = Run()
        self._restart = restart
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(pause)
        self._timer.timeout.connect(self._begin)

    @property
    def busy(self) -> bool:
        """Whether something is being done, or about to be; not after this was deleted.

        The end of a worker does not reach what Qt has deleted with its dock.
        """
        return isalive(self) and (self.worker is not None or self._prepare is not None)

    def ask(self, work: Work, how: Run = Run(), *, at_once: bool = False) -> None:
        """Do this instead of whatever was asked for before, after the pause or at once."""
        self.ask_prepared(lambda: work, how, at_once=at_once)

    def ask_prepared(
        self, prepare: Callable[[], Work | None], how: Run = Run(), *, at_once: bool = False
    ) -> None:
        """Do what `prepare` gives, which is called on the main thread when the work begins."""
        self._cancel()
        self._prepare, self._how = prepare, how
        if at_once:
            self._timer.stop()
            self._begin()
        elif self._restart or not self._timer.isActive():
            self._timer.start()

    def drop(self) -> None:
        """Do nothing more."""
        self._prepare = None
        self._timer.stop()
        self._cancel()

    def _cancel(self) -> None:
        if self.worker is not None:
            self.worker.cancel()

    def _begin(self) -> None:
        if self.worker is not None or self._timer.isActive():
            return  # it begins when that has come to its end
        prepare, self._prepare = self._prepare, None
        work = None if prepare is None else prepare()
        if work is None:
            return
        self.worker = worker = Worker(work, self._how)
        worker.returned.connect(self._returned)
        worker.errored.connect(self._errored)
        worker.warned.connect(self._warned)
        worker.progressed.connect(self._progressed)
        worker.finished.connect(self._finished)
        self.destroyed.connect(worker.cancel)
        worker.start()

    @property
    def _wanted(self) -> bool:
        """Whether nothing else was asked for since the work began."""
        return self.worker is not None and not self.worker.abort_requested

    def _returned(self, result: Any) -> None:
        if self._wanted:
            self.returned.emit(result)

    def _errored(self, error: BaseException) -> None:
        if self._wanted:
            self.errored.emit(error)

    def _warned(self, text: str) -> None:
        if self._wanted:
            self.warned.emit(text)

    def _progressed(self, done: int, total: int, what: str) -> None:
        if self._wanted:
            self.progressed.emit(done, total, what)

    def _finished(self) -> None:
        self.worker = None
        self._begin()
