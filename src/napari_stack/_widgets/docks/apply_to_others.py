"""`ApplyToOthersDock`: other layers moved as the frames of a registered one were."""

from typing import Any

from napari.layers import Image, Labels, Layer, Points, Shapes
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QCheckBox, QListWidget, QListWidgetItem

from napari_stack import layers
from napari_stack._widgets.parts.active_layer import FollowingDock
from napari_stack._widgets.parts.layout import button, is_checked, paragraph, set_checked, tooltip
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack.core.errors import UserError
from napari_stack.layers.compat import weak_reference
from napari_stack.layers.places.motion import Motion

_KINDS = (Image, Labels, Points, Shapes)


class ApplyToOthersDock(FollowingDock):
    """A registered layer, and the layers that are to be moved as its frames were.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__(napari_viewer)
        self.list = QListWidget()
        self.list.setFixedHeight(130)
        self.list.setToolTip(tooltip("Ticked layers get a moved copy; nothing is overwritten."))
        self._others: list[Any] = []
        self.back = QCheckBox("Back to the recorded frames")
        self.back.setToolTip(
            tooltip("Take what lies on the registered frames to where the frames were recorded.")
        )
        self.apply_button = button(
            "Apply", "Add a moved copy of every ticked layer; nothing is measured.", self.run
        )
        self.message = paragraph()
        self.lay_out(
            paragraph("Move channels, labels, points and shapes as a registered layer was."),
            self.title, self.list, self.back, pinned=(self.apply_button, self.message),
        )  # fmt: skip
        self.follow()

    def suits(self, layer: Layer) -> bool:
        """Follow layers that were registered."""
        try:
            return isinstance(layer, Image) and Motion.of(layer) is not None
        except UserError:
            return False

    def layer_changed(self) -> None:
        """Show another registered layer."""
        self.layers_changed()

    def layers_changed(self) -> None:
        """Follow the layers that can be moved; those ticked stay ticked."""
        if self.layer is None:
            registered = [layer for layer in self.viewer.layers if self.suits(layer)]
            if registered:
                self.layer = registered[-1]
                return
        name = None if self.layer is None else self.layer.name
        self.title.setText(f"As the frames of {name!r}" if name else "Choose a registered layer.")
        ticked = [id(layer) for layer in self.ticked]
        with QSignalBlocker(self.list):
            self.list.clear()
            self._others = []
            for layer in self.viewer.layers if name else ():
                if layer == self.layer or not isinstance(layer, _KINDS):
                    continue
                weak = weak_reference(layer)
                item = QListWidgetItem(layer.name)
                set_checked(item, id(weak()) in ticked)
                self.list.addItem(item)
                self._others.append(weak)
        self.apply_button.setEnabled(bool(self._others))

    @property
    def ticked(self) -> list[Any]:
        """The layers that are ticked."""
        found = [weak() for row, weak in enumerate(self._others) if is_checked(self.list.item(row))]
        return [layer for layer in found if layer is not None]

    def tick(self, layer: Any, on: bool = True) -> None:
        """Tick a layer, as a click does."""
        row = [weak() for weak in self._others].index(weak_reference(layer)())
        set_checked(self.list.item(row), on)

    def run(self) -> None:
        """Add the moved copies; a layer that cannot be moved is told, and the others are."""
        wanted, registered = self.ticked, self.layer
        if not wanted or registered is None:
            self.message.setText("Tick the layers to move first.")
            return
        made = []
        for layer in wanted:
            with errors_shown():
                how = {"inverse": self.back.isChecked()}
                made.append(layers.apply_transforms(layer, registered, **how))
        for layer in made:
            self.viewer.add_layer(layer)
        names = ", ".join(repr(layer.name) for layer in made)
        self.message.setText(f"Added {names}" if made else "Nothing was moved")
