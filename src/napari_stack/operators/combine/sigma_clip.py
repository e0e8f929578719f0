"""`sigma_clip`: the mean of each pixel's values without outliers."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.core.options import Bounds, CountsWith, check
from napari_stack.core.results import OnlyWith, PerFrame, Shown
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.combine.combine import require_used
from napari_stack.operators.combine.measures.normalisation import Normalisation, normalised
from napari_stack.operators.combine.rejection.grow import grown
from napari_stack.operators.combine.rejection.methods import (
    Centre,
    Rejection,
    Spread,
    refuse_none_left,
    rejection_of,
    suited,
)
from napari_stack.operators.combine.rejection.too_few import why_not_clipped

if TYPE_CHECKING:
    from napari_stack.operators.combine.rejection.clip_pixel import Rules

# What each method makes use of; grown rejection is measured in sigmas whatever the method.
_DISTANCES = CountsWith("method", ("sigma", "linear fit"))
_ROUNDS = CountsWith("method", ("sigma", "auto", "linear fit"))
_OWN = CountsWith("method", ("sigma",))


class Clipped(NamedTuple):
    """Result of `sigma_clip`.

    Attributes
    ----------
    image : ndarray, shape (y, x) or (y, x, channel)
        Mean of the values that were kept.
    rejected : ndarray of uint16, shape of `image`
        Number of frames rejected at each pixel.
    rejected_fraction : ndarray of float64, shape (n,)
        Share of each frame's valid pixels that was rejected; NaN for frames without any and for
        those not used.
    standard_error : ndarray of float32, shape of `image`, or None
        Standard error of `image`: the standard deviation of the values kept, over the root of
        their number; NaN for fewer than two. Only with ``details=True``.
    used : ndarray of uint16, shape of `image`, or None
        Number of frames averaged at each pixel. Only with ``details=True``.
    rejected_low, rejected_high : ndarray of uint16, shape of `image`, or None
        Number of frames rejected below and above what is kept; those that `grow` adds as those
        around them. Only with ``details=True``.
    """

    image: NDArray[Any]
    rejected: Annotated[NDArray[np.uint16], Shown("inferno")]
    rejected_fraction: Annotated[NDArray[np.float64], PerFrame]
    standard_error: Annotated[NDArray[np.float32] | None, OnlyWith("details")] = None
    used: Annotated[NDArray[np.uint16] | None, OnlyWith("details")] = None
    rejected_low: Annotated[NDArray[np.uint16] | None, OnlyWith("details")] = None
    rejected_high: Annotated[NDArray[np.uint16] | None, OnlyWith("details")] = None


def sigma_clip(
    stack: Stack,
    *,
    method: Rejection = "sigma",
    sigma: Annotated[
        float, Bounds(0.1, 100.0, step=0.1, unit="sigma"), _DISTANCES, CountsWith("grow")
    ] = 2.5,
    iterations: Annotated[int, Bounds(0, 1000), _ROUNDS] = 5,
    sigma_low: Annotated[
        float, Bounds(0.0, 100.0, step=0.1, unit="sigma"), _ROUNDS, CountsWith("grow")
    ] = 0.0,
    sigma_high: Annotated[float, Bounds(0.0, 100.0, step=0.1, unit="sigma"), _ROUNDS] = 0.0,
    centre: Annotated[Centre, _OWN] = "mean",
    spread: Annotated[Spread, _OWN] = "standard deviation",
    grow: Annotated[float, Bounds(0.0, 30.0, step=0.5, unit="px")] = 0.0,
    normalisation: Normalisation = "none",
    dtype: Literal["input", "float32", "float64"] = "input",
    details: bool = False,
    run: Run = Run(),
) -> Clipped:
    """Average the frames without outliers: cosmic rays, trails, passers-by.

    Per pixel and channel: the mean and the population standard deviation of the values not
    rejected so far; values further than `sigma` deviations from the mean are rejected; again,
    until nothing more is. Fewer than three values are simply averaged.

    Parameters
    ----------
    stack : Stack
        Registered frames.
    method : str, LinearFit, GeneralisedESD, PercentileClip or MinMax
        "sigma" clips as the options below say. "auto" takes what suits the number of frames, and
        says what it took. The linear fit rejects what lies far from a straight line through the
        values in order; the generalised ESD test as many as are outliers at a level of
        significance; the percentile clip what differs from the median by a share of it; min max
        the least and the greatest.
    sigma : float
        Distance from the centre, in units of the spread, beyond which a value is rejected.
    iterations : int
        Rounds of rejection at most; 0 gives the plain mean.
    sigma_low : float
        Distance below the centre beyond which a value is rejected; 0 is that of sigma.
    sigma_high : float
        Distance above the centre beyond which a value is rejected; 0 is that of sigma.
    centre : {"mean", "median"}
        What the distance is taken from. What is kept is averaged in any case. The median is not
        shifted by outliers, and suits few frames.
    spread : {"standard deviation", "MAD", "winsorised"}
        What the distance is compared with. MAD is 1.4826 times the median distance from the
        median; winsorised is the standard deviation of values drawn in to 1.5 of it. Both are
        hardly widened by outliers, and suit few frames. Where most values are the same, it is
        the least difference from the median, or a grey level.
    grow : float
        Reject around what was rejected, too, where neighbours within about so many px deviate
        together: the faint wings of a satellite's trail, the rim of a cell that moved. 0 does not.
    normalisation : {"none", "additive", "multiplicative", "both", "local"}
        Bring the frames to the level of the first before they are clipped: by the differences of
        their medians (additive), by the ratios (multiplicative), by the differences and the
        ratios of their spreads (both), or tile by tile (local): gradients that differ.
    dtype : {"input", "float32", "float64"}
        Type of the image; input is that of the frames, rounded.
    details : bool
        Give the standard error and the number of frames averaged at each pixel too.
    run : Run

    Returns
    -------
    Clipped
        The image, the number of frames rejected at each pixel, and the share of each frame.
        Pixels that no frame covers are 0, or NaN in a float type.

    Raises
    ------
    ValueError
        When an option is out of range, no frame is used, or more than 65,535 are.

    Warns
    -----
    UserWarning
        When so few frames cannot be clipped: no value lies further than sqrt(n - 1) population
        deviations from the mean of n.
    """
    check(sigma_clip, locals())
    require_used(stack)
    used = int(stack.used.sum())
    if used > _MOST_FRAMES:
        raise UserError(
            f"{used} frames are used, and rejected ones are counted up to {_MOST_FRAMES}: clip "
            "every few thousand frames on their own, and average those results"
        )
    chosen = rejection_of(method)
    refuse_none_left(chosen, used)
    if too_few := why_not_clipped(
        used, chosen, sigma, sigma_low, sigma_high, iterations, centre, spread
    ):
        warn_caller(too_few)
    passes = 1 + (normalisation != "none") + (grow > 0)
    levelled = normalised(stack, normalisation, run.part(0, passes))
    if chosen == "auto":
        auto = suited(levelled, replace(run, tick=None))
        chosen, sigma, centre, spread = auto.method, auto.sigma, auto.centre, auto.spread
        sigma_low, sigma_high = sigma_low or sigma, sigma_high or sigma
        warn_caller(f"sigma_clip, method='auto': {auto.text}")
    rules = _rules(stack, sigma_low or sigma, sigma_high or sigma, centre, spread, iterations)
    band = partial(_band(chosen, rules, used), dtype=result_dtype(stack.dtype, dtype))
    if not grow:
        found = run.part(passes - 1, passes).bands(
            partial(band, details=details), levelled, what="Clipping"
        )
    else:
        first, last = run.part(passes - 2, passes), run.part(passes - 1, passes)
        found = grown(levelled, band, grow, max(sigma_low or sigma, 1.0), first, last)
    image, rejected, rejected_per_frame, present, *more = found
    if not details:
        return Clipped(image, rejected, _fractions(stack, rejected_per_frame, present))
    error, kept, below = more
    fractions = _fractions(stack, rejected_per_frame, present)
    return Clipped(image, rejected, fractions, error, kept, below, rejected - below)


def _rules(
    stack: Stack, low: float, high: float, centre: str, spread: str, iterations: int
) -> "Rules":
    from napari_stack.operators.combine.rejection.clip_pixel import Rules

    unit = 1.0 if spread != "standard deviation" and holds_whole_numbers(stack) else np.inf
    rules = (float(low), float(high), _CENTRES[centre], _SPREADS[spread], int(iterations))
    return Rules(*rules, unit)


def holds_whole_numbers(stack: Stack) -> bool:
    """Tell whether frames were recorded as grey levels, also where they are floats now."""
    if stack.dtype.kind != "f":
        return True
    if stack.source.computed:
        return False
    frame = stack.source.pixels(int(np.flatnonzero(stack.used)[0]))[0]
    known = frame[np.isfinite(frame)]
    return bool(known.size) and bool((known == np.rint(known)).all() and np.ptp(known) > 1)


def _band(chosen: Any, rules: "Rules", frames: int) -> Any:
    """Return the function that makes bands by a method."""
    if chosen == "sigma":
        from napari_stack.operators.combine.rejection.clip_band import clip_band

        return partial(clip_band, rules=rules)
    from napari_stack.operators.combine.rejection.reject_band import limits_of, reject_band

    limits = limits_of(chosen, rules.low, rules.high, rules.iterations, frames)
    return partial(reject_band, method=chosen, limits=limits)


#: The numbers of frames at each pixel are uint16.
_MOST_FRAMES = 65_535

# By their numbers in the kernels, which are imported when they are needed.
_CENTRES = {"mean": 0, "median": 1}
_SPREADS = {"standard deviation": 0, "MAD": 1, "winsorised": 2}


def _fractions(stack: Stack, counts: NDArray[Any], present: NDArray[Any]) -> NDArray[np.float64]:
    """Share rejected of every frame, from counts (rows, used frames)."""
    fractions = np.full(len(stack), np.nan)
    there = present.sum(axis=0, dtype=np.float64)
    rejected = counts.sum(axis=0, dtype=np.float64)
    share = np.divide(rejected, there, out=np.full(len(there), np.nan), where=there > 0)
    fractions[stack.used] = share
    return fractions


def result_dtype(frames: np.dtype[Any], dtype: str = "input", **_others: Any) -> np.dtype[Any]:
    """Return the type of the image that `sigma_clip` makes of frames of some type."""
    return frames if dtype == "input" else np.dtype(dtype)
