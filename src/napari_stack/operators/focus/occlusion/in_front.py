"""The option `prefer`: of what is sharp at one place, the nearer thing or the farther one."""

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.progress import Progress
from napari_stack.engine.run import Run
from napari_stack.operators.focus.methods import WorkingResult
from napari_stack.operators.focus.occlusion.layering import (
    REACH,
    Layers,
    Separation,
    Series,
    disc,
    misfit,
    opacity_of,
    squared,
    window_mean,
)
from napari_stack.operators.focus.occlusion.measuring import Measured, measured

Array = NDArray[Any]
Prefer = Literal["none", "near", "far"]
NearEnd = Literal["first frame", "last frame"]

# Layers are believed where they explain the frames better than the fused image does: their misfit
# is this share of its, and less by so many squared grey levels of 255, and so much of the noise's.
BETTER, LEAST_GAIN, NOISE_GAIN = 0.8, 2.0, 0.5
# Frames in which they are compared.
TRIED = 9
# Where frames differ from the fused image by no more than their noise, the image stays: it has less
# noise than they have. Multiples of the noise's variance from which it is left, and wholly.
NOISY, CERTAIN = 1.5, 3.0
# A farther thing is shown in place of a nearer one where it lets through this much light.
SEE_THROUGH = 0.4
# Rows around a band on which it depends, and arrays like a frame, for each frame, at once.
MARGIN, PLANES = 96, 6


def preferring(
    found: WorkingResult,
    stack: Stack,
    run: Run,
    channels: ChannelWeights,
    prefer: Prefer,
    near: NearEnd,
) -> WorkingResult:
    """Return a fused series in which what is nearer, or farther, was taken where both are sharp.

    Parameters
    ----------
    found : WorkingResult
    stack : Stack
    run : Run
    channels : ChannelWeights
    prefer : {"near", "far"}
    near : {"first frame", "last frame"}
        Which end of the series is near.

    Warns
    -----
    UserWarning
        Where nothing tells how blur grows along the series; nothing is done then.
    """
    known = measured(stack, run.part(0, 2), channels, near_last=near == "last frame")
    growth = known.growth(found.image) if len(known.numbers) > 1 else None
    if growth is None:
        warnings.warn(
            f'prefer="{prefer}" does nothing here: too little is in focus to tell how blur grows '
            "from frame to frame",
            UserWarning,
            stacklevel=4,
        )
        return found
    depth = None if found.depth is None else found.depth.copy()
    result = found._replace(image=found.image.copy(), depth=depth)
    height, width = known.labels.shape
    row = width * found.image[0, 0].size * 4 * PLANES * len(known.numbers)
    tall = max(run.memory // row - 2 * MARGIN, MARGIN)
    bands = [slice(start, min(start + tall, height)) for start in range(0, height, tall)]
    steps = len(bands) * len(known.numbers)
    progress = Progress(run.part(1, 2).tick, steps, "Telling near from far")
    for band in bands:
        _put_band(result, known, growth, band, prefer, progress)
    return result


def _put_band(
    result: WorkingResult,
    known: Measured,
    growth: float,
    band: slice,
    prefer: Prefer,
    progress: Progress,
) -> None:
    """Put rows of the image, and of the depth, in place."""
    wide = slice(max(band.start - MARGIN, 0), min(band.stop + MARGIN, len(known.labels)))
    series, even, valid = _series(result.image, known, growth, wide)
    separation = Separation(series)
    if not separation.at_edges.any():
        progress.step(len(series.frames))
        return
    layers = separation.layers(progress.step)
    believed = _believed(series, layers, even) * valid
    if prefer == "far":
        layers = _seen_through(layers, separation.farthest, separation.at_edges)
        believed = np.maximum(believed, cv2.dilate(believed, disc(REACH // 2)))
    fused = _blended(series, layers, separation.at_edges, believed[..., np.newaxis])
    inner = slice(band.start - wide.start, band.stop - wide.start)
    shown = result.image.reshape(*result.image.shape[:2], -1)
    count = fused.shape[2]
    changed = believed[inner] > 0
    values = (fused[inner] / known.scale).astype(result.image.dtype)
    shown[band][..., :count][changed] = values[changed]
    if result.depth is not None:
        top = layers.top[inner]
        other = np.abs(top.astype(np.int32) - even[inner]) >= series.gap
        here = other & (believed[inner] > 0.5)
        result.depth[band][here] = known.numbers[top[here]]


def _series(
    image: Array, known: Measured, growth: float, rows: slice
) -> tuple[Series, Array, Array]:
    """Return rows of a series, the labels of the fused image, and where all frames are valid."""
    colours, _, _ = known.channels.split(image[rows], None)
    fused = (colours * known.scale).astype(np.float32)
    frames = np.empty((len(known.numbers), *fused.shape), np.float32)
    everywhere = np.ones(fused.shape[:2], bool)
    for target, number in zip(frames, known.numbers.tolist(), strict=True):
        target[...], valid = known.frame(number, rows)
        if valid is not None:
            target[~valid] = fused[~valid]
            everywhere &= valid
    labels = known.labels[rows]
    series = Series(frames, fused, labels, known.places, growth, known.noise)
    return series, known.even[rows], everywhere.astype(np.float32)


def _believed(series: Series, layers: Layers, even: Array) -> Array:
    """Return how far layers are believed, 0 to 1: where they explain the frames."""
    count = len(series.frames)
    ours = misfit(series, layers.opacities, layers.colours, TRIED)
    plain = [opacity_of(even, number) for number in range(count)]
    usual = misfit(series, plain, [series.fused] * count, TRIED)
    gain = LEAST_GAIN + NOISE_GAIN * series.noise**2
    better = (ours < BETTER * usual) & (usual - ours > gain)
    return window_mean(better.astype(np.float32), 1.0)


def _seen_through(layers: Layers, farthest: Array, at_edges: Array) -> Layers:
    """Return layers of which the farthest within reach is on top, where its light comes through."""
    count = len(layers.opacities)
    light = np.take_along_axis(np.stack(layers.light), farthest[np.newaxis].astype(int), 0)[0]
    through = at_edges & (light > SEE_THROUGH)
    opacities = [
        np.where(through, opacity_of(farthest, number), layers.opacities[number])
        for number in range(count)
    ]
    return Layers(opacities, layers.colours, layers.light)


def _blended(series: Series, layers: Layers, at_edges: Array, believed: Array) -> Array:
    """Return the fused image with the layers where they are believed.

    Away from edges it stays, but for the veil of nearer things; so does the noise that it averaged.
    """
    frames = layers.composed_of(list(series.frames))
    whole = layers.composed()
    near_edge = window_mean(cv2.dilate(at_edges.astype(np.float32), disc(1)), 1.0)
    differs = window_mean(squared(frames - series.fused), 1.5) / (series.noise**2 + 1)
    near_edge *= np.clip((differs - NOISY) / (CERTAIN - NOISY), 0, 1)
    image = series.fused + (whole - frames)
    image += near_edge[..., np.newaxis] * (frames - series.fused)
    around = disc(REACH)
    low, high = series.frames.min(axis=0), series.frames.max(axis=0)
    low, high = cv2.erode(low, around), cv2.dilate(high, around)
    image = np.clip(image, low.reshape(image.shape), high.reshape(image.shape))
    return series.fused + believed * (image - series.fused)
