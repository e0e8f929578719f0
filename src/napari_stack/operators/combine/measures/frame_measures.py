"""What is measured on one frame to judge it: sharpness, noise, level, points; pixel functions."""

from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.statistics import robust_sigma
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.combine.measures.frame_likeness import Reference, Sample, sample_of
from napari_stack.operators.combine.measures.normalisation import measure_noise

#: Gaussians whose difference is looked at, in px: details that a slight blur takes away.
_FINE, _COARSE = 1.0, 2.5

#: Points that are measured, at most and at least, and half the side of the square around each.
_MOST_POINTS, _FEWEST_POINTS, _REACH = 200, 5, 6

#: Share of its height below which a point is not looked at, and the share of the second moments of
#: a Gaussian that lies above: (1 - q (1 + ln(1 / q))) / (1 - q).
_CUT, _OF_A_GAUSSIAN = 0.2, 0.598

#: Frames of which the one with most details is the reference, and px from which on a registered
#: frame lies beside others.
_CANDIDATES, BESIDE = 5, 2.0

#: Times the noise of the details that a point must stand out.
_POINT = 12.0


class Measures(NamedTuple):
    """What was measured on a frame.

    Attributes
    ----------
    sharpness : float
        Energy of fine details less that of the noise, over the squared level: it does not change
        with the exposure.
    noise : float
        Deviation of the noise of a pixel.
    level : float
        Mean.
    background : float
        Median.
    snr : float
        Spread of the scene over the noise.
    fwhm : float
        Width of points at half of their height, in px; NaN without points.
    roundness : float
        Shorter over longer axis of points; NaN without points.
    evenness : float
        Details along the direction that has fewest over those along the one that has most: a
        frame that is trailed has few in one.
    overlap : float
        Share of the pixels that are valid.
    motion : float
        Distance from the reference, in px: what a registration has left, or the drift; NaN where
        there is no reference or too little to tell.
    digest : bytes
        The same for frames of the same pixels.
    sample : Sample
        Of pixels all over the frame, to find those that are nearly the same.
    """

    sharpness: float
    noise: float
    level: float
    background: float
    snr: float
    fwhm: float
    roundness: float
    evenness: float
    overlap: float
    motion: float
    digest: bytes
    sample: Sample


class Candidate(NamedTuple):
    """A frame that others may be compared with, and how much energy is in its details."""

    measures: Measures
    reference: Reference
    energy: float


def measure_frames(stack: Stack, numbers: list[int], run: Run) -> list[Measures]:
    """Measure frames, each read once: first those of which one is what the others lie beside."""
    if len(numbers) < 2:
        return run.each(measure_frame, stack, numbers, what="Measuring quality")
    some = np.unique(np.linspace(0, len(numbers) - 1, _CANDIDATES + 2)[1:-1].round().astype(int))
    first = [numbers[place] for place in some]
    quiet = replace(run, tick=None)  # few: progress is that of the others
    tried = quiet.each(measure_candidate, stack, first, what="Measuring quality")
    reference = _reference(tried, stack.moved_by is not None)
    rest = [number for number in numbers if number not in set(first)]
    measure = partial(measure_frame, reference=reference)
    others = run.each(measure, stack, rest, what="Measuring quality") if rest else []
    found = dict(zip(rest, others, strict=True))
    for number, one in zip(first, tried, strict=True):
        found[number] = one.measures._replace(motion=reference.apart(one.reference))
    return [found[number] for number in numbers]


def _reference(tried: list[Candidate], registered: bool) -> Reference:
    """Take the frame with most details.

    Of registered ones that lie beside most of the others is none: all would seem to lie beside it.
    """
    found = tried
    if registered and len(found) > 2:
        places = [one.reference for one in found]
        apart = [median_of(np.array([a.apart(b) for b in places if b is not a])) for a in places]
        least = min(apart)
        found = [one for one, far in zip(found, apart, strict=True) if far <= least + BESIDE]
    return max(found, key=lambda one: one.energy).reference


def measure_frame(stack: Stack, index: int, reference: Reference | None = None) -> Measures:
    """Measure a frame of a stack, its motion against a reference."""
    found, details = _examined(stack, index)
    return found if reference is None else found._replace(motion=reference.distance(details))


def measure_candidate(stack: Stack, index: int) -> Candidate:
    """Measure a frame that may become the reference of the others."""
    found, details = _examined(stack, index)
    return Candidate(found, Reference.of(details), float((details**2).mean()))


