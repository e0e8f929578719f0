"""`LivePreview`: the frame in view as the operator would make it, while its options move."""

from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QCheckBox

from napari_stack import layers
from napari_stack._widgets.parts.layout import tooltip
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack._widgets.parts.run.latest_worker import LatestWorker, Work
from napari_stack.core.errors import format_error, is_mendable

#: Milliseconds without a change before a preview is made.
_PAUSE = 120


class LivePreview(QObject):
    """A box that turns it on, and a layer above the source that shows it.

    The newest request wins: the work for an earlier one is cancelled, and its result is ignored.
    The layer is removed with the box, with the source, with the dock, and when the operator runs.

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
        self.latest = LatestWorker(self, _PAUSE, restart=True)
        self._source: Any = None
        self._place: Any = None
        self._kept: tuple[Any, Any] | None = None
        self.latest.returned.connect(self._show)
        self.latest.errored.connect(self._failed)
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
        if self.on:
            self.latest.ask_prepared(self._prepare, self.dock.runner.run)

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
        self.latest.drop()
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

    def _prepare(self) -> Work | None:
        """Return the work for what is chosen now, or None where nothing can be shown."""
        if not self.on or self.dock.runner.running:
            return None
        at = self.dock.position()
        if not at:
            self._say("The preview needs an image in 2-D, y and x in view.")
            self._remove_layer()
            return None
        with errors_shown(self._say):
            job = self.dock.job()
            kept = self._keeping(job)
            self._place = (at, self.dock.axis)
            return lambda run: (job, layers.preview(job, at, kept, run))
        return None

    def _keeping(self, job: Any) -> Any:
        data = self._source.data
        if self._kept is None or self._kept[0] is not data:
            self._kept = (data, layers.keeping(job))
        return self._kept[1]

    def _failed(self, error: BaseException) -> None:
        if is_mendable(error):
            self._remove_layer()
            self._say(format_error(error))
        else:
            self.off()
            self.dock.runner.show_failure(error)

    def _show(self, result: tuple[layers.Job, Any]) -> None:
        if self._source not in self.dock.viewer.layers:
            return
        made = layers.preview_layer(*result)
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
        finally:  # also when a listener to the list of layers fails
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
