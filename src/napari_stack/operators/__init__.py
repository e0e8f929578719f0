"""The operators: plain functions of a stack. This page is their catalogue."""

from collections.abc import Callable
from typing import Any

from napari_stack.core.hyperstack import PREFERRED_AXIS
from napari_stack.operators.combine.combine import Percentile, WeightedMean, combine
from napari_stack.operators.combine.moving_average import moving_average
from napari_stack.operators.combine.sigma_clip import Clipped, sigma_clip
from napari_stack.operators.corrections.balance import Gains, apply_gains, balance, measure_gains
from napari_stack.operators.corrections.bleaching import (
    Bleaching,
    apply_bleaching,
    correct_bleaching,
    measure_bleaching,
)
from napari_stack.operators.corrections.flat_field import (
    FlatField,
    apply_flat_field,
    correct_flat_field,
    measure_flat_field,
)
from napari_stack.operators.corrections.hot_pixels import (
    HotPixels,
    apply_hot_pixels,
    find_hot_pixels,
    repair_hot_pixels,
    write_hot_pixels,
)
from napari_stack.operators.corrections.vignetting import (
    Polynomial,
    Sigmoid,
    apply_vignetting,
    correct_vignetting,
    measure_vignetting,
)
from napari_stack.operators.corrections.vignetting_value import Vignetting
from napari_stack.operators.filters.denoise_sharpen import Denoise, Sharpen, denoise, sharpen
from napari_stack.operators.focus.focus_stack import Auto, DepthMap, Focused, Pyramid, focus_stack
from napari_stack.operators.focus.slabs import focus_slabs
from napari_stack.operators.geometry.transform_frames import (
    Box,
    ByFactor,
    Resample,
    ToFit,
    ToSize,
    transform_frames,
)
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.geometry.warp import (
    Constant,
    ReplicateBlurred,
    Warp,
    apply_transforms,
)
from napari_stack.operators.precompile import warm
from napari_stack.operators.registration.methods import (
    Features,
    Fourier,
    Imreg_dft,
    Intensity,
    Phase,
)
from napari_stack.operators.registration.register import measure_transforms, register

#: Operators that have a dock, a command and a name in recipes.
CATALOGUE: dict[str, Callable[..., Any]] = {
    "register": register,
    "balance": balance,
    "correct_vignetting": correct_vignetting,
    "correct_flat_field": correct_flat_field,
    "correct_bleaching": correct_bleaching,
    "find_hot_pixels": find_hot_pixels,
    "repair_hot_pixels": repair_hot_pixels,
    "combine": combine,
    "sigma_clip": sigma_clip,
    "moving_average": moving_average,
    "focus_stack": focus_stack,
    "denoise": denoise,
    "sharpen": sharpen,
    "focus_slabs": focus_slabs,
    "transform_frames": transform_frames,
}

#: Operators that measure nothing: what they make of frames is known without reading one, and they
#: take a single frame as well.
UNMEASURED = ("transform_frames", "focus_slabs")

__all__ = [
    "CATALOGUE",
    "PREFERRED_AXIS",
    "UNMEASURED",
    "Auto",
    "Bleaching",
    "Box",
    "ByFactor",
    "Clipped",
    "Constant",
    "Denoise",
    "DepthMap",
    "Features",
    "FlatField",
    "Focused",
    "Fourier",
    "Gains",
    "HotPixels",
    "Imreg_dft",
    "Intensity",
    "Percentile",
    "Phase",
    "Polynomial",
    "Pyramid",
    "ReplicateBlurred",
    "Resample",
    "Sharpen",
    "Sigmoid",
    "ToFit",
    "ToSize",
    "Transforms",
    "Vignetting",
    "Warp",
    "WeightedMean",
    "apply_bleaching",
    "apply_flat_field",
    "apply_gains",
    "apply_hot_pixels",
    "apply_transforms",
    "apply_vignetting",
    "balance",
    "combine",
    "correct_bleaching",
    "correct_flat_field",
    "correct_vignetting",
    "denoise",
    "find_hot_pixels",
    "focus_slabs",
    "focus_stack",
    "measure_bleaching",
    "measure_flat_field",
    "measure_gains",
    "measure_transforms",
    "measure_vignetting",
    "moving_average",
    "register",
    "repair_hot_pixels",
    "sharpen",
    "sigma_clip",
    "transform_frames",
    "warm",
    "write_hot_pixels",
]
