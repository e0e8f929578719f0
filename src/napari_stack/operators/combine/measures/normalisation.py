"""Bring frames of different exposure to one level before they are combined; their noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.correction import Correction
from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_of_frames
from napari_stack.core.pixels.channels import colour_channels
from napari_stack.core.pixels.statistics import noise_sigma
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run

Normalisation = Literal["none", "additive", "multiplicative", "both", "local"]

#: Share of a frame that is padding at least, and of other zeros beside it at most.
_PADDED, _FEW_ZEROS = 0.02, 0.01

#: Pixels of a frame that are sampled: the median of so many is known to 0.3 % of the deviation.
_SAMPLE = 2**18


@dataclass(frozen=True, eq=False)
class LevelCorrection(Correction):
    """Frames brought to one level: ``value * gain + offset``.

    Parameters
    ----------
    gains, offsets : ndarray of float64, shape (n, channels)
        One channel for grey frames.
    """

    gains: NDArray[np.float64]
    offsets: NDArray[np.float64]

    def apply(
        self,
        values: NDArray[Any],
        valid: NDArray[np.bool_] | None,
        index: int,
        rows: slice,  # noqa: ARG002
    ) -> Pixels:
        """Change the level of some rows."""
        gain = self.gains[index].astype(values.dtype)
        offset = self.offsets[index].astype(values.dtype)
        if values.ndim == 2:
            return values * gain[0] + offset[0], valid
        return values * gain + offset, valid

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return the levels of some frames."""
        return type(self)(self.gains[frames], self.offsets[frames])

    def join(self, others: Sequence[Self]) -> Self:
        """Return the levels of these frames followed by others."""
        every = (self, *others)
        return type(self)(
            np.concatenate([o.gains for o in every]), np.concatenate([o.offsets for o in every])
        )


def normalised(stack: Stack, how: str, run: Run) -> Stack:
    """Bring the frames to the level of the first one that is used.

    Parameters
    ----------
    stack : Stack
    how : {"none", "additive", "multiplicative", "both", "local"}
        Of the frames' medians: their differences, or their ratios; or the differences and the
        ratios of the spreads, 1.5 times the median distance from the median (as Siril does); or
        gains and offsets tile by tile.
    run : Run

    Raises
    ------
    ValueError
        When a frame's level or spread is 0 and ratios are wanted.
    """
    if how == "none":
        return stack
    if how == "local":
        from napari_stack.operators.combine.measures.local_levels import locally_normalised

        return locally_normalised(stack, run)
    used = np.flatnonzero(stack.used)
    found = run.each(_level_of, stack, used.tolist(), what="Measuring levels")
    level, spread = np.moveaxis(np.array([one for one, _ in found]), 1, 0)  # each (used, channels)
    _tell_of_padding(stack, used, np.array([share for _, share in found]))
    gains, offsets = np.ones((2, len(stack), level.shape[1]))
    offsets[:] = 0
    if how == "multiplicative":
        _refuse_zero(stack, used, level, "median")
        gains[used] = level[0] / level
    if how == "both":
        _refuse_zero(stack, used, spread, "spread (median distance from its median)")
        gains[used] = spread[0] / spread
    if how != "multiplicative":
        offsets[used] = level[0] - gains[used] * level
    if stack.alpha:  # the last channel says what counts; it is no level
        gains[:, -1], offsets[:, -1] = 1, 0
    return stack.corrected(LevelCorrection(gains, offsets))


def _tell_of_padding(stack: Stack, used: NDArray[Any], shares: NDArray[np.float64]) -> None:
    padded = np.zeros(len(stack), bool)
    padded[used] = shares > 0
    warn_of_frames(
        f"are padded with zeros (up to {shares.max():.0%}), which count as pixels of 0 in what is "
        "combined; their levels are measured without. Register with framing='all', or save the "
        "frames with an alpha or NaN, so that the padding does not count",
        padded,
        stack.source.label,
    )


def _refuse_zero(stack: Stack, used: Any, values: NDArray[Any], what: str) -> None:
    channels = values[:, :-1] if stack.alpha else values
    bad = np.flatnonzero((channels <= 0).any(axis=1))
    if len(bad):
        name = stack.source.label(int(used[bad[0]]))
        raise UserError(
            f"the {what} of {name} is {channels[bad[0]].min():g}, of which no ratio can be made: "
            "choose normalisation='additive', or do not use that frame"
        )


def measure_level(stack: Stack, index: int) -> NDArray[np.float64]:
    """Median of a frame and 1.5 times the median distance from it, for each channel.

    Returns
    -------
    ndarray, shape (2, channels)
    """
    return _level_of(stack, index)[0]


