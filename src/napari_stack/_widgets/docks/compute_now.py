"""`ComputeNowDock`: the frames of a lazy layer computed once, into memory or into a folder."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from magicgui.widgets import FileEdit
from qtpy.compat import isalive

from napari_stack import layers
from napari_stack._widgets.parts.layout import Rows, fill, paragraph
from napari_stack._widgets.parts.options.inputs import Chosen, choice
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack._widgets.parts.run.runner import RunningDock
from napari_stack.layers.compat import follow_layers, weak_reference

_MEMORY, _FOLDER = "memory", "a zarr folder"


class ComputeNowDock(RunningDock):
    """Layer, and where its frames go.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    #: The chosen layer.
    layer = Chosen(lambda dock: dock._layer_box)

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__(napari_viewer, "Compute")
        self._layer_box = choice(lambda _widget: self._lazy())
        self._where = choice([_MEMORY, _FOLDER], _MEMORY)
        self._folder = FileEdit(mode="w", filter="*.zarr")
        self._told = paragraph()
        self._lay_out()
        self._layer_box.changed.connect(self._update)
        self._where.changed.connect(self._update)
        self._folder.changed.connect(self._update)
        follow_layers(self.viewer, self.reset_choices)
        self.viewer.layers.selection.events.active.connect(self._follow)
        self.runner.clicked.connect(self.run)
        self.runner.finished.connect(self._update)
        self._follow()
        self._update()

    def _lay_out(self) -> None:
        form = Rows()
        form.add(
            "Image layer", self._layer_box.native,
            "Its frames are computed when they are shown: registered or corrected ones, or those "
            "of files.",
        )  # fmt: skip
        form.add("Into", self._where.native, "Where the frames go.")
        self._folder_label = form.add(
            "Folder", self._folder.native, "A new folder, whose name ends with .zarr."
        )
        text = "Compute all frames of a lazy layer once, so that showing them is quick."
        fill(self, paragraph(text), form, self._told, pinned=(self.runner,))

    @property
    def path(self) -> Path | None:
        """The zarr folder; None stands for memory."""
        return self._folder.value if self._where.value == _FOLDER else None

    @path.setter
    def path(self, path: Any) -> None:
        self._where.value = _MEMORY if path is None else _FOLDER
        if path is not None:
            self._folder.value = path

    def _lazy(self) -> list[Any]:
        return [la for la in self.viewer.layers if layers.is_lazy(la) and la.ndim > 2]

    def reset_choices(self, event: Any = None) -> None:  # noqa: ARG002
        """Follow the layers of the viewer."""
        if isalive(self):
            self._layer_box.reset_choices()
            self._update()

    def _follow(self, event: Any = None) -> None:  # noqa: ARG002
        if not isalive(self) or self.runner.running:
            return
        active = self.viewer.layers.selection.active
        if active in self._lazy() and active != self.layer:
            self._layer_box.reset_choices()
            self.layer = active

    def _update(self, event: Any = None) -> None:  # noqa: ARG002
        """Tell what it will take."""
        if not isalive(self):
            return
        for widget in (self._folder_label, self._folder.native):
            widget.setVisible(self._where.value == _FOLDER)
        self.runner.run_button.setEnabled(self.layer is not None and not self.runner.running)
        if self.layer is None:
            self._told.setText("No layer here is lazy: nothing waits to be computed.")
            return
        lines = []
        with errors_shown(lines.append):
            lines += layers.prepare_compute(self.layer, self.path).forecast()
        *text, wrong = lines
        self._told.setText("\n".join([*text, f"\N{WARNING SIGN} {wrong}."] if wrong else text))

    def run(self) -> None:
        """Compute the frames; their layer is added when all are there."""
        if self.layer is None or self.runner.running:
            return
        with errors_shown():
            work = layers.prepare_compute(self.layer, self.path)
            self.runner.start(work.compute, partial(self._add, work))

    def compute(self, layer: Any, done: Callable[[], Any]) -> None:
        """Compute a layer into memory, hide it, and go on with something else."""
        if self.runner.running:
            self.runner.show_message("Wait for the run that is under way, then try again.")
            return
        self._layer_box.reset_choices()
        self.layer, self.path = layer, None
        lazy = weak_reference(layer)
        with errors_shown():
            work = layers.prepare_compute(layer)
            self.runner.start(work.compute, lambda data: self._replace(work, data, lazy, done))

    def _replace(self, work: Any, data: Any, lazy: Any, done: Callable[[], Any]) -> str:
        text = self._add(work, data)
        if (hidden := lazy()) is not None:
            hidden.visible = False
        done()
        return text

    def _add(self, work: Any, data: Any) -> str:
        made = work.finish(data)
        self.viewer.add_layer(made)
        return f"Added {made.name!r}"
