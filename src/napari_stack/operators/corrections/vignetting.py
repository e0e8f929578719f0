"""`measure_vignetting`, `correct_vignetting`, `Vignetting`: light that falls off to the edges."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.method_options import MethodOptions
from napari_stack.core.options import Bounds, check, method_options, options_of
from napari_stack.core.signatures import composed
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.corrections.pixelwise import (
    check_channels,
    check_frames,
)
from napari_stack.operators.corrections.sensor import check_size, sensor_view
from napari_stack.operators.corrections.vignetting_value import Vignetting


@dataclass(frozen=True)
class Polynomial(MethodOptions):
    """Fall-off as an even polynomial of the radius: log g = a r^2 + b r^4 + c r^6, never rising.

    Parameters
    ----------
    free_centre : bool
        Look for the centre of the fall-off; else it is the middle of the frame.
    """

    free_centre: bool = False


@dataclass(frozen=True)
class Sigmoid(MethodOptions):
    """Fall-off as 1 / (1 + exp(exp(k (r - r0)))) about the middle of the frame, as in focusstack.

    Parameters
    ----------
    r_steps : int
        Rings of equal width that the curve is fitted to.
    """

    r_steps: Annotated[int, Bounds(10, 10_000)] = 100


def measure_vignetting(
    stack: Stack,
    *,
    model: Literal["polynomial", "sigmoid"] | Polynomial | Sigmoid = "polynomial",
    scene: Literal["auto", "still", "moving"] = "auto",
    each_frame: bool = False,
    each_channel: bool = False,
    black_level: Annotated[float, Bounds(-1e9, 1e9)] = 0.0,
    black_threshold: Annotated[float, Bounds(0.0, 1e9)] = 1.0,
    max_correction: Annotated[float, Bounds(0.0, 1.0, step=0.05)] = 1.0,
    run: Run = Run(),
) -> Vignetting:
    """Measure how the light falls off from the centre to the corners.

    Parameters
    ----------
    stack : Stack
        Registered or not: it is measured on the frames as the sensor gave them.
    model : {"polynomial", "sigmoid"}
        The curve that is fitted.
    scene : {"auto", "still", "moving"}
        Where frames are moved against each other, the same object is seen at several places of the
        sensor, and the scene cancels: "moving" registers them for this, "auto" makes use of
        frames that are registered already. "still" goes by the mean frame.
    each_frame : bool
        Fit every frame by itself; this may flicker.
    each_channel : bool
        Fit every channel by itself; else their brightness, alike for all.
    black_level : float
        Value of a pixel without light, in units of the data.
    black_threshold : float
        Pixels that are not brighter are left alone, in units of the data; for floats that reach
        no more than 1, as if white were 255.
    max_correction : float
        Part of the correction that is applied, 0 to 1.
    run : Run

    Returns
    -------
    Vignetting
        Without effect where no fall-off stands out of the scene surely.

    Raises
    ------
    ValueError
        When an option is out of range.

    Warns
    -----
    UserWarning
        When a fall-off was found in a still scene that hardly stands out of its error.

    Notes
    -----
    One still image cannot tell fall-off from a scene that is itself brighter in its middle: moving
    frames, or a recorded flat field, can.
    """
    check(measure_vignetting, locals())
    from napari_stack.operators.corrections import vignetting_measure

    model = method_options(options_of(measure_vignetting)["model"], model)
    sensor = sensor_view(stack)
    view = vignetting_measure.Reduction(black_level, each_channel, sensor.shape[1:3])
    free = isinstance(model, Polynomial) and model.free_centre
    transforms = _transforms(stack, sensor, scene, run)
    if each_frame:
        fits = vignetting_measure.fit_each(sensor, view, free, run)
    elif transforms is not None and vignetting_measure.reach(transforms, view.size) > 0.01:
        fits = [vignetting_measure.fit_moving(sensor, transforms, view, free, run)]
    else:
        fits = [vignetting_measure.fit_mean(sensor, view, free, run)]
        vignetting_measure.warn_of_doubt(fits[0])
    threshold = black_threshold
    if stack.dtype.kind == "f" and vignetting_measure.brightest(sensor) <= 1:
        threshold = black_threshold / 255
    height, width = view.size
    half = np.hypot(height, width) / 2
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    value = Vignetting(
        stack.alpha, view.size, "polynomial",
        np.array([[fit.centre * half + middle for fit in row] for row in fits]),
        np.array([[fit.coefficients for fit in row] for row in fits]),
        float(black_level), float(threshold), float(max_correction),
    )  # fmt: skip
    return _as_sigmoid(value, model.r_steps) if isinstance(model, Sigmoid) else value


def _transforms(stack: Stack, sensor: Stack, scene: str, run: Run) -> Any:
    from napari_stack.operators.registration.register import measure_transforms

    if scene == "still" or len(stack) < 2:
        return None
    known = stack.transforms
    if known is not None or scene == "auto":
        return known
    return measure_transforms(sensor, run=run)


def _as_sigmoid(value: Vignetting, steps: int) -> Vignetting:
    """Fit the sigmoid to a measured curve."""
    from napari_stack.operators.corrections.radial_falloff import fit_sigmoid

    parameters = np.zeros(value.parameters.shape)
    for m, k in np.ndindex(parameters.shape[:2]):
        if value.parameters[m, k].any():
            parameters[m, k, :2] = fit_sigmoid(partial(_share_at, value, m, k), steps)
    return replace(value, model="sigmoid", parameters=parameters)


def _share_at(
    value: Vignetting, frame: int, channel: int, radii: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Light left at radii in half diagonals, of one frame and channel."""
    return value.share(radii * value.half, frame, channel)


def apply_vignetting(stack: Stack, vignetting: Vignetting) -> Stack:
    """Make up for light that falls off to the corners, lazily and before any warp.

    Parameters
    ----------
    stack : Stack
        Frames of the same camera and size.
    vignetting : Vignetting

    Returns
    -------
    Stack

    Raises
    ------
    ValueError
        When it was measured on frames of another size, number of channels, or (each by itself)
        number of frames.
    """
    check_size("vignetting", vignetting.size, stack)
    if len(vignetting.parameters) > 1:
        check_frames("vignetting", len(vignetting.parameters), stack)
    check_channels("vignetting", vignetting.parameters.shape[1], stack)
    return stack.corrected(replace(vignetting, alpha=stack.alpha))


correct_vignetting = composed(
    "correct_vignetting",
    "Make up for light that falls off from the centre to the corners.",
    measure_vignetting,
    apply_vignetting,
)
