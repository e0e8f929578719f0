"""What the command line prints: a progress bar, one line a warning, what was written."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from napari_stack.core.notices import FailedFrames
from napari_stack.engine.progress import Tick

_BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]"


def print_error(message: object) -> None:
    """Print on stderr, in one line, what is wrong."""
    print(f"napari-stack: {' '.join(str(message).split())}", file=sys.stderr)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print every warning as one line, without the place in the code, and the same one once.

    Of frames that failed every one is told: series may have frames of the same names.
    """
    shown: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if str(message) not in shown or isinstance(message, FailedFrames):
            shown.add(str(message))
            print_error(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


@contextmanager
def progress(quiet: bool) -> Iterator[Tick | None]:
    """Give a tick that moves a progress bar on stderr, where that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=0, leave=False, file=sys.stderr, delay=0.01, bar_format=_BAR) as bar:

        def tick(done: int, total: int, what: str) -> None:
            if (bar.desc, bar.total) != (f"{what}: ", total):
                bar.set_description(what, refresh=False)
                bar.reset(total)
            bar.update(done - bar.n)

        yield tick


class Report:
    """Tells on stdout what was written, and at the end how long it all took.

    Parameters
    ----------
    quiet : bool
        Say nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet, self.begun = quiet, perf_counter()

    def line(self, text: str) -> None:
        """Say something that has been done."""
        if not self.quiet:
            print(text, flush=True)

    def end(self) -> None:
        """Say how long it took."""
        self.line(f"done in {perf_counter() - self.begun:.1f} s")
