"""Pixels as tests compare them."""

import numpy as np


def validity(valid, values):
    """Which pixels of a frame are valid, as an array also where all are (None)."""
    return np.ones(values.shape[:2], bool) if valid is None else valid
