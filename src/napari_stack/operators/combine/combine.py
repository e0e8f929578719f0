"""`combine`: one image from the pixels that lie above each other."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.method_options import MethodOptions
from napari_stack.core.options import (
    Bounds,
    CountsWith,
    ImageSource,
    check,
    method_options,
    options_of,
)
from napari_stack.core.pixels.casting import cast
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.combine.measures.normalisation import (
    Normalisation,
    noise_weights,
    normalised,
)

#: What leaves the range of the frames, or lies between their steps, is given in float64.
FLOAT_METHODS = ("sum", "product", "standard deviation", "difference")


@dataclass(frozen=True, eq=False)
class WeightedMean(MethodOptions):
    """Mean in which some frames count more than others.

    Parameters
    ----------
    weights : array of n numbers, str or Path, optional
        One weight a frame, or a file of them (.npy, .csv or .txt); by default they are measured.
    by : {"noise", "sharpness", "both"}
        What is measured: the inverse of each frame's noise variance, its sharpness (energy of fine
        details over the squared level), or the product of both.
    """

    weights: ImageSource = None
    by: Annotated[Literal["noise", "sharpness", "both"], CountsWith("weights", (None,))] = "noise"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        same = bool(np.array_equal(np.asarray(self.weights), np.asarray(other.weights)))
        return same and self.by == other.by

    def __hash__(self) -> int:
        return hash(type(self))


@dataclass(frozen=True)
class Percentile(MethodOptions):
    """Value below which a share of the frames lies, at each pixel.

    Parameters
    ----------
    percentile : float
        Share of the frames that lies below; 50 is the median. Between two frames it is
        interpolated.
    """

    percentile: Annotated[float, Bounds(0, 100, unit="%")] = 50.0


Method = (
    Literal[
        "mean",
        "median",
        "sum",
        "product",
        "minimum",
        "maximum",
        "range",
        "standard deviation",
        "difference",
        "weighted mean",
        "percentile",
    ]
    | WeightedMean
    | Percentile
)


def combine(
    stack: Stack,
    *,
    method: Method = "mean",
    normalisation: Normalisation = "none",
    dtype: Literal["automatic", "input", "float32", "float64"] = "automatic",
    run: Run = Run(),
) -> NDArray[Any]:
    """Combine the frames into one image; only valid pixels of used frames count.

    Parameters
    ----------
    stack : Stack
    method : str, WeightedMean or Percentile
        The mean lowers noise most; the median leaves out what only few frames show; the maximum
        draws star trails; the sum is a long exposure. The product is relative to the greatest
        value of all frames, M: M times the product of value / M. The difference is the first
        frame minus all others. The standard deviation is that of the population.
    normalisation : {"none", "additive", "multiplicative", "both", "local"}
        Bring the frames to the level of the first before they are combined: by the differences
        of their medians (additive), by the ratios (multiplicative), by the differences and the
        ratios of their spreads (both), or tile by tile (local): gradients that differ.
    dtype : {"automatic", "input", "float32", "float64"}
        Type of the image: automatic is that of the frames, but float64 for a sum, product,
        difference or standard deviation; input is that of the frames, rounded and limited to its
        range.
    run : Run

    Returns
    -------
    ndarray, shape (y, x) or (y, x, channel)
        Pixels that no frame covers are 0, or NaN in a float type. A difference is covered where
        the first frame is.

    Raises
    ------
    ValueError
        When no frame is used, an option is out of range, weights do not fit the frames, or a
        frame's level makes normalising impossible.
    """
    check(combine, locals())
    require_used(stack)
    chosen = method_options(options_of(combine)["method"], method)
    measured = isinstance(chosen, WeightedMean) and chosen.weights is None
    passes = 1 + (normalisation != "none") + measured
    levelled = normalised(stack, normalisation, run.part(0, passes))
    image_type = result_dtype(stack.dtype, chosen, dtype)
    last = run.part(passes - 1, passes)
    if is_rank(chosen):
        from napari_stack.operators.combine.reducers.rank import rank_band

        share = 0.5 if chosen == "median" else chosen.percentile / 100
        rank = partial(rank_band, share=share, dtype=image_type)
        return last.bands(rank, levelled, what="Combining frames")[0]
    state = _state(levelled, chosen, run.part(passes - 1 - measured, passes))
    last.fold(state, levelled, what="Combining frames")
    values, covered = state.result()
    return cast(values, image_type, covered)


def is_rank(method: Any) -> bool:
    """Return whether a method needs all values of a pixel at a time."""
    return method == "median" or isinstance(method, Percentile)


def in_bands(method: Any = "mean", **_others: Any) -> bool:
    """Return whether a method holds bands of all frames at a time, to predict its memory."""
    return is_rank(method_options(options_of(combine)["method"], method))


def result_dtype(
    frames: np.dtype[Any], method: Any = "mean", dtype: str = "automatic", **_others: Any
) -> np.dtype[Any]:
    """Return the type of the image that `combine` makes of frames of some type."""
    if dtype == "automatic":
        return np.dtype(np.float64) if method in FLOAT_METHODS else frames
    return frames if dtype == "input" else np.dtype(dtype)


def _state(stack: Stack, method: Any, run: Run) -> Any:
    """Return the running state of a method."""
    from napari_stack.operators.combine.reducers import accumulators as states

    if isinstance(method, WeightedMean):
        return states.Sum(mean=True, weights=weights_of(stack, method, run))
    if method == "difference":
        return states.Sum(first=int(np.flatnonzero(stack.used)[0]))
    if method in ("mean", "sum"):
        return states.Sum(mean=method == "mean")
    if method == "product":
        return states.Product()
    if method == "standard deviation":
        return states.Deviation()
    return states.Extremes(method=method)


def weights_of(stack: Stack, method: WeightedMean, run: Run) -> dict[int, float]:
    """Weights by frame: given, or measured."""
    if method.weights is None:
        return _measured_weights(stack, method.by, run)
    weights = numbers_of_frames("weights", method.weights, stack)
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise UserError("weights must be 0 or more, and finite: leave out frames by a weight of 0")
    if not weights[stack.used].any():
        raise UserError("the weights of all used frames are 0: one must be more")
    return dict(enumerate(weights.tolist()))


def _measured_weights(stack: Stack, by: str, run: Run) -> dict[int, float]:
    """Weights of used frames by their noise, their sharpness or both; their mean is 1."""
    if by == "noise":
        return noise_weights(stack, run)
    from napari_stack.operators.combine.measures.frame_measures import measure_frame

    used = np.flatnonzero(stack.used).tolist()
    found = run.each(measure_frame, stack, used, what="Measuring sharpness")
    weights = np.array([one.sharpness for one in found])
    if by == "both":
        weights = weights / np.maximum([one.noise for one in found], 1e-12) ** 2
    if not weights.any():
        raise UserError(
            "no frame shows details above its noise, by whose sharpness it could be weighed: weigh "
            "frames by their noise, or all the same"
        )
    return dict(zip(used, (weights / weights.mean()).tolist(), strict=True))


def numbers_of_frames(what: str, given: Any, stack: Stack) -> NDArray[np.float64]:
    """Read one number a frame from an array or a file, such as weights or exposures."""
    numbers = np.asarray(_loaded(what, given), np.float64).ravel()
    if len(numbers) != len(stack):
        raise UserError(f"{len(numbers)} {what} do not fit {len(stack)} frames: give one each")
    return numbers


def _loaded(what: str, given: Any) -> Any:
    if not isinstance(given, (str, Path)):
        return given
    path = Path(given)
    if path.suffix.lower() == ".npy":
        return np.load(path)
    try:
        return np.loadtxt(path, delimiter="," if path.suffix.lower() == ".csv" else None)
    except ValueError as error:
        raise UserError(f"{path} holds no list of {what} ({error}): write one a line") from error


def require_used(stack: Stack) -> None:
    """Refuse a stack of which no frame is used."""
    if not stack.used.any():
        raise UserError(
            f"none of the {len(stack)} frames is used (all failed or were ticked off): "
            "register again with other options, or use some"
        )
