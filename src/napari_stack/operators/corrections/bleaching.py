"""`measure_bleaching`, `correct_bleaching` and `Bleaching`: light that fades over a series."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.measured import same
from napari_stack.core.options import Bounds, check
from napari_stack.core.signatures import composed
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.corrections.pixelwise import (
    PerFrameValue,
    channel_columns,
    check_channels,
    check_frames,
)

Method = Literal["ratio", "exponential", "histogram"]


@dataclass(frozen=True, eq=False)
class Bleaching(PerFrameValue):
    """What gives every frame the brightness of the first.

    Parameters
    ----------
    alpha : bool
        The last channel is alpha and left as it is.
    method : {"ratio", "exponential", "histogram"}
    gains : ndarray, shape (n, k)
        One row a frame, of one number for all channels or one for each.
    means : ndarray, shape (n, k)
        Measured mean intensities, background taken off: the points of a plot.
    fitted : ndarray, shape (n, k)
        The curve that the gains follow; with "ratio" and "histogram" the means themselves.
    decay : ndarray, shape (k, 3), or None
        Of the exponential a exp(-b t) + c, t in frames: a, b and c.
    background : float
        Value without light; it stays as it is.
    starts, steps, curves : ndarray, shapes (n, k), (n, k) and (n, k, nodes), or None
        Matching curves: results for ``start``, ``start + step``, and so on.
    """

    _name: ClassVar[str] = "bleaching"
    _arrays: ClassVar[tuple[str, ...]] = (
        "gains", "means", "fitted", "starts", "steps", "curves",
    )  # fmt: skip

    method: Method = "ratio"
    gains: NDArray[np.float64] = ()  # type: ignore[assignment]
    means: NDArray[np.float64] = ()  # type: ignore[assignment]
    fitted: NDArray[np.float64] = ()  # type: ignore[assignment]
    decay: NDArray[np.float64] | None = None
    background: float = 0.0
    starts: NDArray[np.float64] | None = None
    steps: NDArray[np.float64] | None = None
    curves: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        self._freeze(np.float64, "gains", "means", "fitted", ndim=2)
        if not self.gains.shape == self.means.shape == self.fitted.shape:
            raise UserError("gains, means and fitted need one shape, (n, k)")
        self._freeze(np.float64, "decay", "starts", "steps")
        self._freeze(np.float32, "curves")

    def change(self, block: NDArray[Any], index: int, rows: slice) -> None:  # noqa: ARG002
        """Give rows of a frame the brightness of the first, in place."""
        from napari_stack.operators.corrections.balance_measure import apply_curve
        from napari_stack.operators.corrections.pixelwise_kernels import scale
        from napari_stack.operators.corrections.tone_curves import curves_of

        if not (curves := curves_of(self, index)):
            kind = block.dtype.type
            scale(block, self.gains[index].astype(kind), kind(self.background))
        for k, curve in enumerate(curves):
            apply_curve(block if len(curves) == 1 else block[..., k : k + 1], curve)

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Return the gains of every frame."""
        return channel_columns("bleaching gain", self.gains)

    def join(self, others: Sequence[Self]) -> Self:
        """Return that of these frames followed by others; a decay of each alone is not kept."""
        if all(same(other.decay, self.decay) for other in others):
            return super().join(others)
        first, *rest = (replace(one, decay=None) for one in (self, *others))
        return first.join(rest)


def measure_bleaching(
    stack: Stack,
    *,
    method: Method = "exponential",
    each_channel: bool = False,
    background: Annotated[float, Bounds(-1e9, 1e9)] = 0.0,
    run: Run = Run(),
) -> Bleaching:
    """Measure how the light fades from frame to frame.

    Parameters
    ----------
    stack : Stack
        Frames at equal intervals.
    method : {"exponential", "ratio", "histogram"}
        A fitted decay a exp(-b t) + c, which leaves true changes of single frames alone; the ratio
        of the mean intensities; or the histogram of the first frame for all.
    each_channel : bool
        Measure every channel by itself; else their brightness, alike for all.
    background : float
        Value of a pixel without light, in units of the data. Histograms do without.
    run : Run

    Returns
    -------
    Bleaching

    Raises
    ------
    ValueError
        When an option is out of range, or a frame is not brighter than the background.

    Notes
    -----
    The three methods are those of Fiji's Bleach Correction (Miura 2020, F1000Research 9:1494).
    Frames that are not used do not count in the fit.
    """
    check(measure_bleaching, locals())
    from napari_stack.operators.corrections import bleaching_fit, tone_curves

    matched = method == "histogram"
    view = bleaching_fit.MeanOptions(float(background), each_channel, matched)
    first = int(np.flatnonzero(stack.used)[0]) if stack.used.any() else 0
    reference = bleaching_fit.measure(stack, first, view=view, reference=None)
    measure = partial(bleaching_fit.measure, view=view, reference=reference)
    found = run.each(measure, stack, what="Measuring bleaching")
    means = np.array([frame.means for frame in found])
    if not (means > 0).all():
        dark = int(np.flatnonzero((means <= 0).any(axis=1))[0])
        raise UserError(
            f"{stack.source.label(dark)} is not brighter than the background {background:g}: lower "
            "the background, or leave the frame out"
        )
    fitted, decay = means, None
    if method == "exponential":
        fitted, decay = bleaching_fit.fit_decay(means, stack.used)
    curves = tone_curves.curve_arrays([frame.curves for frame in found]) if matched else {}
    gains = fitted[first] / fitted
    return Bleaching(stack.alpha, method, gains, means, fitted, decay, float(background), **curves)


def apply_bleaching(stack: Stack, bleaching: Bleaching) -> Stack:
    """Give every frame the brightness of the first, lazily.

    Parameters
    ----------
    stack : Stack
        The stack measured, or another of as many frames, such as another channel.
    bleaching : Bleaching

    Returns
    -------
    Stack

    Raises
    ------
    ValueError
        When the number of frames or channels is another.
    """
    check_frames("bleaching", len(bleaching), stack)
    check_channels("bleaching", bleaching.gains.shape[1], stack)
    return stack.corrected(bleaching)


correct_bleaching = composed(
    "correct_bleaching",
    "Make up for light that fades over a series.",
    measure_bleaching,
    apply_bleaching,
)
