"""A Laplacian pyramid of the frames that are sharp around each pixel, as a fold."""

from typing import Any, NamedTuple, Self

import numpy as np

from napari_stack.core.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.pyramid_kernels import add_expanded, generating_weights, reduce
from napari_stack.operators.focus.pyramid_levels import reduced_plane
from napari_stack.operators.focus.restricted_kernels import divide, gather, window_mean
from napari_stack.operators.focus.strip_fold import Strip, StripFold
from napari_stack.operators.focus.value_range import RangeState, Scales

Array = np.ndarray[Any, Any]

# Two levels of details: with more, coarse details of blurred edges bleed; with one, seams show.
LEVELS = 2
# Energies are means of |detail| over a window barely wider than a pixel (sigma 0.4), so that the
# choice follows an edge closely; what labels decided with wider windows bounds it.
CENTRE, SIDE = 0.919, 0.0404
# Details are weighted by the energy squared so many times: its eighth power. The base is softer.
SQUARINGS, BASE_SQUARINGS = 3, 2
# Noise of deviation 1 in the details of a level, and how many of it count as nothing. Where all
# frames show less, they are averaged.
NOISE = (0.6, 0.2)
NOISE_MARGIN = 3.0
# Share of the brightest pixel that counts as nothing without noise too: quantisation.
FLAT_SHARE = 1 / 5000
# Rows and columns beyond the wanted ones that levels and energies see, a multiple of 2^LEVELS.
MARGIN = 48


class Zones(NamedTuple):
    """First and last frame that may contribute to each pixel of every level, the base last."""

    first: tuple[Array, ...]
    last: tuple[Array, ...]

    def rows(self, rows: slice) -> "Zones":
        """Return those of some rows; the start is a multiple of 2^LEVELS."""
        steps = [2**level for level in range(LEVELS + 1)]
        parts = [slice(rows.start // s, -(-rows.stop // s)) for s in steps]
        first, last = (
            tuple(
                np.ascontiguousarray(plane[part]) for plane, part in zip(planes, parts, strict=True)
            )
            for planes in self
        )
        return Zones(first, last)


def make_zones(labels: Array, reach: int) -> Zones:
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
    return Zones(tuple(first), tuple(last))


class RestrictedFold(StripFold):
    """The fold: weighted sums of details, level by level.

    Parameters
    ----------
    stack : Stack
        The frames that will come.
    channels : ChannelWeights
    zones : Zones
        Of the rows.
    scales : Scales
    rows : slice
        Rows of the frames that are fused.
    """

    #: Their coefficients depend on 28 at most: made a multiple of 2^LEVELS, as the strips are.
    margin = 32

    def __init__(
        self, stack: Stack, channels: ChannelWeights, zones: Zones, scales: Scales, rows: slice
    ) -> None:
        super().__init__(channels, rows)
        self.scales, self.zones = scales, zones
        self.range = RangeState(stack.shape[1:], stack.dtype, channels, rows)
        sizes = [(*plane.shape, self.range.low.shape[2]) for plane in zones.first]
        self.totals = [np.zeros(size, stack.working) for size in sizes]
        self.weights = [np.zeros(size[:2], stack.working) for size in sizes]

    def take_in(self, index: int, strip: Strip) -> None:
        """Take in some rows of a frame."""
        rows, inner = strip.rows, strip.inner
        colours, opacity, valid = strip.colours, strip.opacity, strip.valid
        self.range.take(
            rows, colours[inner], *(None if p is None else p[inner] for p in (valid, opacity))
        )
        colours = self.scales.level(colours, index)
        taps = generating_weights(0.4, colours.dtype)
        levels = [colours]
        greys = [self.channels.grey(colours)]
        for _ in range(LEVELS):
            levels.append(reduce(levels[-1], taps))
            greys.append(reduced_plane(greys[-1], taps))
        energies = [self._energy(greys, level, taps) for level in range(LEVELS)]
        smooth = cv2.GaussianBlur(energies[-1], (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
        energies.append(reduced_plane(smooth, taps.astype(np.float32)))
        supports = _supports(valid, taps)
        for level in range(LEVELS + 1):
            values = levels[level]
            if level < LEVELS:
                values = np.empty_like(values)  # the frame's own pixels may be somebody's
                add_expanded(levels[level], levels[level + 1], taps, -1, values)
            self._gather(index, rows, inner.start, level, values, energies[level], supports[level])

    def _gather(
        self,
        index: int,
        rows: slice,
        start: int,
        level: int,
        values: Array,
        energy: Array,
        support: Array,
    ) -> None:
        """Add one level of a strip; `rows` are those that count, the first at its row `start`."""
        step = 2**level
        mine = slice(rows.start // step, -(-rows.stop // step))
        theirs = slice(start // step, start // step + mine.stop - mine.start)
        support = support if support.shape == (1, 1) else support[theirs]
        gather(
            self.totals[level][mine],
            self.weights[level][mine],
            values[theirs],
            energy[theirs],
            support,
            self.zones.first[level][mine],
            self.zones.last[level][mine],
            index,
            BASE_SQUARINGS if level == LEVELS else SQUARINGS,
        )

    def _energy(self, greys: list[Array], level: int, taps: Array) -> Array:
        """Return the energy of a level's details, 1 for the strongest there can be."""
        detail = np.empty_like(greys[level])[..., np.newaxis]
        add_expanded(
            greys[level][..., np.newaxis], greys[level + 1][..., np.newaxis], taps, -1, detail
        )
        scale = 1 / max(self.scales.top, float(np.finfo(np.float32).tiny))
        floor = FLAT_SHARE + NOISE_MARGIN * NOISE[level] * self.scales.noise * scale
        return window_mean(detail[..., 0], CENTRE, SIDE, scale, floor)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        for mine, theirs in zip(
            (*self.totals, *self.weights), (*later.totals, *later.weights), strict=True
        ):
            mine += theirs
        self.range.merge(later.range)

    def fused(self) -> Array:
        """Return the image (y, x, channel) in the working type, not yet within the range."""
        for total, weight in zip(self.totals, self.weights, strict=True):
            divide(total, weight)
        taps = generating_weights(0.4, self.totals[0].dtype)
        image = self.totals[-1]
        for detail in self.totals[-2::-1]:
            add_expanded(detail, image, taps, 1, detail)
            image = detail
        return image


def _supports(valid: Array | None, taps: Array) -> tuple[Array, ...]:
    """Return what coefficients of every level weigh: 1, or next to nothing at invalid pixels."""
    if valid is None:
        return (np.ones((1, 1), np.float32),) * (LEVELS + 1)
    share = valid.astype(np.float32)
    supports = []
    for _ in range(LEVELS + 1):
        around = cv2.blur(share, (3, 3), borderType=cv2.BORDER_REPLICATE)
        supports.append(
            np.where(around > 1 - 1e-4, 1, around * np.float32(1e-6)).astype(np.float32)
        )
        share = reduced_plane(share, taps.astype(np.float32))
    return tuple(supports)