def _level_of(stack: Stack, index: int) -> tuple[NDArray[np.float64], float]:
    """Level and spread as `measure_level`, and which share of the frame is padding."""
    values, valid = stack.values(index)
    step = _step(values.shape)
    values = values[step, step]
    counts = np.ones(values.shape[:2], bool) if valid is None else valid[step, step]
    padded = padding(colour_channels(values, stack.alpha), counts)
    kept = values.reshape(-1, values.shape[2] if values.ndim == 3 else 1)
    kept = kept[(counts & ~padded).ravel()]
    if not len(kept):
        raise UserError(f"{stack.source.label(index)} has no valid pixel: do not use it")
    kept = kept.astype(np.float64)
    level = np.median(kept, axis=0)
    spread = 1.5 * np.median(np.abs(kept - level), axis=0)
    return np.stack([level, spread]), float(padded.mean())


def padding(values: NDArray[Any], counts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find zeros that a frame was filled up with at its borders, as other programs do.

    They reach from a border inwards along their row or column, and beside them hardly any pixel is
    0: a background that is 0 in parts is none.

    Parameters
    ----------
    values : ndarray, shape (y, x, channel)
    counts : ndarray of bool, shape (y, x)
        Pixels that count at all.

    Returns
    -------
    ndarray of bool, shape (y, x)
    """
    zero = (values == 0).all(axis=2) & counts
    if zero.mean() < _PADDED:
        return np.zeros_like(zero)
    filled = zero | ~counts
    runs = np.zeros_like(zero)
    for axis in (0, 1):
        for way in (slice(None), slice(None, None, -1)):
            turned = np.flip(filled, axis) if way.step else filled
            run = np.logical_and.accumulate(turned, axis=axis)
            runs |= np.flip(run, axis) if way.step else run
    rest = counts & ~runs
    if not rest.any() or (zero & rest).sum() > _FEW_ZEROS * rest.sum():
        return np.zeros_like(zero)
    return runs & zero


def measure_noise(stack: Stack, index: int) -> float:
    """Variance of the noise of a frame, from what neighbours do not share.

    It is measured on second differences in both directions (as Immerkaer 1996 does), by their
    median size, so that edges hardly count. Rounding to whole numbers adds its own 1/12.

    Returns
    -------
    float
        Mean over the channels.
    """
    values, valid = stack.values(index)
    if values.shape[0] < 3 or values.shape[1] < 3:
        return 1.0
    sigma = _noise(values, valid, stack.alpha)
    if sigma is None:
        return np.inf
    rounding = 0.0 if stack.dtype.kind == "f" else 1 / 12
    return float(np.mean(sigma**2)) + rounding


def noise_of_image(image: NDArray[Any], *, alpha: bool = False) -> float:
    """Deviation of the noise of an image, measured as that of a frame; NaN is left out."""
    valid = np.isfinite(image) if image.dtype.kind == "f" else None
    if valid is not None and valid.ndim == 3:
        valid = valid.all(axis=2)
    sigma = _noise(image, valid, alpha)
    return 0.0 if sigma is None else float(np.sqrt(np.mean(sigma**2)))


def _noise(values: NDArray[Any], valid: NDArray[np.bool_] | None, alpha: bool) -> Any:
    """Deviation of the noise of each channel, or None where no three neighbours count."""
    step = max(values.shape[0] * values.shape[1] // _SAMPLE, 1)
    rows = np.arange(1, values.shape[0] - 1, step)
    values = colour_channels(values, alpha)
    lines = [values[rows + shift].astype(np.float64) for shift in (-1, 0, 1)]
    across = lines[0] - 2 * lines[1] + lines[2]
    second = across[:, :-2] - 2 * across[:, 1:-1] + across[:, 2:]
    if valid is not None:
        near = valid[rows - 1] & valid[rows] & valid[rows + 1]
        second = second[near[:, :-2] & near[:, 1:-1] & near[:, 2:]]
    else:
        second = second.reshape(-1, *second.shape[2:])
    return noise_sigma(second, axis=0) if len(second) else None


def noise_weights(stack: Stack, run: Run) -> dict[int, float]:
    """Inverse noise variance of each used frame, by frame, so that the mean weight is 1."""
    used = np.flatnonzero(stack.used).tolist()
    found = np.array(run.each(measure_noise, stack, used, what="Measuring noise"))
    positive = found[(found > 0) & np.isfinite(found)]
    # A frame without noise (made by a computer, or black) cannot count for ever.
    found[found <= 0] = positive.min() if len(positive) else 1.0
    weights = 1 / found
    weights = weights / weights.mean() if weights.any() else np.ones(len(weights))
    return dict(zip(used, weights.tolist(), strict=True))


def _step(shape: tuple[int, ...]) -> slice:
    return slice(None, None, max(int(np.sqrt(shape[0] * shape[1] / _SAMPLE)), 1))