def _examined(stack: Stack, index: int) -> tuple[Measures, NDArray[Any]]:
    """Measure a frame but for its motion; its fine details, away from borders of what counts."""
    values, valid = stack.read(index)
    digest = blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).digest()
    noise = float(np.sqrt(measure_noise(stack, index)))
    overlap = 1.0 if valid is None else float(valid.mean())
    if not overlap:
        none = np.zeros(values.shape[:2], np.float32)
        rest = (0.0, np.nan, digest, sample_of(none))
        return Measures(0.0, noise, 0.0, 0.0, 0.0, np.nan, np.nan, np.nan, *rest), none
    grey = grey_of(values, stack)
    counts = np.ones(grey.shape, bool) if valid is None else valid
    grey = np.where(counts, grey, np.median(grey[counts])).astype(np.float32)
    level, background = float(grey[counts].mean()), float(np.median(grey[counts]))
    details, share = fine_details(grey)
    inner = _inside(counts)
    energy = float((details[inner] ** 2).mean()) if inner.any() else 0.0
    grain = noise**2 * share / (1 if values.ndim == 2 else 2)
    # Of noise alone the energy strays by its own error: some 12 neighbours share theirs.
    beyond = energy > grain * (1.05 + 3 * np.sqrt(24 / max(inner.sum(), 1)))
    sharpness = (energy - grain) / level**2 if beyond and level > 0 else 0.0
    spread = float(np.sqrt(max(np.var(grey[counts]) - noise**2, 0.0)))
    fwhm, roundness = shape_of_points(grey, details, inner)
    shown = np.where(inner, details, 0)
    return Measures(
        sharpness, noise, level, background, spread / max(noise, 1e-12), fwhm, roundness,
        evenness(grey, inner, noise), overlap, np.nan, digest, sample_of(grey),
    ), shown  # fmt: skip


def grey_of(values: NDArray[Any], stack: Stack) -> NDArray[Any]:
    """Return a frame as grey: its luminance, or the mean of its bands."""
    if values.ndim == 2:
        return values
    from napari_stack.core.pixels.luminance import brightness

    return brightness(values[..., :-1] if stack.alpha else values, stack.rgb)


def fine_details(grey: NDArray[Any]) -> tuple[NDArray[np.float32], float]:
    """Return fine details of a frame, and which share of the variance of white noise is in them."""
    from napari_stack.engine.opencv import cv2

    details = cv2.GaussianBlur(grey, (0, 0), _FINE) - cv2.GaussianBlur(grey, (0, 0), _COARSE)
    # The overlap of two Gaussians of variances a and b is 1 / (2 pi (a + b)).
    a, b = _FINE**2, _COARSE**2
    share = (1 / (2 * a) + 1 / (2 * b) - 2 / (a + b)) / (2 * np.pi)
    return details, share


def _inside(counts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels that lie away from borders of what counts."""
    from napari_stack.engine.opencv import cv2

    if counts.all():
        return counts
    side = 2 * int(3 * _COARSE) + 1
    return np.asarray(cv2.erode(counts.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def evenness(grey: NDArray[Any], inner: NDArray[np.bool_], noise: float) -> float:
    """Compare details along four directions: the least over the greatest."""
    from napari_stack.engine.opencv import cv2

    smooth = cv2.GaussianBlur(grey, (0, 0), _FINE)
    steps = [(0, 2), (2, 0), (2, 2), (2, -2)]
    powers = []
    for dy, dx in steps:
        moved = np.roll(smooth, (-dy, -dx), (0, 1))
        there = inner[2:-2, 2:-2]
        distance = (moved - smooth)[2:-2, 2:-2][there]
        if not distance.size:
            return float("nan")
        length = dy * dy + dx * dx
        share = (1 - np.exp(-length / (4 * _FINE**2))) / (2 * np.pi * _FINE**2)
        powers.append(max(float((distance**2).mean()) - noise**2 * share, 0.0) / length)
    return min(powers) / max(powers) if max(powers) > 0 else float("nan")


def shape_of_points(
    grey: NDArray[Any], details: NDArray[Any], inner: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the median width at half height and roundness of bright points; NaN without any."""
    from napari_stack.engine.opencv import cv2

    sigma = float(robust_sigma(details[inner])) if inner.any() else 0.0
    side = 2 * _REACH + 1
    top = cv2.dilate(details, np.ones((side, side), np.uint8))
    peaks = (details >= top) & (details > _POINT * max(sigma, 1e-9)) & inner
    y, x = np.nonzero(peaks)
    height, width = grey.shape
    kept = (y >= _REACH) & (x >= _REACH) & (y < height - _REACH) & (x < width - _REACH)
    y, x = y[kept], x[kept]
    order = np.argsort(-details[y, x], kind="stable")[:_MOST_POINTS]
    offsets = np.arange(-_REACH, _REACH + 1)
    found = []
    for j, i in zip(y[order], x[order], strict=True):
        square = grey[j - _REACH : j + _REACH + 1, i - _REACH : i + _REACH + 1].astype(float)
        square = square - np.median(np.concatenate([square[0], square[-1], square[:, 0]]))
        square = np.where(square > _CUT * square[_REACH, _REACH], square, 0)
        if (total := square.sum()) <= 0:
            continue
        rows, columns = square.sum(axis=1) / total, square.sum(axis=0) / total
        my, mx = rows @ offsets, columns @ offsets
        vy, vx = rows @ offsets**2 - my**2, columns @ offsets**2 - mx**2
        vxy = offsets @ square @ offsets / total - my * mx
        root = np.hypot(vy - vx, 2 * vxy)
        found.append((vy + vx + root, max(vy + vx - root, 0.0)))
    if len(found) < _FEWEST_POINTS:
        return float("nan"), float("nan")
    long, short = np.median(found, axis=0) / 2 / _OF_A_GAUSSIAN
    return 2.3548 * float(np.sqrt((long + short) / 2)), float(np.sqrt(short / max(long, 1e-12)))


def median_of(values: NDArray[np.float64]) -> float:
    """Return the median of what is known; 0 of nothing."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else 0.0
