"""The sample data that the manifest names: synthetic frames, of which the truth is known."""

from typing import Any

import numpy as np
from napari.layers import Image

from napari_stack import samples
from napari_stack.sources import Axis
from napari_stack.stack import Stack

_PIXEL = (Axis("y", 0.25, "micrometer"), Axis("x", 0.25, "micrometer"))
_TIME, _DEPTH = Axis("t", 10.0, "second"), Axis("z", 2.0, "micrometer")


def drifting_cells() -> list[Any]:
    """Make cells that drift, turn and grow, to be registered."""
    stack, _ = samples.drifting_cells()
    return [_layer(stack, (_TIME, *_PIXEL), "drifting cells")]


def cosmic_rays() -> list[Any]:
    """Make noisy frames of resting cells with tracks of cosmic rays, to be clipped."""
    stack, _ = samples.cosmic_rays()
    return [_layer(stack, (_TIME, *_PIXEL), "cosmic rays")]


def focus_series() -> list[Any]:
    """Make frames focused at different depths, to be fused."""
    stack, _ = samples.focus_series()
    return [_layer(stack, (_DEPTH, *_PIXEL), "focus series")]


def hyperstack() -> list[Any]:
    """Make times, channels and slices: it drifts along t, and z is a focus series."""
    stack, _ = samples.hyperstack()
    return [_layer(stack, stack.axes, "drifting focus series")]


def _layer(stack: Any, axes: tuple[Axis, ...], name: str) -> Any:
    data = np.asarray(stack)
    limits = (0, 255) if data.dtype == np.uint8 else (0, int(data.max()))
    layer = Image(
        data,
        name=name,
        rgb=isinstance(stack, Stack) and stack.rgb,
        multiscale=False,
        contrast_limits=limits,
        scale=[axis.step for axis in axes],
        units=[axis.unit for axis in axes],
        axis_labels=[axis.name for axis in axes],
    )
    return layer.as_layer_data_tuple()
