"""`Progress`: counts the steps of a run, reports them, and hears a request to stop."""

import threading
from collections.abc import Callable

#: Reports (steps done, steps in all, what is being done); it may raise `Cancelled`.
Tick = Callable[[int, int, str], None]

_thread = threading.local()


class Cancelled(Exception):
    """The work was stopped on request; nothing was left behind."""


def follow(request: threading.Event) -> None:
    """Let this thread work for a run that ends when the event is set: so do runs within it."""
    _thread.request = request


def request_to_stop() -> threading.Event | None:
    """Return what tells this thread that nobody waits for its work any more, if anything does."""
    return getattr(_thread, "request", None)


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
            self.tick(self.done, self.total, self.what)
