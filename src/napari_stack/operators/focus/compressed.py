"""What compression leaves where a frame is flat, which is no texture."""

from typing import Any

import numpy as np

from napari_stack.operators.focus.focus_measure import Sharpness

Array = np.ndarray[Any, Any]

# Noise, as a share of the brightest pixel, that is none: half of the frame is flat, to the bit.
NO_NOISE = 1e-6
# Sharpness of the steps between blocks there, by the median of the frame's.
STEPS = 4.0
# Every so many rows and columns are enough for a median.
SAMPLE = 4


def without_compression(scales: tuple[Sharpness, ...], grey: Array) -> tuple[Sharpness, ...]:
    """Return the sharpness of a frame with what compression left in it counted as noise.

    Compression leaves blocks in flat places, with steps between them, in each frame elsewhere.
    The noise filter sees their corners only: where half of the frame is flat, its median is 0.
    At a quarter of the size the steps are as sharp, and not less, as those of noise are.

    Parameters
    ----------
    scales : tuple of Sharpness
        At all scales; at the frame's own first.
    grey : (y, x) ndarray
        The brightness in which the noise of the first was measured.
    """
    energy, noise = scales[0]
    if not noise <= NO_NOISE * float(np.abs(grey).max()):
        return scales
    few = energy[::SAMPLE, ::SAMPLE]
    seen = few[few >= 0]
    left = STEPS * float(np.median(seen)) if seen.size else 0.0
    return tuple(scale._replace(noise=max(scale.noise, left)) for scale in scales)
