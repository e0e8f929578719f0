"""One pixel through all frames, and what sigma clipping does to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.statistics import robust_sigma
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.combine.sigma_clip import sigma_clip


@dataclass(frozen=True, eq=False)
class PixelValues:
    """One pixel through a stack.

    Attributes
    ----------
    values : ndarray, shape (n, channels)
        As computed with; one channel for grey frames.
    valid : ndarray of bool, shape (n,)
        Frames that cover the pixel.
    used : ndarray of bool, shape (n,)
        Frames that reducers take.
    """

    values: NDArray[Any]
    valid: NDArray[np.bool_]
    used: NDArray[np.bool_]

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Frames that count at this pixel."""
        return self.valid & self.used


def pixel_values(stack: Stack, y: int, x: int, *, run: Run = Run()) -> PixelValues:
    """Read one pixel of every frame; of a source that can, only the rows that are needed.

    Raises
    ------
    IndexError
        For a pixel outside the frames.
    """
    height, width = stack.shape[1:3]
    if not (0 <= y < height and 0 <= x < width):
        raise IndexError(f"the pixel ({y}, {x}) is outside the frames of {height} x {width}")
    found = run.each(partial(_pixel, y=y, x=x), stack, what="Reading a pixel")
    values = np.stack([value for value, _ in found])
    return PixelValues(values, np.array([valid for _, valid in found], bool), stack.used)


def _pixel(stack: Stack, index: int, *, y: int, x: int) -> tuple[NDArray[Any], bool]:
    values, valid = stack.values(index, slice(y, y + 1))
    return np.atleast_1d(values[0, x]).copy(), valid is None or bool(valid[0, x])


@dataclass(frozen=True, eq=False)
class ClippedValues:
    """What sigma clipping does to one pixel of one channel.

    Attributes
    ----------
    rejected : ndarray of bool, shape (n,)
    image : float
        Mean of what is kept; NaN where nothing counts.
    centre, low, high : float
        Centre of what is kept and the bounds about it.
    """

    rejected: NDArray[np.bool_]
    image: float
    centre: float
    low: float
    high: float


def clipped_values(
    values: NDArray[Any], counts: NDArray[np.bool_], options: Mapping[str, Any]
) -> ClippedValues:
    """Clip the values of one pixel as `sigma_clip` does.

    Parameters
    ----------
    values : ndarray, shape (n,)
        In the type that the frames are clipped in.
    counts : ndarray of bool, shape (n,)
        Frames that are used and cover the pixel.
    options : mapping
        Options of `sigma_clip`. The values have been brought to one level already where
        ``normalisation`` asks for it.

    Returns
    -------
    ClippedValues
        With the bounds about what is kept, which is where the last round left them.
    """
    kept_out = {name: value for name, value in options.items() if name not in _NOT_OF_A_PIXEL}
    nowhere = ClippedValues(np.zeros(len(values), bool), np.nan, np.nan, np.nan, np.nan)
    if not counts.any():
        return nowhere
    alone = Stack.wrap(np.ascontiguousarray(values).reshape(-1, 1, 1), rgb=False)
    found = sigma_clip(replace(alone, used=counts), **kept_out, dtype="float64", run=Run(workers=1))
    rejected = np.nan_to_num(found.rejected_fraction) > 0
    kept = values[counts & ~rejected].astype(np.float64)
    return ClippedValues(rejected, float(found.image[0, 0]), *_bounds(kept, **kept_out))


#: Options of `sigma_clip` that are not about one pixel.
_NOT_OF_A_PIXEL = ("normalisation", "dtype", "details", "grow")


def _bounds(
    kept: NDArray[np.float64],
    method: Any = "sigma",
    sigma: float = 2.5,
    sigma_low: float = 0.0,
    sigma_high: float = 0.0,
    centre: str = "mean",
    spread: str = "standard deviation",
    **_others: Any,
) -> tuple[float, float, float]:
    """Centre of what is kept, and the bounds about it: of other methods what lies within them."""
    if method != "sigma":
        return float(np.mean(kept)), float(kept.min()), float(kept.max())
    middle = float(np.mean(kept) if centre == "mean" else np.median(kept))
    width = _SPREADS[spread](kept)
    width = width if width > 0 else float(np.std(kept))  # most values are the same
    return middle, middle - (sigma_low or sigma) * width, middle + (sigma_high or sigma) * width


def _winsorised(kept: NDArray[np.float64]) -> float:
    """Take the standard deviation of the values drawn in to 1.5 of it (Siril), until it settles."""
    middle, width = np.median(kept), float(np.std(kept))
    for _ in range(100):
        drawn = np.clip(kept, middle - 1.5 * width, middle + 1.5 * width)
        before, width = width, float(1.134 * np.std(drawn))
        if abs(width - before) <= 5e-4 * before:
            break
    return width


_SPREADS = {
    "standard deviation": lambda kept: float(np.std(kept)),
    "MAD": lambda kept: float(robust_sigma(kept)),
    "winsorised": _winsorised,
}
