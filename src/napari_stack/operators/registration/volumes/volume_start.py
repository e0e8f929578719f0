"""Where a volume lies, to a plane and a few pixels: correlation of all planes, at every offset."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[np.float32]

#: Volumes are reduced in the plane to sides of up to this.
_SIDE = 96

#: Planes that two volumes must share at the least, and as a part of all.
_LEAST, _SHARED = 2, 0.3


@dataclass(frozen=True, eq=False)
class Spectra:
    """Spectra of the planes of a reduced volume.

    Parameters
    ----------
    planes : ndarray, shape (z, y, x // 2 + 1)
    energy : ndarray, shape (z,)
        Sum of squares of each plane.
    size : tuple of int
        Height and width of a reduced plane.
    step : int
        How many times smaller it is.
    """

    planes: NDArray[np.complex64]
    energy: NDArray[np.float64]
    size: tuple[int, int]
    step: int

    @classmethod
    def of(cls, volume: Volume) -> "Spectra":
        """Make them of a volume."""
        step = 1
        while max(volume.shape[1:]) / step > _SIDE and min(volume.shape[1:]) / step > 32:
            step *= 2
        small = reduced(volume, step)
        window = np.outer(*(np.hanning(side + 2)[1:-1] for side in small.shape[1:]))
        small = (small - small.mean()) * window.astype(np.float32)
        energy = (small.astype(np.float64) ** 2).sum(axis=(1, 2))
        spectra = np.fft.rfft2(small).astype(np.complex64)
        return cls(spectra, energy, (small.shape[1], small.shape[2]), step)


def reduced(volume: Volume, step: int) -> Volume:
    """Mean of blocks of pixels in each plane."""
    if step == 1:
        return volume
    z, rows, columns = volume.shape[0], volume.shape[1] // step, volume.shape[2] // step
    part = volume[:, : rows * step, : columns * step]
    small: Volume = part.reshape(z, rows, step, columns, step).mean(axis=(2, 4))
    return small


def find_start(fixed: Spectra, moving: Spectra) -> tuple[float, float, int, float]:
    """Find where an object of one volume lies in another.

    Returns
    -------
    dx, dy : float
        In px.
    dz : int
        In planes.
    correlation : float
        Of the planes that both share, normalised by these: -1 to 1.
    """
    count = len(fixed.planes)
    least = max(_LEAST, int(np.ceil(_SHARED * count))) if count > 1 else 1
    best, most = (0.0, 0.0, 0, 0.0), -1.0
    for dz in range(least - count, count - least + 1):
        one = slice(max(0, -dz), min(count, count - dz))
        two = slice(one.start + dz, one.stop + dz)
        product = (np.conj(fixed.planes[one]) * moving.planes[two]).sum(axis=0)
        found = np.fft.irfft2(product, s=fixed.size)
        scale = np.sqrt(fixed.energy[one].sum() * moving.energy[two].sum())
        place = np.unravel_index(int(found.argmax()), found.shape)
        height = float(found[place] / max(scale, 1e-30))
        # How improbable chance makes it: the more planes agree, the more it says.
        told = -np.log(max(1 - min(max(height, 0.0), 1.0) ** 2, 1e-6)) * (one.stop - one.start)
        if told > most:
            most = float(told)
            dy, dx = (
                (int(k) + side // 2) % side - side // 2
                for k, side in zip(place, fixed.size, strict=True)
            )
            best = (float(dx * fixed.step), float(dy * fixed.step), dz, height)
    return best
