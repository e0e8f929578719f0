"""Reject around what was rejected: where neighbours of a frame deviate together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.correction import Correction
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run

#: Times its noise that a smoothed deviation must be. The noise is that of neighbours that share
#: half of theirs, as after an interpolation: twice that of independent ones.
_TOGETHER, _CORRELATED = 4.0, 2.0


@dataclass(frozen=True, eq=False)
class GrownRejection(Correction):
    """Frames of which pixels that deviate together around outliers do not count.

    Parameters
    ----------
    image, spread : ndarray of float32, shape (y, x[, channel])
        Mean of what is kept of all frames, and its deviation.
    reach : float
        Deviation of the Gaussian by which deviations are smoothed, in px.
    sigma : float
        Distance from which a value is an outlier that its neighbours are looked at for.
    """

    image: NDArray[Any]
    spread: NDArray[Any]
    reach: float
    sigma: float

    @property
    def _around(self) -> int:
        """Rows that a pixel depends on, above and below."""
        return 2 * int(np.ceil(3 * self.reach))

    def source_rows(self, rows: slice, index: int) -> slice:  # noqa: ARG002
        """Rows it must see."""
        around, height = self._around, len(self.image)
        return slice(max(rows.start - around, 0), min(rows.stop + around, height))

    def apply(
        self, values: NDArray[Any], valid: NDArray[np.bool_] | None, index: int, rows: slice
    ) -> Pixels:
        """Leave out of some rows what deviates together."""
        seen = self.source_rows(rows, index)
        score = (values - self.image[seen]) / self.spread[seen]
        if valid is not None:
            score[~valid] = 0
        gone = deviates(np.nan_to_num(score), self.reach, self.sigma)
        kept = slice(rows.start - seen.start, rows.stop - seen.start)
        there = ~gone if valid is None else valid & ~gone
        return values[kept], there[kept]

    def select(self, frames: NDArray[np.intp]) -> Self:  # noqa: ARG002
        """Return that of some frames: they share it."""
        return self

    def join(self, others: Sequence[Self]) -> Self:  # noqa: ARG002
        """Return that of these frames and others."""
        return self


def deviates(score: NDArray[Any], reach: float, sigma: float) -> NDArray[np.bool_]:
    """Tell which pixels deviate together with neighbours around an outlier.

    Parameters
    ----------
    score : ndarray, shape (y, x) or (y, x, channel)
        Distance from the mean of the others, in units of the spread.
    reach : float
        Deviation of the Gaussian that the score is smoothed by, in px.
    sigma : float
        Score of an outlier.

    Returns
    -------
    ndarray of bool, shape (y, x)
        For a channel that deviates, all do.
    """
    from napari_stack.engine.opencv import cv2

    gone = np.zeros(score.shape[:2], bool)
    side = 2 * int(np.ceil(3 * reach)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    least = _TOGETHER * _CORRELATED / (2 * np.sqrt(np.pi) * max(reach, 0.5))
    for plane in np.moveaxis(np.atleast_3d(score), 2, 0):
        plain = np.ascontiguousarray(np.clip(plane, -3 * sigma, 3 * sigma), np.float32)
        smooth = cv2.GaussianBlur(plain, (side, side), reach)
        for sign in (1, -1):
            seeds = (sign * plane > sigma) & (sign * smooth > least)
            if seeds.any():
                near = cv2.dilate(seeds.astype(np.uint8), disc) > 0
                gone |= near & (sign * smooth > least)
    return gone


def grown(
    stack: Stack,
    band: Callable[..., Any],
    reach: float,
    sigma: float,
    first: Run,
    last: Run,
) -> tuple[NDArray[Any], ...]:
    """Clip, leave out what deviates together with what was rejected, and clip the others again.

    Parameters
    ----------
    stack : Stack
    band : callable
        Makes bands, as `clip_band`; it takes ``details``.
    reach, sigma : float
        As for `GrownRejection`.
    first, last : Run
        How to run both passes.

    Returns
    -------
    tuple of ndarray
        What `band` gives with details; what was left out counts as rejected.
    """
    plain = partial(band, details=True, dtype=np.dtype(np.float32))
    image, rejected, _, present, error, used, below = first.bands(plain, stack, what="Clipping")
    spread = _spread(error, used)
    correction = GrownRejection(image, spread, reach, sigma)
    found = last.bands(
        partial(band, details=True), stack.corrected(correction), what="Clipping around"
    )
    image, _, per_frame, there, error, kept, _ = found
    per_frame = per_frame + (present - there)
    more = (rejected + used) - kept
    low = np.rint(more * _share_around(below, rejected, reach)).astype(np.uint16)
    low = np.where(more == rejected, below, low)
    return image, more, per_frame, present, error, kept, low


def _share_around(below: NDArray[Any], rejected: NDArray[Any], reach: float) -> NDArray[np.float32]:
    """Share of what was rejected around a pixel that lies below: so does what is grown from it."""
    from napari_stack.engine.opencv import cv2

    side = 2 * int(np.ceil(3 * reach)) + 1
    low, every = (cv2.blur(count.astype(np.float32), (side, side)) for count in (below, rejected))
    return np.asarray(low / np.maximum(every, 1e-6)).clip(0, 1)


def _spread(error: NDArray[Any], used: NDArray[Any]) -> NDArray[np.float32]:
    """Return the deviation of what was kept, of neighbours together: of few frames it is unsure."""
    from napari_stack.engine.opencv import cv2

    variance = np.nan_to_num(error.astype(np.float32) ** 2 * used)
    smooth = cv2.blur(variance, (5, 5))
    positive = smooth[smooth > 0]
    least = float(np.median(positive)) * 1e-3 if positive.size else 1.0
    return np.asarray(np.sqrt(np.maximum(smooth, least)), np.float32)
