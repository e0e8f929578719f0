"""The sharpness of every pixel along a series, as a fold: its peak and its mean."""

from typing import Any, NamedTuple, Self

import numpy as np

from napari_stack.core.system.jit import kernel
from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.peak import Beside, noise_share, usual_shape, vertex
from napari_stack.operators.focus.pyramid_kernels import flat
from napari_stack.operators.focus.series_ends import CLEARLY, SAMPLE, beyond_ends

Array = np.ndarray[Any, Any]

# Tuned on a rendered series with known depth (benchmarks/focus_quality.py).
PRE_SMOOTHING, WINDOW = 0.7, 2.0
# A pixel counts as textured when its sharpest frame stands this many noise levels above the others.
NOISE_MARGIN = 0.5
# Share of the strongest sharpness that quantisation of 8-bit data reaches in flat regions.
FLAT_SHARE = 0.005
# Rows whose peaks are found together: intermediate results stay in the processor's caches.
STRIP = 64


class Sharpness(NamedTuple):
    """How sharp a frame is at one scale: a plane, -1 where invalid, and what noise would give."""

    energy: Array
    noise: float

    @classmethod
    def of(cls, grey: Array, valid: Array | None) -> Self:
        """Measure an image at its own size."""
        return cls(sharpness(grey, valid), noise_sharpness(grey))


def sharpness(grey: Array, valid: Array | None = None, window: float = WINDOW) -> Array:
    """Return how sharp a frame is around every pixel.

    The modified Laplacian of Nayar and Nakagawa (1994), the sum of the absolute second
    differences in x and in y, of the slightly smoothed frame, averaged over a Gaussian window.

    Parameters
    ----------
    grey : (y, x) ndarray of float
        The frame's brightness.
    valid : (y, x) ndarray of bool, optional
        Pixels that count.
    window : float
        Standard deviation of the window.

    Returns
    -------
    (y, x) ndarray of float32
        In the units of the pixels, not negative; -1 where invalid.
    """
    smooth = cv2.GaussianBlur(grey, (5, 5), PRE_SMOOTHING, borderType=cv2.BORDER_REPLICATE)
    energy = np.empty(grey.shape, np.float32)
    _modified_laplacian(smooth, energy)
    energy = cv2.GaussianBlur(energy, (0, 0), window, borderType=cv2.BORDER_REPLICATE)
    if valid is not None:
        energy[~valid] = -1
    return energy


@kernel
def _modified_laplacian(image: Array, out: Array) -> None:
    height, width = image.shape
    for i in range(height):
        above, row, below = image[max(i - 1, 0)], image[i], image[min(i + 1, height - 1)]
        laplacian = out[i]
        left = row[0]
        for j in range(width):
            here = row[j]
            right = row[j + 1] if j + 1 < width else here
            twice = here + here
            laplacian[j] = abs(twice - left - right) + abs(twice - above[j] - below[j])
            left = here


def noise_sharpness(grey: Array) -> float:
    """Return the sharpness that the frame's noise alone gives, from its robust standard deviation.

    The filter [1, -2, 1] x [1, -2, 1] cancels planes and most edges and turns white noise of
    deviation s into 6 s (Immerkaer 1996); its median over a sample of the frame ignores texture.
    """
    if min(grey.shape) < 3:
        return 0.0
    return noise_of(noise_response(grey, noise_rows(grey.shape[0])))


def noise_rows(height: int) -> Array:
    """Return the rows of a frame, of three or more, at which its noise is measured."""
    return np.unique(np.linspace(1, height - 2, 256).astype(int))


def noise_response(grey: Array, rows: Array) -> Array:
    """Return the response of the noise filter at some rows, but not the first and the last."""
    across = grey[rows - 1] - 2 * grey[rows] + grey[rows + 1]
    return across[:, :-2] - 2 * across[:, 1:-1] + across[:, 2:]


