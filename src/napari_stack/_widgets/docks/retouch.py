"""`RetouchDock`: a fused image painted over with pixels of the frames that the user chooses."""

from pathlib import Path
from typing import Any

from napari.layers import Layer
from qtpy.compat import isalive
from qtpy.QtWidgets import QCheckBox, QFileDialog

from napari_stack._widgets.parts.active_layer import FollowingDock
from napari_stack._widgets.parts.layout import beside, button, paragraph, tooltip
from napari_stack._widgets.parts.operator_docks import open_dock
from napari_stack._widgets.parts.retouch.painter import Painter
from napari_stack._widgets.parts.retouch.shown import labels_layer
from napari_stack._widgets.parts.retouch.source_choice import SourceBox
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack.core.stroke import Fusion
from napari_stack.core.strokes import Strokes
from napari_stack.engine.run import Run
from napari_stack.layers.compat import unwrapped
from napari_stack.layers.provenance import link_of
from napari_stack.layers.retouch import Retouching, may_retouch, other_fusions, replay, start

_HOW = """Drag in the image to paint.
V: paint from the frame in view; the slider shows others
S: show the frame that is sharp under the cursor
E: erase, or paint again
[ and ]: a smaller or larger brush
Ctrl+Z, Ctrl+Shift+Z: undo, redo"""


