"""`Checklist`: the steps of a draft to tick, each with the options that matter most."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import ref

import numpy as np
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QWidget

from napari_stack._widgets.parts.assistant.words import shown_options, title_of
from napari_stack._widgets.parts.layout import (
    INDENT,
    align_labels,
    below,
    beside,
    button,
    paragraph,
    tooltip,
)
from napari_stack._widgets.parts.options.fields import Layers
from napari_stack._widgets.parts.options.form import OptionsForm
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack._widgets.parts.steps import plain_value
from napari_stack.recipe import Step
from napari_stack.recipe.draft import Draft


class StepRow(QWidget):
    """A step: its tick, why it is on or off, its main options, and a link to all of them.

    Parameters
    ----------
    step : Step
    on : bool
    why : str
    layers : callable
        Gives the layers that can stand for an image.
    """

    switched = Signal(bool)
    edited = Signal(object)
    linked = Signal()

    def __init__(self, step: Step, on: bool, why: str, layers: Layers) -> None:
        super().__init__()
        self.step = step
        self.tick = QCheckBox(title_of(step))
        self.tick.setToolTip(tooltip(step.entry.summary))
        self.tick.setChecked(on)
        self.more = button(
            "...", "Open the dock of this step, which has all options.", self.linked.emit
        )
        self.more.setFlat(True)
        self.more.setFixedWidth(28)
        self.why = paragraph(why[:1].upper() + why[1:])
        self.why.setContentsMargins(INDENT, 0, 0, 0)
        shown = shown_options(step.operator)
        self.form = OptionsForm(step.function, layers, shown, panels=False)
        self.form.native.form.setContentsMargins(INDENT, 0, 0, 0)
        known = {n: v for n, v in step.options.items() if n in self.form.options}
        self.form.set_values(known)
        self.form.count_with(step.options)
        top = beside(self.tick, self.more)
        top.setStretch(0, 1)
        self.setLayout(below(top, self.why, self.form.native))
        self.tick.toggled.connect(self._switched)
        self.form.changed.connect(self._edited)
        self._show(on)

    def show_step(self, step: Step) -> None:
        """Show the step with other options."""
        self.step = step
        with QSignalBlocker(self):
            self.form.reset()
            self.form.set_values({n: v for n, v in step.options.items() if n in self.form.options})
            self.form.count_with(step.options)

    def _switched(self, on: bool) -> None:
        self._show(on)
        self.switched.emit(on)

    def _show(self, on: bool) -> None:
        self.form.native.setVisible(on and bool(self.form.options))
        self.why.setVisible(bool(self.why.text()))

    def _edited(self) -> None:
        shown = {name: plain_value(value) for name, value in self.form.values().items()}
        rest = {n: v for n, v in self.step.options.items() if n not in self.form.options}
        self.edited.emit({**rest, **shown})


class Checklist(QWidget):
    """Shows a `Draft` and changes it.

    Parameters
    ----------
    layers : callable
        Gives the layers that can stand for an image.
    """

    changed = Signal()
    linked = Signal(int)
    refused = Signal(str)

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        self.draft = Draft()
        self.rows: list[StepRow] = []
        self._layers = layers
        self._column = below()
        self._column.setSpacing(8)
        self.setLayout(self._column)

    def show_draft(self, draft: Draft, whys: Sequence[str] = ()) -> None:
        """Show other steps, with why each is on or off."""
        for row in self.rows:
            self._column.removeWidget(row)
            row.setParent(None)
            row.deleteLater()
        self.draft = draft
        reasons = [*whys, *[""] * (len(draft.steps) - len(whys))]
        self.rows = [
            StepRow(step, on, why, self._layers)
            for step, on, why in zip(draft.steps, draft.on, reasons, strict=True)
        ]
        for number, row in enumerate(self.rows):
            self._column.addWidget(row)
            row.switched.connect(partial(self._switched, number))
            row.edited.connect(partial(self._edited, number))
            row.linked.connect(partial(self._linked, number))
        self.align()
        self.changed.emit()

    def mend(self, operator: str, options: Mapping[str, Any]) -> None:
        """Set options of the step of an operator."""
        for number, step in enumerate(self.draft.steps):
            if step.operator == operator:
                self._set(number, {**step.options, **options})
                return

    def _set(self, number: int, options: Mapping[str, Any]) -> None:
        self.draft = self.draft.with_options(number, options)
        self.rows[number].show_step(self.draft.steps[number])
        self.changed.emit()

    def keeper(self, number: int) -> Callable[[Mapping[str, Any]], bool]:
        """Return what takes other options for a step, as long as it is here."""
        row = ref(self.rows[number])

        def keep(options: Mapping[str, Any]) -> bool:
            shown = row()
            if shown is None or shown not in self.rows:
                return False
            plain = {name: plain_value(value) for name, value in options.items()}
            # No dock can show an array that was given by a script.
            given = {n: v for n, v in shown.step.options.items() if isinstance(v, np.ndarray)}
            self._set(self.rows.index(shown), {**given, **plain})
            return True

        return keep

    def align(self) -> None:
        """Give the labels of all steps one column."""
        labels: list[QLabel] = [label for row in self.rows for label in row.form.labels]
        panels = [label for row in self.rows for label in row.form.panel_labels()]
        if labels:
            align_labels(labels, panels)

    def reset_choices(self) -> None:
        """Follow the layers that can stand for an image."""
        for row in self.rows:
            row.form.reset_choices()

    def _switched(self, number: int, on: bool) -> None:
        self.draft = self.draft.switched(number, on)
        self.changed.emit()

    def _edited(self, number: int, options: Any) -> None:
        with errors_shown(self.refused.emit):
            self.draft = self.draft.with_options(number, options)
            self.rows[number].step = self.draft.steps[number]
            self.changed.emit()

    def _linked(self, number: int) -> None:
        self.linked.emit(number)
