"""Methods of rejection besides sigma clipping, and which one suits how many frames."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.method_options import MethodOptions
from napari_stack.core.notices import number_text
from napari_stack.core.options import Bounds
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.combine.measures.normalisation import measure_level, measure_noise


@dataclass(frozen=True)
class LinearFit(MethodOptions):
    """Values far from the straight line through the values in order, as Siril does.

    The line is fitted to the sorted values against their rank, again without what was rejected.
    The distance is in units of the mean distance from the line. Suits many frames whose level
    changes evenly, as when the sky becomes brighter. The sigmas and rounds are those of the clip.
    """


@dataclass(frozen=True)
class GeneralisedESD(MethodOptions):
    """Outliers by the generalised test of extreme studentised deviates (Rosner 1983).

    Parameters
    ----------
    outliers : float
        Share of the frames that may be outliers at a pixel.
    significance : float
        Chance that a value of normal noise is rejected, over all of a pixel.
    """

    outliers: Annotated[float, Bounds(0.0, 0.5, step=0.05)] = 0.3
    significance: Annotated[float, Bounds(0.0001, 0.5, step=0.01)] = 0.05


@dataclass(frozen=True)
class PercentileClip(MethodOptions):
    """Values that differ from the median by more than a share of it; suits 3 to 6 frames.

    Parameters
    ----------
    below, above : float
        Share of the median.
    """

    below: Annotated[float, Bounds(0.0, 100.0, step=0.05)] = 0.2
    above: Annotated[float, Bounds(0.0, 100.0, step=0.05)] = 0.1


@dataclass(frozen=True)
class MinMax(MethodOptions):
    """The least and the greatest values of each pixel, whatever they are.

    Parameters
    ----------
    least, greatest : int
        How many of all frames; where fewer cover a pixel, as great a share of these (as IRAF's
        imcombine does).
    """

    least: Annotated[int, Bounds(0, 1000)] = 1
    greatest: Annotated[int, Bounds(0, 1000)] = 1


Centre = Literal["mean", "median"]
Spread = Literal["standard deviation", "MAD", "winsorised"]

#: The usual clip, what suits the number of frames, or another method.
Rejection = (
    Literal["sigma", "auto", "linear fit", "generalised ESD", "percentile clip", "min max"]
    | LinearFit
    | GeneralisedESD
    | PercentileClip
    | MinMax
)

_NAMED: dict[str, Any] = {
    "linear fit": LinearFit(),
    "generalised ESD": GeneralisedESD(),
    "percentile clip": PercentileClip(),
    "min max": MinMax(),
}


def rejection_of(method: Rejection) -> Any:
    """Return the options behind a method's name; "sigma" and "auto" are returned as they are."""
    return _NAMED.get(method, method) if isinstance(method, str) else method


@cache
def critical_values(count: int, outliers: float, significance: float) -> NDArray[np.float64]:
    """Return the critical values lambda_1, lambda_2, ... of the generalised ESD test.

    As in section 1.3.5.17.3 of the NIST/SEMATECH e-Handbook of Statistical Methods.

    Parameters
    ----------
    count : int
        Number of values.
    outliers : float
        Share of them that may be outliers.
    significance : float

    Examples
    --------
    >>> [float(value) for value in critical_values(54, 0.1852, 0.05)[:3].round(3)]
    [3.159, 3.151, 3.144]
    """
    from scipy.special import stdtrit

    most = min(int(outliers * count + 1e-9), count - 3)
    if most < 1:
        return np.empty(0)
    i = np.arange(1, most + 1)
    left = count - i
    t = stdtrit(left - 1.0, 1 - significance / (2 * (left + 1)))
    return np.asarray(left * t / np.sqrt((left - 1 + t**2) * (left + 1)))


def refuse_none_left(method: Any, frames: int) -> None:
    """Refuse a method that leaves no value of so many frames.

    Raises
    ------
    ValueError
    """
    if isinstance(method, MinMax) and method.least + method.greatest >= frames:
        count = "one frame" if frames == 1 else f"{frames} frames"
        raise UserError(
            f"of {count} the {method.least} least and the {method.greatest} greatest values are to "
            "be rejected, which leaves none: reject fewer"
        )


class Suited(NamedTuple):
    """What `method="auto"` takes, in words too."""

    method: Any
    text: str
    sigma: float = 3.5
    centre: Any = "median"
    spread: Any = "MAD"


def suited(stack: Stack, run: Run) -> Suited:
    """Choose by the number of frames, and for few by their noise and levels.

    Measured on series with truth by `benchmarks/rejection.py`: from 8 frames on the generalised
    ESD test is the nearest to the mean without outliers, or level with the nearest. Of fewer the
    spread tells little, and the noise that neighbours show tells more, where the levels agree.
    """
    frames = int(stack.used.sum())
    if frames > _FEW:
        return Suited(GeneralisedESD(), f"for {frames} frames the generalised ESD test")
    numbers = np.flatnonzero(stack.used).tolist()
    found = run.each(_level_and_noise, stack, numbers, what="Measuring noise")
    level, noise = np.array([one for one in found if one is not None]).reshape(-1, 2).T
    frames = len(level)  # those that show anything
    usual = float(np.median(noise)) if frames else 0.0
    if 0 < usual < np.inf and level.min() > 0 and np.ptp(level) < usual:
        share = float(np.clip(_SIGMAS * usual / np.median(level), 0.005, 1.0))
        percent = number_text(100 * share, 2)
        text = (
            f"for {frames} frames of equal level the percentile clip at {percent}% of the "
            f"median, {_SIGMAS:g} times their noise"
        )
        return Suited(PercentileClip(share, share), text)
    text = f"for {frames} frames sigma clipping about the median by the MAD, at 3.5 sigma"
    return Suited("sigma", text)


#: Frames up to which their own spread tells too little.
_FEW = 7

#: Times the noise that a value of few frames may be away from the median.
_SIGMAS = 3.5


def _level_and_noise(stack: Stack, index: int) -> tuple[float, float] | None:
    """Level of a frame and its noise; None where it shows nothing at all."""
    valid = stack.values(index)[1]
    if valid is not None and not valid.any():
        return None
    level = measure_level(stack, index)[0]
    level = level[:-1] if stack.alpha else level
    return float(level.mean()), float(np.sqrt(measure_noise(stack, index)))
