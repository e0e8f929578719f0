"""`PlaceChoice`: where something is measured on the axes that are not stacked."""

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_stack._widgets.parts.layout import Rows, below, paragraph
from napari_stack._widgets.parts.options.inputs import choice
from napari_stack.core.sources.combined_sources import PROJECTIONS, Place
from napari_stack.recipe.said import places_in_words

_HELP = {
    False: "Where the sliders stand, or on all planes of an axis seen as one: their mean, or the "
    "largest value of each pixel.",
    True: "At every position for itself, or where the slider of one axis stands, for all along it: "
    "so all channels can take the depth of one, or all times what one of them is moved by.",
}


class PlaceChoice(QWidget):
    """At the sliders, or on a projection along an axis; hidden while there is no such axis.

    Parameters
    ----------
    shared : bool
        Every position is measured for itself, or one along an axis for all.
    only : bool
        What is measured serves for nothing else.
    """

    changed = Signal()

    def __init__(self, *, shared: bool = False, only: bool = False) -> None:
        super().__init__()
        self.shared, self._only = shared, only
        self._sizes: dict[str, int] = {}
        self.box = choice(lambda _widget: self._ways())
        self.told = paragraph(
            help_text="What is measured there serves for all along that axis."
            if shared
            else "Nothing is measured at other positions."
            if only
            else "What is measured there is applied to all other positions."
        )
        self.told.hide()
        form = Rows()
        self.labels = [form.add("Measure at", self.box.native, _HELP[shared])]
        self.setLayout(below(form, self.told))
        self.setVisible(False)
        self.box.changed.connect(self.changed.emit)

    def _ways(self) -> list[tuple[str, tuple[str, ...]]]:
        along = [name for name, size in self._sizes.items() if size > 1]
        if self.shared:
            return [("each position", ()), *((f"this {name}, for all", (name,)) for name in along)]
        ways = [(f"{way} over {name}", (name, way)) for name in along for way in PROJECTIONS]
        return [("sliders", ()), *ways]

    def show_axes(self, sizes: Mapping[str, int]) -> None:
        """Offer projections along the axes that are not stacked, given by their lengths."""
        if dict(sizes) != self._sizes:
            self._sizes = dict(sizes)
            self.box.reset_choices()
        self.setVisible(bool(sizes))

    def places(self, position: Mapping[str, int]) -> dict[str, Place]:
        """Return where to measure, for sliders at a position."""
        chosen: Any = self.box.value
        if self.shared:
            return {name: position[name] for name in chosen or () if name in position}
        return {**position, **dict([chosen] if chosen else [])}

    def show_places(self, places: Mapping[str, Place]) -> None:
        """Say where it is measured."""
        at = places_in_words(places)
        where = f"for all {', '.join(places)}" if self.shared else "applied everywhere"
        where = "nowhere else" if self._only else where
        self.told.setText(f"Measured at {at}, {where}" if at else "")
        self.told.setVisible(bool(at))
