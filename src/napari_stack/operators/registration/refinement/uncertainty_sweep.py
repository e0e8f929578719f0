"""One level of a pair of frames: what its pixels add to the sums of `uncertainty`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix
from napari_stack.engine.opencv import cv2
from napari_stack.operators.geometry.warp_rows import resample
from napari_stack.operators.registration.band_pass import FINE_SIGMA, Image
from napari_stack.operators.registration.refinement.near import WEIGHTS
from napari_stack.operators.registration.refinement.one_level import margin_of
from napari_stack.operators.registration.refinement.uncertainty_kernels import TAPS, row_sums

#: Rows beside a band that its blur reaches.
REACH = 4
#: Gain and offset are found on one of so many rows.
ROWS_FOR_GAIN = 4
#: A pixel of white noise of variance 1 has this variance after the fine blur of the band-pass.
PASSED = float(np.sum(np.square(cv2.getGaussianKernel(4 * 2 + 1, FINE_SIGMA)))) ** 2

#: Factor of the variance, and power of how much the residuals' part of the weights damps them, that
#: bring d^2 / 2 of `benchmarks/registration_uncertainty.py` to 1 at a noise of 10 and at SNR 1:
#: without them it is 0.87 and 1.05.
CALIBRATION, CALIBRATION_OF_DAMPING = 0.92, 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sums:
    """Sums over the rows of the bands: slopes (2, 2, 5, 5), bias (2, 5, 5), and of the noise."""

    slopes: Floats
    bias: Floats
    power: float
    noise: float
    undamped: float

    @property
    def variance(self) -> float:
        """Variance of the residuals where the equations look, as robust weights leave it."""
        damped = self.power / self.undamped
        return CALIBRATION * self.noise / self.power / damped**CALIBRATION_OF_DAMPING


class Sweep:
    """One level, and the rows of it that are summed."""

    def __init__(
        self, fixed: Image, moving: Image, matrix: Matrix, bands: NDArray[np.int64]
    ) -> None:
        rows, columns = fixed.shape
        self.fixed, self.matrix, self.bands = fixed, matrix, bands
        self.margin = margin_of(fixed.shape)
        self.left = max(self.margin, TAPS)
        radius = np.hypot(columns - 1, rows - 1) / 2
        y, x = ((np.arange(side) - (side - 1) / 2) / radius for side in (rows, columns))
        self.px = x[self.left : columns - self.left].astype(np.float32)
        self.powers = (
            np.vander(y, 5, increasing=True),
            np.vander(x.astype(np.float32), 5, increasing=True),
        )
        around = np.arange(-REACH, bands.shape[1] + REACH)
        self.around = (bands[:, :1] + around).ravel()
        self.slots = np.flatnonzero((self.around >= self.left) & (self.around < rows - self.left))
        lines = self.around[self.slots]
        needed = np.zeros(rows, bool)
        for tap in range(-TAPS, TAPS + 1):
            needed[lines + tap] = True
        self.warped = resample(moving, matrix, 1, np.flatnonzero(needed))

    def balanced(self) -> tuple[Sums, Image]:
        """Sum at the gain and offset that some of the rows show; weighted gradients besides."""
        gain, offset = 1.0, 0.0
        by_row, _ = self._summed(self.slots[::ROWS_FOR_GAIN], gain, offset)
        vv, v, one, vr, r = by_row[:, 21:26].sum(0)
        if (determinant := vv * one - v * v) > 1e-6 * vv * one:
            gain += float(np.clip((vr * one - v * r) / determinant, -0.5, 1))
            offset += float((vv * r - v * vr) / determinant)
        by_row, score = self._summed(self.slots, gain, offset)
        inner = np.zeros(self.bands.shape[1] + 2 * REACH, bool)
        inner[REACH:-REACH] = True
        counted = np.tile(inner, len(self.bands))[self.slots]
        by_height = by_row[counted].T @ self.powers[0][self.around[self.slots][counted]]
        xx, xy, yy = by_height[:15].reshape(3, 5, 5)
        bias = np.zeros((2, 5, 5))
        bias[:, :3] = by_height[15:21].reshape(2, 3, 5)
        power, noise, undamped = by_height[26:, 0]
        slopes = np.stack([xx, xy, xy, yy]).reshape(2, 2, 5, 5)
        return Sums(slopes, bias, float(power), float(noise), float(undamped)), score

    def _summed(self, slots: NDArray[np.intp], gain: float, offset: float) -> tuple[Floats, Image]:
        rows, columns = self.fixed.shape
        score = np.zeros((2, len(self.around), columns), np.float32)
        sums = np.empty((len(slots), 29), np.float32)
        limits = (self.margin, columns - self.margin, rows - self.margin)
        slots = np.ascontiguousarray(slots)  # of every n-th, the kernel would be compiled anew
        row_sums(
            self.fixed.reshape(-1), self.warped.reshape(-1), columns, self.around[slots], slots,
            self.left, self.px, tuple(map(np.float32, (gain, offset, *WEIGHTS))), self.matrix,
            tuple(map(np.float32, limits)), score, sums,
        )  # fmt: skip
        return sums.astype(np.float64), score

    def blurred(self, score: Image, noise: float) -> Image:
        """Weighted gradients (2, rows of the bands, columns) after the blur, times the noise."""
        size = 2 * REACH + 1
        bands = []
        for part in score:
            blurred = cv2.GaussianBlur(
                part, (size, size), FINE_SIGMA, borderType=cv2.BORDER_CONSTANT
            )
            whole = blurred.reshape(len(self.bands), -1, part.shape[1])
            bands.append(whole[:, REACH:-REACH].reshape(-1, part.shape[1]))
        return np.float32(noise) * np.stack(bands)
