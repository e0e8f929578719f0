"""`Progress`: counts the steps of a run and reports them."""

from collections.abc import Callable

#: Reports (steps done, steps in all, what is being done); it may raise `Cancelled`.
Tick = Callable[[int, int, str], None]


class Progress:
    """Counts steps and reports them."""

    def __init__(self, tick: Tick | None, total: int, what: str) -> None:
        self.tick, self.total, self.what, self.done = tick, total, what, 0
        self.step(0)

    def step(self, count: int = 1) -> None:
        """Count some steps and report them; the tick may raise `Cancelled`."""
        self.done += count
        if self.tick is not None:
            self.tick(self.done, self.total, self.what)
