"""`ForecastText`: what a run will take, and warnings before it."""

from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QLabel

from napari_stack import layers
from napari_stack._widgets.parts.layout import tooltip
from napari_stack._widgets.parts.run.errors import errors_shown

#: Milliseconds without a change before it is written.
_PAUSE = 150


class ForecastText(QLabel):
    """A line on the run that a dock prepares, and its warnings; no frame is computed for it.

    Parameters
    ----------
    dock : OperatorDock
    """

    #: It was written anew.
    updated = Signal()

    def __init__(self, dock: Any) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setToolTip(tooltip("What the run will take, and what to think of first."))
        self._dock = dock
        #: What is chosen would do nothing.
        self.futile = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self.update_text)

    def soon(self, event: Any = None) -> None:  # noqa: ARG002
        """Write it when nothing has changed for a moment."""
        self._timer.start()

    def update_text(self) -> None:
        """Write it now."""
        self._timer.stop()
        text, warnings, self.futile = "", [], False
        if self._dock.layer is not None:
            with errors_shown(warnings.append):
                found = layers.forecast(self._dock.job(), self._dock.runner.run)
                text, warnings, self.futile = found.text, list(found.warnings), found.futile
        marked = [
            f"\N{WARNING SIGN} {line[:1].upper()}{line[1:].rstrip('.')}." for line in warnings
        ]
        self.setText("\n".join([text, *marked]).strip())
        self.setVisible(bool(self.text()))
        self.updated.emit()
