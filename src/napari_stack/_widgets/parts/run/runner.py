"""`Runner`: the Run and Cancel buttons, the progress of a run, and what becomes of its result."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Generator
from time import monotonic
from typing import Any

from napari.utils.notifications import show_warning
from qtpy.QtCore import QEvent, QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QProgressBar, QPushButton, QWidget

from napari_stack._widgets.parts.frames.volume_notice import watch
from napari_stack._widgets.parts.layout import below, button, paragraph
from napari_stack._widgets.parts.options.preferences import preferences
from napari_stack._widgets.parts.place import SharingPlace
from napari_stack._widgets.parts.run.errors import (
    ErrorDetails,
    errors_shown,
    show_error,
    traceback_of,
)
from napari_stack._widgets.parts.run.growing import GrowingPicture
from napari_stack._widgets.parts.run.pace import Pace
from napari_stack._widgets.parts.run.worker import Worker
from napari_stack.core.errors import format_error, is_mendable
from napari_stack.engine.run import Run

_log = logging.getLogger(__name__)

#: Milliseconds in which the window lives, between two parts of showing a result.
_BREATH = 10

#: What shows a result: it gives a text, or nothing, at once or in parts.
Done = Generator[None, None, str] | str | None


class Runner(QWidget):
    """Buttons and progress of one run at a time.

    Parameters
    ----------
    text : str
        On the button that starts.
    """

    clicked = Signal()
    finished = Signal()

    def __init__(self, text: str = "Run") -> None:
        super().__init__()
        self.worker: Worker | None = None
        self._done: Callable[[Any], Done] | None = None
        self._rest: Generator[None, None, str] | None = None
        self._over = False
        self._text = ""
        self._pace = Pace()
        self._warnings: Counter[str] = Counter()
        #: How to run; None asks napari's Preferences at every run.
        self.how: Run | None = None
        self.run_button = button(
            text, "Begin; the result is added as layers when it is done.", self.clicked
        )
        self.cancel_button = button(
            "Cancel", "Stop within one frame; nothing is added.", self.cancel
        )
        self.details_button = button(
            "Details", "Show where the error occurred, to report it.", self.show_details
        )
        self.growing = GrowingPicture()
        self.bar = QProgressBar()
        self.bar.setTextVisible(True)
        self.message = paragraph()
        self._traceback = ""
        self._error: BaseException | None = None
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self.run_button, 2)
        self._buttons.addWidget(self.cancel_button, 1)
        self.setLayout(
            below(self._buttons, self.growing, self.bar, self.message, self.details_button)
        )
        self._show_running(False)

    def add_button(self, button: QPushButton) -> None:
        """Put one more button beside Run and Cancel."""
        self._buttons.addWidget(button, 1)

    @property
    def run(self) -> Run:
        """How to run now."""
        return self.how or preferences().run

    @property
    def running(self) -> bool:
        """Whether a run has begun and not ended."""
        return self.worker is not None

    def start(
        self,
        work: Callable[[Run], Any],
        done: Callable[[Any], Done],
    ) -> None:
        """Run in a thread.

        Parameters
        ----------
        work : callable
            Gets the `Run`; runs in the thread.
        done : callable
            Gets the result, on the main thread, unless the run failed or was cancelled. It may
            return a text to show. One that yields goes on after what waits meanwhile, such as to
            draw what it has added.
        """
        if self.running:
            raise RuntimeError("a run is under way: wait for it, or cancel it")
        self._done, self._pace, self._warnings = done, Pace(), Counter()
        self.worker = worker = Worker(work, self.run, shows=True)
        worker.progressed.connect(self._progressed)
        worker.warned.connect(self._warned)
        worker.glimpsed.connect(self._glimpsed)
        worker.returned.connect(self._returned)
        worker.errored.connect(self._errored)
        worker.cancelled.connect(self._cancelled)
        worker.finished.connect(self._finished)
        # However the dock goes: by its own button, with the window, or by garbage collection.
        self.destroyed.connect(worker.cancel)
        self._show_running(True)
        worker.start()

    def cancel(self) -> None:
        """Stop the run within one frame; without one, do nothing."""
        if self.worker is not None:
            self.cancel_button.setEnabled(False)
            self.message.setText("Cancelling ...")
            self.worker.cancel()

    def abandon(self) -> None:
        """Stop the run and ignore whatever still comes of it; what is being added is complete."""
        self._done = None
        while self._rest is not None:
            self._show_part()
        self.cancel()

    def _show_running(self, running: bool) -> None:
        self.run_button.setEnabled(not running)
        self.cancel_button.setEnabled(running)
        self.bar.setVisible(running)
        self.growing.forget()
        self.bar.setRange(0, 0)
        self.show_message("Starting ..." if running else "")

    def show_message(self, text: str) -> None:
        """Show a text below the buttons."""
        self.message.setText(text)
        self.message.setVisible(bool(text))
        self.details_button.setVisible(False)

    def show_failure(self, error: BaseException) -> None:
        """Show why something failed; the traceback of a fault of the program is behind a button."""
        show_error(error)
        mendable = is_mendable(error)
        program = "Failed: this is an error of the program"
        self.show_message(format_error(error) if mendable else program)
        self._traceback = "" if mendable else traceback_of(error)
        self.details_button.setVisible(not mendable)

    def show_details(self) -> ErrorDetails:
        """Open a window with the traceback of the fault that is shown."""
        details = ErrorDetails(self._traceback, self)
        details.show()
        return details

    def _progressed(self, done: int, total: int, what: str) -> None:
        if self.worker is None or not self.cancel_button.isEnabled():
            return
        self.bar.setRange(0, max(total, 1))
        self.bar.setValue(done)
        left = self._pace.left(monotonic(), done, total, what)
        self.message.setText(", ".join(filter(None, [f"{what}: {done} of {total}", left])))

    def _glimpsed(self, picture: Any) -> None:
        if self.worker is not None and not self.worker.abort_requested:
            self.growing.show_picture(picture)

    def _warned(self, text: str) -> None:
        """Show a warning, but none twice that differs in numbers alone; `_finished` counts them."""
        kind = re.sub(r"[\d.]+", "0", text)
        self._warnings[kind] += 1
        if self._warnings[kind] == 1:
            show_warning(text)
        else:
            _log.info("not shown, for it is like one before: %s", text)

    def _returned(self, result: Any) -> None:
        done, self._done = self._done, None
        if self.worker is not None and self.worker.abort_requested:
            self._cancelled()  # after its last frame, while the result was on its way here
        elif done is not None:
            self._text = "Failed"  # unless what shows the result comes to its end
            told = done(result)
            if isinstance(told, Generator):
                self.cancel_button.setEnabled(False)  # what is being added is complete
                self.bar.setRange(0, 0)
                self.message.setText("Showing the result ...")
                self._rest = told
                self._go_on()
            else:
                self._text = told or "Done"

    def _go_on(self) -> None:
        """Do the next part of what shows the result, and the others later."""
        self._show_part()
        if self._rest is not None:
            QTimer.singleShot(_BREATH, self._go_on)

    def _show_part(self) -> None:
        rest, self._rest = self._rest, None
        if rest is None:
            return
        ended = True
        try:
            next(rest)
            ended = False
        except StopIteration as end:
            self._text = end.value or "Done"
        finally:
            if ended and self._over:
                self._finished()
        self._rest = rest if not ended else None

    def _errored(self, error: BaseException) -> None:
        self._error = error

    def _cancelled(self) -> None:
        self._text = "Cancelled"

    def _finished(self) -> None:
        self._over = self._rest is not None
        if self._over:
            return  # until all is shown
        self.worker = self._done = None
        self._show_running(False)
        error, self._error = self._error, None
        if error is None:
            alike = self._warnings.total() - len(self._warnings)
            more = f". Warnings like those shown: {alike} more"
            self.show_message(self._text.rstrip(".") + more if alike else self._text)
        else:
            self.show_failure(error)
        self.finished.emit()


class RunningDock(SharingPlace):
    """A dock that runs something; when it is closed, the run ends.

    Parameters
    ----------
    viewer : napari.Viewer
    text : str
        On the button that starts.
    """

    def __init__(self, viewer: Any, text: str = "Run") -> None:
        super().__init__()
        self.viewer = viewer
        watch(viewer)
        self.runner = Runner(text)

    def cancel(self) -> None:
        """Stop the run within one frame; nothing of it is added, nothing stays on disk."""
        self.runner.cancel()

    def save_as(self, title: str, name: str, kinds: str, save: Callable[[str], Any]) -> None:
        """Ask for the name of a file, and save to it."""
        path, _ = QFileDialog.getSaveFileName(self, title, name, kinds)
        if path:
            with errors_shown():
                save(path)

    def event(self, event: QEvent) -> bool:
        """End the run when the dock is closed, which takes its parent away."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.closing()
        return super().event(event)

    def closing(self) -> None:
        """End the run."""
        self.runner.abandon()
