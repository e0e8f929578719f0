"""`LaterForm`: options whose input widgets are made when they are first needed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psygnal import Signal
from qtpy.QtWidgets import QLabel

from napari_stack._widgets.parts.layout import align_labels, below, holding
from napari_stack._widgets.parts.options.fields import Layers
from napari_stack._widgets.parts.options.form import OptionsForm, Panels
from napari_stack.core.options import options_of
from napari_stack.core.options_json import same_value


class LaterForm:
    """Stands for an `OptionsForm` until options are to be seen or set, or must follow layers.

    Most docks are opened, run and closed with the options that they have: to make all inputs
    took half of the time in which a dock opens.

    Parameters
    ----------
    owner, layers, names
        See `OptionsForm`.
    """

    changed = Signal()

    def __init__(self, owner: Callable[..., Any], layers: Layers, names: Sequence[str]) -> None:
        known = options_of(owner)
        self.options = {name: known[name] for name in names}
        self.native = holding(below())
        self._owner, self._layers = owner, layers
        self._form: OptionsForm | None = None
        self._elsewhere: Mapping[str, Any] = {}

    @property
    def form(self) -> OptionsForm:
        """The form, which is made now if there is none."""
        if self._form is None:
            self._form = OptionsForm(self._owner, self._layers, list(self.options))
            self._form.count_with(self._elsewhere)
            self.native.layout().addWidget(self._form.native)
            self._form.changed.connect(self.changed.emit)
            self.align()
        return self._form

    def count_with(self, values: Mapping[str, Any]) -> None:
        """Follow options that are chosen elsewhere; see `OptionsForm`."""
        self._elsewhere = values
        if self._form is not None:
            self._form.count_with(values)

    def make(self) -> None:
        """Make the form, which is about to be seen."""
        _ = self.form

    def align(self) -> None:
        """Give all labels one column."""
        if self._form is not None:
            align_labels(self._form.labels, self._form.panel_labels())

    @property
    def fields(self) -> dict[str, Any]:
        """The inputs."""
        return self.form.fields

    @property
    def labels(self) -> list[QLabel]:
        """The labels of the inputs."""
        return self.form.labels

    @property
    def panels(self) -> dict[str, Panels]:
        """The options of methods."""
        return self.form.panels

    def values(self) -> dict[str, Any]:
        """Return the options that are not at their default."""
        return {} if self._form is None else self._form.values()

    def all_values(self) -> dict[str, Any]:
        """Return all options."""
        if self._form is None:
            return {name: option.default for name, option in self.options.items()}
        return self._form.all_values()

    def refuse_incomplete(self) -> None:
        """Refuse an input that waits for one more choice; see `OptionsForm`."""
        if self._form is not None:
            self._form.refuse_incomplete()

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Set some options; see `OptionsForm`."""
        defaults = {name: option.default for name, option in self.options.items()}
        as_they_are = all(same_value(value, defaults[name]) for name, value in values.items())
        if self._form is not None or not as_they_are:
            self.form.set_values(values)

    def reset(self) -> None:
        """Set all options to their defaults."""
        if self._form is not None:
            self._form.reset()

    def reset_choices(self) -> None:
        """Follow the layers of the viewer."""
        if self._form is not None:
            self._form.reset_choices()
