"""Many frames in, one good image out: registration, clipping, averaging and focus stacking."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from napari_stack import layers, samples
    from napari_stack.core.axis import Axis
    from napari_stack.core.errors import UserError
    from napari_stack.core.hyperstack import Hyperstack
    from napari_stack.core.stack import Stack
    from napari_stack.engine.run import Cancelled, Run
    from napari_stack.files import read, write
    from napari_stack.operators import (
        Auto,
        Bleaching,
        Box,
        ByFactor,
        Clipped,
        Constant,
        DepthMap,
        Features,
        FlatField,
        Focused,
        Fourier,
        Gains,
        HotPixels,
        Imreg_dft,
        Intensity,
        Percentile,
        Phase,
        Polynomial,
        Pyramid,
        ReplicateBlurred,
        Sigmoid,
        ToFit,
        ToSize,
        Transforms,
        Vignetting,
        WeightedMean,
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
        denoise,
        find_hot_pixels,
        focus_slabs,
        focus_stack,
        measure_bleaching,
        measure_flat_field,
        measure_gains,
        measure_transforms,
        measure_vignetting,
        moving_average,
        register,
        repair_hot_pixels,
        sharpen,
        sigma_clip,
        transform_frames,
        write_hot_pixels,
    )
    from napari_stack.recipe import Recipe, Step

# The modules that public names live in; "" for those that are modules themselves. A module is
# imported when a name of it is first asked for, so that `import napari_stack` costs no more than
# reading this page.
_NAMES = {
    "": "layers samples",
    "files": "read write",
    "core.hyperstack": "Hyperstack",
    "operators": """
        Bleaching Clipped Constant Features
        FlatField Focused Fourier Gains
        HotPixels Imreg_dft Intensity Phase
        Polynomial Pyramid ReplicateBlurred Sigmoid
        Transforms Vignetting apply_bleaching apply_flat_field
        apply_gains apply_hot_pixels apply_transforms apply_vignetting
        balance combine correct_bleaching correct_flat_field
        correct_vignetting find_hot_pixels focus_stack measure_bleaching
        measure_flat_field measure_gains measure_transforms measure_vignetting
        Percentile WeightedMean moving_average register
        repair_hot_pixels sigma_clip write_hot_pixels
        Auto Box ByFactor DepthMap ToFit ToSize transform_frames
        denoise sharpen
        focus_slabs
    """,
    "recipe": "Recipe Step",
    "engine.run": "Cancelled Run",
    "core.axis": "Axis",
    "core.errors": "UserError",
    "core.stack": "Stack",
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}

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
