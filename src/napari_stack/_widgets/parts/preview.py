"""`LivePreview`: the frame in view as the operator would make it, while its options move."""

from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QCheckBox

from napari_stack import layers
from napari_stack._widgets.parts.errors import errors_shown, format_error
from napari_stack._widgets.parts.layout import tooltip
from napari_stack._widgets.parts.preferences import preferences
from napari_stack._widgets.parts.worker import Worker
from napari_stack.core.errors import is_mendable

#: Milliseconds without a change before a preview is made.
_PAUSE = 120


class LivePreview(QObject):
    """A box that turns it on, and a layer above the source that shows it.

    The newest request wins: the work for one before is cancelled, and its result is dropped. The
    layer goes with the box, with the source, with the dock, and when the operator is run.

    Parameters
    ----------
    dock : OperatorDock
    """

    #: Whether the active layer changes on account of a preview: no dock shall follow it.
    changing = False

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self.dock = dock
        self.box = QCheckBox("Preview")
        self.box.setToolTip(
            tooltip(
                "Show the frame in view as it will be, while options move. It is measured on a few "
                "frames only, so the result may differ a little."
            )
        )
        #: The layer that shows it, or None.
        self.layer: Any = None
        self.worker: Worker | None = None
        self._source: Any = None
        self._place: Any = None
        self._job: layers.Job | None = None
        self._kept: tuple[Any, Any] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._begin)
        self.box.toggled.connect(self._toggled)
        dock.viewer.layers.events.removed.connect(self._removed)
        dock.viewer.dims.events.ndisplay.connect(self.request)
        dock.viewer.dims.events.order.connect(self.request)

    @property
    def on(self) -> bool:
        """Whether the box is ticked."""
        return isalive(self.box) and self.box.isChecked()

    def off(self) -> None:
        """Take the preview away."""
        if isalive(self.box):
            self.box.setChecked(False)

    def request(self, event: Any = None) -> None:  # noqa: ARG002
        """Make it anew soon: something changed."""
        if not self.on:
            return
        self._drop_worker()
        self._timer.start()

    def moved(self) -> None:
        """Follow the sliders: what was made of another frame is not shown on this one."""
        if self.on and (self.dock.position(), self.dock.axis) != self._place:
            self.outdated()

    def outdated(self) -> None:
        """Hide it until it is made anew."""
        if self.on and self.layer is not None:
            self.layer.visible = False
        self.request()

    def _toggled(self, on: bool) -> None:
        if on:
            self._source = self.dock.layer
            self.request()
            return
        self._timer.stop()
        self._drop_worker()
        self._remove_layer()
        self._source = self._place = self._kept = None
        self.dock.runner.show_message("")

    def _removed(self, event: Any) -> None:
        if not isalive(self.box):
            return
        if self.layer is not None and event.value == self.layer:  # by the user
            self.layer = None
            self.off()
        elif self._source is not None and event.value == self._source:
            self.off()

    def _drop_worker(self) -> None:
        if self.worker is not None:
            self.worker.cancel()

    def _begin(self) -> None:
        """Start the work; work that was cancelled ends first, so that two never compete."""
        if not self.on or self.worker is not None or self.dock.runner.running:
            return
        at = self.dock.position()
        if not at:
            self._say("The preview needs an image in 2-D, y and x in view.")
            self._remove_layer()
            return
        with errors_shown(self._say):
            self._start(self.dock.job(), at)

    def _start(self, job: layers.Job, at: dict[str, int]) -> None:
        kept = self._keeping(job)
        self._place, self._job = (at, self.dock.axis), job
        self.worker = worker = Worker(
            lambda run: layers.preview(job, at, kept, run), preferences().run
        )
        worker.returned.connect(self._show)
        worker.errored.connect(self._failed)
        worker.finished.connect(self._finished)
        self.destroyed.connect(worker.cancel)
        worker.start()

    def _keeping(self, job: Any) -> Any:
        data = self._source.data
        if self._kept is None or self._kept[0] is not data:
            self._kept = (data, layers.keeping(job))
        return self._kept[1]

    def _finished(self) -> None:
        # What was asked for meanwhile found this worker in its way.
        waiting = self._stale
        self.worker = self._job = None
        if waiting and self.on and not self._timer.isActive():
            self._timer.start()

    @property
    def _stale(self) -> bool:
        """Whether something else was asked for since the work began."""
        return self.worker is None or self.worker.abort_requested

    def _failed(self, error: BaseException) -> None:
        if self._stale or not self.on:
            return
        if is_mendable(error):
            self._remove_layer()
            self._say(format_error(error))
        else:
            self.off()
            self.dock.runner.show_failure(error)

    def _show(self, image: Any) -> None:
        if self._stale or not self.on or self._source not in self.dock.viewer.layers:
            return
        made = layers.preview_layer(self._job, image)
        if self.layer is not None and self.layer.data.shape == made.data.shape:
            self.layer.data, self.layer.visible = made.data, True
        else:
            self._remove_layer()
            self._insert(made)
        self._say("This is a preview, measured on a few frames. Run measures on all.")

    def _insert(self, made: Any) -> None:
        """Put it above its source; what is selected stays selected."""
        there = self.dock.viewer.layers
        chosen, active = set(there.selection), there.selection.active
        LivePreview.changing = True
        try:
            there.insert(there.index(self._source) + 1, made)
        finally:  # also when somebody who listens to the list of layers fails
            self.layer = made if made in there else None
            there.selection.clear()
            there.selection.update(chosen)
            there.selection.active = active
            LivePreview.changing = False

    def _remove_layer(self) -> None:
        layer, self.layer = self.layer, None
        if layer is not None and layer in self.dock.viewer.layers:
            self.dock.viewer.layers.remove(layer)

    def _say(self, text: str) -> None:
        if not self.dock.runner.running:
            self.dock.runner.show_message(text)
