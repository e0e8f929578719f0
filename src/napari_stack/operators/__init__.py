"""The operators: plain functions of a stack. This page is their catalogue."""

from collections.abc import Callable
from typing import Any

from napari_stack.operators.clipping import Clipped, sigma_clip
from napari_stack.operators.combine import Percentile, WeightedMean, combine
from napari_stack.operators.focus import Focused, Pyramid, focus_stack
from napari_stack.operators.geometry import Warp, apply_transforms
from napari_stack.operators.moving import moving_average
from napari_stack.operators.registration import (
    Features,
    Intensity,
    measure_transforms,
    register,
)
from napari_stack.operators.transforms import Transforms

#: Operators that have a dock, a command and a name in recipes.
CATALOGUE: dict[str, Callable[..., Any]] = {
    "register": register,
    "combine": combine,
    "sigma_clip": sigma_clip,
    "focus_stack": focus_stack,
}

#: Axis that an operator stacks where there is one of this name; else the first.
PREFERRED_AXIS = {"focus_stack": "z"}

__all__ = [
    "CATALOGUE",
    "PREFERRED_AXIS",
    "Clipped",
    "Features",
    "Focused",
    "Intensity",
    "Percentile",
    "Pyramid",
    "Transforms",
    "Warp",
    "WeightedMean",
    "apply_transforms",
    "combine",
    "focus_stack",
    "measure_transforms",
    "moving_average",
    "register",
    "sigma_clip",
]
