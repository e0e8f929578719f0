"""`OptionsForm`: rows of input widgets for the options of an operator, or of a method."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from napari.layers import Layer
from psygnal import Signal
from qtpy.QtWidgets import QLabel

from napari_stack._widgets.parts.layout import INDENT, Rows
from napari_stack._widgets.parts.options.fields import ImageField, Layers, field_of
from napari_stack._widgets.parts.options.inputs import NumberInput
from napari_stack.core.counts_with import counting
from napari_stack.core.errors import UserError
from napari_stack.core.options import Option, check, method_name, method_options, options_of
from napari_stack.core.options_json import same_value
from napari_stack.layers.picked.point_layers import PointLayers

#: What operators do without an image, where that is more than nothing.
_WITHOUT = {
    ("correct_flat_field", "flat"): "from the frames",
    ("repair_hot_pixels", "mask"): "find in the frames",
    ("register", "region"): "whole frame",
}

#: Labels, where the name of an option is not a word for everybody.
_TITLES = {
    "dtype": "Pixel type",
    "rgb": "Colours",
    "intensity_min": "Least intensity",
    "intensity_max": "Greatest intensity",
    "max_correction": "Share of the correction",
    "pixfrac": "Drop size",
    "bayer": "Colour mosaic",
    "by": "Judged by",
    "moving_average": "Averaged over",
    "fill": "Fill gaps up to",
}

#: What a number says at the lower end of its range.
_LOWEST = {
    "intensity_max": "no limit",
    "sigma_low": "as sigma",
    "sigma_high": "as sigma",
    "denoise": "off",
    "sharpen": "off",
}

#: Units, shorter.
_UNITS = {"degrees": "\N{DEGREE SIGN}", "% of the longer side": "%"}

#: Bounds that stand for none are not told.
_ENDLESS = 1e5


class Panels(Mapping[str, "OptionsForm"]):
    """The options of methods by the name of the method, each built when it is first needed.

    Parameters
    ----------
    names : iterable of str
    build : callable
        Builds the one of a name.
    """

    def __init__(self, names: Iterable[str], build: "Callable[[str], OptionsForm]") -> None:
        self._names, self._build = tuple(names), build
        self.built: dict[str, OptionsForm] = {}

    def __getitem__(self, name: str) -> "OptionsForm":
        if name not in self._names:
            raise KeyError(name)
        if name not in self.built:
            self.built[name] = self._build(name)
        return self.built[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class OptionsForm:
    """Rows of options; the options of a chosen method stand below it.

    Options that do not count with what is chosen are hidden, and left out; see `CountsWith`.

    Parameters
    ----------
    owner : callable
        An operator, or a method's options class.
    layers : callable
        Gives the layers that can stand for an image.
    names : sequence of str, optional
        The options to show, in this order; by default all.
    panels : bool
        Whether options of methods are in view; those that were set count in any case.
    """

    changed = Signal()

    def __init__(
        self, owner: Callable[..., Any], layers: Layers, names: Any = None, *, panels: bool = True
    ) -> None:
        options = options_of(owner)
        self.owner, self._panels_in_view = owner, panels
        self.options = {name: options[name] for name in (options if names is None else names)}
        self.fields: dict[str, Any] = {}
        self.panels: dict[str, Panels] = {}
        self.labels: list[QLabel] = []
        self.native = Rows()
        self._elsewhere: Mapping[str, Any] = {}
        self.hidden: set[str] = set()
        for option in self.options.values():
            self._add(option, layers)
        self._show_counting()

    def _add(self, option: Option, layers: Layers) -> None:
        field = self.fields[option.name] = field_of(option, layers)
        if isinstance(field, ImageField):
            field.without = _WITHOUT.get((self.owner.__name__, option.name), field.without)
            field.reset_choices()
        if isinstance(field, NumberInput):
            field.native.setSpecialValueText(_LOWEST.get(option.name, ""))
        self.labels.append(self.native.add(_title(option), field.native, _help(option)))
        if option.methods:
            self._add_panels(option, layers)
        field.changed.connect(lambda *_: self._update(option.name))

    def _add_panels(self, option: Option, layers: Layers) -> None:
        def build(method: str) -> OptionsForm:
            panel = OptionsForm(option.methods[method], layers)
            panel.native.form.setContentsMargins(INDENT, 0, 0, 0)
            panel.changed.connect(self.changed.emit)
            row, _ = self.native.form.getWidgetPosition(self.fields[option.name].native)
            panel.native.hide()
            self.native.form.insertRow(row + 1, panel.native)
            if widest := max((label.minimumWidth() for label in self.labels), default=0):
                for label in panel.labels:
                    label.setMinimumWidth(widest - INDENT)
            return panel

        self.panels[option.name] = Panels(option.methods, build)
        self._show_panel(option.name)

    def _update(self, name: str) -> None:
        if name in self.panels:
            self._show_panel(name)
        self._mark(name)
        self._show_counting()
        self.changed.emit()

    def count_with(self, values: Mapping[str, Any]) -> None:
        """Follow options of the same owner that are chosen elsewhere."""
        self._elsewhere = values
        self._show_counting()

    def _show_counting(self) -> None:
        values = {**self._elsewhere, **self.all_values()}
        hidden = set(self.options) - counting(options_of(self.owner), values)
        for name in hidden ^ self.hidden:
            label = self.labels[list(self.options).index(name)]
            for part in (label, self.fields[name].native):
                part.setVisible(name not in hidden)
        self.hidden = hidden

    def _mark(self, name: str) -> None:
        """Set the label of an option in italics while it is not at its default."""
        label = self.labels[list(self.options).index(name)]
        font = label.font()
        font.setItalic(not same_value(self._value(name), self.options[name].default))
        label.setFont(font)

    def _show_panel(self, name: str) -> None:
        panels, chosen = self.panels[name], self.fields[name].value
        shown = self._panels_in_view and isinstance(chosen, str) and chosen in panels
        for panel in panels.built.values():
            panel.native.setVisible(shown and panel is panels.built.get(chosen))
        if shown:
            panels[chosen].native.show()

    def values(self) -> dict[str, Any]:
        """Return the options that count and are not at their default."""
        values = {n: v for n, v in self.all_values().items() if n not in self.hidden}
        defaults = {name: option.default for name, option in self.options.items()}
        return {n: v for n, v in values.items() if not same_value(v, defaults[n])}

    def all_values(self) -> dict[str, Any]:
        """Return all options."""
        return {name: self._value(name) for name in self.options}

    def refuse_incomplete(self) -> None:
        """Refuse an input that waits for one more choice.

        Raises
        ------
        ValueError
            When an image shall be a file, but none was chosen.
        """
        for name, field in self.fields.items():
            if isinstance(field, ImageField) and field.incomplete:
                raise UserError(f"choose a file for {_title(self.options[name])}")

    def _value(self, name: str) -> Any:
        value = self.fields[name].value
        panels = self.panels.get(name)
        panel = panels.built.get(value) if panels and isinstance(value, str) else None
        if panel is None or not (own := panel.values()):
            return value
        return self.options[name].methods[value](**own)

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Set some options.

        Raises
        ------
        ValueError
            For a value out of range: the sentence of the operator itself.
        """
        check(
            self.owner, {n: v for n, v in values.items() if not isinstance(v, Layer | PointLayers)}
        )
        for name, value in values.items():
            self._set(self.options[name], value)

    def _set(self, option: Option, value: Any) -> None:
        if option.methods:
            for panel in self.panels[option.name].built.values():
                panel.reset()
            chosen = method_options(option, value)
            if type(chosen) in option.methods.values():
                value = method_name(type(chosen))
                if value in self.panels[option.name].built or chosen != type(chosen)():
                    self.panels[option.name][value].set_values(vars(chosen))
        self.fields[option.name].value = value

    def reset(self) -> None:
        """Set all options to their defaults."""
        for option in self.options.values():
            self._set(option, option.default)

    def reset_choices(self) -> None:
        """Follow the layers of the viewer."""
        for field in self.fields.values():
            if isinstance(field, ImageField):
                field.reset_choices()

    def panel_labels(self) -> list[QLabel]:
        """Return the labels of the options of methods."""
        return [
            label for group in self.panels.values() for panel in group.built.values()
            for label in panel.labels
        ]  # fmt: skip


def _help(option: Option) -> str:
    """Return what an option does, with its range unless that is no limit."""
    bounds = option.bounds
    return option.text if bounds and bounds.max >= _ENDLESS else option.text_with_range


def _title(option: Option) -> str:
    unit = option.bounds.unit if option.bounds else ""
    words = _TITLES.get(option.name, option.name.replace("_", " ").capitalize())
    told = not unit or unit in option.name.split("_")
    return words if told else f"{words} ({_UNITS.get(unit, unit)})"
