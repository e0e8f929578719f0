"""Many frames in, one good image out: registration, clipping, averaging and focus stacking."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from napari_stack import layers, samples
    from napari_stack.files import read, write
    from napari_stack.hyperstack import Hyperstack
    from napari_stack.operators import (
        Bleaching,
        Clipped,
        Features,
        FlatField,
        Focused,
        Gains,
        HotPixels,
        Intensity,
        Polynomial,
        Pyramid,
        Sigmoid,
        Transforms,
        Vignetting,
        apply_bleaching,
        apply_flat_field,
        apply_gains,
        apply_hot_pixels,
        apply_transforms,
        apply_vignetting,
        balance,
        combine,
        correct_bleaching,
        correct_flat_field,
        correct_vignetting,
        find_hot_pixels,
        focus_stack,
        measure_bleaching,
        measure_flat_field,
        measure_gains,
        measure_transforms,
        measure_vignetting,
        register,
        repair_hot_pixels,
        sigma_clip,
        write_hot_pixels,
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
    "Bleaching": "operators", "Clipped": "operators", "Features": "operators",
    "FlatField": "operators", "Focused": "operators", "Gains": "operators",
    "HotPixels": "operators", "Intensity": "operators", "Polynomial": "operators",
    "Pyramid": "operators", "Sigmoid": "operators", "Transforms": "operators",
    "Vignetting": "operators", "apply_bleaching": "operators", "apply_flat_field": "operators",
    "apply_gains": "operators", "apply_hot_pixels": "operators", "apply_transforms": "operators",
    "apply_vignetting": "operators", "balance": "operators", "combine": "operators",
    "correct_bleaching": "operators", "correct_flat_field": "operators",
    "correct_vignetting": "operators", "find_hot_pixels": "operators", "focus_stack": "operators",
    "measure_bleaching": "operators", "measure_flat_field": "operators",
    "measure_gains": "operators", "measure_transforms": "operators",
    "measure_vignetting": "operators", "register": "operators", "repair_hot_pixels": "operators",
    "sigma_clip": "operators", "write_hot_pixels": "operators",
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
