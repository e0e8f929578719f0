"""`mean_with_error`: an average, and how sure it is at each pixel."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.options import check
from napari_stack.core.pixels.casting import cast
from napari_stack.core.results import Shown
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.combine.combine import WeightedMean, require_used, weights_of
from napari_stack.operators.combine.measures.normalisation import (
    Normalisation,
    measure_noise,
    noise_of_image,
    normalised,
)


class MeanWithError(NamedTuple):
    """Result of `mean_with_error`.

    Attributes
    ----------
    image : ndarray, shape (y, x) or (y, x, channel)
        The mean, of the type of the frames.
    standard_error : ndarray of float32, shape of `image`
        From what the frames differ by; NaN where fewer than two cover a pixel.
    effective_frames : ndarray of float32, shape of `image`
        So many frames of equal weight would be as sure: (sum of weights)^2 / sum of their squares.
    coverage : ndarray of uint16, shape of `image`
        Frames that cover a pixel.
    """

    image: NDArray[Any]
    standard_error: NDArray[np.float32]
    effective_frames: NDArray[np.float32]
    coverage: Annotated[NDArray[np.uint16], Shown("magma")]


def mean_with_error(
    stack: Stack,
    *,
    weights: Literal["equal", "noise", "sharpness", "both"] = "equal",
    normalisation: Normalisation = "none",
    dtype: Literal["input", "float32", "float64"] = "input",
    run: Run = Run(),
) -> MeanWithError:
    """Average the frames, and say how sure the mean is at each pixel.

    Parameters
    ----------
    stack : Stack
        Registered frames. Interpolation has smoothed them: neighbours of the result share their
        errors, and a mean over an area is less sure than its standard errors say.
    weights : {"equal", "noise", "sharpness", "both"}
        What frames count by: all the same, the inverse of the variance of their noise, their
        sharpness, or the product of both.
    normalisation : {"none", "additive", "multiplicative", "both", "local"}
        Bring the frames to the level of the first before, as `combine` does.
    dtype : {"input", "float32", "float64"}
        Type of the image; input is that of the frames, rounded.
    run : Run

    Returns
    -------
    MeanWithError
        Pixels that no frame covers are 0, or NaN in a float type.

    Raises
    ------
    ValueError
        When no frame is used, or a frame's level makes normalising impossible.
    """
    check(mean_with_error, locals())
    require_used(stack)
    levelled = normalised(stack, normalisation, run.part(0, 2))
    shares = dict.fromkeys(range(len(stack)), 1.0)
    if weights != "equal":
        shares = weights_of(levelled, WeightedMean(by=weights), run.part(0, 2))
    moments = run.part(1, 2).fold(Moments(shares), levelled, what="Averaging frames")
    mean, error, effective, count = moments.result()
    image_type = stack.dtype if dtype == "input" else np.dtype(dtype)
    covered = count > 0
    image = cast(mean, image_type, covered[..., 0] if mean.ndim == 3 else covered)
    return MeanWithError(
        image, error.astype(np.float32), effective.astype(np.float32), count.astype(np.uint16)
    )


def noise_summary(stack: Stack, image: NDArray[Any], *, frame: int | None = None) -> str:
    """Compare the noise of a mean with what so many frames let expect.

    Parameters
    ----------
    stack : Stack
    image : ndarray
        Mean of its used frames.
    frame : int, optional
        Whose noise is the measure; by default the first used.

    Returns
    -------
    str
        Such as "noise 0.27 of a frame's, 0.25 expected of 16 frames".
    """
    require_used(stack)
    first = int(np.flatnonzero(stack.used)[0]) if frame is None else frame
    count = int(stack.used.sum())
    share = noise_of_image(image, alpha=stack.alpha) / max(
        float(np.sqrt(measure_noise(stack, first))), 1e-12
    )
    return (
        f"noise {share:.2f} of a frame's, {1 / np.sqrt(count):.2f} expected of {count} "
        f"frame{'s' if count > 1 else ''}"
    )


@dataclass
class Moments:
    """Weighted sums of distances from the first frame, and of their squares: a fold."""

    shares: dict[int, float]
    pivot: Any = None
    sums: Any = None
    count: Any = None

    def prepare(self, stack: Stack, index: int) -> Any:
        """Read a frame."""
        values, valid = stack.values(index)
        values = values.astype(np.float64)
        there = np.ones(values.shape[:2], bool) if valid is None else valid
        there = there if values.ndim == 2 else np.broadcast_to(there[..., None], values.shape)
        return np.where(there, values, 0.0), there

    def add(self, index: int, prepared: Any) -> None:
        """Take in a frame."""
        values, there = prepared
        if self.sums is None:
            self.pivot = values.copy()
            self.sums = np.zeros((4, *values.shape))
            self.count = np.zeros(values.shape, np.int64)
        weight = self.shares[index] * there
        distance = values - self.pivot
        parts = (weight, weight * distance, weight * distance**2, weight * weight)
        for total, part in zip(self.sums, parts, strict=True):
            total += part
        self.count += there

    def merge(self, later: Self) -> None:
        """Take in the sums of later frames, about their own pivot."""
        if self.sums is None:
            self.pivot, self.sums, self.count = later.pivot, later.sums, later.count
            return
        weight, first, second, squares = later.sums
        apart = later.pivot - self.pivot
        moved = second + 2 * apart * first + apart**2 * weight
        self.sums += np.stack([weight, first + apart * weight, moved, squares])
        self.count += later.count

    def result(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[np.int64]]:
        """Return the mean, its standard error, the effective number of frames, and the count."""
        weight, first, second, squares = self.sums
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(weight > 0, self.pivot + first / weight, 0.0)
            variance = (second - first**2 / weight) / (weight - squares / weight)
            error = np.sqrt(np.maximum(variance, 0) * squares) / weight
            effective = np.nan_to_num(weight**2 / squares)
        error[self.count < 2] = np.nan
        return mean, error, effective, self.count
