"""`measure_transforms` and `register`: where every frame lies, and frames that lie alike."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.files import load_image
from napari_stack.operators.geometry import apply_transforms
from napari_stack.operators.transforms import Transforms
from napari_stack.options import (
    Bounds,
    ImageSource,
    check,
    composed,
    method_options,
    options_of,
)
from napari_stack.run import Run
from napari_stack.stack import Stack

if TYPE_CHECKING:
    from napari_stack.operators._alignment import Alignment, Prepared

#: Rec. 601: what the eye takes for brightness.
_LUMINOSITY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Intensity:
    """Registration by all pixels, coarse to fine, free in gain and offset.

    Parameters
    ----------
    working_size : int
        Frames with a longer side are reduced to it for measuring.
    """

    working_size: Annotated[int, Bounds(128, 32768, step=128, unit="px")] = 2048

    def __post_init__(self) -> None:
        check(type(self), vars(self))


@dataclass(frozen=True)
class Features:
    """Registration by matching distinct points (Lowe 2004; RANSAC, Fischler and Bolles 1981).

    Parameters
    ----------
    detector : {"SIFT", "ORB"}
        Finds and describes the points. ORB is quicker, SIFT surer.
    ratio : float
        Keep a match when the best one is closer than this times the second best.
    threshold : float
        Distance from the common transform within which a match agrees with it.
    """

    detector: Literal["SIFT", "ORB"] = "SIFT"
    ratio: Annotated[float, Bounds(0.1, 1.0, step=0.05)] = 0.75
    threshold: Annotated[float, Bounds(0.1, 100.0, step=0.5, unit="px")] = 5.0

    def __post_init__(self) -> None:
        check(type(self), vars(self))


def measure_transforms(
    stack: Stack,
    *,
    transform: Literal["translation", "similarity"] = "similarity",
    method: Literal["auto"] | Intensity | Features = "auto",
    reference: Annotated[int, Bounds(0, 999_999)] | Literal["middle", "first", "last"] = "middle",
    channel: Annotated[int, Bounds(0, 9_999)] | Literal["all"] = "all",
    region: ImageSource = None,
    run: Run = Run(),
) -> Transforms:
    """Find where every frame lies, to a small part of a pixel.

    A coarse start (correlation, for a similarity also of log-polar spectra; Reddy and Chatterji
    1996) is refined on the intensities and then verified by one more correlation. Where that
    says no, the frame is measured against its neighbour, and the transforms are multiplied.

    Parameters
    ----------
    stack : Stack
        Frames of one scene.
    transform : {"translation", "similarity"}
        What moves: shifts only, or shift, rotation and scale.
    method : {"auto", "intensity", "features"}
        How frames are compared. "auto" compares intensities and, where that fails, features.
    reference : {"middle", "first", "last"} or int
        The frame that all others are moved to; a number counts from 0.
    channel : {"all"} or int
        The channel to measure on; "all" takes the brightness of colours, or the mean of bands.
    region : array, path or layer
        Measure only where this mask is not zero; its size is that of a frame.
    run : Run

    Returns
    -------
    Transforms
        Frames that could not be registered are marked as failed.

    Raises
    ------
    ValueError
        When an option is out of range, does not fit the stack, or the reference is without
        structure.
    """
    check(measure_transforms, locals())
    from napari_stack.operators._alignment import prepare

    _check_channel(stack, channel)
    index = _reference_index(stack, reference)
    method = method_options(options_of(measure_transforms)["method"], method)
    size = method.working_size if isinstance(method, Intensity) else Intensity().working_size
    view = partial(
        _prepared, channel=channel, mask=_mask(stack, region), working_size=size, prepare=prepare
    )
    fixed = view(stack, index)
    if not fixed.levels and len(stack) > 1:
        raise ValueError(
            f"the reference {stack.source.label(index)} holds no structure to register to: choose "
            "another reference"
        )
    moving = [i for i in range(len(stack)) if i != index]
    direct = partial(_direct, view=view, fixed=fixed, method=method, transform=transform)
    found: dict[int, Any] = dict(
        zip(moving, run.each(direct, stack, moving, what="Registering frames"), strict=True)
    )
    lost = [i for i in moving if not found[i].verified]
    if lost and len(lost) < len(moving):
        _chain(stack, index, found, lost, direct, view, run)
    return _collected(len(stack), index, found)


def _collected(count: int, reference: int, found: dict[int, Any]) -> Transforms:
    matrices = np.tile(np.eye(3), (count, 1, 1))
    quality, failed = np.ones(count), np.zeros(count, bool)
    for i, alignment in found.items():
        matrices[i], quality[i] = alignment.matrix, alignment.quality
        failed[i] = not alignment.verified
    failed[reference] = False
    return Transforms(matrices, quality, failed)


def _chain(
    stack: Stack,
    reference: int,
    found: dict[int, Any],
    lost: list[int],
    direct: Any,
    view: Any,
    run: Run,
) -> None:
    """Measure lost frames against their neighbours on the way to the reference."""
    from dataclasses import replace

    step = partial(_step, reference=reference, direct=direct, view=view)
    steps = run.each(step, stack, lost, what="Registering to neighbours")
    chained = {}
    for i, relative in sorted(
        zip(lost, steps, strict=True), key=lambda pair: abs(pair[0] - reference)
    ):
        neighbour = _neighbour(i, reference)
        before = found.get(neighbour)  # the reference itself is not among the found
        if relative.verified and (before is None or before.verified):
            start = np.eye(3) if before is None else before.matrix
            found[i] = chained[i] = replace(relative, matrix=relative.matrix @ start)
    again = partial(_again, direct=direct, chained=chained)
    for i, better in zip(
        chained, run.each(again, stack, list(chained), what="Refining"), strict=True
    ):
        found[i] = better if better.verified else found[i]


def _neighbour(index: int, reference: int) -> int:
    return index - 1 if index > reference else index + 1


def _step(stack: Stack, index: int, reference: int, direct: Any, view: Any) -> "Alignment":
    neighbour = view(stack, _neighbour(index, reference))
    return direct(stack, index, fixed=neighbour)


def _again(stack: Stack, index: int, direct: Any, chained: dict[int, Any]) -> "Alignment":
    return direct(stack, index, start=chained[index].matrix)


def _direct(
    stack: Stack,
    index: int,
    *,
    view: Any,
    fixed: "Prepared",
    method: Any,
    transform: Any,
    start: NDArray[np.float64] | None = None,
) -> "Alignment":
    from napari_stack.operators._alignment import align, align_features

    moving = view(stack, index)
    if not isinstance(method, Features):
        found = align(fixed, moving, transform=transform, start=start)
        if found.verified or isinstance(method, Intensity):
            return found
    features = method if isinstance(method, Features) else Features()
    guess = align_features(fixed, moving, transform=transform, **vars(features))
    if guess.verified and not isinstance(method, Features):
        refined = align(fixed, moving, transform=transform, start=guess.matrix)
        return refined if refined.verified else guess
    return guess


def _prepared(
    stack: Stack, index: int, *, channel: Any, mask: Any, working_size: int, prepare: Any
) -> "Prepared":
    values, valid = stack.read(index)
    grey = _grey(values, stack.rgb, stack.alpha, channel)
    if valid is not None:
        mask = valid if mask is None else mask & valid
    return prepare(grey, mask, working_size)


def _grey(values: NDArray[Any], rgb: bool, alpha: bool, channel: int | str) -> NDArray[Any]:
    """Return the one channel that is measured."""
    if values.ndim == 2:
        return values
    if isinstance(channel, int):
        return values[..., channel]
    if rgb:
        return values[..., :3] @ _LUMINOSITY.astype(values.dtype)
    return np.asarray(values[..., : values.shape[2] - alpha].mean(axis=2))


def _check_channel(stack: Stack, channel: int | str) -> None:
    channels = stack.shape[3] if stack.ndim == 4 else 1
    if isinstance(channel, int) and channel >= channels:
        raise ValueError(f"channel {channel} was asked for; the frames have {channels}, from 0")


def _reference_index(stack: Stack, reference: int | str) -> int:
    if isinstance(reference, str):
        wanted = {"first": 0, "middle": len(stack) // 2, "last": len(stack) - 1}[reference]
        # A frame that was ticked off or failed before is a poor reference: take the next best.
        used = np.flatnonzero(stack.used)
        return int(used[np.abs(used - wanted).argmin()]) if used.size else wanted
    if reference >= len(stack):
        raise ValueError(f"reference {reference} was asked for; the stack has {len(stack)} frames")
    return reference


def _mask(stack: Stack, region: Any) -> NDArray[np.bool_] | None:
    image = load_image(region)
    if image is None:
        return None
    mask: NDArray[np.bool_] = np.asarray(image.any(axis=2) if image.ndim == 3 else image, bool)
    if mask.shape != stack.shape[1:3]:
        raise ValueError(f"the region has the size {mask.shape}; a frame has {stack.shape[1:3]}")
    if not mask.any():
        raise ValueError("the region is zero everywhere: it leaves nothing to measure on")
    return mask


register = composed(
    "register",
    "Move every frame to the place of the reference, lazily and to a small part of a pixel.",
    measure_transforms,
    apply_transforms,
)
