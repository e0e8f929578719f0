"""`measure_transforms` and `register`: motion of every frame, and frames moved to the reference."""

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.notices import FailedFrames, warn_of_frames
from napari_stack.core.options import (
    Bounds,
    CountsWith,
    ImageSource,
    check,
    method_options,
    options_of,
)
from napari_stack.core.pixels.channels import check_channel
from napari_stack.core.point_pairs import PairsSource
from napari_stack.core.signatures import composed
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import load_image
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.geometry.warp import apply_transforms
from napari_stack.operators.registration.methods import (
    MEASURABLE,
    Features,
    Fourier,
    Imreg_dft,
    Intensity,
    Phase,
)
from napari_stack.operators.registration.nonrigid.options import Rows, Smooth


def measure_transforms(
    stack: Stack,
    *,
    transform: Literal[
        "translation", "rigid", "similarity", "affine", "homography", "auto"
    ] = "similarity",
    method: Literal["auto"] | Intensity | Phase | Fourier | Imreg_dft | Features = "auto",
    reference: Annotated[int, Bounds(0, 999_999)]
    | Literal["middle", "first", "last", "sharpest", "mean"] = "middle",
    sequence: Literal["auto", "direct", "previous", "global"] = "auto",
    mean_rounds: Annotated[int, Bounds(1, 9), CountsWith("reference", ("mean",))] = 1,
    channel: Annotated[int, Bounds(0, 9_999)] | Literal["all"] = "all",
    region: ImageSource = None,
    moving_average: Annotated[int, Bounds(1, 99, step=2, unit="frames")] = 1,
    working_size: Annotated[int, Bounds(128, 32768, step=128, unit="px")] = 2048,
    largest_shift: Annotated[float, Bounds(0, 100_000, unit="px")] = 100_000.0,
    largest_rotation: Annotated[float, Bounds(0, 180, unit="degrees")] = 180.0,
    largest_scale: Annotated[float, Bounds(1, 16, step=0.05)] = 16.0,
    follow: Literal["largest", "background"] = "largest",
    points: PairsSource = None,
    nonrigid: Literal["off"] | Smooth | Rows = "off",
    run: Run = Run(),
) -> Transforms:
    """Find where every frame lies, to a small part of a pixel.

    A coarse start (correlation, for a similarity also of log-polar spectra; Reddy and Chatterji
    1996) is refined on the intensities and then judged tile by tile, against what else fits: a
    second motion, a period away, a pattern of the sensor. Where it is not probable enough, the
    frame is measured against several of its neighbours, and all are solved together. Of recordings
    of 32 frames and more a few are searched for, and the others are followed between these.
    Unknowns that frames do not tell (the turn of one round spot) are left out, with a
    warning.
    Frames are always measured as they are, never after a warp.

    Parameters
    ----------
    stack : Stack
        Frames of one scene.
    transform : {"translation", "rigid", "similarity", "affine", "homography", "auto"}
        What moves: shifts only; with rotation; with scale, too; with shear and one scale a
        direction; or a perspective, as of a camera held by hand. "auto" takes rigid over time,
        similarity through the focus, homography for photographs of a camera, else similarity.
    method : {"auto", "intensity", "phase", "fourier", "imreg_dft", "features"}
        How frames are compared. "auto" compares intensities and, where that fails, features.
    reference : {"middle", "first", "last", "sharpest", "mean"} or int
        The frame that all others are moved to; a number counts from 0. "mean" is the mean of all
        other frames, once they are registered to the middle one.
    sequence : {"auto", "direct", "previous", "global"}
        Measure each frame against the reference, or against the frame before it on the way to
        the reference. "global" measures it against the frames 1, 2, 4 and 8 before it and the
        reference, and solves for all places together: errors do not add up, and pairs that
        contradict the others lose their weight. "auto" measures against the reference, and does
        so globally with frames that are lost, or become unlike the reference.
    mean_rounds : int
        With the reference "mean": how often the mean is made, and every frame measured against it.
    channel : {"all"} or int
        The channel to measure on; "all" takes the brightness of colours, or the mean of bands.
    region : array, path or layer
        Measure only where this mask is not zero; its size is that of a frame.
    moving_average : int
        Measure on the average of so many frames in a row: more signal where frames drift slowly.
    working_size : int
        Frames with a longer side are reduced to it for measuring.
    largest_shift : float
        A frame whose centre moves further has failed.
    largest_rotation : float
        A frame that turns further has failed.
    largest_scale : float
        A frame that grows, or shrinks, by a greater factor has failed.
    follow : {"largest", "background"}
        What is registered where parts of the frame move differently: the motion that most of the
        frame shares, or, of those that a good part of it does, the one that reaches most of the
        border. A frame where two are nearly alike has failed. By intensities ("auto",
        "intensity").
    points : mapping, array, path or layers
        Frames placed by hand: points (x, y) on the reference and the same ones on a frame, as
        ``{frame: [(x, y, x, y), ...]}``, or a .csv or .json file of them. A translation needs 1
        pair, rigid and similarity 2, affine 3, a homography 4. They are refined on the intensities;
        where the pixels do not confirm them, the points alone count, at quality 0.
    nonrigid : {"off", "smooth", "rows"}
        What frames move beyond that: "smooth" for tissue that deforms, "rows" for raster scans
        whose rows wander. It is measured against the mean of all frames, which is then the
        geometry of the result, and only where the frames support it.
    run : Run

    Returns
    -------
    Transforms
        Frames that could not be registered are marked as failed, and told in a warning. How sure
        each place is tell `Transforms.covariance` and `Transforms.uncertainty`: where intensities
        were compared ("auto", "intensity"); by another method, and for frames that "auto" could
        only register by features, they are NaN.

    Raises
    ------
    ValueError
        When an option is out of range, does not fit the stack or the other options, or the
        reference is without structure.
    """
    check(measure_transforms, locals())
    from napari_stack.operators.registration.by_hand import pairs_to_place, place_by_hand
    from napari_stack.operators.registration.outcome import collected, warn_of_less
    from napari_stack.operators.registration.search.limits import Limits
    from napari_stack.operators.registration.sequence import measure as series
    from napari_stack.operators.registration.sequence.reference import measure_to_mean, sharpest
    from napari_stack.operators.registration.transform_choice import suitable_transform

    check_channel(stack, channel)
    method = method_options(options_of(measure_transforms)["method"], method)
    if transform == "auto":
        transform = suitable_transform(stack, method)
    _check_method(method, transform)
    view = series.MeasureOptions(channel, region_mask(stack, region), working_size, moving_average)
    limits = Limits(largest_shift, largest_rotation, largest_scale)
    aligner = series.Aligner(method, transform, limits, follow)
    index = (
        sharpest(stack, view, run)
        if reference == "sharpest"
        else reference_index(stack, "middle" if reference == "mean" else reference)
    )
    pairs = pairs_to_place(points, len(stack), index)
    found = series.measure(stack, view, aligner, index, sequence, run)
    for _ in range(mean_rounds if reference == "mean" and len(stack) > 2 else 0):
        found = measure_to_mean(stack, view, aligner, index, found, run)
    found = place_by_hand(stack, view, aligner, index, found, pairs, run)
    matrices, quality, failed, covariance = collected(len(stack), found.items())
    warn_of_frames("could not be registered", failed, stack.source.label, FailedFrames)
    warn_of_less(stack, found, transform)
    y, x = stack.axes[1:]
    pixel = (x.step, y.step, x.unit) if x.unit == y.unit else (1.0, 1.0, "pixel")
    size = stack.shape[1], stack.shape[2]
    rigid = Transforms(matrices, quality, failed, size, pixel, index, covariance)
    beyond = method_options(options_of(measure_transforms)["nonrigid"], nonrigid)
    if not isinstance(beyond, Smooth | Rows):
        return rigid
    from napari_stack.operators.registration.nonrigid.measure import with_deformation

    return with_deformation(stack, view, rigid, beyond, run)


