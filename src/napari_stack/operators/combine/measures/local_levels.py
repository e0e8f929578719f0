"""Bring frames to the level of one of them tile by tile: gradients that differ between frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.correction import Correction
from napari_stack.core.pixels.channels import colour_channels
from napari_stack.core.pixels.statistics import robust_sigma
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run

#: Tiles along the shorter side, and pixels of a tile at least.
_TILES, _LEAST_SIDE = 8, 24

#: Pixels of a frame in one of the reduced frames that tiles are compared on.
_REDUCED = 4

#: Rounds of the robust fit, and the residual beyond which a pixel does not count, in deviations.
_ROUNDS, _FAR = 4, 2.5

#: Pixels of no structure that hold the gain of a tile at that of the frame.
_HELD = 50.0


@dataclass(frozen=True, eq=False)
class LocalLevels(Correction):
    """Frames brought to one level by smooth gains and offsets: ``value * gain + offset``.

    Parameters
    ----------
    size : tuple of int
        Height and width of a frame.
    fields : ndarray of float64, shape (n, 2, channels, ty, tx)
        Gains and offsets at the middles of tiles; between them they are interpolated linearly.
    """

    size: tuple[int, int]
    fields: NDArray[np.float64]

    def apply(
        self, values: NDArray[Any], valid: NDArray[np.bool_] | None, index: int, rows: slice
    ) -> Pixels:
        """Change the level of some rows."""
        tall, wide = self.fields.shape[3:]
        down = _weights(self.size[0], tall)[rows]
        across = _weights(self.size[1], wide).T
        gain, offset = ((down @ field @ across) for field in self.fields[index])  # (k, rows, x)
        pixels = values[..., np.newaxis] if values.ndim == 2 else values
        levelled = pixels.copy()
        count = gain.shape[0]  # an alpha is no level
        some = pixels[..., :count] * np.moveaxis(gain, 0, 2) + np.moveaxis(offset, 0, 2)
        levelled[..., :count] = some
        return levelled[..., 0] if values.ndim == 2 else levelled, valid

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return the levels of some frames."""
        return type(self)(self.size, self.fields[frames])

    def join(self, others: Sequence[Self]) -> Self:
        """Return the levels of these frames followed by others."""
        return type(self)(self.size, np.concatenate([o.fields for o in (self, *others)]))


def _weights(length: int, tiles: int) -> NDArray[np.float64]:
    """Return what each tile counts at each pixel of a side, shape (length, tiles).

    Beyond the middles of the outermost tiles the lines go on.
    """
    if tiles == 1:
        return np.ones((length, 1))
    place = (np.arange(length) + 0.5) * tiles / length - 0.5
    first = np.clip(np.floor(place).astype(int), 0, tiles - 2)
    weights = np.zeros((length, tiles))
    weights[np.arange(length), first] = 1 - (place - first)
    weights[np.arange(length), first + 1] = place - first
    return weights


def locally_normalised(stack: Stack, run: Run) -> Stack:
    """Bring the frames to the level of the first one that is used, tile by tile."""
    used = np.flatnonzero(stack.used)
    reference = reduced(*stack.read(int(used[0])), stack.alpha)
    fit = partial(_fit_frame, reference=reference)
    found = run.each(fit, stack, used.tolist(), what="Measuring levels")
    fields = np.zeros((len(stack), *found[0].shape))
    fields[:, 0] = 1
    fields[used] = found
    return stack.corrected(LocalLevels(tuple(stack.shape[1:3]), fields))  # type: ignore[arg-type]


