"""`field_of`: the input widget of an option; images, matched points and strokes among them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from magicgui.widgets import CheckBox, FileEdit, LineEdit
from napari.layers import Image, Labels, Layer, Points, Shapes
from psygnal import Signal

from napari_stack._widgets.parts.layout import below, holding, tooltip
from napari_stack._widgets.parts.options.inputs import (
    ChoiceOrNumber,
    LimitInput,
    NumberInput,
    choice,
)
from napari_stack.core.options import Option
from napari_stack.core.point_pairs import PointPairs
from napari_stack.core.strokes import Strokes
from napari_stack.core.system.home import at_home
from napari_stack.layers.picked.point_layers import PointLayers
from napari_stack.layers.provenance import is_preview

_NONE, _FILE, _GIVEN, _TWO = "none", "a file", "given", "two layers"

#: Options of this name are limits: at their greatest number they limit nothing.
_LIMIT = "largest_"

Layers = Callable[[], list[Any]]


def field_of(option: Option, layers: Layers) -> Any:
    """Make the input widget of an option.

    Parameters
    ----------
    option : Option
    layers : callable
        Gives the layers that can stand for an image.
    """
    if option.kind is np.ndarray:
        return ImageField(option, layers)
    if option.kind is PointPairs:
        return PairsField(option, layers)
    if option.kind is Strokes:
        return StrokesField(option, layers)
    if option.choices and option.kind in (int, float):
        return ChoiceOrNumber(option)
    if option.choices:
        return choice(option.choices, option.default)
    if option.name.startswith(_LIMIT) and option.bounds and option.default == option.bounds.max:
        return LimitInput(option)
    if option.kind in (int, float):
        return NumberInput(option)
    return {bool: CheckBox, str: LineEdit}[option.kind](value=option.default)


class ImageField:
    """An image: a layer, a file, or none."""

    changed = Signal(object)

    def __init__(self, option: Option, layers: Layers) -> None:
        self._layers = layers
        self._given: Any = None
        self._path: Any = None
        #: What happens without an image, in words.
        self.without = _NONE
        self._choice = choice(lambda _widget: self._choices())
        self._file = FileEdit(mode="r")
        self.native = holding(below(self._choice.native, *self._more(), self._file.native))
        self._choice.changed.connect(self._update)
        self._file.changed.connect(lambda: self.changed.emit(self.value))
        self.value = option.default
        self._update()

    def _more(self) -> list[Any]:
        """Return inputs that stand between the choice and the file."""
        return []

    def _choices(self) -> list[tuple[str, Any]]:
        given = [("an array", _GIVEN)] if self._given is not None else []
        layers = [(la.name, la) for la in self._layers() if not isinstance(la, Points)]
        return [(self.without, _NONE), *layers, (_FILE, _FILE), *given]

    def reset_choices(self) -> None:
        """Follow the layers of the viewer."""
        self._choice.reset_choices()

    def _update(self) -> None:
        self._file.native.setVisible(self._chosen(_FILE))
        self.changed.emit(self.value)

    def _chosen(self, entry: str) -> bool:
        return isinstance(self._choice.value, str) and self._choice.value == entry

    @property
    def incomplete(self) -> bool:
        """Whether it shall be a file, but none was chosen."""
        return self._chosen(_FILE) and not self._file.line_edit.value.strip()

    @property
    def value(self) -> Any:
        if self.incomplete:
            return None
        if self._chosen(_FILE):
            shown = self._file.value
            # The box makes paths absolute; one that was given otherwise stays as it was given.
            return self._path if shown == _absolute(self._path) else shown
        if self._chosen(_GIVEN):
            return self._given
        return None if self._chosen(_NONE) else self._choice.value

    @value.setter
    def value(self, value: Any) -> None:
        given = not (value is None or isinstance(value, str | Path | Layer))
        self._given = value if given else None
        self._choice.reset_choices()
        self._path = value if isinstance(value, str | Path) else None
        if self._path is not None:
            self._file.value = value
            self._choice.value = _FILE
        elif self._given is not None:
            self._choice.value = _GIVEN
        else:
            self._choice.value = _NONE if value is None else value


class PairsField(ImageField):
    """Pairs of points: two layers of points, a file, or none."""

    def _more(self) -> list[Any]:
        self._both = [choice(lambda _widget: self._points()) for _ in range(2)]
        for box, what in zip(self._both, ("on the reference", "on the frames"), strict=True):
            box.native.setToolTip(tooltip(f"The points {what}; pairs are in the same order."))
            box.changed.connect(lambda: self.changed.emit(self.value))
        return [box.native for box in self._both]

    def _points(self) -> list[tuple[str, Any]]:
        return [(layer.name, layer) for layer in self._layers() if isinstance(layer, Points)]

    def _choices(self) -> list[tuple[str, Any]]:
        given = [("as given", _GIVEN)] if self._given is not None else []
        two = [("two layers of points", _TWO)] if len(self._points()) > 1 else []
        return [(_NONE, _NONE), *two, (_FILE, _FILE), *given]

    def reset_choices(self) -> None:
        """Follow the layers of the viewer."""
        for box in self._both:
            box.reset_choices()
        super().reset_choices()

    def _update(self) -> None:
        for box in self._both:
            box.native.setVisible(self._chosen(_TWO))
        super()._update()

    @property
    def value(self) -> Any:
        if self._chosen(_TWO):
            return PointLayers(*(box.value for box in self._both))
        return super().value

    @value.setter
    def value(self, value: Any) -> None:
        two = isinstance(value, PointLayers)
        ImageField.value.fset(self, None if two else value)  # type: ignore[attr-defined]
        if two:
            self.reset_choices()
            for box, layer in zip(self._both, (value.reference, value.frames), strict=True):
                box.value = layer
            self._choice.value = _TWO


class StrokesField(ImageField):
    """Strokes: those that a retouched layer has, a file, or none."""

    def _choices(self) -> list[tuple[str, Any]]:
        from napari_stack.layers.retouch import strokes_of  # few docks need it

        layers = [(f"those of {la.name}", la) for la in self._layers() if strokes_of(la)]
        given = [("as given", _GIVEN)] if self._given is not None else []
        return [(_NONE, _NONE), *layers, (_FILE, _FILE), *given]

    @property
    def value(self) -> Any:
        from napari_stack.layers.retouch import strokes_of

        value = super().value
        return strokes_of(value) if isinstance(value, Layer) else value

    @value.setter
    def value(self, value: Any) -> None:
        ImageField.value.fset(self, value)  # type: ignore[attr-defined]


def may_be_a_mask(layer: Any) -> bool:
    """Whether a layer can stand for an image of one frame, or for points."""
    image = isinstance(layer, Image | Labels) and layer.ndim == 2
    return isinstance(layer, Shapes | Points) or (image and not is_preview(layer))


def _absolute(path: Any) -> Path:
    return at_home(path or "").absolute()
