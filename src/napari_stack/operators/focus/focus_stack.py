"""`focus_stack`: one image that is sharp all over, and the depth of each pixel."""

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.core.options import Bounds, CountsWith, check, method_options, options_of
from napari_stack.core.pixels.casting import cast
from napari_stack.core.pixels.channels import check_channel
from napari_stack.core.results import AlongAxis, OnlyWith, Shown
from napari_stack.core.stack import Stack
from napari_stack.core.strokes import StrokesSource
from napari_stack.engine.run import Run
from napari_stack.operators.combine.combine import require_used
from napari_stack.operators.filters.denoise_sharpen import Amount, Strength, polished
from napari_stack.operators.focus.distance import (
    as_distance,
    distance_of_a_frame,
    require_distance,
)
from napari_stack.operators.focus.methods import Auto, DepthMap, Pyramid, WorkingResult

# Share of an image that is never in focus from which on it is told.
WORTH_TELLING = 0.02


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
    uncertainty : ndarray of float32, shape (y, x)
        Standard deviation of the depth's error, in the unit of the depth; NaN at a confidence of
        0. None unless asked for by ``uncertainty=True``, and with ``depth=False``.
    """

    image: NDArray[Any]
    depth: Annotated[
        NDArray[np.float32] | None,
        OnlyWith("depth"),
        AlongAxis("depth_unit", "distance"),
        Shown("viridis"),
    ] = None
    confidence: Annotated[
        NDArray[np.float32] | None, OnlyWith("depth"), Shown("magma", most=1.0)
    ] = None
    uncertainty: Annotated[NDArray[np.float32] | None, OnlyWith("uncertainty")] = None


def focus_stack(
    stack: Stack,
    *,
    method: Literal["auto", "pyramid", "depth map"] | Auto | Pyramid | DepthMap = "auto",
    channel: Annotated[int, Bounds(0, 9_999)] | Literal["all"] = "all",
    scene: Literal["opaque", "transparent", "fluorescent", "auto"] = "opaque",
    prefer: Literal["none", "near", "far"] = "none",
    near: Annotated[Literal["first frame", "last frame"], CountsWith("prefer")] = "last frame",
    true_colours: bool = False,
    depth: bool = True,
    depth_unit: Annotated[Literal["frame", "distance"], CountsWith("depth")] = "frame",
    depth_gaps: Annotated[Literal["filled", "NaN"], CountsWith("depth")] = "filled",
    uncertainty: Annotated[bool, CountsWith("depth")] = False,
    retouch: StrokesSource = None,
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
    scene : {"opaque", "transparent", "fluorescent", "auto"}
        What is looked at: "opaque" things, of which a pixel shows the nearest; "transparent" ones
        in bright field, or "fluorescent" ones, whose light adds up: all planes are shown in focus
        at once, and the blurred light of the others is taken off. "auto" decides by the brightness:
        few bright things on dark are fluorescent, few dark things on bright are transparent.
        Scenes that are not opaque take two more passes; the method then only finds the depth.
    prefer : {"none", "near", "far"}
        Where two depths are sharp at one place - bristles over a leaf, a hair that crosses - take
        the "near" thing, cut out sharply, or the "far" one as far as it is seen past the near one;
        blurred rims of near things no longer veil what lies behind. "none" leaves it to the method.
        It takes one more pass, and some time.
    near : {"first frame", "last frame"}
        Which end of the series is the near one.
    true_colours : bool
        Give every pixel exactly the colours that it has in one of the frames: those nearest to the
        fused image, before any denoising or sharpening. It takes one more pass.
    depth : bool
        Give the depth and its confidence too. Without, "pyramid" takes less time, for it does not
        need them.
    depth_unit : {"frame", "distance"}
        What the depth counts: frames, or the distance from the first one in the unit of the axis
        that is stacked, such as micrometers of z, where its step or its positions are known.
    depth_gaps : {"filled", "NaN"}
        What the depth is where no frame tells it, at a confidence of 0: filled in smoothly from
        around, or NaN.
    uncertainty : bool
        Give the standard deviation of the depth's error too.
    retouch : Strokes, list, mapping, path or str, optional
        What was painted on the fused image: strokes, or a .json file of them. Under each, pixels
        and depth are those of the frame that it names; none by default.
    denoise : float
        Denoise the fused image by non-local means: 0.75 to 1, where the range of the data counts
        255, is modest; 0 leaves it.
    sharpen : float
        Sharpen the fused image by an unsharp mask: 0.5 is light, 0 leaves it.
    run : Run

    Returns
    -------
    Focused
        The image never leaves the range of the frames at a pixel, unless it is denoised or
        sharpened; frames that flicker by more than 2 % count at the common brightness. With
        `prefer` and `scene` it may leave that range by half of it.

    Raises
    ------
    ValueError
        When an option is out of range, no frame is used, a distance is asked for and not known, or
        strokes do not fit the frames.

    Warns
    -----
    UserWarning
        Of frames that are left out, since they are no part of the series (black, blurred, doubled,
        overexposed); of frames that were not registered; and where what is to be seen would be in
        focus beyond the first or the last frame.
    """
    check(focus_stack, locals())
    distance = depth and depth_unit == "distance"
    if distance:
        require_distance(stack)
    options: dict[str, Any] = {"denoise": denoise, "sharpen": sharpen}
    options |= {"true_colours": true_colours, "depth": depth, "retouch": retouch}
    options |= {"scene": scene, "prefer": prefer, "near": near, "uncertain": uncertainty and depth}
    found = fuse(stack, method=method, channel=channel, **options, run=run)
    covered = None if found.covered.all() else found.covered
    image = cast(found.image, stack.dtype, covered)
    if found.depth is None or found.confidence is None or not depth:
        return Focused(image)
    _warn_of_missing_frames(*found.beyond)
    places, sure = found.depth, found.confidence
    sigma = found.deviation
    if distance:
        if sigma is not None:
            sigma = sigma * distance_of_a_frame(stack, places)
        places = as_distance(stack, places)
    if depth_gaps == "NaN":
        places = np.where(sure == 0, np.float32(np.nan), places)
    return Focused(image, places, sure, sigma)


