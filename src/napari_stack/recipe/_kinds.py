"""What the values of a step must be, by key, and how errors describe it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.core.sources.combined_sources import PROJECTIONS, is_place


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _are_names(value: Any) -> bool:
    sequence = isinstance(value, Sequence) and not isinstance(value, str)
    return sequence and all(isinstance(name, str) for name in value)


def _is_position(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and is_place(at) for name, at in value.items()
    )


#: What a value must be: the test, and its description in errors.
_Kind = tuple[Callable[[Any], bool], str]

_TEXT: _Kind = (_is_text, "a text")
_NUMBER: _Kind = (_is_number, "a whole number")

_BOOL: _Kind = (lambda value: isinstance(value, bool), "True or False")
_RATE: _Kind = (lambda value: _is_number(value) or isinstance(value, float), "a number")

#: Kinds of the values of a step, by key.
KINDS: dict[str, _Kind] = {
    "operator": _TEXT,
    "name": _TEXT,
    "input": _TEXT,
    "axis": _TEXT,
    "save": _TEXT,
    "transforms": _TEXT,
    "options": (_is_mapping, "values by name, such as {'sigma': 3.0}"),
    "layers": (_are_names, "a list of names of steps"),
    "writing": (_is_mapping, "values by name, as {'quality': 90}"),
    "measure_at": (
        _is_position,
        f"whole numbers, {' or '.join(map(repr, PROJECTIONS))} by axis, as {{'c': 1}}",
    ),
    "measure_each": _BOOL,
}

#: Kinds of the values of `writing`.
_WRITING: dict[str, _Kind] = {
    "compression": _TEXT,
    "level": _NUMBER,
    "quality": _NUMBER,
    "levels": _NUMBER,
    "fps": _RATE,
    "time_stamp": _BOOL,
    "scale_bar": _BOOL,
    "exif_from": _TEXT,
    "names": _TEXT,
}


def check_kinds(values: Mapping[str, Any]) -> None:
    """Refuse a value of a step that is of another kind, in a sentence that names its key."""
    for key, (fits, words) in KINDS.items():
        if key in values and not fits(values[key]):
            raise UserError(f"{key} must be {words}, got {values[key]!r}")
    for key, value in values.get("writing", {}).items():
        if key not in _WRITING:
            raise UserError(f"writing has no {key!r}; it takes {', '.join(_WRITING)}")
        fits, words = _WRITING[key]
        if not fits(value):
            raise UserError(f"writing: {key} must be {words}, got {value!r}")
