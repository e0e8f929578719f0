"""`AxesStrip`: the axes of a layer as chips to correct, and what its file says of them."""

from functools import partial
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QInputDialog, QMenu, QToolButton, QWidget

from napari_stack import layers
from napari_stack._widgets.parts.layout import below, button, tooltip
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack._widgets.parts.run.latest_worker import LatestWorker
from napari_stack.layers.axis_names import (
    USUAL,
    as_colours,
    asks_its_file,
    axes_text,
    file_reader,
    is_named,
    may_be_colours,
    renamed,
    take_axes,
)
from napari_stack.layers.compat import weak_reference
from napari_stack.layers.stacks.read_layer import Data, leading_axes

#: Milliseconds after which the file is asked: layers may change several times in a row.
_PAUSE = 100

#: A grey that is seen on dark and on light, and no arrow over the text.
_LOOK = """
QToolButton { background: rgba(128, 128, 128, 70); border-radius: 8px; padding: 2px 8px; }
QToolButton:hover { background: rgba(128, 128, 128, 130); }
QToolButton::menu-indicator { image: none; }
"""

_HELP = "An axis, and how long it is. Press to give it another name."
_UNKNOWN = "An axis without a name. Press to say what it is."


class AxesStrip(QWidget):
    """Chips of the axes before y and x; below them what the file of the layer says, where it does.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    #: Another size is needed.
    resized = Signal()

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.viewer = viewer
        self._layer: Any = lambda: None
        self._said: Data | None = None
        self.chips: list[QToolButton] = []
        self._row = QHBoxLayout()
        self._row.setSpacing(4)
        self.take = button("", "Take over names, steps and units from the file.", self.take_file)
        self.colour = button(
            "The last axis is colour", "Show the last axis, of 3 or 4 places, as colours.",
            self.make_colours,
        )  # fmt: skip
        self.asking = LatestWorker(self, _PAUSE)
        self.asking.returned.connect(self._answered)
        self.asking.errored.connect(lambda _error: None)  # a file that is not ours to read
        self.setLayout(below(self._row, self.take, self.colour))
        self.show_layer(None)

    @property
    def layer(self) -> Any:
        """The layer that is shown, or None."""
        return self._layer()

    def show_layer(self, layer: Any) -> None:
        """Show the axes of a layer, and of the same one when they change."""
        before = self.layer
        if before is not None:
            before.events.axis_labels.disconnect(self._changed)
            before.events.data.disconnect(self._changed)
        self._layer = (lambda: None) if layer is None else weak_reference(layer)
        if self.layer is not None:
            self.layer.events.axis_labels.connect(self._changed)
            self.layer.events.data.connect(self._changed)
        self._changed()

    def _changed(self, event: Any = None) -> None:  # noqa: ARG002
        if not isalive(self):
            return
        self._said = None
        self._show_chips()
        self._show_offers()
        self.asking.drop()
        if asks_its_file(self.layer):
            look = file_reader(self.layer)
            self.asking.ask(lambda _run: look())

    def _show_chips(self) -> None:
        while (item := self._row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.setParent(None)
                widget.deleteLater()
        sizes = {} if self.layer is None else leading_axes(self.layer)
        self.chips = [self._chip(n, *axis) for n, axis in enumerate(sizes.items())]
        for chip in self.chips:
            self._row.addWidget(chip)
        self._row.addStretch(1)

    def _chip(self, number: int, name: str, size: int) -> QToolButton:
        number_only = name.lstrip("-").isdigit()
        chip = QToolButton()
        chip.setText(f"? {size}" if number_only else f"{name} {size}")
        chip.setToolTip(tooltip(_HELP if is_named(name) else _UNKNOWN))
        chip.setStyleSheet(_LOOK)
        chip.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(chip)
        for usual, words in USUAL.items():
            menu.addAction(f"{words} ({usual})", partial(self.rename, number, usual))
        menu.addAction("Another name...", partial(self._ask_name, number))
        chip.setMenu(menu)
        return chip

    def _show_offers(self) -> None:
        text = "" if self._said is None else axes_text(self._said)
        self.take.setText(f"File says {text}")
        self.take.setVisible(bool(text))
        self.colour.setVisible(may_be_colours(self.layer))
        self.setVisible(self.layer is not None and bool(self.chips))
        self.resized.emit()

    # what the user corrects

    def rename(self, number: int, name: str) -> None:
        """Name an axis; another of that name takes the old one."""
        if self.layer is not None:
            self.layer.axis_labels = renamed(self.layer.axis_labels, number, name)

    def _ask_name(self, number: int) -> None:
        name, sure = QInputDialog.getText(self, "Name of the axis", "Name")
        if sure and name.strip():
            self.rename(number, name.strip())

    def make_colours(self) -> None:
        """Show the last axis as colours, in a layer that takes the place of this one."""
        if self.layer is not None:
            self._replace(as_colours(self.layer))

    def take_file(self) -> None:
        """Take over what the file says; frames in another order are opened anew."""
        said, layer = self._said, self.layer
        if said is None or layer is None or take_axes(layer, said):
            return
        with errors_shown():
            self._replace(layers.to_layer(said, layer.name))

    def _replace(self, made: Any) -> None:
        old = self.layer
        old.visible = False
        self.viewer.add_layer(made)
        self.viewer.layers.selection.active = self.viewer.layers[-1]

    def _answered(self, said: Data | None) -> None:
        if isalive(self) and said is not None and self.layer is not None:
            self._said = said
            self._show_offers()
