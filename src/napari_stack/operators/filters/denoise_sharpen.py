"""`denoise` and `sharpen`: frames smoothed where they are alike, or made crisper, lazily."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.correction import Correction
from napari_stack.core.options import Bounds, check
from napari_stack.core.pixels.channels import colour_channels
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run

#: Frames looked at for the range of the data.
_SAMPLED = 16

#: Strength of denoising: what a user may choose, for frames and for results.
Strength = Annotated[float, Bounds(0, 20, step=0.25)]

#: Amount of sharpening: what a user may choose, for frames and for results.
Amount = Annotated[float, Bounds(0, 5, step=0.1)]


@dataclass(frozen=True)
class Denoise(Correction):
    """Frames denoised by non-local means.

    Parameters
    ----------
    strength : float
        In 255ths of the range between `low` and `high`.
    low, high : float
        Range of the data.
    height : int
        Rows of a frame.
    colours, alpha : bool
        The channels are colours; the last channel is alpha and stays as it is.
    """

    strength: float
    low: float
    high: float
    height: int
    colours: bool = False
    alpha: bool = False

    def source_rows(self, rows: slice, index: int) -> slice:  # noqa: ARG002
        """Rows whose surroundings are compared."""
        from napari_stack.operators.filters.non_local_means import REACH

        return _widened(rows, REACH, self.height)

    def apply(
        self, values: NDArray[Any], valid: NDArray[np.bool_] | None, index: int, rows: slice
    ) -> Pixels:
        """Denoise rows of a frame."""
        from napari_stack.operators.filters.non_local_means import non_local_means

        strength = self.strength / 255
        limits = (self.low, self.high)
        found = non_local_means(values, strength, limits, colours=self.colours, alpha=self.alpha)
        return _rows(found, valid, rows, self.source_rows(rows, index))


@dataclass(frozen=True)
class Sharpen(Correction):
    """Frames sharpened by an unsharp mask.

    Parameters
    ----------
    amount : float
        Share of the details that is added.
    radius : float
        Standard deviation of the blur whose difference are the details, in px.
    height : int
        Rows of a frame.
    alpha : bool
        The last channel is alpha and stays as it is.
    """

    amount: float
    radius: float
    height: int
    alpha: bool = False

    def source_rows(self, rows: slice, index: int) -> slice:  # noqa: ARG002
        """Rows that the blur depends on."""
        from napari_stack.operators.filters.non_local_means import blur_reach

        return _widened(rows, blur_reach(self.radius), self.height)

    def apply(
        self, values: NDArray[Any], valid: NDArray[np.bool_] | None, index: int, rows: slice
    ) -> Pixels:
        """Sharpen rows of a frame."""
        from napari_stack.operators.filters.non_local_means import unsharp_mask

        found = unsharp_mask(values, valid, self.amount, self.radius, alpha=self.alpha)
        return _rows(found, valid, rows, self.source_rows(rows, index))


def _widened(rows: slice, margin: int, height: int) -> slice:
    return slice(max(rows.start - margin, 0), min(rows.stop + margin, height))


def _rows(
    values: NDArray[Any], valid: NDArray[np.bool_] | None, rows: slice, given: slice
) -> Pixels:
    """Cut the wanted rows out of those that were given."""
    part = slice(rows.start - given.start, rows.stop - given.start)
    return values[part], None if valid is None else valid[part]


def denoise(stack: Stack, *, strength: Strength = 1.0, run: Run = Run()) -> Stack:
    """Smooth noise away where a neighbourhood repeats itself, by non-local means.

    Parameters
    ----------
    stack : Stack
        Frames of any type, grey, colours or bands.
    strength : float
        How far pixels that count as alike may differ, where the range of the data counts 255. 0.75
        to 1 is modest; noise of a standard deviation s needs half of s to s. 0 changes nothing.
    run : Run

    Returns
    -------
    Stack
        Frames are denoised when they are read, in their own type: 16 bits stay 16 bits.

    Raises
    ------
    ValueError
        When the strength is out of range.

    Notes
    -----
    Buades, Coll and Morel (2005), windows of 7 px compared within 21 px, by absolute differences
    on 16 bits. Of colours, brightness and hue are compared apart. The range of the data is that of
    8 bits, of the bits that 16-bit frames use (12 in 16, say), or least to greatest of floats.
    """
    check(denoise, {"strength": strength})
    if strength == 0:
        return stack
    low, high = data_range(stack, run)
    return stack.corrected(
        Denoise(strength, low, high, stack.shape[1], colours=stack.rgb, alpha=stack.alpha)
    )


def sharpen(
    stack: Stack,
    *,
    amount: Amount = 0.5,
    radius: Annotated[float, Bounds(0.3, 20, step=0.1, unit="px")] = 1.0,
    run: Run = Run(),  # noqa: ARG001
) -> Stack:
    """Make frames a little crisper by an unsharp mask.

    Parameters
    ----------
    stack : Stack
        Frames of any type.
    amount : float
        Share of the details that is added; 0 changes nothing.
    radius : float
        Size of the details: standard deviation of the blur that takes them away.
    run : Run
        Not used: frames are sharpened when they are read.

    Returns
    -------
    Stack
        What leaves the range of the type is clipped at the end.

    Raises
    ------
    ValueError
        When an option is out of range.
    """
    check(sharpen, {"amount": amount, "radius": radius})
    if amount == 0:
        return stack
    return stack.corrected(Sharpen(amount, radius, stack.shape[1], alpha=stack.alpha))


def polished(
    image: NDArray[Any],
    covered: NDArray[np.bool_] | None,
    like: Stack,
    denoised: float,
    sharpened: float,
    run: Run,
) -> NDArray[Any]:
    """Denoise and sharpen an image that was made of a stack; float pixels in, float pixels out.

    Parameters
    ----------
    image : ndarray, shape (y, x) or (y, x, channel)
    covered : ndarray of bool, shape (y, x), optional
        Pixels that count; None for all.
    like : Stack
        What it was made of: gives the range of the data, colours and alpha.
    denoised, sharpened : float
        Strength and amount; 0 for none.
    run : Run
    """
    from napari_stack.operators.filters.non_local_means import non_local_means, unsharp_mask

    if denoised:
        limits, colours = data_range(like, run), like.rgb
        image = non_local_means(image, denoised / 255, limits, colours=colours, alpha=like.alpha)
    if sharpened:
        image = unsharp_mask(image, covered, sharpened, 1.0, alpha=like.alpha)
    return image


def data_range(stack: Stack, run: Run) -> tuple[float, float]:
    """Range that the pixels of a stack use: 0 to the greatest number of their bits, or of floats.

    Examples
    --------
    >>> import numpy as np
    >>> data_range(Stack.wrap(np.full((2, 3, 4), 3000, np.uint16)), Run())
    (0.0, 4095.0)
    """
    if stack.dtype == np.uint8:
        return 0.0, 255.0
    from napari_stack.core.pixels.bit_depth import bits_top

    used = np.flatnonzero(stack.used) if stack.used.any() else np.arange(len(stack))
    some = np.unique(used[np.linspace(0, len(used) - 1, _SAMPLED).round().astype(int)])
    found = run.each(_extremes, stack, some, what="Finding the range")
    low, high = min(a for a, _ in found), max(b for _, b in found)
    if stack.dtype.kind == "u":
        return 0.0, float(bits_top(stack.dtype, high))
    return (low, high) if high > low else (low, low + 1.0)


def _extremes(stack: Stack, index: int) -> tuple[float, float]:
    values, valid = stack.values(index)
    colours = colour_channels(values, stack.alpha)
    counted = colours if valid is None else colours[valid]
    return (float(counted.min()), float(counted.max())) if counted.size else (0.0, 0.0)
