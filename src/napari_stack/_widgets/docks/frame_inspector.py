"""`FrameInspectorDock`: what is known about every frame of a layer, plotted and in a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari.layers import Layer
from qtpy.compat import isalive

from napari_stack._widgets.parts.active_layer import FollowingDock
from napari_stack._widgets.parts.compare import Compare
from napari_stack._widgets.parts.frames.frame_list import FrameList
from napari_stack._widgets.parts.frames.frame_notice import FrameNotice
from napari_stack._widgets.parts.frames.frame_panels import panels_of
from napari_stack._widgets.parts.frames.frame_pictures import FramePictures
from napari_stack._widgets.parts.frames.frame_strip import FrameStrip
from napari_stack._widgets.parts.frames.place_by_hand import PlaceByHand
from napari_stack._widgets.parts.frames.sliders import frame_in_view, position_in_view, show_frame
from napari_stack._widgets.parts.layout import (
    Rows,
    beside,
    button,
    frames_text,
    holding,
    paragraph,
    tooltip,
)
from napari_stack._widgets.parts.options.inputs import axis_choices, choice
from napari_stack._widgets.parts.plot.plot import Plot
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack.engine.run import Run
from napari_stack.layers.compat import full_resolution, weak_reference
from napari_stack.layers.inspection.frame_inspection import (
    difference,
    frames_layer,
    frames_of,
    outdated,
    reference_frame,
    remake,
    show_remade,
    stacked_axis,
    table_of,
    tick,
)
from napari_stack.layers.inspection.motion_arrows import motion_arrows
from napari_stack.operators.inspection.frame_table import FrameTable, measure_sharpness


class FrameInspectorDock(FollowingDock):
    """Plots and a table of the frames; frames are ticked off here, and compared with before.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__(napari_viewer, "Measure sharpness")
        self.table: FrameTable | None = None
        self._sharpness: tuple[Any, Any] = (lambda: None, {})  # of this array: a column by position
        self.axis_box = choice(lambda _widget: self._axes())
        self.plot = Plot()
        self.pictures = FramePictures(self, self._in_view)
        self.cells, self.notice = FrameStrip(self.pictures.of), FrameNotice(napari_viewer)
        self.pictures.made.connect(self.cells.show_picture)
        self.list = FrameList()
        self.compare = Compare(napari_viewer, lambda: self.layer, self.runner.show_message)
        self.by_hand = PlaceByHand(napari_viewer, self._in_view, self.runner)
        self.stale = paragraph()
        self.remake = button(
            "Make them anew", "Compute these results from the frames ticked now.", self.run_remake
        )
        self._lay_out()
        self.axis_box.changed.connect(self.refresh)
        self.plot.clicked.connect(self.go_to)
        for part in (self.list, self.cells):
            part.chosen.connect(self.go_to)
        self.cells.toggled.connect(self._tick)
        self.list.ticked.connect(self._tick)
        self.runner.clicked.connect(self.run)
        self.runner.finished.connect(self._active_changed)  # it stayed with its layer meanwhile
        self.viewer.dims.events.current_step.connect(self._moved)
        self.follow()

    def _lay_out(self) -> None:
        self._axis_row = Rows()
        self._axis_row.add("Axis", self.axis_box.native, "The axis along which the frames lie.")
        difference_button = button(
            "Difference",
            "Add a layer of how each frame differs from the one that all were moved to.",
            self.add_difference,
        )
        arrows_button = button(
            "Motion",
            "Add arrows that show how the frame in view moved, and was deformed.",
            self.add_arrows,
        )
        self._more_layers = holding(beside(difference_button, arrows_button))
        files = beside(
            button("Table...", "Write the table to a .csv file.", self._choose_csv),
            button("Plot...", "Write the plot to a .png or .svg.", self._choose_plot),
        )
        self.runner.run_button.setToolTip(
            tooltip("Measure how sharp every frame is. All frames are read for that.")
        )
        self.lay_out(
            self.title, self._axis_row, self.cells, self.plot, self.list, self.by_hand, self.stale,
            self.remake, self.compare, self._more_layers, files, pinned=(self.runner,),
        )  # fmt: skip

    # following the viewer

    def suits(self, layer: Layer) -> bool:
        """Show layers of frames, and images of which the frames are known."""
        return frames_layer(layer) is not None

    @property
    def frames(self) -> Any:
        """The layer of frames: the one followed, or the one that it was made from."""
        return frames_layer(self.layer)

    @property
    def axis(self) -> str:
        """Name of the axis along which the frames lie."""
        return self.axis_box.value or ""

    def _axes(self) -> list[tuple[str, str]]:
        return axis_choices(self.frames)

    def layer_changed(self) -> None:
        """Show the frames of another layer."""
        self.compare.stop()
        self.axis_box.reset_choices()
        names = [name for _, name in self._axes()]
        self._axis_row.setVisible(len(names) > 1)
        if (stacked := stacked_axis(self.frames)) in names:
            self.axis_box.value = stacked
        self.refresh()

    def layers_changed(self) -> None:
        """Follow names, and results that come and go."""
        if self.compare.pair() is None:
            self.compare.stop()
        self.refresh()

    def refresh(self) -> None:
        """Collect the numbers again and show them."""
        layer = self.frames
        self.table = None
        with errors_shown(self.runner.show_message):  # an empty layer, complex numbers
            if layer is not None and self.axis:
                self.table = self._table()
        some = self.table is not None
        for widget in (
            self.cells, self.plot, self.list, self.compare, self._more_layers, self.runner,
        ):  # fmt: skip
            widget.setVisible(some)
        self.by_hand.show_for(layer if some else None)
        if not some:
            self.title.setText("Choose a layer with frames.")
            self._show_stale([])
            self.notice.show("")
            return
        self.title.setText(f"Frames of {layer.name!r}: {self._summary()}")
        self.plot.show_panels(panels_of(self.table))
        self.plot.setVisible(bool(self.plot.panels))
        self.list.show_table(self.table)
        self.cells.show_table(self.table)
        outdated_now = outdated(self.frames, self.viewer.layers)
        self._show_stale([repr(made.name) for made, _ in outdated_now])
        self._show_current()

    def _table(self) -> FrameTable:
        layer = self.frames
        position = position_in_view(self.viewer, layer, self.axis)
        array, found = self._sharpness
        known = found.get(self._key(position)) if array() is full_resolution(layer) else None
        more = {} if known is None else {"sharpness": known}
        return table_of(layer, self.axis, position, self.viewer.layers, more)

    def _key(self, position: Mapping[str, int]) -> tuple[Any, ...]:
        return self.axis, *sorted(position.items())

    def _summary(self) -> str:
        failed, left = int(self.table.failed.sum()), int((~self.table.used).sum())
        parts = [frames_text(len(self.table))]
        parts += [f"{failed} failed"] if failed else []
        return ", ".join(parts + ([f"{left} left out"] if left else []))

    def _show_stale(self, names: list[str]) -> None:
        self.stale.setText(f"Made with other frames: {', '.join(names)}" if names else "")
        self.stale.setVisible(bool(names))
        self.remake.setVisible(bool(names))

    def _in_view(self) -> tuple[Any, ...]:
        """Return the layer, the axis, the position on the others and the frame in view."""
        where = self.viewer, self.frames, self.axis
        return self.frames, self.axis, position_in_view(*where), frame_in_view(*where)

    def _moved(self, event: Any = None) -> None:  # noqa: ARG002
        if isalive(self) and self.table is not None and self.frames is not None:
            self._show_current()

    def _show_current(self) -> None:
        frame = frame_in_view(self.viewer, self.frames, self.axis)
        self.plot.show_current(frame)
        self.list.choose(frame)
        self.cells.show_current(frame)
        state = self.table.state(frame) if 0 <= frame < len(self.table) else ""
        self.notice.show(f"Frame {frame}: {state}" if state else "")

    def closing(self) -> None:
        """Take the notice off the canvas when the dock is closed."""
        super().closing()
        self.pictures.forget()
        self.notice.show("")

    # what the user does

    def go_to(self, frame: int) -> None:
        """Show a frame."""
        if self.frames is not None:
            show_frame(self.viewer, self.frames, self.axis, frame)

    def _tick(self, frame: int, used: bool) -> None:
        tick(self.frames, self.axis, frame, used)
        self.refresh()

    def run(self) -> None:
        """Measure the sharpness of all frames, in a thread."""
        if self.frames is None or self.runner.running:
            return
        position = position_in_view(self.viewer, self.frames, self.axis)
        stack = frames_of(self.frames, self.axis, position)
        key = self._key(position)
        array = weak_reference(full_resolution(self.frames))

        def done(values: Any) -> str:
            before, found = self._sharpness
            self._sharpness = array, {**(found if before() is array() else {}), key: values}
            self.refresh()
            return "Measured the sharpness"

        self.runner.start(lambda run: measure_sharpness(stack, run=run), done)

    def run_remake(self) -> None:
        """Make the results that are out of date anew, in their layers."""
        if self.frames is None or self.runner.running:
            return
        jobs = remake(self.frames, outdated(self.frames, self.viewer.layers))

        def work(run: Run) -> Any:
            return [job.compute(run.part(i, len(jobs))) for i, (job, _) in enumerate(jobs)]

        def done(computed: Any) -> str:
            names = [n for (job, wanted), new in zip(jobs, computed, strict=True)
                     for n in show_remade(job, new, wanted)]  # fmt: skip
            self.refresh()
            return f"Made anew: {', '.join(map(repr, names))}" if names else "Nothing was left"

        self.runner.start(work, done)

    def add_difference(self) -> None:
        """Add the differences to the reference frame as a lazy layer."""
        layer = self.frames
        if layer is None or self.table is None:
            return
        position = position_in_view(self.viewer, layer, self.axis)
        frame = reference_frame(frames_of(layer, self.axis, position))
        followed = self.layer
        self.viewer.add_layer(difference(layer, self.axis, frame))
        self.viewer.layers.selection.active = followed  # this dock stays with it
        self.runner.show_message(f"Added the differences to frame {frame}")

    def add_arrows(self) -> None:
        """Add arrows of the motion of the frame in view."""
        layer, axis, position, frame = self._in_view()
        if layer is None or self.table is None:
            return
        followed = self.layer
        with errors_shown(self.runner.show_message):
            made = motion_arrows(layer, axis, frame, position)
            self.viewer.add_layer(made)
            self.viewer.layers.selection.active = followed  # this dock stays with it
            self.runner.show_message(f"Added {made.name!r}")

    def save_table(self, path: str | Path) -> None:
        """Write the table to a .csv; one that is there is replaced (the dialog asks before)."""
        self.table.save(path, overwrite=True)
        self.runner.show_message(f"Saved {Path(path).name}")

    def _choose_csv(self) -> None:
        self.save_as("Table", "frames.csv", "Table (*.csv)", self.save_table)

    def _choose_plot(self) -> None:
        self.save_as("Plot", "frames.png", "Plot (*.png *.svg)", self.plot.save)