def _warn_of_missing_frames(before: float, behind: float) -> None:
    for share, end in ((before, "first"), (behind, "last")):
        if share > WORTH_TELLING:
            warn_caller(
                f"at least {share:.0%} of the image is never in focus, it gets sharper towards the "
                f"{end} frame: take more frames beyond it"
            )


def fuse(
    stack: Stack,
    *,
    method: Any = "auto",
    channel: int | str = "all",
    scene: Any = "opaque",
    prefer: Any = "none",
    near: Any = "last frame",
    true_colours: bool = False,
    depth: bool = True,
    uncertain: bool = False,
    retouch: Any = None,
    denoise: float = 0.0,
    sharpen: float = 0.0,
    run: Run = Run(),
) -> WorkingResult:
    """Fuse frames with the options of `focus_stack`, neither rounded nor cast."""
    require_used(stack)
    check_channel(stack, channel)
    chosen = method_options(options_of(focus_stack)["method"], method)
    # numba: not when this is imported
    from napari_stack.core.pixels.luminance import ChannelWeights
    from napari_stack.operators.focus.spooled import read_once

    strokes = _strokes(stack, retouch)
    channels = ChannelWeights(stack.rgb, stack.alpha, channel)
    scene = _scene(stack, scene, prefer, channel)
    seen_as = scene != "opaque" or prefer != "none"
    passes = 1 + seen_as + true_colours + bool(strokes)
    with read_once(stack, run, often=seen_as) as (frames, how):
        asked = {"depth": depth, "uncertain": uncertain}
        found = _fuse_by(chosen, frames, how.part(0, passes), channels, **asked)
        measured = found.depth.copy() if uncertain and found.depth is not None else None
        if seen_as:
            found = _seen_as(found, frames, how.part(1, passes), channels, (scene, prefer, near))
            if scene != "opaque" and measured is not None and found.depth is not None:
                measured = found.depth.copy()
        if true_colours:
            from napari_stack.operators.focus.true_colours import nearest_colours

            part = how.part(1 + seen_as, passes)
            picked = nearest_colours(frames, part, channels, found.image)
            found = found._replace(image=picked)
    if strokes:
        from napari_stack.operators.focus.retouch.apply import retouched

        options = {"method": chosen, "channel": channel, "true_colours": true_colours}
        found = retouched(found, stack, strokes, options, run.part(passes - 1, passes))
    covered = None if found.covered.all() else found.covered
    image = polished(found.image, covered, stack, denoise, sharpen, run)
    return found._replace(image=image).with_set_depths(measured)


def _scene(stack: Stack, scene: str, prefer: str, channel: int | str) -> str:
    """Return what the scene is taken for."""
    if scene == "auto":
        from napari_stack.operators.focus.translucent.scene_choice import settled

        options = {"scene": scene, "prefer": prefer, "channel": channel}
        return str(settled(stack, options)["scene"])
    if scene != "opaque" and prefer != "none":
        raise UserError(
            f'focus_stack: nothing is in front of anything where scene="{scene}": take '
            f'prefer="none", or scene="opaque" with prefer="{prefer}"'
        )
    return scene


def _seen_as(
    found: WorkingResult, stack: Stack, run: Run, channels: Any, how: tuple[Any, Any, Any]
) -> WorkingResult:
    """Return a fused series as the scene asks for, or with what is in front."""
    scene, prefer, near = how
    if scene != "opaque":
        from napari_stack.operators.focus.translucent.all_planes import all_planes

        return all_planes(found, stack, run, channels, scene)
    from napari_stack.operators.focus.occlusion.in_front import preferring

    return preferring(found, stack, run, channels, prefer, near)


def _strokes(stack: Stack, value: Any) -> Any:
    """Read the strokes of an option, if any, before anything is fused."""
    if value is None:
        return None
    from napari_stack.operators.focus.retouch.sources import check_strokes

    return check_strokes(stack, value)


def _fuse_by(
    method: Auto | Pyramid | DepthMap,
    stack: Stack,
    run: Run,
    channels: Any,
    *,
    depth: bool,
    uncertain: bool,
) -> WorkingResult:
    if isinstance(method, Auto):
        from napari_stack.operators.focus import auto

        return auto.fuse(stack, run, channels, method, uncertain=uncertain)
    if isinstance(method, DepthMap):
        from napari_stack.operators.focus import depth_map

        return depth_map.fuse(stack, run, channels, method, uncertain=uncertain)
    from napari_stack.operators.focus import pyramid

    return pyramid.fuse(stack, run, channels, method, depth=depth, uncertain=uncertain)
