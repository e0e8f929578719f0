"""Types of a kernel's arguments as text for JSON files, and back.

``"float32[2C]"`` is an array of two dimensions, in order C; with ``"!"`` it must not be written to.
A list is a tuple, ``{"module:Class": [...]}`` a named one.
"""

import re
from importlib import import_module
from typing import Any

from numba import types

_ARRAY = re.compile(r"(\w+)\[(\d)(\w)(!?)\]")


def written(kind: Any) -> Any:
    """Return a type of numba as JSON takes it.

    Raises
    ------
    TypeError
        For a type that no kernel has taken so far.
    """
    if isinstance(kind, types.Array):
        return f"{kind.dtype}[{kind.ndim}{kind.layout}{'' if kind.mutable else '!'}]"
    if isinstance(kind, types.BaseNamedTuple):
        named = kind.instance_class
        return {f"{named.__module__}:{named.__qualname__}": [written(part) for part in kind]}
    if isinstance(kind, types.BaseTuple):
        return [written(part) for part in kind]
    if isinstance(kind, types.Number | types.Boolean | types.NoneType):
        return str(kind)
    raise TypeError(f"{kind!r} cannot be written: add it to `signatures`")


def read(text: Any) -> Any:
    """Return the type that `written` has given."""
    if isinstance(text, list):
        return types.BaseTuple.from_types([read(part) for part in text])
    if isinstance(text, dict):
        ((name, parts),) = text.items()
        module, _, named = name.partition(":")
        return types.BaseTuple.from_types(
            [read(part) for part in parts], vars(import_module(module))[named]
        )
    if found := _ARRAY.fullmatch(text):
        dtype, dimensions, layout, fixed = found.groups()
        return types.Array(read(dtype), int(dimensions), layout, readonly=bool(fixed))
    return {"bool": types.boolean, "none": types.none}.get(text) or vars(types)[text]
