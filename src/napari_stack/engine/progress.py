"""`Progress`: counts the steps of a run, reports them, and stops the run on request."""

import threading
from collections.abc import Callable

from napari_stack.core.system.compiling import compiling

#: What is reported while kernels are being compiled.
COMPILING = "Compiling, first time only"

#: Reports (steps done, steps in all, what is being done); it may raise `Cancelled`.
Tick = Callable[[int, int, str], None]


class _Thread(threading.local):
    """What a thread works for."""

    request: threading.Event | None = None


_thread = _Thread()


class Cancelled(Exception):
    """The work was stopped on request; nothing was left behind."""


def follow(request: threading.Event) -> None:
    """Stop the runs of this thread when the event is set: it works for the run that sets it."""
    _thread.request = request


def request_to_stop() -> threading.Event | None:
    """Return the event that `follow` was given in this thread, if any."""
    return _thread.request


class Progress:
    """Counts steps and reports them."""

    def __init__(self, tick: Tick | None, total: int, what: str) -> None:
        self.tick, self.total, self.what, self.done = tick, total, what, 0
        self.request = request_to_stop()
        self.step(0)

    @property
    def stoppable(self) -> bool:
        """Whether anybody may ask the work to stop."""
        return self.tick is not None or self.request is not None

    def step(self, count: int = 1) -> None:
        """Count some steps and report them; `Cancelled` where the work is to stop."""
        self.done += count
        if self.request is not None and self.request.is_set():
            raise Cancelled("the work that this is a part of was stopped")
        if self.tick is not None:
            self.tick(self.done, self.total, COMPILING if compiling() else self.what)
