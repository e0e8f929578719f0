"""Errors shown to the user: one sentence for what can be mended, a traceback for faults."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import format_exception
from typing import Any

from napari.utils import notifications
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

from napari_stack._widgets.parts.layout import paragraph
from napari_stack.core.errors import format_error, is_mendable

_log = logging.getLogger(__name__)


def show_error(error: BaseException, about: str = "") -> None:
    """Notify the user of an error.

    What the user can mend is one sentence, and the log keeps where it came from. A fault of the
    program goes to napari, whose notification offers the traceback.

    Parameters
    ----------
    error : BaseException
    about : str
        What the error is about; it comes before the sentence.
    """
    if not is_mendable(error):
        notifications.notification_manager.receive_error(type(error), error, error.__traceback__)
        return
    _log.info("shown as one sentence: %s", error, exc_info=error)
    notifications.show_error(f"{about}: {format_error(error)}" if about else format_error(error))


@contextmanager
def errors_shown(show: Callable[[str], Any] | None = None) -> Iterator[None]:
    """Show what the user can mend and end the block; a fault of the program passes.

    Parameters
    ----------
    show : callable, optional
        Shows a sentence; by default a notification.
    """
    try:
        yield
    except Exception as error:
        if not is_mendable(error):
            raise
        if show is None:
            show_error(error)
        else:
            show(format_error(error))


class ErrorDetails(QDialog):
    """A window with the traceback of an error, to be copied.

    Parameters
    ----------
    traceback : str
    parent : QWidget
    """

    def __init__(self, traceback: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Error of the program")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(700, 400)
        self.text = QPlainTextEdit(traceback)
        self.text.setReadOnly(True)
        column = QVBoxLayout(self)
        column.addWidget(paragraph("This is an error of napari-stack. Please report it with this:"))
        column.addWidget(self.text)


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error as text, which keeps no data alive."""
    return "".join(format_exception(error))