class RetouchDock(FollowingDock):
    """Records strokes on a copy of a fused image; they are kept in its recipe.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__(napari_viewer, "Paint")
        self.labels: Any = None
        self._sessions: list[Retouching] = []
        self.source = SourceBox(self._fusions)
        self.painter = Painter(self, napari_viewer, self.source, self.runner)
        self._lay_out()
        self._connect()
        self.follow()

    def _lay_out(self) -> None:
        self.undo_button = button("Undo", "Take the last stroke back.", self.painter.undo)
        self.redo_button = button(
            "Redo", "Put the stroke back that was taken back last.", self.painter.redo
        )
        self.show_box = QCheckBox("Show strokes")
        self.show_box.setToolTip(
            tooltip("Show, as a layer of labels, which pixels come from which frame.")
        )
        self.load_button = button("Load...", "Apply strokes of a .json file.", self._choose_load)
        self.save_button = button(
            "Save...", "Write the strokes to a .json file.", self._choose_save
        )
        self.again_button = button(
            "Fuse again...", "Open Focus Stack with these strokes, to fuse with other options.",
            self.fuse_again,
        )  # fmt: skip
        self.runner.run_button.setToolTip(
            tooltip("Add a copy of the image, and paint on it by dragging; once more to stop.")
        )
        self.state, self.how = paragraph(), paragraph(_HOW)
        self.lay_out(
            self.title, self.how, self.source, self.state,
            beside(self.undo_button, self.redo_button), self.show_box,
            beside(self.load_button, self.save_button), self.again_button, pinned=(self.runner,),
        )  # fmt: skip

    def _connect(self) -> None:
        self.runner.clicked.connect(self.paint_or_stop)
        self.runner.finished.connect(self._show_state)
        self.painter.changed.connect(self._changed)
        self.show_box.toggled.connect(self.show_strokes)

    # what is followed

    def suits(self, layer: Layer) -> bool:
        """Show fused images whose frames are there."""
        return may_retouch(layer)

    def layer_changed(self) -> None:
        """Show another fused image; one that was painted on can be gone on with later."""
        found = (s for s in self._sessions if s.layers["image"] is self.layer and s.intact)
        session = next(found, None)
        if session is not self.session:
            self.painter.stop()
            self.show_box.setChecked(False)
            self.painter.session = session
        self.layers_changed()

    def layers_changed(self) -> None:
        """Follow the layers that there are."""
        self.source.reset_choices()
        present = list(map(unwrapped, self.viewer.layers))
        self._sessions = [s for s in self._sessions if s.layers["image"] in present]
        if self.session not in self._sessions or self.painter.frames not in present:
            self.painter.stop()
        if self.session not in self._sessions:
            self.painter.session = None
        self._show_state()

    @property
    def session(self) -> Retouching | None:
        """The layer that is painted on with all that belongs to it; None before it is begun."""
        return self.painter.session

    def _fusions(self) -> dict[str, Fusion]:
        return {} if self.layer is None else other_fusions(self.layer, self.viewer.layers)

    def _show_state(self) -> None:
        if not isalive(self):
            return
        ready, session = may_retouch(self.layer), self.session
        name = None if self.layer is None else self.layer.name
        self.title.setText(
            f"Retouch {name!r} from its frames." if ready else
            "Choose a focus-stacked image whose frames are in the viewer."
        )  # fmt: skip
        self.runner.run_button.setText("Stop painting" if self.painter.painting else "Paint")
        self.runner.run_button.setEnabled(ready and not self.runner.running)
        self.undo_button.setEnabled(session is not None and bool(session.done))
        self.redo_button.setEnabled(session is not None and bool(session.undone))
        begun = session is not None and not self.runner.running
        for each in (self.load_button, self.show_box):
            each.setEnabled(begun)
        some = session is not None and bool(session.strokes)
        self.save_button.setEnabled(some)
        self.again_button.setEnabled(some)
        count = 0 if session is None else len(session.strokes)
        text = "1 stroke" if count == 1 else f"{count or 'No'} strokes"
        if session is not None and session.forgotten:
            first = "first" if session.forgotten == 1 else f"first {session.forgotten}"
            text += f"; the {first} can only be erased, no longer undone"
        self.state.setText(text)

    # beginning and ending

    def paint_or_stop(self) -> None:
        """Begin to paint, on a copy the first time, or stop."""
        if self.painter.painting:
            self.painter.stop()
        elif self.session is not None:
            self.painter.begin()
        elif self.layer is not None and not self.runner.running:
            with errors_shown(self.runner.show_message):
                begun = start(self.layer)

                def done(computed: Any) -> str:
                    self._show_copy(begun, begun.finish(computed))
                    return "Painting on a copy"

                self.runner.start(begun.compute, done)

    def _show_copy(self, begun: Any, made: list[Any]) -> None:
        session = Retouching.of(begun, made)
        before = self.layer
        for layer in made:
            self.viewer.add_layer(layer)
        before.visible = False
        self._sessions.append(session)
        self.layer = made[0]
        if (frames := self.painter.frames) is not None:
            frames.visible = True  # V hides the image, and shows the frame in view
            self.painter.begin()

    def closing(self) -> None:
        """Give the mouse back when the dock is closed."""
        super().closing()
        self.painter.stop()
        self.painter.session, self._sessions = None, []

    # strokes

    def _changed(self) -> None:
        if self.labels is not None and self.labels in self.viewer.layers:
            self.labels.refresh()
        self._show_state()

    def show_strokes(self, on: bool) -> None:
        """Show labels of the pixels that were painted, or take them away."""
        if self.labels is not None and self.labels in self.viewer.layers:
            self.viewer.layers.remove(self.labels)
        self.labels = None
        if not on or self.session is None:
            return
        active, self.painter.arranging = self.viewer.layers.selection.active, True
        try:
            made = labels_layer(self.session.labels, self.painter.image, self.session.data.number)
            self.labels = self.viewer.add_layer(made)
            self.viewer.layers.selection.active = active
        finally:
            self.painter.arranging = False

    # files and other fusions

    def save(self, path: str | Path) -> None:
        """Write the strokes to a .json; one that is there is replaced (the dialog asks before)."""
        assert self.session is not None
        self.session.known.save(path, overwrite=True)
        self.runner.show_message(f"Saved {Path(path).name}")

    def load(self, path: str | Path) -> None:
        """Apply the strokes of a file, after those that there are."""
        if self.session is None or self.runner.running:
            return
        session = self.session
        with errors_shown(self.runner.show_message):
            strokes = Strokes.of(path)
            strokes.check_fit(session.count, session.size)

            def work(run: Run) -> Any:
                return replay(session, strokes, run)

            def done(changes: Any) -> str:
                session.write(strokes, changes)
                self.painter.refresh()
                return f"Applied {len(strokes)} strokes"

            self.painter.stop()  # what is painted meanwhile would be lost
            self.runner.start(work, done)

    def fuse_again(self) -> Any:
        """Open the dock of the operator with these strokes."""
        made = link_of(self.painter.image)
        return None if made is None else open_dock(self.viewer, made.steps[-1], self.painter.frames)

    def _choose_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Strokes", "", "Strokes (*.json)")
        if path:
            self.load(path)

    def _choose_save(self) -> None:
        self.save_as("Strokes", "strokes.json", "Strokes (*.json)", self.save)