def _fit_frame(stack: Stack, index: int, *, reference: NDArray[Any]) -> NDArray[np.float64]:
    frame = reduced(*stack.read(index), stack.alpha)
    side = min(stack.shape[1:3])
    tile = max(side // _TILES, _LEAST_SIDE)
    tiles = tuple(max(length // tile, 1) for length in stack.shape[1:3])
    planes = zip(np.moveaxis(frame, 2, 0), np.moveaxis(reference, 2, 0), strict=True)
    return np.stack([fit_tiles(one, other, tiles) for one, other in planes], axis=1)  # type: ignore[arg-type]


def reduced(
    values: NDArray[Any], valid: NDArray[np.bool_] | None, alpha: bool
) -> NDArray[np.float64]:
    """Return means of squares of pixels, (y, x, channel); NaN where any does not count."""
    pixels = colour_channels(values, alpha).astype(np.float64)
    if valid is not None:
        pixels[~valid] = np.nan
    height, width = (max(side // _REDUCED, 1) for side in pixels.shape[:2])
    step = (pixels.shape[0] // height, pixels.shape[1] // width)
    part = pixels[: height * step[0], : width * step[1]]
    return np.asarray(part.reshape(height, step[0], width, step[1], -1).mean(axis=(1, 3)))


def fit_tiles(
    frame: NDArray[np.float64], reference: NDArray[np.float64], tiles: tuple[int, int]
) -> NDArray[np.float64]:
    """Fit the gain and offset of each tile that bring a frame to a reference, robustly.

    Where a tile shows little but noise its gain is that of the whole frame. Tiles whose offset
    strays from that of all around them, as one that a passer-by fills, take the median of those.

    Parameters
    ----------
    frame, reference : ndarray, shape (y, x)
        NaN where a pixel does not count.
    tiles : tuple of int
        Number of tiles along y and x.

    Returns
    -------
    ndarray, shape (2, ty, tx)
        Gains and offsets.
    """
    from scipy import ndimage

    there = np.isfinite(frame) & np.isfinite(reference)
    if there.sum() < 8:
        return np.stack([np.ones(tiles), np.zeros(tiles)])
    noise = float(robust_sigma(np.diff(np.where(there, frame - reference, 0), axis=1))) ** 2 / 2
    whole, _ = _fit(frame[there], reference[there], _places(there), 1.0, noise)
    found = np.full((2, *tiles), np.nan)
    edges = [np.linspace(0, n, k + 1).astype(int) for n, k in zip(frame.shape, tiles, strict=True)]
    for j, i in np.ndindex(*tiles):
        part = np.s_[edges[0][j] : edges[0][j + 1], edges[1][i] : edges[1][i + 1]]
        here = there[part]
        if here.sum() >= 8:
            pair = frame[part][here], reference[part][here]
            found[:, j, i] = _fit(*pair, _places(here), whole, noise)
    missing = np.isnan(found[0])
    if missing.any():
        nearest = ndimage.distance_transform_edt(
            missing, return_distances=False, return_indices=True
        )
        found = found[:, nearest[0], nearest[1]]
    if min(tiles) < 3:
        return found
    # Of the level that the frame has there, so that gains and offsets go together.
    middle = float(np.median(frame[there]))
    level = found[0] * middle + found[1]
    around = ndimage.median_filter(level, 3, mode="nearest")
    spread = float(robust_sigma(level - around, 0.0))
    stray = np.abs(level - around) > max(4 * spread, np.sqrt(noise))
    gains = np.where(stray, ndimage.median_filter(found[0], 3, mode="nearest"), found[0])
    offsets = np.where(stray, around, level) - gains * middle
    return np.stack([gains, offsets])


def _places(there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return 1, y and x of the pixels that count."""
    y, x = np.nonzero(there)
    return np.column_stack([np.ones(len(y)), y, x])


def _without_plane(values: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take off the plane that fits values best."""
    plane, *_ = np.linalg.lstsq(places, values, rcond=None)
    return np.asarray(values - places @ plane)


def _fit(
    frame: NDArray[np.float64],
    reference: NDArray[np.float64],
    places: NDArray[np.float64],
    usual: float,
    noise: float,
) -> tuple[float, float]:
    """Fit ``reference = gain * frame + offset`` without pixels that differ.

    The gain is that of details: a gradient that one of both has is no part of it.
    """
    kept = np.ones(len(frame), bool)
    gain, offset = usual, float(np.median(reference - usual * frame))
    for _ in range(_ROUNDS):
        residual = reference - gain * frame - offset
        width = max(float(robust_sigma(residual)), 1e-9)
        kept = np.abs(residual - np.median(residual)) <= _FAR * width
        one, other = frame[kept], reference[kept]
        a, b = (_without_plane(values, places[kept]) for values in (one, other))
        # The frame's own noise would flatten the line.
        structure = max(float(a @ a) - noise * len(a), 0.0)
        shared = max(float(a @ b), 0.0)
        held = _HELD * noise * 4 + 1e-12
        gain = (min(shared, 4 * structure) + held * usual) / (structure + held)
        offset = float(np.median(other - gain * one))
    return float(gain), offset
