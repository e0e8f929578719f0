"""`PixelInspectorDock`: the pixel under the cursor through all frames, plotted."""

import weakref
from typing import Any

import numpy as np
from napari.layers import Layer
from qtpy.compat import isalive
from qtpy.QtWidgets import QCheckBox

from napari_stack._widgets.parts.active_layer import FollowingDock
from napari_stack._widgets.parts.frames.sliders import frame_in_view, show_frame
from napari_stack._widgets.parts.layout import paragraph, tooltip
from napari_stack._widgets.parts.plot.plot import Panel, Plot
from napari_stack._widgets.parts.run.errors import show_error
from napari_stack._widgets.parts.run.latest_worker import LatestWorker
from napari_stack.core.errors import UserError, format_error, is_mendable
from napari_stack.layers.inspection.frame_inspection import frames_layer
from napari_stack.layers.inspection.pixel_inspection import PixelTarget, Reading, target_at

#: Milliseconds in which positions of the cursor are gathered.
_GATHER = 40


class PixelInspectorDock(FollowingDock):
    """Values of one pixel through the frames behind the active layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__(napari_viewer)
        self.reading: Reading | None = None
        self.latest = LatestWorker(self, _GATHER)
        self.plot = Plot(height=150)
        self.cursor = QCheckBox("Follow the cursor")
        self.cursor.setChecked(True)
        self.cursor.setToolTip(
            tooltip(
                "Show the pixel under the cursor; without the tick, the one that was clicked on."
            )
        )
        self.legend = paragraph()
        self.lay_out(self.title, self.plot, self.legend, self.cursor)
        self.latest.returned.connect(self._show)
        self.latest.errored.connect(self._failed)
        self.plot.clicked.connect(self.go_to)
        self.viewer.cursor.events.position.connect(self._cursor_moved)
        self.viewer.dims.events.current_step.connect(self._slider_moved)
        self._mouse = _Mouse(self)
        self.follow()

    def closing(self) -> None:
        """Let go of the mouse when the dock is closed."""
        super().closing()
        self.latest.drop()
        self._mouse.release()

    # following the viewer

    def suits(self, layer: Layer) -> bool:
        """Show layers of frames, and images of which the frames are known."""
        return frames_layer(layer) is not None

    def layer_changed(self) -> None:
        """Forget the pixel of another layer."""
        self.latest.drop()
        self._clear()

    def layers_changed(self) -> None:
        """Forget the pixel when the frames are gone."""
        if frames_layer(self.layer) is None:
            self.latest.drop()
            self._clear()

    def _clear(self) -> None:
        self.reading = None
        some = frames_layer(self.layer) is not None
        self.title.setText(
            "Point at a pixel." if some else "Choose frames, or an image that was made of some."
        )
        self.plot.show_panels([])
        for widget in (self.plot, self.legend):
            widget.setVisible(False)

    def _cursor_moved(self, event: Any = None) -> None:  # noqa: ARG002
        if isalive(self) and self.cursor.isChecked() and self.isVisible():
            self.look_at(self.viewer.cursor.position)

    def _slider_moved(self, event: Any = None) -> None:  # noqa: ARG002
        if isalive(self) and self.reading is not None:
            self._show_current(self.reading.target)

    # reading

    def look_at(self, world: Any) -> None:
        """Read the pixel at a place of the viewer, unless it is the one that is shown."""
        if self.layer is None:
            return
        try:
            target = target_at(self.layer, world)
        except UserError:  # an empty layer, or one of complex numbers
            target = None
        if target is not None:
            self.latest.ask(target.read, self.runner.run)

    def _show(self, reading: Reading) -> None:
        if reading.target.frames() is None or self.layer is None:
            return
        self.reading = reading
        self.title.setText(str(reading))
        self.plot.show_panels(panels_of(reading))
        self.legend.setText(
            _LEGEND if reading.clipped else "Pale: frames that do not count at this pixel."
        )
        for widget in (self.plot, self.legend):
            widget.setVisible(True)
        self._show_current(reading.target)
        self.area.fit()

    def _show_current(self, target: PixelTarget) -> None:
        layer = target.frames()
        if layer is not None:
            self.plot.show_current(frame_in_view(self.viewer, layer, target.axis))

    def _failed(self, error: BaseException) -> None:
        self.title.setText(format_error(error))
        if not is_mendable(error):
            show_error(error)

    # going to a frame

    def go_to(self, frame: int) -> None:
        """Move the slider to a frame."""
        layer = None if self.reading is None else self.reading.target.frames()
        if layer is not None:
            show_frame(self.viewer, layer, self.reading.target.axis, frame)

    def jump(self, world: Any) -> bool:
        """Show the frame that a focus-stacked pixel came from; tell whether there is one."""
        target = None if self.layer is None else target_at(self.layer, world)
        layer = None if target is None else target.frames()
        if layer is None or target.frame is None:
            return False
        show_frame(self.viewer, layer, target.axis, target.frame)
        self.layer.visible = False
        layer.visible = True
        return True


_LEGEND = (
    "Crosses: rejected. Pale: frames that do not count here. Dashed: centre and bounds of what is "
    "kept."
)


def panels_of(reading: Reading) -> list[Panel]:
    """Plot a pixel: all channels together, or each for itself with its bounds when clipped."""
    pixel, target = reading.pixel, reading.target
    faded, none = ~pixel.counts, np.zeros(len(pixel.counts), bool)
    values = np.where(pixel.valid[:, None], pixel.values.astype(np.float64), np.nan)
    count = values.shape[1]
    if not reading.clipped:
        names = tuple(map(str, range(count))) if count > 1 else ()
        levels = {}
        return [Panel(f"value along {target.axis}", values, faded, none, levels, names)]
    panels = []
    for k, clip in enumerate(reading.clipped):
        title = f"value along {target.axis}" + (f", channel {k}" if count > 1 else "")
        levels = {"high": clip.high, "centre": clip.centre, "low": clip.low}
        panels.append(Panel(title, values[:, [k]], faded, clip.rejected, levels))
    return panels


class _Mouse:
    """Clicks and double clicks in the canvas, for as long as the dock is open.

    A double click that jumps to a frame does not zoom as well, so it goes before napari's own.
    """

    def __init__(self, dock: PixelInspectorDock) -> None:
        self._callbacks = dock.viewer.mouse_double_click_callbacks
        self._drags = dock.viewer.mouse_drag_callbacks
        self._zooming = list(self._callbacks)
        weak = weakref.ref(dock)
        zooming = self._zooming

        def double(viewer: Any, event: Any) -> None:
            found = weak()
            if found is not None and isalive(found) and found.jump(viewer.cursor.position):
                return
            for callback in zooming:
                callback(viewer, event)

        def press(viewer: Any, event: Any) -> None:  # noqa: ARG001
            found = weak()
            if found is not None and isalive(found) and not found.cursor.isChecked():
                found.look_at(viewer.cursor.position)

        self._double, self._press = double, press
        self._callbacks[:] = [double]
        self._drags.append(press)

    def release(self) -> None:
        """Give the mouse back."""
        if self._double in self._callbacks:
            at = self._callbacks.index(self._double)
            self._callbacks[at : at + 1] = self._zooming
        if self._press in self._drags:
            self._drags.remove(self._press)
