"""`measure_vignetting`, `correct_vignetting`, `Vignetting`: light that falls off to the edges."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.measured import frozen
from napari_stack.core.options import Bounds, check, composed, method_options, options_of
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.corrections.pixelwise import PixelwiseValue, check_frames
from napari_stack.operators.corrections.sensor import check_size, sensor_view

#: No pixel is multiplied by more: what is left of its light is noise.
_MOST_GAIN = 20.0

#: Nodes of the smooth gain along the longer side; between them it is linear (to 1e-5).
_NODES = 256

#: A fall-off found in a still scene is told of, when it is not this many times its own error.
_DOUBTFUL = 8.0


@dataclass(frozen=True)
class Polynomial:
    """Fall-off as an even polynomial of the radius: log g = a r^2 + b r^4 + c r^6, never rising.

    Parameters
    ----------
    free_centre : bool
        Look for the centre of the fall-off; else it is the middle of the frame.
    """

    free_centre: bool = False

    def __post_init__(self) -> None:
        check(type(self), vars(self))


@dataclass(frozen=True)
class Sigmoid:
    """Fall-off as 1 / (1 + exp(exp(k (r - r0)))) about the middle of the frame, as in focusstack.

    Parameters
    ----------
    r_steps : int
        Rings of equal width that the curve is fitted to.
    """

    r_steps: Annotated[int, Bounds(10, 10_000)] = 100

    def __post_init__(self) -> None:
        check(type(self), vars(self))


@dataclass(frozen=True, eq=False)
class Vignetting(PixelwiseValue):
    """Part of the light that reaches each place of the sensor, and how it is made up for.

    Parameters
    ----------
    alpha : bool
        The last channel is alpha and left as it is.
    size : tuple of int
        Height and width of a frame.
    model : {"polynomial", "sigmoid"}
    centres : ndarray, shape (m, k, 2)
        (x, y) of the centre, in pixels; m is 1, or the number of frames, and k is 1, or the
        number of channels.
    parameters : ndarray, shape (m, k, 3)
        Of the polynomial: a, b and c of ``log g = a q + b q**2 + c q**3``, q = (r / half)**2; of
        the sigmoid: k and r0 in units of half, and 0. Half is half the diagonal of a frame.
    black_level : float
        Value of a pixel without light; it stays as it is.
    black_threshold : float
        Pixels that are not brighter stay as they are.
    max_correction : float
        Part of the correction that is applied: the light left counts as 1 - m + m g.
    """

    _name: ClassVar[str] = "vignetting"
    of_sensor: ClassVar[bool] = True

    size: tuple[int, int] = (1, 1)
    model: Literal["polynomial", "sigmoid"] = "polynomial"
    centres: NDArray[np.float64] = ()  # type: ignore[assignment]
    parameters: NDArray[np.float64] = ()  # type: ignore[assignment]
    black_level: float = 0.0
    black_threshold: float = 0.0
    max_correction: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", (int(self.size[0]), int(self.size[1])))
        object.__setattr__(self, "centres", frozen(self.centres, np.float64, 3))
        object.__setattr__(self, "parameters", frozen(self.parameters, np.float64, 3))

    @property
    def half(self) -> float:
        """Half the diagonal of a frame, in pixels."""
        return float(np.hypot(*self.size) / 2)

    def share(self, radius: Any, frame: int = 0, channel: int = 0) -> NDArray[np.float64]:
        """Part of the light that is left at distances from the centre, in pixels; 1 is all."""
        from napari_stack.operators.corrections.radial_falloff import sigmoid

        r = np.asarray(radius, np.float64) / self.half
        one = self.parameters[frame, channel]
        if self.model == "sigmoid":
            return sigmoid(r, one[0], one[1]) if one[0] > 0 else np.ones(r.shape)
        q = r * r
        share: NDArray[np.float64] = np.exp(
            np.clip(q * (one[0] + q * (one[1] + q * one[2])), -9, 9)
        )
        return share

    def mask_size(self, share: float = 0.9) -> float:
        """Diameter in which at least a part of the light is left, as a part of the shorter side.

        It is what `balance` takes as ``mask_size``.
        """
        radii = np.linspace(0, self.half, 1000)
        lit = self.share(radii) >= share
        reach = radii[-1] if lit.all() else radii[max(int(lit.argmin()) - 1, 0)]
        return float(2 * reach / min(self.size))

    @property
    def spacing(self) -> int:
        """Pixels between nodes of the smooth gain."""
        return int(np.clip(max(self.size) // _NODES, 1, 16))

    @cached_property
    def _grids(self) -> NDArray[np.float32]:
        """Gains at the nodes, shape (m, k, y nodes, x nodes)."""
        height, width = self.size
        y, x = (np.arange(-(-n // self.spacing) + 2) * self.spacing for n in (height, width))
        grids = np.empty((*self.centres.shape[:2], len(y), len(x)), np.float32)
        for m, k in np.ndindex(self.centres.shape[:2]):
            away = np.hypot(x - self.centres[m, k, 0], y[:, np.newaxis] - self.centres[m, k, 1])
            left = 1 - self.max_correction * (1 - self.share(away, m, k))
            grids[m, k] = 1 / np.maximum(left, 1 / _MOST_GAIN)
        return grids

    def change(self, block: NDArray[Any], index: int, rows: slice) -> None:
        """Give rows of a frame their light back, in place."""
        from napari_stack.operators.corrections.pixelwise_kernels import scale_smooth

        if not self.parameters.any():
            return
        grids = self._grids[index if len(self._grids) > 1 else 0]
        kind = block.dtype.type
        scale_smooth(
            block, grids.astype(kind, copy=False), self.spacing, rows.start,
            kind(self.black_level), kind(self.black_threshold),
        )  # fmt: skip

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return that of some frames: the same for all, unless each was measured by itself."""
        if len(self.parameters) == 1:
            return self
        return replace(self, centres=self.centres[frames], parameters=self.parameters[frames])


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
        no more than 1, in 255ths.
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
    view = vignetting_measure.View(black_level, each_channel, sensor.shape[1:3])
    free = isinstance(model, Polynomial) and model.free_centre
    transforms = _transforms(stack, sensor, scene, run)
    if each_frame:
        fits = vignetting_measure.fit_each(sensor, view, free, run)
    elif transforms is not None and vignetting_measure.reach(transforms, view.size) > 0.01:
        fits = [vignetting_measure.fit_moving(sensor, transforms, view, free, run)]
    else:
        fits = [vignetting_measure.fit_mean(sensor, view, free, run)]
        _doubt(fits[0])
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


