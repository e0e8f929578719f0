"""What speaks for an alignment, and what against it: tile by tile, and of the frame as a whole."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.band_pass import quartered
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import (
    likeness,
    overlap_of,
    overlapping,
)
from napari_stack.operators.registration.search.correlation import (
    Peak,
    correlate,
    faded,
    peaks,
    repeated,
    spectrum_of,
)

#: Tiles along the shorter side, and their least side in coarse pixels.
TILES, LEAST_TILE = 6, 24
#: Least area in common, in coarse pixels and as a share of the reference.
LEAST_AREA, LEAST_COMMON = 64, 0.03
#: Share of a tile that both frames must show.
LEAST_SHOWN = 0.6
#: A tile's correlation stands out at so many standard deviations of its surface ...
CLEAR = 5.0
#: ... and is in place when it peaks within so many coarse pixels of zero.
IN_PLACE = 1.6
#: What moves otherwise reaches beyond the tiles that show it, by about this share of their side.
BEYOND = 0.35
#: Frames whose plain correlation reaches this share of that at zero elsewhere show a grid.
LARGEST_REPEATED = 0.7
#: A grid has so many neighbours, half of them on one side.
PERIODS = 4
#: Where the local correlation coefficient is above this, an alignment explains what is seen.
EXPLAINED = 0.5
#: Two local coefficients closer than this are alike.
ALIKE = 0.02
#: Places of the grid of local likeness that one window covers.
PIXELS_OF_WINDOW = 20.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """How well two frames match when one is warped.

    Attributes
    ----------
    common : float
        Share of the reference's valid pixels that the frame shows.
    likeness : float
        Correlation coefficient of what both show.
    quality : float
        1 - second / first peak of the correlation after alignment.
    central : float
        Correlation at zero as a share of the highest peak.
    periods : list of Peak
        Highest plain correlations away from zero, as shares of that at zero, and where, in coarse
        pixels; one at least.
    prominence : float
        Correlation at zero in standard deviations of its surface.
    points, rests, heights, at_zero : ndarray
        Of the tiles that both frames show: centres (n, 2) in pixels of the reference, what shift
        (n, 2) is left there, the height of that peak and of the surface at zero, in its standard
        deviations.
    tile : int
        Side of a tile in coarse pixels.
    factor : int
        Pixels of the frame per coarse pixel.
    shape : tuple of int
        (rows, columns) of the frame.
    local : ndarray (rows, columns), float32
        Correlation coefficient around each place, on a coarser grid; NaN outside the overlap.
    """

    common: float
    likeness: float
    quality: float
    central: float
    periods: list[Peak]
    prominence: float
    points: NDArray[np.float64]
    rests: NDArray[np.float64]
    heights: NDArray[np.float64]
    at_zero: NDArray[np.float64]
    tile: int
    factor: int
    shape: tuple[int, int]
    local: Image

    @property
    def clear(self) -> NDArray[np.bool_]:
        """Which tiles have a peak that stands out."""
        return self.heights > CLEAR

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Which tiles peak at zero."""
        return np.hypot(*self.rests.T) < IN_PLACE * self.factor

    def elsewhere(
        self, tiles: NDArray[np.bool_], chosen: NDArray[np.bool_], beyond: float = BEYOND
    ) -> NDArray[np.bool_]:
        """Mask, in coarse pixels, of those of some tiles that are chosen, and a little beyond."""
        more = round(beyond * self.tile)
        side = self.tile + more
        mask = np.zeros([side // self.factor for side in self.shape], bool)
        corners = (self.points[tiles][chosen] - (self.factor - 1) / 2) / self.factor
        for x, y in np.round(corners - (self.tile - 1) / 2).astype(int):
            mask[max(y - more, 0) : y + side, max(x - more, 0) : x + side] = True
        return mask

    @property
    def spread(self) -> float:
        """How far apart the tiles that match lie, across, as a share of the frame's diagonal."""
        points = self.points[self.clear & self.placed]
        if len(points) < 3:
            return 0.0
        across = max(float(np.linalg.eigvalsh(np.cov(points.T))[0]), 0.0)
        return float(np.sqrt(across) / np.hypot(*self.shape))

    @property
    def side(self) -> int:
        """Shorter side of the coarse image."""
        return min(self.shape) // self.factor

    @property
    def again(self) -> Peak:
        """Highest plain correlation away from zero."""
        return self.periods[0]

    @property
    def repeats(self) -> bool:
        """Whether the frames match nearly as well somewhere else."""
        return self.again.height > LARGEST_REPEATED

    @property
    def in_place(self) -> int:
        """Number of tiles that peak clearly, and at zero."""
        return int(np.count_nonzero(self.clear & self.placed))


def gather(reference: Prepared, moving: Prepared, matrix: Matrix) -> Evidence | None:
    """Compare the frames under a matrix; None where they have next to nothing in common."""
    fixed, warped = overlapping(reference, moving, matrix)
    valid = np.isfinite(fixed)
    common = valid.mean() / max(np.isfinite(reference.coarse).mean(), 1e-9)
    if np.count_nonzero(valid) < LEAST_AREA or common < LEAST_COMMON:
        return None
    alike, window = likeness(fixed, warped), faded(valid)
    spectra = [spectrum_of(np.nan_to_num(image) * window, 1.0) for image in (fixed, warped)]
    surface = correlate(*spectra)
    first, second = peaks(surface, 2)
    centre = float(_around_zero(surface[None], 1)[0])
    top = max(first.height, 1e-12)
    pair = overlap_of(reference.even, moving.even, matrix, reference.coarse_factor)
    even = [np.nan_to_num(image) for image in pair]
    return Evidence(
        float(common),
        alike,
        float(np.clip(1 - second.height / top, 0, 1)),
        float(np.clip(centre / top, 0, 1)),
        repeated(spectra[0], spectra[1], PERIODS, LARGEST_REPEATED),
        centre / max(float(surface.std()), 1e-12),
        *_tiles([image * window for image in even], valid, reference.coarse_factor),
        reference.coarse_factor,
        reference.shape,
        local_likeness(even[0], even[1], valid),
    )


def _around_zero(surfaces: Image, reach: int) -> NDArray[np.float64]:
    """Highest values of periodic surfaces (n, y, x) within some pixels of zero."""
    at = np.arange(-reach, reach + 1)
    return surfaces[:, at[:, None], at[None]].max(axis=(1, 2))


def _tiles(
    images: list[Image], valid: NDArray[np.bool_], factor: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], int]:
    """Centres, rests, heights and values at zero of the tiles, and their side."""
    shape = valid.shape
    side = min(max(min(shape) // TILES, LEAST_TILE), *shape)
    starts = [np.linspace(0, n - side, max(round(n / side), 1)).astype(int) for n in shape]
    corners = [(y, x) for y in starts[0] for x in starts[1]]
    shown = [valid[y : y + side, x : x + side].mean() >= LEAST_SHOWN for y, x in corners]
    corners = [corner for corner, enough in zip(corners, shown, strict=True) if enough]
    if not corners:
        return np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros(0), side
    cut = [np.stack([im[y : y + side, x : x + side] for y, x in corners]) for im in images]
    surfaces = correlate(*(spectrum_of(tiles, 1.0) for tiles in cut))
    spread = np.maximum(surfaces.std(axis=(1, 2)), 1e-12)
    flat = surfaces.reshape(len(surfaces), -1)
    at = flat.argmax(axis=1)
    sides = surfaces.shape[1:]
    y, x = np.divmod(at, sides[1])
    rests = np.stack([(v + n // 2) % n - n // 2 for v, n in ((x, sides[1]), (y, sides[0]))], axis=1)
    rests = rests + np.stack([_vertices(surfaces, y, x, axis) for axis in (2, 1)], axis=1)
    places = np.array(corners)[:, ::-1] + (side - 1) / 2
    return (
        factor * places + (factor - 1) / 2,
        factor * rests,
        flat.max(axis=1) / spread,
        _around_zero(surfaces, 1) / spread,
        side,
    )


def _vertices(
    surfaces: Image, y: NDArray[np.intp], x: NDArray[np.intp], axis: int
) -> NDArray[np.float64]:
    """Places of the maxima of parabolas through the highest values, within half a pixel."""
    n, (rows, columns) = np.arange(len(surfaces)), surfaces.shape[1:]
    step = (0, 1) if axis == 2 else (1, 0)
    before, middle, after = (
        surfaces[n, (y + k * step[0]) % rows, (x + k * step[1]) % columns].astype(np.float64)
        for k in (-1, 0, 1)
    )
    bend = before - 2 * middle + after
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = 0.5 * (before - after) / bend
    return np.where(bend < 0, np.clip(np.nan_to_num(vertex), -0.5, 0.5), 0.0)


def behind(evidence: Evidence, others: list[Evidence]) -> Evidence:
    """Leave out the tiles that do not match, but match clearly in other alignments."""
    hidden = np.zeros([side // evidence.factor for side in evidence.shape], bool)
    for other in others:
        hidden |= other.elsewhere(other.clear, other.placed[other.clear], 0.0)
    places = np.round((evidence.points - (evidence.factor - 1) / 2) / evidence.factor).astype(int)
    kept = (evidence.clear & evidence.placed) | ~hidden[places[:, 1], places[:, 0]]
    size = evidence.local.shape[::-1]
    away = cv2.resize(hidden.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    tiles = (evidence.points, evidence.rests, evidence.heights, evidence.at_zero)
    points, rests, heights, at_zero = (part[kept] for part in tiles)
    local = np.where(away, np.float32(np.nan), evidence.local)
    return replace(
        evidence, points=points, rests=rests, heights=heights, at_zero=at_zero, local=local
    )


def local_likeness(fixed: Image, warped: Image, valid: NDArray[np.bool_]) -> Image:
    """Correlation coefficient in a window around each place, on a grid of a quarter of the size."""
    a, b = fixed, warped
    size = tuple(max(side // 4, 1) for side in fixed.shape[::-1])
    sigma = max(min(fixed.shape) / 24, 5.0) / 4
    sums = [
        cv2.GaussianBlur(
            quartered(image, size), (0, 0), sigma, borderType=cv2.BORDER_CONSTANT,
        )
        for image in (a * b, a * a, b * b, valid.astype(np.float32))
    ]  # fmt: skip
    local = sums[0] / np.sqrt(np.maximum(sums[1] * sums[2], 1e-12))
    local[sums[3] < 0.25] = np.nan
    return local


def unexplained(evidence: Evidence, shape: tuple[int, int]) -> Image:
    """Weights (rows, columns), 0 to 1, of the coarse reference that an alignment leaves open."""
    explained = np.nan_to_num(evidence.local, nan=0.0) > EXPLAINED
    wide = cv2.dilate(explained.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    weights = 1 - cv2.resize(wide, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(weights, (0, 0), 3.0)


def preferred(first: Image, second: Image, *, explained: bool = False) -> tuple[float, float]:
    """Share of the common area that one alignment fits better than another, and its doubt.

    Signs are counted, not sizes: a faint half of the frame counts as much as a strong one. Where
    neither fits, signs are those of the noise: of what is `explained` by either, it counts only
    that, if it is a window or more.
    """
    difference = first - second
    known = np.isfinite(difference)
    some = known & (np.maximum(first, second) > EXPLAINED)
    if explained and np.count_nonzero(some) >= PIXELS_OF_WINDOW:
        known = some
    signs = difference[known]
    if not signs.size:
        return 0.5, 0.5
    # Windows overlap: about one in `PIXELS_OF_WINDOW` of the grid is independent.
    votes = np.where(np.abs(signs) < ALIKE, 0.5, signs > 0)
    return float(np.mean(votes)), 0.5 / float(np.sqrt(max(signs.size / PIXELS_OF_WINDOW, 1)))
