"""`Worker`: a run in a thread of its own, with progress, warnings and cancelling as Qt signals."""

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_stack.engine.glimpses import Glimpses
from napari_stack.engine.run import Cancelled, Run

#: Seconds between two reports of progress; more frequent ones cannot be read.
_REPORT_EVERY = 0.03


class Worker(QObject):
    """Work in a thread; signals arrive on the main thread.

    Not one of napari's or superqt's: those wait for a free thread of Qt's one pool, so that runs
    side by side wait for each other, and replace `warnings.showwarning` each for itself, which
    two at a time do not survive.

    Parameters
    ----------
    work : callable
        Gets a `Run` whose tick reports and cancels.
    run : Run, optional
        How to run; its tick is replaced.
    shows : bool
        Whether small pictures of a growing result are wanted.
    """

    progressed = Signal(int, int, str)
    warned = Signal(str)
    returned = Signal(object)
    errored = Signal(object)
    cancelled = Signal()
    glimpsed = Signal(object)
    finished = Signal()

    def __init__(
        self, work: Callable[[Run], Any], run: Run = Run(), *, shows: bool = False
    ) -> None:
        super().__init__()
        self._work: Callable[[Run], Any] | None = work
        # Not the signal's own `emit`, which does not keep this alive: that would crash the program.
        glimpses = Glimpses(self._glimpse) if shows else None
        self._run = replace(run, tick=self._tick, glimpses=glimpses)
        self._abort = threading.Event()
        self._last = 0.0
        self._thread = threading.Thread(target=self._main, name="napari-stack-run")
        self.finished.connect(self._forget)

    def start(self) -> None:
        """Begin."""
        _alive.add(self)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the work to stop; it does so within one frame."""
        self._abort.set()

    @property
    def abort_requested(self) -> bool:
        """Whether `cancel` was called."""
        return self._abort.is_set()

    def _forget(self) -> None:
        self._thread.join()  # it has said its last word
        _alive.discard(self)

    def _glimpse(self, picture: Any) -> None:
        if self._work is not None:  # else it is over: a lazy result may hold the run
            self.glimpsed.emit(picture)

    def _tick(self, done: int, total: int, what: str) -> None:
        if self._abort.is_set():
            raise Cancelled
        now = time.monotonic()
        if now - self._last > _REPORT_EVERY or done >= total:
            self._last = now
            self.progressed.emit(done, total, what)

    def _main(self) -> None:
        try:
            with _warnings_to(self.warned.emit):
                result = self._work(self._run)
            if self._abort.is_set():
                raise Cancelled
        except Cancelled:
            self.cancelled.emit()
        except BaseException as error:  # noqa: BLE001
            self.errored.emit(error)
        else:
            self.returned.emit(result)
        finally:
            self._work = None  # lets go of the data that the work holds
            self.finished.emit()


# Workers that run: they are kept alive here until the main thread has received their end.
_alive: set[Worker] = set()

_lock = threading.Lock()
_listeners: dict[int, Callable[[str], None]] = {}
_replaced: list[Any] = []


@contextmanager
def _warnings_to(listener: Callable[[str], None]) -> Iterator[None]:
    """Hand this thread's warnings to a listener, each time they occur; others go their way.

    `warnings.catch_warnings` is no help: it restores what another thread has replaced since.
    """
    thread = threading.get_ident()
    with _lock:
        if not _listeners:
            _replaced[:] = [warnings.showwarning]
            warnings.showwarning = _show
            warnings.filterwarnings("always", category=UserWarning, module="napari_stack")
            _replaced.append(warnings.filters[0])
        _listeners[thread] = listener
    try:
        yield
    finally:
        with _lock:
            del _listeners[thread]
            if not _listeners:
                _restore()


def _restore() -> None:
    before, entry = _replaced
    if warnings.showwarning is _show:  # else somebody put another in its place since
        warnings.showwarning = before
    if entry in warnings.filters:
        warnings.filters.remove(entry)


def _show(message: Any, category: Any, *where: Any, **more: Any) -> None:
    listener = _listeners.get(threading.get_ident())
    if listener is not None and issubclass(category, UserWarning):
        listener(str(message))
    else:
        _replaced[0](message, category, *where, **more)
