"""`Runner`: the Run and Cancel buttons, the progress of a run, and what becomes of its result."""

import logging
from collections.abc import Callable
from typing import Any

from napari.utils.notifications import notification_manager, show_error, show_warning
from qtpy.QtCore import QEvent, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_stack._widgets.parts.layout import tooltip
from napari_stack._widgets.parts.worker import Worker
from napari_stack.engine.run import Run

#: What the user can mend; anything else is a mistake of the program.
MENDABLE = (ValueError, OSError, MemoryError)

_log = logging.getLogger(__name__)


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
        self._done: Callable[[Any], str | None] | None = None
        self.run_button = QPushButton(text)
        self.cancel_button = QPushButton("Cancel")
        self.run_button.setToolTip(tooltip("Begin; the result is added as layers when it is done."))
        self.cancel_button.setToolTip(tooltip("Stop within one frame; nothing is added."))
        self.bar = QProgressBar()
        self.bar.setTextVisible(True)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self.run_button, 2)
        self._buttons.addWidget(self.cancel_button, 1)
        layout = QVBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.message)
        self.setLayout(layout)
        self.run_button.clicked.connect(self.clicked)
        self.cancel_button.clicked.connect(self.cancel)
        self._show_running(False)

    def add_button(self, button: QPushButton) -> None:
        """Put one more button beside Run and Cancel."""
        self._buttons.addWidget(button, 1)

    @property
    def running(self) -> bool:
        """Whether a run has begun and not ended."""
        return self.worker is not None

    def start(
        self,
        work: Callable[[Run], Any],
        done: Callable[[Any], str | None],
        run: Run = Run(),
    ) -> None:
        """Run in a thread.

        Parameters
        ----------
        work : callable
            Gets the `Run`; runs in the thread.
        done : callable
            Gets the result, on the main thread, unless the run failed or was cancelled. It may
            return a text to show.
        run : Run
            How to run.
        """
        if self.running:
            raise RuntimeError("a run is under way: wait for it, or cancel it")
        self._done = done
        self.worker = worker = Worker(work, run)
        worker.progressed.connect(self._progressed)
        worker.warned.connect(self._warned)
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
        """Stop the run and ignore whatever still comes of it."""
        self._done = None
        self.cancel()

    def _show_running(self, running: bool) -> None:
        self.run_button.setEnabled(not running)
        self.cancel_button.setEnabled(running)
        self.bar.setVisible(running)
        self.bar.setRange(0, 0)
        self.message.setVisible(running)
        if running:
            self.message.setText("Starting ...")

    def say(self, text: str) -> None:
        """Show a text below the buttons."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def _progressed(self, done: int, total: int, what: str) -> None:
        if self.worker is None or not self.cancel_button.isEnabled():
            return
        self.bar.setRange(0, max(total, 1))
        self.bar.setValue(done)
        self.message.setText(f"{what}: {done} of {total}")

    def _warned(self, text: str) -> None:
        show_warning(text)

    def _returned(self, result: Any) -> None:
        done, self._done = self._done, None
        self._text = "Done"
        if self.worker is not None and self.worker.abort_requested:
            self._cancelled()  # after its last frame, while the result was on its way here
        elif done is not None:
            self._text = done(result) or "Done"

    def _errored(self, error: BaseException) -> None:
        if isinstance(error, MENDABLE):
            self._text = "Failed"
            tell(error)
        else:
            self._text = "Failed: this is a mistake of the program"
            notification_manager.receive_error(type(error), error, error.__traceback__)

    def _cancelled(self) -> None:
        self._text = "Cancelled"

    def _finished(self) -> None:
        self.worker = self._done = None
        self._show_running(False)
        self.say(self._text)
        self.finished.emit()


class RunningDock(QWidget):
    """A dock that runs something; when it is closed, the run ends.

    Parameters
    ----------
    text : str
        On the button that starts.
    """

    def __init__(self, text: str = "Run") -> None:
        super().__init__()
        self.runner = Runner(text)

    def event(self, event: QEvent) -> bool:
        """End the run when the dock is closed, which takes its parent away."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.closing()
        return super().event(event)

    def closing(self) -> None:
        """End the run."""
        self.runner.abandon()


def tell(error: BaseException) -> None:
    """Show what the user can mend as one sentence; the log keeps where it came from."""
    _log.info("shown as one sentence: %s", error, exc_info=error)
    show_error(sentence(error))


def sentence(error: BaseException) -> str:
    """Return what an error says, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or ''}: {error.strerror}".lstrip(": ")
    return " ".join(str(error).split()) or type(error).__name__
