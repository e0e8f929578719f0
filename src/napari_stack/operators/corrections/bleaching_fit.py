"""What `measure_bleaching` takes of a frame, and the fit of a decay."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.pixels.channels import colour_channels
from napari_stack.core.pixels.luminance import brightness
from napari_stack.core.stack import Stack
from napari_stack.operators.corrections.tone_curves import Curve, matching_curve

#: Pixels of a frame that are matched; beyond these every n-th along both axes is taken.
_MOST_PIXELS = 2**18


class MeanOptions(NamedTuple):
    """What is measured of a frame."""

    background: float
    each_channel: bool
    matched: bool


class FrameIntensity(NamedTuple):
    """Means of a frame, sorted pixels and matching curves, one of each a channel."""

    means: list[float]
    pixels: list[NDArray[Any]]
    curves: list[Curve]


def measure(
    stack: Stack, index: int, *, view: MeanOptions, reference: FrameIntensity | None
) -> FrameIntensity:
    """Measure a frame; against a reference, the curves that match it."""
    values, valid = stack.values(index)
    values = colour_channels(values, stack.alpha)
    if not view.each_channel:
        values = brightness(values.astype(stack.working, copy=False) if values.shape[2] > 1
                            else values, stack.rgb)[..., np.newaxis]  # fmt: skip
    channels = [values[..., k] for k in range(values.shape[2])]
    inside = [c if valid is None else c[valid] for c in channels]
    if not inside[0].size:
        raise UserError(f"{stack.source.label(index)} has no valid pixel to measure")
    means = [float(part.mean(dtype=np.float64)) - view.background for part in inside]
    if not view.matched:
        return FrameIntensity(means, [], [])
    step = max(1, int(np.sqrt(inside[0].size / _MOST_PIXELS)))
    every = (slice(step // 2, None, step),) * 2
    parts = [c[every] if valid is None else c[every][valid[every]] for c in channels]
    pixels = [np.sort(part, axis=None) for part in parts]
    if reference is None:
        return FrameIntensity(means, pixels, [])
    whole = stack.dtype.kind in "ui" and (view.each_channel or len(channels) == 1)
    whole = whole and bool((pixels[0][::101] % 1 == 0).all())
    curves = [matching_curve(*p, whole) for p in zip(pixels, reference.pixels, strict=True)]
    return FrameIntensity(means, [], curves)


def fit_decay(
    means: NDArray[np.float64], used: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a exp(-b t) + c to mean intensities over the number of the frame.

    Parameters
    ----------
    means : ndarray, shape (n, k), above zero
    used : ndarray of bool, shape (n,)
        Frames that count.

    Returns
    -------
    fitted : ndarray, shape (n, k)
    decay : ndarray, shape (k, 3)
        a, b, c; no decay where fewer than three frames count or the means do not fall.
    """
    from scipy.optimize import least_squares

    time = np.arange(len(means), dtype=np.float64)
    decay = np.zeros((means.shape[1], 3))
    for k, every in enumerate(means.T):
        t, y = time[used], every[used]
        decay[k] = 0, 0, y.mean() if len(y) else 1
        if len(y) < 3 or y[0] <= y.mean() * (1 + 1e-12):
            continue
        level, span = y.mean(), max(np.ptp(t), 1.0)

        def misfit(p: Any, t: Any = t, y: Any = y, level: float = level) -> Any:
            return p[0] * np.exp(-p[1] * t) + p[2] - y / level

        fits = [
            least_squares(misfit, [y[0] / level * 0.7, rate / span, 0.3], x_scale=[1, 1 / span, 1],
                          bounds=([0, 0, 0], [np.inf, 50 / span, np.inf]), loss="soft_l1",
                          f_scale=0.05, xtol=1e-14, ftol=1e-14, gtol=1e-14)
            for rate in (0.3, 2.0, 8.0)
        ]  # fmt: skip
        best = min(fits, key=lambda fit: fit.cost).x
        decay[k] = best[0] * level, best[1], best[2] * level
    fitted = decay[:, 0] * np.exp(-np.outer(time, decay[:, 1])) + decay[:, 2]
    return np.maximum(fitted, 1e-12), decay
