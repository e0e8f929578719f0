"""`FramesChoice`: the frames to begin with - a layer, files that are chosen, single images."""

from collections.abc import Callable
from typing import Any

from napari.layers import Image
from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_stack._widgets.parts.assistant.opening import gathering, opening
from napari_stack._widgets.parts.layout import below, beside, button, paragraph
from napari_stack._widgets.parts.options.axes_strip import AxesStrip
from napari_stack._widgets.parts.options.inputs import Chosen, choice
from napari_stack.files import SUFFIXES
from napari_stack.layers.compat import follow_layers, unwrapped
from napari_stack.layers.provenance import is_preview
from napari_stack.layers.stacks.gather import offered_images

_TEXT = "Drop files or a folder here, or choose a layer of frames."


class FramesChoice(QWidget):
    """The layer of frames, buttons for files and a folder, and an offer to stack single images.

    Parameters
    ----------
    viewer : napari.Viewer
    keeps : callable
        Whether the layer stays, although this other one becomes active.
    """

    #: Another layer was chosen, or it holds other data, or its axes have other names.
    changed = Signal()
    #: There are other layers in the viewer.
    layers_changed = Signal()
    #: Work that opens frames is wanted.
    wanted = Signal(object)

    #: The chosen layer.
    layer = Chosen(lambda part: part.layer_box)

    def __init__(self, viewer: Any, keeps: Callable[[Any], bool]) -> None:
        super().__init__()
        self.viewer, self._keeps = viewer, keeps
        self._watched: Any = None
        self.offered: list[Any] = []
        self.layer_box = choice(lambda _widget: self._stackable())
        self.layer_box.native.setToolTip("The frames: a layer with an axis before y and x.")
        self.offer = button("", "Take these single images as the frames of one stack.", self.take)
        files = button("Files...", "Choose the files that are the frames.", self._choose_files)
        folder = button("Folder...", "Choose a folder; all its images are frames.", self._folder)
        self.strip = AxesStrip(viewer)
        text, buttons = paragraph(_TEXT), beside(files, folder)
        self.setLayout(below(text, self.layer_box.native, self.strip, buttons, self.offer))

    def follow(self) -> None:
        """Begin to follow the viewer; to be called when the signals are connected."""
        self.layer_box.changed.connect(self._changed)
        follow_layers(self.viewer, self._layers_changed)
        self.viewer.layers.selection.events.active.connect(self._follow)
        self.viewer.layers.selection.events.changed.connect(self._offer)
        self._follow()
        self._changed()
        self._offer()

    def take(self) -> None:
        """Take the single images that are offered."""
        if self.offered:
            self.wanted.emit(gathering([unwrapped(layer) for layer in self.offered]))

    def _choose_files(self) -> None:
        patterns = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        files, _ = QFileDialog.getOpenFileNames(self, "Frames", filter=f"Images ({patterns})")
        if files:
            self.wanted.emit(opening(files))

    def _folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Folder of frames"):
            self.wanted.emit(opening([folder]))

    # following the viewer

    def _stackable(self) -> list[Any]:
        found = [la for la in self.viewer.layers if isinstance(la, Image) and la.ndim > 2]
        return [layer for layer in found if not is_preview(layer)]

    def _layers_changed(self, event: Any = None) -> None:  # noqa: ARG002
        if not isalive(self):
            return
        self.layer_box.reset_choices()
        self.layers_changed.emit()
        self._offer()
        if self.layer != self._watched:
            self._changed()

    def _offer(self, event: Any = None) -> None:  # noqa: ARG002
        """Offer single images: those selected, or all of them where there are no frames."""
        if not isalive(self):
            return
        selected = [la for la in self.viewer.layers if la in self.viewer.layers.selection]
        found = offered_images(list(self.viewer.layers), selected)
        unasked = len(found) > len(selected) and self.layer is not None
        self.offered = [] if unasked else found
        self.offer.setText(f"Stack these {len(self.offered)} layers")
        self.offer.setVisible(bool(self.offered))

    def _follow(self, event: Any = None) -> None:  # noqa: ARG002
        if not isalive(self):
            return
        active = self.viewer.layers.selection.active
        if active is None or self._keeps(active) or active == self.layer:
            return
        if active in self._stackable():
            self.layer_box.reset_choices()
            self.layer = active

    def _changed(self, event: Any = None) -> None:  # noqa: ARG002
        if self._watched is not None:
            self._watched.events.axis_labels.disconnect(self._data_changed)
            self._watched.events.data.disconnect(self._data_changed)
        self._watched = self.layer
        if self._watched is not None:
            self._watched.events.axis_labels.connect(self._data_changed)
            self._watched.events.data.connect(self._data_changed)
        self.strip.show_layer(self.layer)
        self.changed.emit()

    def _data_changed(self, event: Any = None) -> None:  # noqa: ARG002
        if isalive(self):
            self.changed.emit()
