"""Pixels as tests compare them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Makes pixels of any shape and type, different everywhere; the fixture `noise` is one.
Noise = Callable[..., NDArray[Any]]


def validity(valid, values):
    """Which pixels of a frame are valid, as an array also where all are (None)."""
    return np.ones(values.shape[:2], bool) if valid is None else valid
