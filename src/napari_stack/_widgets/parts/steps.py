"""`StepsPanel`: the steps of a recipe as a list to tick, and the options of the one chosen."""

from typing import Any

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QWidget

from napari_stack._widgets.parts.layout import align_labels, below, is_checked, set_checked, tooltip
from napari_stack._widgets.parts.options.fields import Layers
from napari_stack._widgets.parts.options.form import OptionsForm
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack.core.errors import UserError
from napari_stack.layers.compat import full_resolution
from napari_stack.recipe import Recipe
from napari_stack.recipe.describe import describe
from napari_stack.recipe.draft import Draft

#: Steps in view before the list scrolls.
_MOST_IN_VIEW = 5


class StepsPanel(QWidget):
    """Shows a `Draft` and changes it.

    Parameters
    ----------
    layers : callable
        Gives the layers that can stand for an image.
    """

    resized = Signal()
    refused = Signal(str)

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        self.draft = Draft()
        self.form: OptionsForm | None = None
        self._layers = layers
        self.list = QListWidget()
        self.list.setToolTip(
            tooltip("A step that is not ticked is left out. Click on one to see its options.")
        )
        self._column = below(self.list)
        self.setLayout(self._column)
        self._fit()
        self.list.currentRowChanged.connect(self._show_options)
        self.list.itemChanged.connect(self._ticked)

    def show_draft(self, draft: Draft) -> None:
        """Show other steps."""
        self.draft = draft
        with QSignalBlocker(self.list):
            self.list.clear()
            for step, on in zip(draft.steps, draft.on, strict=True):
                item = QListWidgetItem(describe(step))
                item.setToolTip(tooltip(describe(step)))
                set_checked(item, on)
                self.list.addItem(item)
            self.list.setCurrentRow(len(draft.steps) - 1)
        self._fit()
        self._show_options(len(draft.steps) - 1)

    def _fit(self) -> None:
        rows = min(max(self.list.count(), 2), _MOST_IN_VIEW)
        height = max(self.list.sizeHintForRow(0), 24) + 2
        self.list.setFixedHeight(rows * height + 2 * self.list.frameWidth() + 4)

    def recipe(self) -> Recipe:
        """Return the recipe of the steps that are ticked.

        Raises
        ------
        ValueError
            When there is none.
        """
        if not self.draft.steps:
            raise UserError("there are no steps: choose a layer, or load a recipe")
        return self.draft.recipe()

    def reset_choices(self) -> None:
        """Follow the layers that can stand for an image."""
        if self.form is not None:
            self.form.reset_choices()

    def _show_options(self, row: int) -> None:
        if self.form is not None:
            self._column.removeWidget(self.form.native)
            self.form.native.setParent(None)
            self.form.native.deleteLater()
            self.form = None
        if 0 <= row < len(self.draft.steps):
            step = self.draft.steps[row]
            self.form = OptionsForm(step.function, self._layers)
            self.form.set_values(step.options)
            self.form.changed.connect(self._edited)
            self._column.addWidget(self.form.native)
            if self.form.labels:
                align_labels(self.form.labels, self.form.panel_labels())
        self.resized.emit()

    def _edited(self) -> None:
        row = self.list.currentRow()
        with errors_shown(self.refused.emit):
            options = {name: plain_value(value) for name, value in self.form.values().items()}
            self.draft = self.draft.with_options(row, options)
            with QSignalBlocker(self.list):
                self.list.item(row).setText(describe(self.draft.steps[row]))
            self.resized.emit()

    def _ticked(self, item: QListWidgetItem) -> None:
        self.draft = self.draft.switched(self.list.row(item), is_checked(item))


def plain_value(value: Any) -> Any:
    """Take the pixels of a layer given as an option.

    Raises
    ------
    ValueError
        When they would have to be computed.
    """
    if not isinstance(value, Layer):
        return value
    data = full_resolution(value)
    if not isinstance(data, np.ndarray):
        raise UserError(f"{value.name!r} is not in memory: save it, and give the file")
    return data
