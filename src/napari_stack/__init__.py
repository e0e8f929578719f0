"""Many frames in, one good image out: registration, clipping, averaging and focus stacking."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from napari_stack import layers, samples
    from napari_stack.core.axis import Axis
    from napari_stack.core.errors import UserError
    from napari_stack.core.hyperstack import Hyperstack
    from napari_stack.core.look import Look
    from napari_stack.core.stack import Stack
    from napari_stack.engine.run import Cancelled, Run
    from napari_stack.files import read, write
    from napari_stack.operators.public import *  # noqa: F403
    from napari_stack.recipe import Recipe, Step

# The modules that public names live in, those of operators left out, which their catalogue has. A
# module is imported when a name of it is first asked for, so that `import napari_stack` costs no
# more than reading this page.
_HOMES = {
    "Axis": "core.axis",
    "Cancelled": "engine.run",
    "Hyperstack": "core.hyperstack",
    "Look": "core.look",
    "Recipe": "recipe",
    "Run": "engine.run",
    "Stack": "core.stack",
    "Step": "recipe",
    "UserError": "core.errors",
    "read": "files",
    "write": "files",
}
_PUBLIC_MODULES = ("layers", "samples")
_OTHER_MODULES = ("cli", "core", "engine", "files", "operators", "recipe", "run", "stack")


def __getattr__(name: str) -> Any:
    if name in _PUBLIC_MODULES + _OTHER_MODULES:
        return import_module(f"napari_stack.{name}")
    if name in _HOMES:
        value = getattr(import_module(f"napari_stack.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    if name == "__all__" or not name.startswith("_"):
        operators = import_module("napari_stack.operators")
        if name == "__all__":
            return sorted({*_HOMES, *_PUBLIC_MODULES, *operators.__all__})
        if name in operators.CATALOGUE.own or name in operators.__all__:
            return getattr(operators, name)
    raise AttributeError(f"module 'napari_stack' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__getattr__("__all__")]
