"""Whether the motion of frames samples a finer grid, and whether the scene has anything to show."""

import numpy as np
from numpy.typing import NDArray

#: Greatest gap between places within a pixel, in pixels of the finer grid, along each axis.
_GAP = 1.3

#: Places of the view along each axis at which they are looked at: turned frames differ there.
_PLACES = 5

#: Side of the square of pixels whose spectrum is looked at.
_SQUARE = 512


def greatest_gap(places: NDArray[np.float64]) -> float:
    """Return the greatest gap between places in a pixel, which repeats: 1 where all are the same.

    Examples
    --------
    >>> greatest_gap(np.array([0.1, 0.6, 1.6]))
    0.5
    """
    inside = np.sort(places % 1.0)
    return float(np.diff(np.append(inside, inside[0] + 1)).max().round(12))


def gap_of(matrices: NDArray[np.float64], size: tuple[int, int]) -> float:
    """Return the greatest gap along x or y that the usual place of a view has.

    Parameters
    ----------
    matrices : ndarray, shape (n, 3, 3)
        Take a point of the view to each frame.
    size : tuple of int
        Height and width of the view.
    """
    y, x = (np.linspace(0, side - 1, _PLACES + 2)[1:-1] for side in size)
    points = np.stack([*map(np.ravel, np.meshgrid(x, y)), np.ones(_PLACES**2)])
    seen = matrices @ points
    seen = seen[:, :2] / seen[:, 2:]
    gaps = [max(greatest_gap(seen[:, axis, k]) for axis in (0, 1)) for k in range(points.shape[1])]
    return float(np.median(gaps))


def samples_enough(gap: float, scale: float) -> bool:
    """Tell whether a gap between places in a pixel is small enough for a finer grid."""
    return gap <= max(_GAP / scale, 0.0) or scale <= 1


def coherence(one: NDArray[np.floating], other: NDArray[np.floating], scale: float) -> float:
    """Return what two images share beyond the sampling of the frames: 1 all, 0 nothing.

    Of two halves of the frames, so that their noise is not shared.

    Parameters
    ----------
    one, other : ndarray, shape (y, x)
        On the finer grid.
    scale : float
        Pixels of the grid in one of a frame.
    """
    side = min(*one.shape, _SQUARE)
    rows, columns = ((length - side) // 2 for length in one.shape)
    part = np.ix_(range(rows, rows + side), range(columns, columns + side))
    window = np.outer(np.hanning(side), np.hanning(side))
    a, b = (
        np.fft.rfft2((np.nan_to_num(i[part]) - np.nanmean(i[part])) * window) for i in (one, other)
    )
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    beyond = (frequency > 0.5 / scale) & (frequency < 0.8 / scale)
    power = np.sqrt((np.abs(a[beyond]) ** 2).sum() * (np.abs(b[beyond]) ** 2).sum())
    return float((a[beyond] * b[beyond].conj()).real.sum() / power) if power > 0 else 0.0
