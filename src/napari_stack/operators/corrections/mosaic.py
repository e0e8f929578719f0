"""`mosaic_step`: whether frames are mosaics of colours, as raw ones are."""

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack

#: Rows above and below the middle of a frame that tell whether it is a mosaic, the least side of a
#: frame that can, and frames that are asked.
_ROWS, _LEAST_SIDE, _FRAMES = 128, 8, 3

#: Part of the distance to the next pixels by which those of the same colour must be nearer.
_NEARER = 0.9


def mosaic_step(sensor: Stack) -> int:
    """Tell how far the next pixels of the same colour are: 2 in mosaics, else 1.

    Parameters
    ----------
    sensor : Stack
        Frames as the sensor gave them. Rows in the middle of a few used frames are read, unless
        they have channels.
    """
    frames = np.flatnonzero(sensor.used)
    if sensor.ndim == 4 or not frames.size or min(sensor.shape[1:3]) < _LEAST_SIDE:
        return 1
    middle = sensor.shape[1] // 2
    rows = slice(max(middle - _ROWS, 0), min(middle + _ROWS, sensor.shape[1]))
    chosen = np.unique(np.linspace(0, len(frames) - 1, _FRAMES).astype(int))
    seen = [np.asarray(sensor.read(int(i), rows)[0], np.float64) for i in frames[chosen]]
    # every frame: in a mosaic all are
    return 2 if all(_alternates(part) for one in seen for part in (one, one.T)) else 1


def _alternates(rows: NDArray[np.float64]) -> bool:
    """Whether pixels are nearer to the second on their right than to the first."""
    first, second = (np.abs(rows[:, n:] - rows[:, :-n]).ravel() for n in (1, 2))
    some = np.isfinite(first).any() and np.isfinite(second).any()
    return bool(some and np.nanmedian(second) < _NEARER * np.nanmedian(first))