def _check_method(method: Any, transform: str) -> None:
    able = MEASURABLE.get(type(method))
    if able and transform not in able:
        names = " or ".join(f"transform={name!r}" for name in able)
        raise UserError(
            f"method {type(method).__name__.lower()!r} cannot measure transform={transform!r}: "
            f"choose {names}, or another method"
        )


def reference_index(stack: Stack, reference: int | str) -> int:
    """Return the number of the frame that is meant, or of the next one that is used."""
    if isinstance(reference, str):
        wanted = {"first": 0, "middle": len(stack) // 2, "last": len(stack) - 1}[reference]
        # A frame that was ticked off or failed before is a poor reference: take the next best.
        used = np.flatnonzero(stack.used)
        return int(used[np.abs(used - wanted).argmin()]) if used.size else wanted
    if reference >= len(stack):
        raise UserError(f"reference {reference} was asked for; the stack has {len(stack)} frames")
    return reference


def region_mask(stack: Stack, region: Any) -> NDArray[np.bool_] | None:
    """Return the mask of a region that a stack is measured on, checked."""
    image = load_image(region)
    if image is None:
        return None
    mask: NDArray[np.bool_] = np.asarray(image.any(axis=2) if image.ndim == 3 else image, bool)
    if mask.shape != stack.shape[1:3]:
        raise UserError(f"the region has the size {mask.shape}; a frame has {stack.shape[1:3]}")
    if not mask.any():
        raise UserError("the region is zero everywhere: it leaves nothing to measure on")
    return mask


register = composed(
    "register",
    "Move every frame to the place of the reference, to a small part of a pixel.",
    measure_transforms,
    apply_transforms,
)
