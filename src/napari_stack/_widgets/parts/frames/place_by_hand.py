"""`PlaceByHand`: buttons that take a frame that failed to its place by points picked on it."""

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QWidget

from napari_stack._widgets.parts.frames.sliders import show_frame
from napari_stack._widgets.parts.layout import below, beside, button, holding, paragraph
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack._widgets.parts.run.runner import Runner
from napari_stack.layers.jobs.by_hand import Placing, may_place
from napari_stack.layers.picked.point_layers import PointLayers


class PlaceByHand(QWidget):
    """A button that begins; then buttons to pick points, and to register with them.

    Parameters
    ----------
    viewer : napari.Viewer
    frame : callable
        Gives the layer, the axis, the position on others and the number of the frame in view.
    runner : Runner
    """

    def __init__(self, viewer: Any, frame: Callable[[], tuple[Any, ...]], runner: Runner) -> None:
        super().__init__()
        self.viewer, self._frame, self._runner = viewer, frame, runner
        self.placing: Placing | None = None
        self.points: PointLayers | None = None
        self.begin_button = button(
            "Place by hand",
            "Place the frame in view by points: pick some on the reference, and the same ones on "
            "this frame. A translation needs 1, rigid and similarity 2, affine 3, homography 4.",
            self.begin,
        )
        self.text = paragraph()
        self.on_reference = button("On the reference", "Pick points there.", self.pick_reference)
        self.on_frame = button("On the frame", "Pick the same points, in order.", self.pick_frame)
        self.apply_button = button("Apply", "Register anew with these points.", self.apply)
        self.discard_button = button("Discard", "Take the points away again.", self.stop)
        self._steps = holding(
            below(
                self.text,
                beside(self.on_reference, self.on_frame),
                beside(self.apply_button, self.discard_button),
            )
        )
        self.setLayout(below(self.begin_button, self._steps))
        self._show()

    def show_for(self, layer: Any) -> None:
        """Offer it for a layer that was registered; end what was begun for another one."""
        if self.placing is not None and (layer is None or layer != self.placing.layer):
            self.stop()
        self.setVisible(may_place(layer))

    def _show(self) -> None:
        begun = self.placing is not None
        self.begin_button.setVisible(not begun)
        self._steps.setVisible(begun)

    def begin(self) -> None:
        """Add the two layers of points for the frame in view, and pick on the reference first."""
        with errors_shown(self._runner.show_message):
            self.stop()
            self.placing = Placing.of(*self._frame())
            made = self.placing.point_layers()
            added = [self.viewer.add_layer(layer) for layer in (made.frames, made.reference)]
            self.points = PointLayers(added[1], added[0])
            self.on_frame.setText(f"On frame {self.placing.frame}")
            self._show()
            self.pick_reference()

    def pick_reference(self) -> None:
        """Show the reference, and let clicks add points there."""
        self._pick(0)

    def pick_frame(self) -> None:
        """Show the frame, and let clicks add points there."""
        self._pick(1)

    def _pick(self, which: int) -> None:
        if self.placing is None or self.points is None or not self._present():
            return
        layer = (self.points.reference, self.points.frames)[which]
        frame = (self.placing.reference, self.placing.frame)[which]
        self.viewer.layers.selection.active = layer
        layer.mode = "add"
        show_frame(self.viewer, self.placing.layer, self.placing.axis, frame)
        self.text.setText(
            f"Click on points of the reference (frame {frame}) that frame "
            f"{self.placing.frame} shows, too."
            if which == 0
            else f"Click on the same points of frame {frame}, in the same order. Then apply."
        )

    def _present(self) -> bool:
        """Whether both layers of points are still there; else all ends."""
        assert self.points is not None
        layers = (self.points.reference, self.points.frames)
        if all(layer in self.viewer.layers for layer in layers):
            return True
        self.stop()
        self._runner.show_message("The points are gone: begin anew.")
        return False

    def apply(self) -> None:
        """Register anew with the points, in a thread; the result is a layer of its own."""
        if self.placing is None or self.points is None or self._runner.running:
            return
        if not self._present():
            return
        with errors_shown(self._runner.show_message):
            job = self.placing.job(self.points)
            self._runner.start(job.compute, lambda done: self._add(job.finish(done)))

    def _add(self, made: list[Any]) -> str:
        self.stop()
        for layer in made:
            self.viewer.add_layer(layer)
        self.viewer.layers.selection.active = made[0]
        return f"Added {made[0].name!r}"

    def stop(self) -> None:
        """Take the layers of points away: the recipe keeps what was applied."""
        points, self.points, self.placing = self.points, None, None
        for layer in () if points is None else (points.reference, points.frames):
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
        self._show()