def _doubt(fits: Sequence[Any]) -> None:
    """Warn where what was found in one still image may as well be the scene's."""
    found = [fit for fit in fits if fit.coefficients.any()]
    least = min(found, key=lambda fit: fit.sureness, default=None)
    if least is not None and least.sureness < _DOUBTFUL:
        lost = 1 - np.exp(least.coefficients.sum())
        warnings.warn(
            f"the light seems to fall off by {lost:.0%} to the corners, but by only "
            f"{least.sureness:.0f} times the error of that: a scene that is brighter in its middle "
            "looks the same; look at the result, or measure on frames that move (scene='moving') "
            "or on a recorded flat field",
            stacklevel=3,
        )


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
            share = _Share(value, m, k)
            parameters[m, k, :2] = fit_sigmoid(share, steps)
    return replace(value, model="sigmoid", parameters=parameters)


@dataclass(frozen=True)
class _Share:
    """Light left at radii in half diagonals, of one frame and channel."""

    value: Vignetting
    frame: int
    channel: int

    def __call__(self, radii: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.value.share(radii * self.value.half, self.frame, self.channel)


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
    channels = (stack.shape[3] - stack.alpha) if stack.ndim == 4 else 1
    if vignetting.parameters.shape[1] not in (1, channels):
        raise UserError(
            f"vignetting of {vignetting.parameters.shape[1]} channels does not fit frames of "
            f"{channels}"
        )
    return stack.corrected(replace(vignetting, alpha=stack.alpha))


correct_vignetting = composed(
    "correct_vignetting",
    "Make up for light that falls off from the centre to the corners, lazily.",
    measure_vignetting,
    apply_vignetting,
)
