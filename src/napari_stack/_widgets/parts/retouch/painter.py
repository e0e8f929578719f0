"""`Painter`: takes strokes from the brush to a retouched layer, and loads what they paint with."""

from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal

from napari_stack._widgets.parts.frames.sliders import frame_in_view, position_in_view, show_frame
from napari_stack._widgets.parts.retouch.brush import Brush
from napari_stack._widgets.parts.retouch.shown import StrokeOverlay
from napari_stack._widgets.parts.retouch.source_choice import SourceBox
from napari_stack._widgets.parts.run.latest_worker import LatestWorker
from napari_stack._widgets.parts.run.runner import Runner
from napari_stack.core.errors import format_error
from napari_stack.core.stroke import FUSED, StrokeSource
from napari_stack.layers.compat import unwrapped
from napari_stack.layers.provenance import link_of
from napari_stack.layers.retouch import Retouching
from napari_stack.layers.retouch.growing import Growing
from napari_stack.operators.focus.retouch.sharpest import sharpest_frame
from napari_stack.operators.focus.retouch.sources import name_of


class Painter(QObject):
    """Paints on the layer of a session, while it is on.

    Parameters
    ----------
    parent : QObject
    viewer : napari.Viewer
    source : SourceBox
    runner : Runner
        Shows what is going on.
    """

    #: Strokes came or went, or painting began or ended.
    changed = Signal()

    def __init__(self, parent: QObject, viewer: Any, source: SourceBox, runner: Runner) -> None:
        super().__init__(parent)
        self.viewer, self.source, self._runner = viewer, source, runner
        self.session: Retouching | None = None
        self.growing: Growing | None = None
        self.overlay: StrokeOverlay | None = None
        self.arranging = False
        self._stroke: tuple[dict[str, int], StrokeSource] = ({}, 0)
        self.loading, self.finding = LatestWorker(self, 40), LatestWorker(self, 0)
        keys = {
            "S": self.take_sharpest, "E": source.toggle_erasing,
            "[": lambda: source.scale_radius(1 / 1.2), "]": lambda: source.scale_radius(1.2),
            "Control-Z": self.undo, "Control-Shift-Z": self.redo, "Control-Y": self.redo,
        }  # fmt: skip
        self.brush = Brush(self, viewer, keys)
        source.changed.connect(self.source_changed)
        source.resized.connect(lambda: self.brush.resize(2 * source.radius.value))
        self.loading.returned.connect(self._loaded)
        self.loading.errored.connect(self._failed)
        self.finding.returned.connect(self._found)
        self.finding.errored.connect(self._failed)
        viewer.dims.events.current_step.connect(self.source_changed)
        viewer.layers.selection.events.active.connect(self._other_active)

    @property
    def image(self) -> Any:
        """The layer that is painted on; None without a session."""
        return None if self.session is None else self.session.layers["image"]

    @property
    def frames(self) -> Any:
        """The layer of the frames."""
        made = None if self.image is None else link_of(self.image)
        return None if made is None else made.layer

    @property
    def painting(self) -> bool:
        """Whether drags in the canvas paint."""
        return self.brush.held

    # on and off

    def begin(self) -> None:
        """Take drags in the canvas for strokes."""
        self.arranging = True
        try:
            self.image.visible = True
            self.image.mode = "pan_zoom"
            self.overlay = StrokeOverlay(self.viewer, self.image)
            self.viewer.layers.selection.active = self.image
            self.brush.hold(self.image, 2 * self.source.radius.value)
            self.image.events.mode.connect(self._mode_changed)
        finally:
            self.arranging = False
        self.source_changed()
        self.changed.emit()

    def stop(self) -> None:
        """Paint no more; what was painted stays."""
        self.growing = None
        self.loading.drop()
        self.finding.drop()
        if not self.painting:
            return
        self.image.events.mode.disconnect(self._mode_changed)
        self.brush.release()
        if self.overlay is not None:
            self.overlay.remove()
            self.overlay = None
        self._runner.show_message("")
        self.changed.emit()

    def _mode_changed(self, event: Any = None) -> None:  # noqa: ARG002
        if isalive(self) and not self.arranging:
            self.stop()

    def _other_active(self, event: Any = None) -> None:  # noqa: ARG002
        if isalive(self) and self.painting and not self.arranging:
            active = self.viewer.layers.selection.active
            if active is None or unwrapped(active) is not unwrapped(self.image):
                self.stop()

    # the source

    def _where(self) -> tuple[dict[str, int], StrokeSource]:
        """Return the place in view on the other axes, and the source that is chosen."""
        assert self.session is not None
        data = self.session.data
        where = self.viewer, self.frames, data.axes[data.number].name
        place = position_in_view(*where)
        frame = frame_in_view(*where)
        known = {name: place[name] for name in self.session.loops}
        return known, self.source.source(frame, self.session.count)

    def source_changed(self, event: Any = None) -> None:  # noqa: ARG002
        if not isalive(self) or not self.painting or self.session is None or self.frames is None:
            return
        place, source = self._where()
        if self.session.source(place, source) is not None:
            self.loading.drop()
            self._say_source(source)
            return
        session = self.session
        self._runner.show_message(f"Loading {name_of(source)} ...")
        self.loading.ask(
            lambda run: (place, source, session.load(place, source, run)), self._runner.run
        )

    def _loaded(self, found: Any) -> None:
        place, source, loaded = found
        if self.session is not None:
            self.session.keep(place, source, loaded)
            self._say_source(source)

    def _say_source(self, source: StrokeSource) -> None:
        erasing = source == FUSED
        self._runner.show_message("Erasing" if erasing else f"Painting from {name_of(source)}")

    def _failed(self, error: BaseException) -> None:
        self._runner.show_message(format_error(error))

    def take_sharpest(self) -> None:
        """Show the frame that is sharp under the cursor, and paint from it."""
        if self.session is None or not self.painting:
            return
        place, _ = self._where()
        y, x = self._pixel(self.viewer.cursor.position)
        stack, radius = self.session.stack(place), self.source.radius.value
        self._runner.show_message("Looking for the frame that is sharp here ...")
        self.finding.ask(
            lambda run: sharpest_frame(stack, y, x, radius, run), self._runner.run, at_once=True
        )

    def _found(self, frame: int) -> None:
        if self.session is not None and self.frames is not None:
            data = self.session.data
            self.source.take_frame()
            show_frame(self.viewer, self.frames, data.axes[data.number].name, frame)
            self.source_changed()

    # strokes

    def _pixel(self, world: Any) -> tuple[float, float]:
        at = self.image.world_to_data(world[-self.image.ndim :])
        return float(at[-2]), float(at[-1])

    def pressed(self, world: Any) -> bool:
        """Begin a stroke; tell whether one began."""
        if self.session is None or self.overlay is None or self.frames is None:
            return False
        dims = self.viewer.dims
        if set(dims.displayed) != {dims.ndim - 2, dims.ndim - 1}:
            self._runner.show_message("Show y and x in two dimensions to paint.")
            return False
        self._stroke = self._where()
        self.growing = self.session.begin_stroke(*self._stroke, self.source.radius.value)
        if self.growing is None:
            self.source_changed()  # it says that it is loading
            return False
        self.dragged(world)
        return True

    def dragged(self, world: Any) -> None:
        """Go on with the stroke."""
        grown = self.growing
        if grown is not None and self.overlay is not None and grown.add(*self._pixel(world)):
            self.overlay.show(grown, self.image)

    def lifted(self) -> None:
        """End the stroke: the image takes it in."""
        grown, self.growing = self.growing, None
        if grown is None or self.session is None:
            return
        if grown.touches:
            self.session.end_stroke(grown, *self._stroke)
            self.refresh()
        if self.overlay is not None:
            self.overlay.hide()

    def undo(self) -> None:
        """Take the last stroke back."""
        if self.session is not None and self.growing is None and self.session.undo():
            self.refresh()

    def redo(self) -> None:
        """Put a stroke back."""
        if self.session is not None and self.growing is None and self.session.redo():
            self.refresh()

    def refresh(self) -> None:
        """Show what the layers hold now."""
        assert self.session is not None
        for layer in self.session.layers.values():
            layer.refresh()
        self.changed.emit()
