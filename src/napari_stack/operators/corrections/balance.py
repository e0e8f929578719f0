"""`measure_gains`, `balance` and `Gains`: frames made as bright, and of the colour, of one."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.measured import frozen
from napari_stack.core.notices import warn_caller
from napari_stack.core.options import Bounds, check
from napari_stack.core.signatures import composed
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.corrections.pixelwise import (
    PerFrameValue,
    channel_columns,
    check_frames,
    parts_of,
)

Channels = Literal["luminosity", "rgb", "hsv", "hls", "lab"]
Mapping = Literal["linear", "gamma", "match_histogram"]

#: Share of a frame's pixels beyond which clipping is worth a warning.
_MUCH_CLIPPED = 1e-3


@dataclass(frozen=True, eq=False)
class Gains(PerFrameValue):
    """What makes every frame as bright as the reference.

    Parameters
    ----------
    alpha : bool
        The last channel is alpha and left as it is.
    gains : ndarray, shape (n, k)
        One row a frame, of one number for all channels, one for each, or two for saturation (or
        chroma) and brightness. Gains, gammas, or for matched histograms the ratios of the means.
    channels : {"luminosity", "rgb", "hsv", "hls", "lab"}
    mapping : {"linear", "gamma", "match_histogram"}
    top : float
        Value of full brightness, which a gamma leaves as it is.
    clipped : ndarray of int, shape (n,)
        Pixels that leave the range of the pixel type, or of the colours, and will be clipped;
        every n-th along both axes was looked at, and stands for those around.
    starts, steps, curves : ndarray, shapes (n, k), (n, k) and (n, k, nodes), or None
        Matching curves: results for ``start``, ``start + step``, and so on.

    Examples
    --------
    >>> Gains(gains=[[1.0], [1.25]]).mapping
    'linear'
    """

    _name: ClassVar[str] = "gains"
    _arrays: ClassVar[tuple[str, ...]] = ("gains", "clipped", "starts", "steps", "curves")

    gains: NDArray[np.float64] = ()  # type: ignore[assignment]
    channels: Channels = "luminosity"
    mapping: Mapping = "linear"
    top: float = 1.0
    clipped: NDArray[np.int64] = None  # type: ignore[assignment]
    starts: NDArray[np.float64] | None = None
    steps: NDArray[np.float64] | None = None
    curves: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        self._freeze(np.float64, "gains", ndim=2)
        clipped = np.zeros(len(self.gains)) if self.clipped is None else self.clipped
        object.__setattr__(self, "clipped", frozen(clipped, np.int64, 1))
        self._freeze(np.float64, "starts", "steps")
        self._freeze(np.float32, "curves")
        if (self.curves is None) == (self.mapping == "match_histogram"):
            raise UserError("matched histograms need curves, other mappings need none")

    def change(self, block: NDArray[Any], index: int, rows: slice) -> None:  # noqa: ARG002
        """Balance rows of a frame in place."""
        from napari_stack.operators.corrections.balance_measure import Tones, change
        from napari_stack.operators.corrections.tone_curves import curves_of

        tones = Tones(self.mapping, self.gains[index].tolist(), curves_of(self, index))
        change(block, tones, self.channels, self.top)

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Return the gains of every frame."""
        return channel_columns("gain", self.gains)