def noise_of(response: Array) -> float:
    """Return the sharpness that noise gives, from the filter's response at a sample of rows."""
    # Rounded as it always was: the digits that `noise_sigma` has more would move depths and pixels.
    deviation = float(np.median(np.abs(response))) / 0.6745 / 6
    return deviation * noise_gain()


def rounding_sharpness(dtype: np.dtype[Any]) -> float:
    """Return the sharpness that rounding to an integer type gives; 0 for floats.

    The noise filter cannot measure it: where an image was compressed, most of its response is 0.
    """
    return noise_gain() / np.sqrt(12) if dtype.kind in "ui" else 0.0


def noise_gain() -> float:
    """Return the sharpness of white noise of deviation 1."""
    # Mean of |[1, -2, 1] * smoothed white noise|, for both directions.
    window = cv2.getGaussianKernel(5, PRE_SMOOTHING).ravel()
    second = np.convolve(window, [1.0, -2.0, 1.0])
    deviation = np.sqrt(np.sum(second**2) * np.sum(window**2))
    return float(2 * np.sqrt(2 / np.pi) * deviation)


@kernel
def _add(
    energy: Array,
    index: int,
    previous: int,
    best: Array,
    before: Array,
    after: Array,
    last: Array,
    total: Array,
    count: Array,
    label: Array,
) -> None:
    for i in range(energy.size):
        value = energy[i]
        if value > best[i]:
            best[i] = value
            before[i] = last[i]
            after[i] = -1
            label[i] = index
        elif label[i] == previous:
            after[i] = value
        if value >= 0:
            total[i] += value
            count[i] += 1
        last[i] = value


@kernel
def _clarity(best: Array, total: Array, count: Array, floor: float, out: Array) -> None:
    for i in range(best.size):
        top, frames = max(best[i], 0), count[i]
        mean = (total[i] - top) / (frames - 1) if frames > 1 else top
        clear = (top - mean - NOISE_MARGIN * floor) / (top + floor)
        out[i] = min(max(clear, 0), 1)


