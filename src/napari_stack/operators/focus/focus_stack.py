"""`focus_stack`: one image that is sharp all over, and how deep each pixel lies."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.casting import cast
from napari_stack.core.errors import UserError
from napari_stack.core.options import Bounds, check, method_options, options_of
from napari_stack.core.results import OnlyWith
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.combine.combine import require_used
from napari_stack.operators.filters.denoise_sharpen import Amount, Strength, polished


class Focused(NamedTuple):
    """Result of `focus_stack`.

    Attributes
    ----------
    image : ndarray, shape (y, x) or (y, x, channel)
        Sharp all over, in the type of the frames.
    depth : ndarray of float32, shape (y, x)
        Number of the frame in which a pixel is sharpest, between frames too; or its distance from
        the first one, see ``depth_unit``. None with ``depth=False``.
    confidence : ndarray of float32, shape (y, x)
        0 (nothing to see, the depth is filled in) to 1 (one frame is clearly the sharpest). None
        with ``depth=False``.
    """

    image: NDArray[Any]
    depth: Annotated[NDArray[np.float32] | None, OnlyWith("depth")] = None
    confidence: Annotated[NDArray[np.float32] | None, OnlyWith("depth")] = None


@dataclass(frozen=True)
class Auto:
    """Depth first, then the details of the frames that are sharp around each pixel.

    Parameters
    ----------
    reach : int
        Details of a frame are used up to this far from where it is the sharpest. Smaller values
        keep blurred edges of other frames out, larger ones follow finer shapes.
    even_brightness : bool
        Bring the frames to one level of light first, against flicker.
    average_noise : bool
        Where there is noise, average the frames that agree within it.
    """

    reach: Annotated[int, Bounds(0, 64, unit="px")] = 4
    even_brightness: bool = True
    average_noise: bool = True

    def __post_init__(self) -> None:
        check(type(self), vars(self))


@dataclass(frozen=True)
class Pyramid:
    """Fusion by a Laplacian pyramid (Burt and Adelson 1983; Wang and Chang 2011).

    Parameters
    ----------
    min_size : int
        The coarsest level's shorter side has about this many pixels.
    kernel_size : int
        Side of the window in which the energy of details is measured.
    kernel_parameter : float
        Weight of the pyramid's smoothing kernel at its centre.
    """

    min_size: Annotated[int, Bounds(4, 1024, unit="px")] = 32
    kernel_size: Annotated[int, Bounds(1, 31, step=2, unit="px")] = 5
    kernel_parameter: Annotated[float, Bounds(0.3, 0.6, step=0.05)] = 0.4

    def __post_init__(self) -> None:
        check(type(self), vars(self))
        if self.kernel_size % 2 == 0:
            raise UserError(f"Pyramid: kernel_size must be odd, got {self.kernel_size}")


@dataclass(frozen=True)
class DepthMap:
    """Fusion by the energy of whole frames, blended over a pyramid so that no seam shows.

    Parameters
    ----------
    choice : {"maximum", "weighted average"}
        Take each pixel from the frame of the largest energy, or average by energy.
    energy : {"modified laplacian", "laplacian", "sobel", "variance"}
        What tells how sharp a frame is around a pixel.
    kernel_size : int
        Side of the filter, odd.
    blur_size : int
        Side of the Gaussian window in which its response is averaged, odd.
    smooth_size : int
        Side of the window in which choices are smoothed along the edges of the picture; 0 leaves
        them.
    """

    choice: Literal["maximum", "weighted average"] = "maximum"
    energy: Literal["modified laplacian", "laplacian", "sobel", "variance"] = "modified laplacian"
    kernel_size: Annotated[int, Bounds(1, 31, step=2, unit="px")] = 5
    blur_size: Annotated[int, Bounds(1, 99, step=2, unit="px")] = 11
    smooth_size: Annotated[int, Bounds(0, 256, unit="px")] = 32

    def __post_init__(self) -> None:
        check(type(self), vars(self))
        for name in ("kernel_size", "blur_size"):
            if getattr(self, name) % 2 == 0:
                raise UserError(f"DepthMap: {name} must be odd, got {getattr(self, name)}")


def focus_stack(
    stack: Stack,
    *,
    method: Literal["auto", "pyramid", "depth map"] | Auto | Pyramid | DepthMap = "auto",
    channel: Annotated[int, Bounds(0, 9_999)] | Literal["all"] = "all",
    true_colours: bool = False,
    depth: bool = True,
    depth_unit: Literal["frame", "distance"] = "frame",
    denoise: Strength = 0.0,
    sharpen: Amount = 0.0,
    run: Run = Run(),
) -> Focused:
    """Fuse a focus series: at every pixel the details of the frame that is sharpest there.

    Parameters
    ----------
    stack : Stack
        Frames at different focus, in order, registered.
    method : {"auto", "pyramid", "depth map"}
        How frames are fused: "auto" for every kind of scene, "pyramid" in one pass over the frames,
        "depth map" for whole pixels of the sharpest frames.
    channel : {"all"} or int
        The channel that decides where frames are sharp; "all" takes the brightness of colours, or
        the mean of bands.
    true_colours : bool
        Give every pixel exactly the colours that it has in one of the frames: those nearest to the
        fused image, before any denoising or sharpening. It takes one more pass.
    depth : bool
        Give the depth and its confidence too. Without, "pyramid" takes less time, for it does not
        need them.
    depth_unit : {"frame", "distance"}
        What the depth counts: frames, or the distance from the first one in the unit of the axis
        that is stacked, such as micrometers of z, where its step is known.
    denoise : float
        Denoise the fused image by non-local means: 0.75 to 1, in 255ths of the range of the data,
        is modest; 0 leaves it.
    sharpen : float
        Sharpen the fused image by an unsharp mask: 0.5 is light, 0 leaves it.
    run : Run

    Returns
    -------
    Focused
        The image never leaves the range of the frames at a pixel, unless it is denoised or
        sharpened.

    Raises
    ------
    ValueError
        When an option is out of range, no frame is used, or a distance is asked for and not known.
    """
    check(focus_stack, locals())
    step = _distance(stack) if depth and depth_unit == "distance" else 1.0
    options: dict[str, Any] = {"denoise": denoise, "sharpen": sharpen}
    options |= {"true_colours": true_colours, "depth": depth}
    found = fuse(stack, method=method, channel=channel, **options, run=run)
    covered = None if found.covered.all() else found.covered
    seen = cast(found.image, stack.dtype, covered)
    if found.depth is None:
        return Focused(seen)
    return Focused(seen, found.depth * np.float32(step), found.confidence)


def _distance(stack: Stack) -> float:
    """Distance from a frame to the next, in the unit of their axis."""
    axis = stack.axes[0]
    if axis.unit in ("", "pixel"):
        raise UserError(
            f"how far the frames lie apart along {axis.name!r} is not known, for the axis has no "
            "unit: give the layer a scale and units (or the axis a step and a unit), or take "
            "depth_unit='frame'"
        )
    return axis.step


class Fused(NamedTuple):
    """What `focus_stack` rounds and casts, and which pixels any frame covers."""

    image: NDArray[Any]
    depth: NDArray[np.float32] | None
    confidence: NDArray[np.float32] | None
    covered: NDArray[np.bool_]


def fuse(
    stack: Stack,
    *,
    method: Any = "auto",
    channel: int | str = "all",
    true_colours: bool = False,
    depth: bool = True,
    denoise: float = 0.0,
    sharpen: float = 0.0,
    run: Run = Run(),
) -> Fused:
    """Fuse frames with the options of `focus_stack`, neither rounded nor cast."""
    require_used(stack)
    check_channel(stack, channel)
    chosen = method_options(options_of(focus_stack)["method"], method)
    from napari_stack.core.luminance import ChannelWeights  # OpenCV, before a run counts threads

    channels, passes = ChannelWeights(stack.rgb, stack.alpha, channel), 1 + true_colours
    found = Fused(*_fused(stack, chosen, channels, depth, run.part(0, passes)))
    if not depth:
        found = found._replace(depth=None, confidence=None)
    if true_colours:
        from napari_stack.operators.focus.true_colours import nearest_colours

        picked = nearest_colours(stack, run.part(1, passes), channels, found.image)
        found = found._replace(image=picked)
    covered = None if found.covered.all() else found.covered
    image = polished(found.image, covered, stack, denoise, sharpen, run)
    return found._replace(image=image)


def check_channel(stack: Stack, channel: int | str) -> None:
    """Refuse a channel that the frames do not have."""
    if isinstance(channel, int) and channel >= stack.channels:
        raise UserError(
            f"channel {channel} was asked for; the frames have {stack.channels}, from 0"
        )


def _fused(
    stack: Stack, method: Auto | Pyramid | DepthMap, channels: Any, depth: bool, run: Run
) -> Any:
    from napari_stack.operators.focus import auto

    if isinstance(method, Auto):
        options = vars(method)
        return auto.fuse(stack, run, channels, **options)
    if isinstance(method, DepthMap):
        from napari_stack.operators.focus import depth_map

        energy = depth_map.Energy(method.energy, method.kernel_size, method.blur_size)
        how: dict[str, Any] = {"choice": method.choice, "smooth_size": method.smooth_size}
        return depth_map.fuse(stack, run, channels, energy=energy, **how)
    from napari_stack.operators.focus import pyramid_fold

    return pyramid_fold.fuse(stack, run, channels, depth=depth, **vars(method))
