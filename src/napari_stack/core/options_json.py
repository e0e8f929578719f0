"""Options as JSON types and back."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.core.options import Option, check, method_name, options_of
from napari_stack.core.point_pairs import PointPairs
from napari_stack.core.strokes import Strokes


def options_to_json(owner: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Write options as plain data (JSON types), leaving out those at their default.

    Raises
    ------
    ValueError
        When an image is given as an array: plain data can only name a file.
    """
    options = options_of(owner)
    return {
        name: _to_json(options[name], value)
        for name, value in values.items()
        if not same_value(value, options[name].default)
    }


def same_value(value: Any, default: Any) -> bool:
    """Tell whether a value is a default, and of its type: 1 is not True, and 2 not 2.0."""
    return value is default or (type(value) is type(default) and bool(np.all(value == default)))


def _to_json(option: Option, value: Any) -> Any:
    if option.kind is PointPairs and not isinstance(value, str | Path):
        return PointPairs.of(value).to_json()
    if option.kind is Strokes and not isinstance(value, str | Path):
        return Strokes.of(value).to_json()
    if isinstance(value, np.ndarray):
        raise UserError(
            f"{option.name} is an array, which a recipe cannot hold: save it to a file and give "
            "its path"
        )
    if type(value) in option.methods.values():
        return {"name": method_name(type(value)), **options_to_json(type(value), vars(value))}
    if isinstance(value, Path):
        return value.as_posix()
    return value.item() if isinstance(value, np.generic) else value


def options_from_json(owner: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Read options from plain data; the inverse of `options_to_json`.

    Raises
    ------
    ValueError
        For an unknown option or a value out of range.
    """
    options = options_of(owner)
    result = {n: _from_json(options[n], v) if n in options else v for n, v in values.items()}
    check(owner, result)
    return result


def _from_json(option: Option, value: Any) -> Any:
    if option.kind is Strokes and isinstance(value, Mapping | list):
        return value if option.validation_error(value) else Strokes.of(value)
    if not (isinstance(value, Mapping) and option.methods):
        return value
    rest = dict(value)
    name = rest.pop("name", "")
    method = option.methods.get(name) if isinstance(name, str) else None
    if method is None:
        return value
    return method(**options_from_json(method, rest))
