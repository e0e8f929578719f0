"""Many frames in, one good image out: registration, clipping, averaging and focus stacking."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from napari_stack import layers, samples
    from napari_stack.files import read, write
    from napari_stack.hyperstack import Hyperstack
    from napari_stack.operators import (
        Clipped,
        Features,
        Focused,
        Intensity,
        Percentile,
        Pyramid,
        Transforms,
        WeightedMean,
        apply_transforms,
        combine,
        focus_stack,
        measure_transforms,
        moving_average,
        register,
        sigma_clip,
    )
    from napari_stack.recipe import Recipe, Step
    from napari_stack.run import Cancelled, Run
    from napari_stack.sources import Axis
    from napari_stack.stack import Stack

# Public name -> module it lives in; "" for a module of that name. Imported when first asked for,
# so that `import napari_stack` costs no more than reading this page.
_HOMES = {
    "layers": "", "samples": "",
    "read": "files", "write": "files",
    "Clipped": "operators", "Features": "operators", "Focused": "operators",
    "Intensity": "operators", "Percentile": "operators", "WeightedMean": "operators",
    "Pyramid": "operators", "Transforms": "operators",
    "apply_transforms": "operators", "combine": "operators", "focus_stack": "operators",
    "measure_transforms": "operators", "moving_average": "operators",
    "register": "operators", "sigma_clip": "operators",
    "Recipe": "recipe", "Step": "recipe",
    "Cancelled": "run", "Run": "run",
    "Axis": "sources", "Hyperstack": "hyperstack", "Stack": "stack",
}  # fmt: skip

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'napari_stack' has no attribute {name!r}")
    if not (home := _HOMES[name]):
        return import_module(f"napari_stack.{name}")
    value = getattr(import_module(f"napari_stack.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
