"""A Laplacian pyramid of the frames that are sharp around each pixel, as a fold."""

from typing import Any, NamedTuple, Self

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.frame_statistics import SeriesStatistics
from napari_stack.operators.focus.highlights import Veils
from napari_stack.operators.focus.pyramid_blend import WeightedLevels
from napari_stack.operators.focus.pyramid_kernels import EVERYWHERE, add_weighted, window_mean
from napari_stack.operators.focus.pyramid_levels import (
    details_of,
    gaussian_levels,
    reduced_plane,
    rows_at,
)
from napari_stack.operators.focus.strip_fold import Strip, StripFold
from napari_stack.operators.focus.unfocused import DepthAverage
from napari_stack.operators.focus.value_range import RangeState

Array = np.ndarray[Any, Any]

# Two levels of details: with more, coarse details of blurred edges bleed; with one, seams show.
LEVELS = 2
# Energies are means of |detail| over a window barely wider than a pixel (sigma 0.4), so that the
# choice follows an edge closely; the labels, decided over wider windows, bound it.
CENTRE, SIDE = 0.919, 0.0404
# Details are weighted by the energy squared so many times: its eighth power. The base is softer.
SQUARINGS, BASE_SQUARINGS = 3, 2
# Noise of deviation 1 in the details of a level, and how many times that counts as nothing. Where
# the energy of all frames is less, they are averaged.
NOISE = (0.6, 0.2)
NOISE_MARGIN = 3.0
# Share of the brightest pixel that counts as nothing without noise too: quantisation.
FLAT_SHARE = 1 / 5000
# What is left of that under a veil: in single precision its eighth power is still a number.
VEILED_SHARE = 0.6 * FLAT_SHARE
# Rows and columns around the wanted ones on which levels and energies depend, a multiple of
# 2^LEVELS.
MARGIN = 48


class FrameLimits(NamedTuple):
    """First and last frame that may contribute to each pixel of every level, the base last."""

    first: tuple[Array, ...]
    last: tuple[Array, ...]

    def rows(self, rows: slice) -> "FrameLimits":
        """Return those of some rows; the start is a multiple of 2^LEVELS."""
        return FrameLimits(
            *(tuple(p[rows_at(rows, level)] for level, p in enumerate(planes)) for planes in self)
        )


