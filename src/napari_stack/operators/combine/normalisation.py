"""Bring frames of different exposure to one level before they are combined; their noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.channels import colour_channels
from napari_stack.core.correction import Correction
from napari_stack.core.errors import UserError
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack
from napari_stack.core.statistics import noise_sigma
from napari_stack.engine.run import Run

Normalisation = Literal["none", "additive", "multiplicative", "both"]

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
    how : {"none", "additive", "multiplicative", "both"}
        Of the frames' medians: their differences, or their ratios; or the differences and the
        ratios of the spreads, 1.5 times the median distance from the median (as Siril does).
    run : Run

    Raises
    ------
    ValueError
        When a frame's level or spread is 0 and ratios are wanted.
    """
    if how == "none":
        return stack
    used = np.flatnonzero(stack.used)
    found = run.each(measure_level, stack, used.tolist(), what="Measuring levels")
    level, spread = np.moveaxis(np.array(found), 1, 0)  # each (used, channels)
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
    values, valid = stack.values(index)
    step = _step(values.shape)
    values = values[step, step]
    kept = values.reshape(-1, values.shape[2] if values.ndim == 3 else 1)
    if valid is not None:
        kept = kept[valid[step, step].ravel()]
    if not len(kept):
        raise UserError(f"{stack.source.label(index)} has no valid pixel: do not use it")
    kept = kept.astype(np.float64)
    level = np.median(kept, axis=0)
    return np.stack([level, 1.5 * np.median(np.abs(kept - level), axis=0)])


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
    step = max(values.shape[0] * values.shape[1] // _SAMPLE, 1)
    rows = np.arange(1, values.shape[0] - 1, step)
    values = colour_channels(values, stack.alpha)
    lines = [values[rows + shift].astype(np.float64) for shift in (-1, 0, 1)]
    across = lines[0] - 2 * lines[1] + lines[2]
    second = across[:, :-2] - 2 * across[:, 1:-1] + across[:, 2:]
    if valid is not None:
        near = valid[rows - 1] & valid[rows] & valid[rows + 1]
        second = second[near[:, :-2] & near[:, 1:-1] & near[:, 2:]]
    else:
        second = second.reshape(-1, *second.shape[2:])
    if not len(second):
        return np.inf
    sigma = noise_sigma(second, axis=0)
    rounding = 0.0 if stack.dtype.kind == "f" else 1 / 12
    return float(np.mean(sigma**2)) + rounding


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
