"""How far rows that are scanned backwards lie from the others: one offset for a series."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.registration.nonrigid.roots import Roots

#: Frames that it is measured on, at the most.
_FRAMES = 40

#: Positions a pixel at which the correlation is read before a parabola is put through them.
_FINER = 16

#: Share of the width that an offset may be.
_LARGEST = 0.25


def measure_back(stack: Stack, roots: Roots, run: Run) -> float:
    """Measure how far odd rows lie to the right of where even rows have the same object, in px.

    Odd rows are correlated with the even ones at their places, over all frames.
    """
    numbers = np.linspace(0, len(stack) - 1, min(_FRAMES, len(stack))).astype(int)
    each = run.each(
        partial(_cross_power, roots=roots), stack, numbers.tolist(), what="Comparing rows"
    )
    return _peak(np.sum(each, axis=0), stack.shape[2])


def _cross_power(stack: Stack, index: int, *, roots: Roots) -> NDArray[np.complex128]:
    values, counts = roots(stack, index)
    window = np.hanning(values.shape[1] + 2)[1:-1]
    mean = values[counts].mean() if counts.any() else 0.0
    rows = np.where(counts, values - mean, 0.0)
    # Even rows at the places of the odd ones, by cubic convolution (Keys 1981).
    even, odd = rows[::2], rows[3:-3:2]
    count = min(len(odd), len(even) - 3)
    between = (
        9 * (even[1 : count + 1] + even[2 : count + 2]) - even[:count] - even[3 : count + 3]
    ) / 16
    spectra = [np.fft.rfft(part * window, axis=1) for part in (odd[:count], between)]
    product: NDArray[np.complex128] = (spectra[0] * np.conj(spectra[1])).sum(axis=0)
    return product


def _peak(power: NDArray[np.complex128], width: int) -> float:
    power = power.copy()
    power[0] = 0
    found = np.fft.irfft(power, n=_FINER * width)
    places = np.fft.fftfreq(_FINER * width, 1 / width)
    found = np.where(np.abs(places) <= _LARGEST * width, found, -np.inf)
    top = int(found.argmax())
    low, high = found[top - 1], found[(top + 1) % len(found)]
    bend = low - 2 * found[top] + high
    part = (low - high) / (2 * bend) if np.isfinite(bend) and bend < 0 else 0.0
    return float(places[top] + part / _FINER)