def frame_limits(labels: Array, reach: int) -> FrameLimits:
    """Return the range of the labels within `reach` pixels of each pixel.

    Parameters
    ----------
    labels : (y, x) ndarray of uint16
        The frame that is sharpest around each pixel.
    reach : int
        Radius in pixels.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    first, last = [cv2.erode(labels, disc)], [cv2.dilate(labels, disc)]
    square = np.ones((3, 3), np.uint8)
    for _ in range(LEVELS):
        first.append(np.ascontiguousarray(cv2.erode(first[-1], square)[::2, ::2]))
        last.append(np.ascontiguousarray(cv2.dilate(last[-1], square)[::2, ::2]))
    return FrameLimits(tuple(first), tuple(last))


class RestrictedFold(StripFold):
    """The fold: weighted sums of details, level by level.

    Parameters
    ----------
    stack : Stack
        The frames that will come.
    channels : ChannelWeights
    limits : FrameLimits
        Of the rows.
    statistics : SeriesStatistics
    rows : slice
        Rows of the frames that are fused.
    filled : two (y, x) ndarray of float32, optional
        The depth of the rows, and how surely there is no texture.
    veils : Veils, optional
        Of the rows.
    """

    #: Their coefficients depend on 28 at most: made a multiple of 2^LEVELS, as the strips are.
    margin = 32

    def __init__(
        self,
        stack: Stack,
        channels: ChannelWeights,
        limits: FrameLimits,
        statistics: SeriesStatistics,
        rows: slice,
        filled: tuple[Array, Array] | None = None,
        veils: Veils | None = None,
    ) -> None:
        super().__init__(channels, rows)
        self.limits, self.statistics, self.veils = limits, statistics, veils
        self.range = RangeState(stack.shape[1:], stack.dtype, channels, rows)
        sizes = (plane.shape for plane in limits.first)
        colours = self.range.low.shape[2]
        self.sums = WeightedLevels(sizes, colours, stack.working)
        self.average = None
        if filled is not None and filled[1].any():
            frames = int(np.count_nonzero(stack.used))
            self.average = DepthAverage(*filled, frames, colours, stack.working)

    def take_in(self, index: int, strip: Strip) -> None:
        """Take in some rows of a frame."""
        strip = strip.levelled(self.statistics, index, self.range)
        colours = strip.colours
        if self.average is not None:
            valid = None if strip.valid is None else strip.valid[strip.inner]
            self.average.take(index, strip.rows, colours[strip.inner], valid)
        levels = gaussian_levels(colours, LEVELS)
        greys = gaussian_levels(self.channels.grey(colours)[..., np.newaxis], LEVELS)
        energies = [self._energy(greys, level) for level in range(LEVELS)]
        if self.veils is not None:
            share = self.veils.rows(strip.wide).share(greys[1][..., 0], index, self.statistics.top)
            _lessen(energies, share)
        smooth = cv2.GaussianBlur(energies[-1], (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
        energies.append(reduced_plane(smooth))
        supports = _supports(strip.valid)
        planes = zip(self.sums.totals, self.sums.weights, *self.limits, strict=True)
        for level, (total, weight, first, last) in enumerate(planes):
            values = (
                details_of(levels[level], levels[level + 1]) if level < LEVELS else levels[level]
            )
            target = rows_at(strip.rows, level)
            start = strip.inner.start // 2**level
            source = slice(start, start + target.stop - target.start)
            add_weighted(
                total[target],
                weight[target],
                values[source],
                energies[level][source],
                squarings=BASE_SQUARINGS if level == LEVELS else SQUARINGS,
                support=supports[level][source],
                frames=(first[target], last[target]),
                index=index,
            )

    def glimpse(self) -> Array | None:
        """Return a small image of the frames so far."""
        return self.sums.glimpse()

    def calm(self, image: Array) -> None:
        """Show the average of frames, in place, where there is no texture."""
        if self.average is not None:
            self.average.blend_into(image)
            self.range.clamp(image)

    def _energy(self, greys: list[Array], level: int) -> Array:
        """Return the energy of a level's details, 1 for the strongest there can be."""
        detail = details_of(greys[level], greys[level + 1])
        scale = 1 / max(self.statistics.top, float(np.finfo(np.float32).tiny))
        floor = FLAT_SHARE + NOISE_MARGIN * NOISE[level] * self.statistics.noise * scale
        return window_mean(detail[..., 0], CENTRE, SIDE, scale, floor)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        self.sums.add(later.sums.totals, later.sums.weights)
        self.range.merge(later.range)
        if self.average is not None and later.average is not None:
            self.average.merge(later.average)


def _lessen(energies: list[Array], share: Array) -> None:
    """Scale energies of the levels, in place, by a share at half the size."""
    for energy in energies:
        size = energy.shape[::-1]
        energy *= cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)
        np.maximum(energy, np.float32(VEILED_SHARE), out=energy)


def _supports(valid: Array | None) -> list[Array]:
    """Return the weights of all levels' coefficients: 1, or next to nothing at invalid pixels."""
    if valid is None:
        return [EVERYWHERE] * (LEVELS + 1)
    share = valid.astype(np.float32)
    supports = []
    for _ in range(LEVELS + 1):
        around = cv2.blur(share, (3, 3), borderType=cv2.BORDER_REPLICATE)
        supports.append(
            np.where(around > 1 - 1e-4, 1, around * np.float32(1e-6)).astype(np.float32)
        )
        share = reduced_plane(share)
    return supports