def measure_gains(
    stack: Stack,
    *,
    channels: Channels = "luminosity",
    mapping: Mapping = "linear",
    reference: Annotated[int, Bounds(0, 999_999)] | Literal["middle", "first", "last"] = "middle",
    mask_size: Annotated[float, Bounds(0.0, 2.0, step=0.05)] = 0.0,
    intensity_min: Annotated[float, Bounds(0.0, 1e9)] = 0.0,
    intensity_max: Annotated[float, Bounds(-1.0, 1e9)] = -1.0,
    subsample: Annotated[int, Bounds(1, 64)] = 8,
    run: Run = Run(),
) -> Gains:
    """Measure what makes every frame as bright, and of the same colour, as the reference.

    Parameters
    ----------
    stack : Stack
    channels : {"luminosity", "rgb", "hsv", "hls", "lab"}
        What is balanced: the brightness of all channels alike; every channel by itself (rgb, or
        any bands); saturation and value (hsv) or lightness (hls); chroma and lightness (lab).
    mapping : {"linear", "gamma", "match_histogram"}
        A gain, a gamma (which does not saturate bright pixels), or the whole histogram.
    reference : {"middle", "first", "last"} or int
        The frame that all others are made like; a number counts from 0.
    mask_size : float
        Measure only in a disc about the centre: its diameter as a part of the shorter side. 0
        takes the whole frame.
    intensity_min : float
        Measure only pixels of at least this intensity, in units of the data. Matched histograms
        take all.
    intensity_max : float
        Measure only pixels of at most this intensity; -1 sets no limit.
    subsample : int
        Measure every n-th pixel along both axes; fewer are left out of small frames.
    run : Run

    Returns
    -------
    Gains

    Raises
    ------
    ValueError
        When an option is out of range, does not fit the stack, or leaves no pixel to measure.

    Warns
    -----
    UserWarning
        When a frame loses more than 0.1 % of its pixels to clipping.

    Notes
    -----
    A linear gain is the ratio of the means, a gamma is found by bisection so that the means agree,
    and a matched value is CDF_ref^-1(CDF(v)), as in focusstack.
    """
    check(measure_gains, locals())
    from napari_stack.operators.corrections import balance_measure
    from napari_stack.operators.registration.register import reference_index

    if channels in ("hsv", "hls", "lab") and not stack.rgb:
        raise UserError(f"balancing {channels} needs colours; the frames are grey or bands")
    top = balance_measure.find_top(stack, run) if _needs_top(channels, mapping) else 1.0
    sampling = balance_measure.Sampling(
        channels, mapping, top, mask_size, intensity_min, intensity_max, subsample
    )
    fixed = balance_measure.sample(stack, reference_index(stack, reference), sampling)
    compare = partial(balance_measure.compare, fixed=fixed, sampling=sampling)
    found = run.each(compare, stack, what="Measuring gains")
    gains = _collected(stack, found, channels, mapping, top)
    _report(gains.clipped, stack)
    return gains


def _needs_top(channels: str, mapping: str) -> bool:
    return mapping == "gamma" or channels in ("hsv", "hls", "lab")


def _collected(
    stack: Stack, found: list[Any], channels: Channels, mapping: Mapping, top: float
) -> Gains:
    from napari_stack.operators.corrections.tone_curves import curve_arrays

    matched = mapping == "match_histogram"
    curves = curve_arrays([frame.curves for frame in found]) if matched else {}
    return Gains(
        stack.alpha,
        [frame.gains for frame in found],  # type: ignore[arg-type]
        channels, mapping, top,
        [frame.clipped for frame in found],  # type: ignore[arg-type]
        **curves,
    )  # fmt: skip


def _report(clipped: NDArray[np.int64], stack: Stack) -> None:
    if _much(clipped, stack):
        told = _told(clipped, stack)
        remedy = "choose a darker reference, or mapping='gamma'"
        warn_caller(f"{told}: {remedy}")


def _much(clipped: NDArray[np.int64], stack: Stack) -> bool:
    return bool(clipped.max() > _MUCH_CLIPPED * stack.shape[1] * stack.shape[2])


def _told(clipped: NDArray[np.int64], stack: Stack) -> str:
    worst = int(clipped.argmax())
    share = clipped[worst] / (stack.shape[1] * stack.shape[2])
    part = f"{share:.1%}" if share >= _MUCH_CLIPPED else f"{share:.2g} of it"
    return (
        f"balancing clips {int(clipped.sum())} pixels in {int((clipped > 0).sum())} frames, most "
        f"in {stack.source.label(worst)} ({part})"
    )


def clipping(stack: Stack) -> str:
    """Tell how many pixels the last balancing of a stack clips.

    Parameters
    ----------
    stack : Stack
        Balanced.

    Returns
    -------
    str
        Nothing where none is clipped, or so many that `measure_gains` has warned of it.
    """
    gains = [p for c in stack.corrections for p in parts_of(c) if isinstance(p, Gains)]
    if not gains or not gains[-1].clipped.any() or _much(gains[-1].clipped, stack):
        return ""
    return _told(gains[-1].clipped, stack)


def apply_gains(stack: Stack, gains: Gains) -> Stack:
    """Make every frame as bright as measured, lazily.

    Parameters
    ----------
    stack : Stack
        The stack measured, or another of as many frames, such as another channel.
    gains : Gains

    Returns
    -------
    Stack
        Values that leave the range of the pixel type are clipped when they are seen or written.

    Raises
    ------
    ValueError
        When the number of gains is not that of frames, or of channels.
    """
    check_frames("gains", len(gains), stack)
    wanted = {"luminosity": stack.channels, "rgb": gains.gains.shape[1]}.get(gains.channels, 3)
    if stack.channels != wanted:
        raise UserError(f"gains of {wanted} channels do not fit frames of {stack.channels}")
    return stack.corrected(gains)


balance = composed(
    "balance",
    "Make all frames as bright, and of the same colour, as the reference.",
    measure_gains,
    apply_gains,
)
