"""The operators: plain functions of a stack. This page is their catalogue."""

from collections.abc import Callable
from typing import Any

from napari_stack.operators.combine import Clipped, combine, sigma_clip
from napari_stack.operators.focus import Focused, Pyramid, focus_stack
from napari_stack.operators.geometry import (
    Constant,
    ReplicateBlurred,
    Warp,
    apply_transforms,
)
from napari_stack.operators.registration import measure_transforms, register
from napari_stack.operators.registration_methods import (
    Features,
    Fourier,
    Imreg_dft,
    Intensity,
    Phase,
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
    "Constant",
    "Features",
    "Focused",
    "Fourier",
    "Imreg_dft",
    "Intensity",
    "Phase",
    "Pyramid",
    "ReplicateBlurred",
    "Transforms",
    "Warp",
    "apply_transforms",
    "combine",
    "focus_stack",
    "measure_transforms",
    "register",
    "sigma_clip",
]
