"""Where between frames a pixel is sharpest: the vertex of a parabola through three frames."""

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

# What is left of a sharpness without noise: at least so much of the noise's, and this share of the
# sharpest frame's.
NOISE_LEFT, LEAST_SHARE = 0.5, 0.02
# A peak on one side lies less than half-way to the next frame, which is not as sharp.
SHORT_OF_HALF = 0.49
# The powers that are tried; peaks that count as lying at a frame and between two, in gaps; how many
# of each are enough; and the greatest share of noise in their sharpness.
POWERS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
AT_A_FRAME, BETWEEN_FRAMES, ENOUGH, CLEAR_OF_NOISE = 0.15, 0.35, 40, 0.25
# Peaks with frames on both sides that are no more than this share may lie at steps of the depth
# alone, and tell no width.
LEAST_INSIDE = 0.02
TINY = np.finfo(np.float32).tiny


class Beside(NamedTuple):
    """Sharpness of a pixel's sharpest frame, of those before and behind it, and how far they lie.

    A sharpness of -1 says that there is no such frame, or that it is not valid there.
    """

    best: Array
    before: Array
    after: Array
    down: Array
    up: Array

    def where(self, mask: Array) -> "Beside":
        """Return it for the pixels of a mask."""
        return Beside(*(plane[mask] for plane in self))

    def rises(self, noise: float, power: float) -> tuple[Array, Array]:
        """Return by what share a power of 1 / sharpness rises to the frames before and behind."""
        best = np.maximum(self.best, max(np.float32(noise), TINY))
        share = np.float32(noise) / best  # squares of shares are finite, whatever the unit
        least = np.maximum(np.float32(NOISE_LEFT) * share, np.float32(LEAST_SHARE)) ** 2
        top, before, after = (
            np.sqrt(np.maximum((np.maximum(plane, 0) / best) ** 2 - share**2, least))
            for plane in (self.best, self.before, self.after)
        )
        before, after = top / before, top / after
        if power != 1:
            before, after = (np.power(plane, np.float32(power)) for plane in (before, after))
        return before - 1, after - 1


def vertex(beside: Beside, noise: float, shape: "Shape") -> Array:
    """Return by how much the peak lies behind the sharpest frame.

    It is the vertex of a parabola through a power of the inverse sharpness of three frames. Blur
    that grows evenly with defocus z turns a sharpness of 1 into (1 + z^2 / w^2)^-b, and 1 / b, the
    power, lies near 1 for natural textures and edges. The logarithm, which Nayar and Nakagawa
    (1994) take, is a parabola where b is large: it pulls depths towards whole frames. What noise
    adds, in squares, is taken off: it pulls them there too.

    Parameters
    ----------
    beside : Beside
    noise : float
        The sharpness that noise gives.
    shape : Shape
        Its width tells where the peak lies when there is a frame on one side only, between both.
        Without, the peak is the sharpest frame there.
    """
    before, after = beside.rises(noise, shape.power)
    down, up = beside.down, beside.up
    rise = before / down
    bend = after / up + rise
    first, last = beside.before < 0, beside.after < 0
    known = (bend > 0) & ~(first | last)
    half = np.float32(0.5)
    ahead = np.divide(half * (down + up) * rise, bend, out=half * down, where=known)
    ahead -= half * down
    if shape.width is not None:
        for alone, other, sign in ((first, last, 1), (last, first, -1)):
            here = alone & ~other
            gap, rises = (up, after) if sign > 0 else (down, before)
            ahead[here] = np.float32(sign) * _from_one_side(rises[here], gap[here], shape.width)
    return ahead


def _from_one_side(rise: Array, gap: Array, width: float) -> Array:
    """Return how far a peak of known width lies towards the only frame beside the sharpest."""
    least = gap * gap - np.float32(width) * rise
    root = np.sqrt(np.maximum(gap * gap + rise * least, 0))
    return np.clip(least / (gap + root), 0, np.float32(SHORT_OF_HALF) * gap)


class Shape(NamedTuple):
    """How sharpness falls off along the series: (1 + z^2 / width)^(-1 / power)."""

    power: float = 1.0
    width: float | None = None  # w^2, where frames lie on both sides of enough peaks


def usual_shape(beside: Beside, noise: float) -> Shape:
    """Return the shape of the peaks of some pixels, all clear.

    Where the power is right, w^2 is the same for peaks at a frame and between two, as far as peaks
    of both kinds are there and clear of noise.
    """
    inside = (beside.before >= 0) & (beside.after >= 0)
    if np.count_nonzero(inside) <= LEAST_INSIDE * inside.size:
        return Shape()
    chosen = beside.where(inside)
    clear = chosen.where(chosen.best * np.float32(CLEAR_OF_NOISE) > noise)
    trend = [_trend(clear, noise, power) for power in POWERS]
    power = 1.0
    if not np.isnan(trend).any():
        power = float(np.interp(0, trend[::-1], POWERS[::-1]))  # the trend falls with the power
    _, widths = _widths(chosen, noise, power)
    return Shape(power, max(float(np.median(widths)), 0.0))


def _widths(beside: Beside, noise: float, power: float) -> tuple[Array, Array]:
    """Return how far peaks lie from their frames, in gaps between frames, and their w^2."""
    before, after = beside.rises(noise, power)
    whole = beside.down + beside.up
    bend = np.maximum((before / beside.down + after / beside.up) / whole, np.float32(1e-3))
    ahead = vertex(beside, noise, Shape(power))
    return np.abs(ahead) / whole * 2, 1 / bend - ahead * ahead


def _trend(beside: Beside, noise: float, power: float) -> float:
    """Return by how much, as a logarithm, w^2 is larger between frames than at them."""
    away, widths = _widths(beside, noise, power)
    at, between = away < AT_A_FRAME, away > BETWEEN_FRAMES
    if min(np.count_nonzero(at), np.count_nonzero(between)) < max(ENOUGH, away.size / 20):
        return float("nan")
    here, there = (max(float(np.median(widths[part])), 1e-3) for part in (at, between))
    return float(np.log(there / here))


def noise_share(best: Array, noise: float) -> Array:
    """Return the sharpness of noise as a share of the sharpest frame's, up to 1."""
    return np.float32(noise) / np.maximum(best, max(np.float32(noise), TINY))
