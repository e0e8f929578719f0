"""The option `prefer`: of what is sharp at one place, the nearer thing or the farther one."""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.notices import warn_caller
from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.progress import Progress
from napari_stack.engine.run import Run
from napari_stack.operators.focus.methods import WorkingResult
from napari_stack.operators.focus.occlusion.acceptance import (
    Edges,
    believed,
    certain_edges,
    model_error,
    within_frames,
)
from napari_stack.operators.focus.occlusion.layering import (
    REACH,
    Layers,
    Separation,
    Series,
    disc,
    opacity_of,
    squared,
    window_mean,
)
from napari_stack.operators.focus.occlusion.measuring import Measured, measured

Array = NDArray[Any]
Prefer = Literal["none", "near", "far"]
NearEnd = Literal["first frame", "last frame"]

# Where frames differ from the fused image by no more than their noise, the image stays: it has less
# noise than they have. Multiples of the noise's variance from which it is left, and wholly.
NOISY, CERTAIN = 1.5, 3.0
# A farther thing is shown in place of a nearer one where it lets through this much light.
SEE_THROUGH = 0.4
# Where frames are this much farther from the model of blur than noise makes them, farther things
# are shown with specks.
UNSAFE = 16.0
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
        Where nothing tells how blur grows along the series, where nothing was changed, and where
        specks are to be expected.
    """
    known = measured(stack, run.part(0, 2), channels, near_last=near == "last frame")
    growth = known.growth(found.image) if len(known.numbers) > 1 else None
    if growth is None:
        warn_caller(
            f'prefer="{prefer}" does nothing here: too little is in focus to tell how blur grows '
            "from frame to frame"
        )
        return found
    depth = None if found.depth is None else found.depth.copy()
    result = found._replace(image=found.image.copy(), depth=depth)
    model = Model(found.image, known, growth, _error(found.image, known, growth))
    height, width = known.labels.shape
    row = width * found.image[0, 0].size * 4 * PLANES * len(known.numbers)
    tall = max(run.memory // row - 2 * MARGIN, MARGIN)
    bands = [slice(start, min(start + tall, height)) for start in range(0, height, tall)]
    steps = len(bands) * len(known.numbers)
    progress = Progress(run.part(1, 2).tick, steps, "Telling near from far")
    changed = [_put_band(result, model, band, prefer, progress) for band in bands]
    _tell(prefer, model, sum(changed) / (height * width))
    return result


def _tell(prefer: Prefer, model: "Model", share: float) -> None:
    """Warn that nothing was changed, or that what was is not safe."""
    if not share:
        warn_caller(
            f'prefer="{prefer}" changes nothing here: nowhere do layers explain the frames clearly '
            "better than the image without it"
        )
    elif prefer == "far" and model.error > UNSAFE * (model.known.noise**2 + 1):
        warn_caller(
            f'prefer="far" changed {share:.1%} of the image, and may leave specks beside strong '
            "edges: the blur of these frames is understood only in part; look there, or retouch"
        )


class Model(NamedTuple):
    """What bands are made from."""

    image: Array  # as fused
    known: Measured
    growth: float  # of blur, in pixels from frame to frame
    error: float  # of the model of blur, in squared grey levels

    def series(self, rows: slice) -> tuple[Series, Array, Array]:
        """Return rows, the labels of the fused image, and where all frames are valid."""
        return _series(self.image, self.known, self.growth, rows)


def _error(image: Array, known: Measured, growth: float) -> float:
    """Return how far frames are from the model of blur, where most of the depth is sure."""
    rows, columns = known.sampled()
    series, even, _ = _series(image, known, growth, rows)
    frames, fused = series.frames[:, :, columns], series.fused[:, columns]
    series = series._replace(frames=frames, fused=fused, labels=series.labels[:, columns])
    return model_error(series, even[:, columns], known.sure[rows, columns])


def _put_band(
    result: WorkingResult, model: Model, band: slice, prefer: Prefer, progress: Progress
) -> int:
    """Put rows of the image, and of the depth, in place; return how many pixels may change."""
    known = model.known
    wide = slice(max(band.start - MARGIN, 0), min(band.stop + MARGIN, len(known.labels)))
    series, even, valid = model.series(wide)
    separation, edges = Separation(series), certain_edges(series)
    if not edges.here.any():
        progress.step(len(series.frames))
        return 0
    layers = separation.layers(progress.step)
    belief = believed(series, layers, even, edges.near, model.error) * valid
    if prefer == "far":
        layers = _seen_through(layers, edges)
        belief = np.maximum(belief, cv2.dilate(belief, disc(REACH // 2)))
    fused = _blended(series, layers, separation.at_edges, belief[..., np.newaxis])
    inner = slice(band.start - wide.start, band.stop - wide.start)
    shown = result.image.reshape(*result.image.shape[:2], -1)
    count = fused.shape[2]
    changed = belief[inner] > 0
    values = (fused[inner] / known.scale).astype(result.image.dtype)
    shown[band][..., :count][changed] = values[changed]
    if result.depth is not None:
        top = layers.top[inner]
        other = np.abs(top.astype(np.int32) - even[inner]) >= series.gap
        here = other & (belief[inner] > 0.5)
        result.depth[band][here] = known.numbers[top[here]]
    return int(np.count_nonzero(changed))


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


def _seen_through(layers: Layers, edges: Edges) -> Layers:
    """Return layers of which the farthest within reach is on top, where its light comes through."""
    count, farthest = len(layers.opacities), edges.farthest
    light = np.take_along_axis(np.stack(layers.light), farthest[np.newaxis].astype(int), 0)[0]
    through = edges.here & (light > SEE_THROUGH)
    opacities = [
        np.where(through, opacity_of(farthest, number), layers.opacities[number])
        for number in range(count)
    ]
    return Layers(opacities, layers.colours, layers.light)


def _blended(series: Series, layers: Layers, at_edges: Array, belief: Array) -> Array:
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
    return series.fused + belief * (within_frames(series, image) - series.fused)
