"""Clipping and products by NumPy, as the operators say, and scenes with outliers and holes."""

import numpy as np
import pytest
from hypothesis import strategies as st

from napari_stack.core.stack import Stack

DTYPES = [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64]

few = pytest.mark.filterwarnings("ignore:.*cannot be clipped:UserWarning")


def clipped_by_numpy(data, low, high, iterations, centre="mean", spread="standard deviation"):
    """Clip as the operator says, plainly; returns the mean, what was rejected, what was kept."""
    values = np.ma.masked_invalid(data.astype(np.float64))
    invalid = np.ma.getmaskarray(values).copy()
    for _ in range(iterations):
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        median = np.ma.median(values, axis=0)
        if spread == "MAD":
            mad = 1.482602218505602 * np.ma.median(np.abs(values - median), axis=0)
            distance = np.ma.masked_equal(np.ma.filled(np.abs(values - median), 0), 0)
            least = np.ma.filled(1.482602218505602 * distance.min(axis=0), np.inf)
            unit = 1.0 if data.dtype.kind in "ui" else np.inf
            least = np.minimum(np.minimum(least, unit), np.ma.filled(deviation, 0))
            deviation = np.ma.where(mad > 0, mad, least)
        middle = mean if centre == "mean" else median
        small = values.count(axis=0) < 3
        stray = (values < middle - low * deviation) | (values > middle + high * deviation)
        stray = np.ma.filled(stray, False) & ~small
        stray &= ~(stray | np.ma.getmaskarray(values)).all(axis=0)
        if not stray.any():
            break
        values = np.ma.masked_where(stray, values)
    rejected = np.ma.getmaskarray(values) & ~invalid
    return values.mean(axis=0).filled(0), rejected, values


def scene(seed, frames, dtype, shape=(6, 5), strays=0.05):
    rng = np.random.default_rng(seed)
    data = rng.normal(100, 10, (frames, *shape))
    data[rng.random(data.shape) < strays] += 60
    return data.astype(dtype), rng


def masked_in_some_way(seed, frames, dtype, how):
    """Make a stack with holes: (stack, values as a masked array)."""
    data, rng = scene(seed, frames, dtype)
    hidden = rng.random(data.shape) < 0.15
    if how == "nan" and data.dtype.kind == "f":
        data[hidden] = np.nan
        return Stack.wrap(data), np.ma.masked_invalid(data.astype(np.float64))
    if how == "alpha" and data.dtype.kind == "u":
        top = np.iinfo(dtype).max
        alpha = np.where(hidden, rng.integers(0, top, data.shape), top).astype(dtype)
        colours = np.stack([data, data[::-1], data[:, ::-1], alpha], axis=-1)
        over = np.repeat(hidden[..., None], 4, axis=-1)
        return Stack.wrap(colours, rgb=True), np.ma.masked_array(colours.astype(float), over)
    return Stack.wrap(data), np.ma.masked_array(data.astype(np.float64))


HOLES = {
    "seed": st.integers(0, 2**16),
    "frames": st.one_of(st.integers(1, 40), st.integers(41, 300)),
    "dtype": st.sampled_from(DTYPES),
    "how": st.sampled_from(["whole", "nan", "alpha"]),
}


def product_by_numpy(data):
    top = np.nanmax(np.abs(data)) or 1
    return top * np.nanprod(data / top, axis=0)