class FocusCurve:
    """What is known of every pixel's sharpness over the frames so far.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of a frame.
    least : float
        A sharpness below which there is nothing, however little noise the frames show.
    alone : bool
        No state comes before this one: what only merging needs is left out.
    places : ndarray, optional
        Where the frames lie, ascending, if unevenly; by the number of the frame.

    Notes
    -----
    A sharpness of -1 stands for "not valid there". Eight planes are kept, however long the series;
    the first frame's is wanted only where states are merged.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        least: float = 0.0,
        *,
        alone: bool = False,
        places: Array | None = None,
    ) -> None:
        self.least, self.alone, self.places = least, alone, places
        self.indices: list[int] = []
        self.noises: list[float] = []
        self.best, self.before, self.after, self.last = (
            np.full(shape, -1, np.float32) for _ in range(4)
        )
        self.first = np.full((0, 0) if alone else shape, -1, np.float32)
        self.total = np.zeros(shape, np.float32)
        self.count = np.zeros(shape, np.uint16)
        self.label = np.full(shape, -1, np.int32)
        self.width: float | None = None  # of usual peaks, once it is finished; see `peak.Shape`

    def add(self, index: int, energy: Array, noise: float) -> None:
        """Take in the sharpness (y, x) of the frame `index`, -1 where it is not valid."""
        previous = self.indices[-1] if self.indices else -2
        self.take(index, previous, slice(0, len(energy)), energy)
        self.close(index, noise)

    def take(self, index: int, previous: int, rows: slice, energy: Array) -> None:
        """Take in rows of the frame `index`, which follows `previous`."""
        if not (self.alone or self.indices):
            self.first[rows] = energy
        planes = (self.best, self.before, self.after, self.last, self.total, self.count, self.label)
        _add(energy.reshape(-1), index, previous, *(flat(plane[rows]) for plane in planes))

    def close(self, index: int, noise: float) -> None:
        """Note that all rows of a frame were taken in, and the sharpness that its noise gives."""
        self.indices.append(index)
        self.noises.append(noise)

    def merge(self, other: "FocusCurve") -> None:
        """Take in the state of the frames that follow, as if they had been added one by one."""
        if not other.indices:
            return
        if self.indices:
            np.copyto(self.after, other.first, where=self.label == self.indices[-1])
        else:
            self.first = other.first.copy()
        larger = other.best > self.best
        before = np.where(other.label == other.indices[0], self.last, other.before)
        np.copyto(self.before, before, where=larger)
        np.copyto(self.best, other.best, where=larger)
        np.copyto(self.after, other.after, where=larger)
        np.copyto(self.label, other.label, where=larger)
        self.total += other.total
        self.count += other.count
        self.last = other.last.copy()
        self.indices += other.indices
        self.noises += other.noises

    def finish(self) -> tuple[Array, Array, Array]:
        """Return depth, clarity and what lies beyond; all planes but the labels are let go.

        The clarity is how clearly the sharpest frame stands out from the others and from noise, 0
        to 1. Beyond lies what would be in focus before the first frame or behind the last one.
        """
        none = np.empty((0, 0), np.float32)
        self.first = self.last = none
        floor = self.floor()
        depth = cv2.medianBlur(self.peak(), 5)
        beyond = beyond_ends(self, floor)
        clarity = np.empty(self.best.shape, np.float32)
        planes = (flat(plane) for plane in (self.best, self.total, self.count))
        _clarity(*planes, np.float32(floor), flat(clarity))
        self.best = self.before = self.after = self.total = none
        self.count = np.empty((0, 0), np.uint16)
        return depth, clarity, beyond

    def floor(self) -> float:
        """Return the sharpness below which there is nothing but noise and quantisation."""
        strongest = float(np.percentile(self.best[::4, ::4], 99.9))
        tiny = float(np.finfo(np.float32).tiny)
        return max(self.noise() + FLAT_SHARE * strongest, tiny)

    def noise(self) -> float:
        """Return the sharpness that noise gives, or rounding where that is more."""
        return max(float(np.median(self.noises)), self.least)

    def noise_share(self) -> Array:
        """Return how much of the sharpness of the sharpest frame noise gives, 0 to 1."""
        return noise_share(self.best, self.noise())

    def peak(self) -> Array:
        """Return the depth between frames, which need not be evenly spaced: see `peak.vertex`."""
        indices = np.array(self.indices)
        numbers = np.arange(indices[-1] + 1, dtype=np.float32)
        places = numbers if self.places is None else self.places[: len(numbers)]
        gaps = np.diff(places[indices]) if len(indices) > 1 else np.ones(1, np.float32)
        # Gaps to the frames before and after, by the number of a frame.
        down, up = np.ones((2, indices[-1] + 1), np.float32)
        down[indices[1:]], down[indices[0]] = gaps[: len(indices) - 1], gaps[0]
        up[indices[:-1]], up[indices[-1]] = gaps[: len(indices) - 1], gaps[-1]
        few = slice(None, None, SAMPLE)
        clear = self.best[few, few] > CLEARLY * self.floor()
        shape = usual_shape(self._beside((few, few), down, up).where(clear), self.noise())
        self.width = shape.width
        out = np.empty(self.best.shape, np.float32)
        for start in range(0, len(out), STRIP):
            rows = slice(start, start + STRIP)
            label = np.maximum(self.label[rows], indices[0])  # -1 where no frame is valid
            peak = places[label] + vertex(self._beside(rows, down, up), self.noise(), shape)
            out[rows] = peak if self.places is None else np.interp(peak, places, numbers)
        return out

    def _beside(self, part: Any, down: Array, up: Array) -> Beside:
        """Return what is known of the peaks in a part, given the gaps of each frame's number."""
        label = np.maximum(self.label[part], self.indices[0])
        planes = self.best[part], self.before[part], self.after[part]
        return Beside(*planes, down.take(label), up.take(label))
