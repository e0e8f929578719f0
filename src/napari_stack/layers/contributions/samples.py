"""The sample data that the manifest names: synthetic frames, with their truth in the metadata."""

from typing import Any

import numpy as np
from napari.layers import Image

from napari_stack import samples
from napari_stack.core.axis import Axis
from napari_stack.core.stack import Stack
from napari_stack.layers.stacks.looks import layer_axes

_PIXEL = (Axis("y", 0.25, "micrometer"), Axis("x", 0.25, "micrometer"))
_TIME, _DEPTH = Axis("t", 10.0, "second"), Axis("z", 2.0, "micrometer")


def drifting_cells() -> list[Any]:
    """Make cells that drift, turn and grow, to be registered."""
    return [_layer(samples.drifting_cells(), "drifting cells")]


def cosmic_rays() -> list[Any]:
    """Make noisy frames of resting cells with tracks of cosmic rays, to be clipped."""
    return [_layer(samples.cosmic_rays(), "cosmic rays")]


def focus_series() -> list[Any]:
    """Make frames focused at different depths, to be fused."""
    return [_layer(samples.focus_series(), "focus series", _DEPTH)]


def hyperstack() -> list[Any]:
    """Make times, channels and slices: it drifts along t, and z is a focus series."""
    stack, truth = samples.hyperstack()
    return [_layer((stack, truth), "drifting focus series")]


def vignetted() -> list[Any]:
    """Make frames that are darker towards the corners, to be corrected."""
    return [_layer(samples.vignetted(shift=40.0), "vignetted cells")]


def shaded() -> list[Any]:
    """Make frames under uneven light, and recordings of a flat and a dark field."""
    stack, truth = samples.shaded()
    recorded = {name: truth[name] for name in ("flat", "dark")}
    images = [
        _shown(image, f"{name} field", _PIXEL, visible=False) for name, image in recorded.items()
    ]
    return [*images, _layer((stack, truth), "unevenly lit cells")]


def flickering() -> list[Any]:
    """Make frames of changing brightness, to be balanced."""
    return [_layer(samples.flickering(), "flickering cells")]


def bleaching() -> list[Any]:
    """Make frames whose light fades, to be made up for."""
    return [_layer(samples.bleaching(), "bleaching cells")]


def hot_pixels() -> list[Any]:
    """Make frames with defective pixels, to be found and repaired."""
    return [_layer(samples.hot_pixels(), "cells with hot pixels")]


def deforming() -> list[Any]:
    """Make frames of tissue that deforms, to be registered smoothly."""
    return [_layer(samples.deforming(), "deforming cells")]


def scanned() -> list[Any]:
    """Make scans whose rows wander, to be registered row by row."""
    return [_layer(samples.scanned(), "scanned cells")]


def sinking_volume() -> list[Any]:
    """Make volumes of spots that drift along x, y and z, to be registered in three dimensions."""
    return [_layer(samples.sinking_volume(), "sinking spots")]


def wobbling() -> list[Any]:
    """Make a z-stack whose planes shake, to be steadied without straightening what slants."""
    return [_layer(samples.wobbling(), "wobbling z-stack", Axis("z"))]


def _layer(sample: tuple[Any, Any], name: str, along: Axis = _TIME) -> Any:
    stack, truth = sample
    axes = (along, *_PIXEL) if isinstance(stack, Stack) else stack.axes
    return _shown(np.asarray(stack), name, axes, metadata={"truth": truth})


def _shown(data: Any, name: str, axes: tuple[Axis, ...], **more: Any) -> Any:
    limits = (0, 255) if data.dtype == np.uint8 else (0, int(data.max()))
    layer = Image(
        data,
        name=name,
        rgb=False,
        multiscale=False,
        contrast_limits=limits,
        **layer_axes(axes),
        **more,
    )
    return layer.as_layer_data_tuple()
