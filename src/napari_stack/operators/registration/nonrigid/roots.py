"""Frames in which noise is even: square roots of what counts photons."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.operators.registration.sequence.measure import MeasureOptions

Image = NDArray[np.float32]

#: Anscombe (1948): the root of a count plus so much has an even variance, a quarter.
_ANSCOMBE = 0.375

#: Frames that the noise is measured on, and the side of the blocks of pixels.
_FRAMES, _BLOCK = 6, 16


@dataclass(frozen=True)
class Roots:
    """How pixels become values of even noise.

    Parameters
    ----------
    view : MeasureOptions
        What of a frame is measured.
    gain : float
        Grey levels a photon; 0 where noise does not grow with the light: pixels stay as they are.
    black : float
        Grey level without light.
    variance : float
        Of the noise of the values that come out.
    """

    view: MeasureOptions
    gain: float = 0.0
    black: float = 0.0
    variance: float = 0.25

    def __call__(self, stack: Stack, index: int) -> tuple[Image, NDArray[np.bool_]]:
        """Read a frame: values and where they count."""
        values, valid = self.view.pixels(stack, index)
        counts = np.isfinite(values) if valid is None else valid & np.isfinite(values)
        if self.gain > 0:
            light = np.maximum((values - self.black) / self.gain, 0)
            values = np.sqrt(light + _ANSCOMBE)
        return np.where(counts, values, 0).astype(np.float32), counts

    @classmethod
    def of(cls, stack: Stack, view: MeasureOptions, frames: NDArray[np.intp]) -> "Roots":
        """Measure how noise grows with the light, on a few frames."""
        chosen = frames[np.linspace(0, len(frames) - 1, min(_FRAMES, len(frames))).astype(int)]
        found = [_levels(*view.pixels(stack, int(i))) for i in chosen]
        means, variances = np.concatenate(found, axis=1)
        gain, black = _line(means, variances)
        if gain > 0:
            return cls(view, gain, black)
        quiet = float(np.median(variances)) if len(variances) else 0.0
        return cls(view, variance=max(quiet, 1e-12))


def _levels(values: NDArray[Any], valid: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """Mean, and variance of the noise, of blocks (2, blocks): of what no plane explains."""
    values = np.where(valid, values, np.nan) if valid is not None else values
    rows, columns = ((side - 2) // _BLOCK * _BLOCK for side in values.shape)
    across = values[:, :-2] - 2 * values[:, 1:-1] + values[:, 2:]
    rough = (across[:-2] - 2 * across[1:-1] + across[2:]) / 6.0  # Immerkaer 1996

    def blocks(image: NDArray[Any]) -> NDArray[np.float64]:
        part = image[:rows, :columns].astype(np.float64)
        split = part.reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK)
        return np.asarray(split.mean(axis=(1, 3)).ravel())

    found = np.stack([blocks(values[1:-1, 1:-1]), blocks(rough**2)])
    return found[:, np.isfinite(found).all(axis=0)]


def _line(means: NDArray[np.float64], variances: NDArray[np.float64]) -> tuple[float, float]:
    """Gain and black level from a line through the quietest blocks of each brightness."""
    if len(means) < 8:
        return 0.0, 0.0
    order = np.argsort(means)
    parts = np.array_split(order, min(16, len(order) // 4))
    level = np.array([np.median(means[part]) for part in parts])
    quiet = np.array([np.quantile(variances[part], 0.3) for part in parts])
    weight = 1 / np.maximum(quiet, quiet[quiet > 0].min() if (quiet > 0).any() else 1.0)
    gain, offset = np.polyfit(level, quiet, 1, w=weight)
    spread = level.max() - level.min()
    # Noise that hardly grows over all the light there is needs no root.
    if not gain > 0 or gain * spread < 0.3 * np.median(quiet):
        return 0.0, 0.0
    black = min(-offset / gain, float(level.min()))
    return float(gain), float(black)
