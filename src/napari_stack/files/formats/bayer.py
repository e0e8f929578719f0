"""Colours out of the mosaic of a sensor, by OpenCV."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: OpenCV names a mosaic by the second and third pixel of its second row.
_CODES = {"RGGB": "BayerBG", "GRBG": "BayerGB", "GBRG": "BayerGR", "BGGR": "BayerRG"}


def demosaiced(mosaic: NDArray[Any], pattern: str) -> NDArray[Any]:
    """Interpolate red, green and blue of each pixel, by gradients that keep edges sharp.

    Parameters
    ----------
    mosaic : ndarray, shape (y, x), uint8 or uint16
    pattern : str
        Colours of the first two pixels of the first and of the second row, such as "RGGB".
    """
    import cv2

    code = getattr(cv2, f"COLOR_{_CODES[pattern]}2RGB_EA")
    return np.asarray(cv2.cvtColor(mosaic, code))
