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
    TRIED,
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
from napari_stack.operators.focus.occlusion.tiles import (
    FramesOfPart,
    Part,
    read_together,
    tiles,
    with_margin,
)

Array = NDArray[Any]
Prefer = Literal["none", "near", "far"]
NearEnd = Literal["first frame", "last frame"]

# Where frames differ from the fused image by no more than their noise, the image stays: it has less
# noise than they have. Multiples of the noise's variance from which it is left, and wholly.
NOISY, CERTAIN = 1.5, 3.0
# A farther thing is shown in place of a nearer one where it lets through this much light.
SEE_THROUGH = 0.4
# Where frames are this much farther from the model of blur than noise makes them, farther things
# would be shown with specks: on photographs of a circuit board with a barcode they were.
UNSAFE = 16.0
# What is being done, in words.
WHAT = "Telling near from far"


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
        farther things would be shown with specks.

    Raises
    ------
    UserError
        When the least part of all frames does not fit the memory of the run.
    """
    known = measured(stack, run.part(0, 4), channels, near_last=near == "last frame")
    height, width, count = *known.labels.shape, channels.split(found.image[:1], None)[0].shape[-1]
    parts = tiles((height, width), len(known.numbers), count, run.memory)
    growth = known.growth(found.image, run.part(1, 4)) if len(known.numbers) > 1 else None
    if growth is None:
        warn_caller(
            f'prefer="{prefer}" does nothing here: too little is in focus to tell how blur grows '
            "from frame to frame"
        )
        return found
    depth = None if found.depth is None else found.depth.copy()
    result = found._replace(image=found.image.copy(), depth=depth)
    model = Model(found.image, known, growth, _error(found.image, known, growth, run.part(2, 4)))
    if prefer == "far" and model.error > UNSAFE * (known.noise**2 + 1):
        warn_caller(
            'prefer="far" does nothing here: the blur of these frames is understood only in part, '
            "so that farther things would be shown with specks beside strong edges; retouch instead"
        )
        return found
    changed = 0
    for number, part in enumerate(parts):
        here = run.part(3, 4).part(number, len(parts))
        changed += _put_tile(result, model, part, prefer, here)
    if not changed:
        warn_caller(
            f'prefer="{prefer}" changes nothing here: nowhere do layers explain the frames clearly '
            "better than the image without it"
        )
    return result


class Model(NamedTuple):
    """What bands are made from."""

    image: Array  # as fused
    known: Measured
    growth: float  # of blur, in pixels from frame to frame
    error: float  # of the model of blur, in squared grey levels


def _error(image: Array, known: Measured, growth: float, run: Run) -> float:
    """Return how far frames are from the model of blur, where most of the depth is sure."""
    part = known.sampled()
    progress = Progress(run.tick, TRIED, WHAT)
    series = _series(image, known, growth, part)
    series = series._replace(frames=FramesOfPart(known, series.fused, part, progress.step))
    return model_error(series, known.even[part], known.sure[part])


def _put_tile(result: WorkingResult, model: Model, tile: Part, prefer: Prefer, run: Run) -> int:
    """Put a part of the image, and of the depth, in place; return how many pixels may change."""
    known = model.known
    part, inner = with_margin(tile, known.labels.shape)
    series = _series(model.image, known, model.growth, part)
    frames, valid = read_together(FramesOfPart(known, series.fused, part), run.part(0, 2), WHAT)
    series, even = series._replace(frames=frames), known.even[part]
    edges, progress = certain_edges(series), Progress(run.part(1, 2).tick, len(frames), WHAT)
    if not edges.here.any():
        return 0
    separation = Separation(series)
    layers = separation.layers(progress.step)
    belief = believed(series, layers, even, edges.near, model.error) * valid
    if prefer == "far":
        layers = _seen_through(layers, edges)
        belief = np.maximum(belief, cv2.dilate(belief, disc(REACH // 2)))
    fused = _blended(series, layers, separation.at_edges, belief[..., np.newaxis])
    shown = result.image.reshape(*result.image.shape[:2], -1)
    changed = belief[inner] > 0
    values = (fused[inner] / known.scale).astype(result.image.dtype)
    shown[tile][..., : fused.shape[2]][changed] = values[changed]
    if result.depth is not None:
        top = layers.top[inner]
        other = np.abs(top.astype(np.int32) - even[inner]) >= series.gap
        here = other & (belief[inner] > 0.5)
        result.depth[tile][here] = known.numbers[top[here]]
    return int(np.count_nonzero(changed))


def _series(image: Array, known: Measured, growth: float, part: Part) -> Series:
    """Return a part of a series without its frames."""
    colours, _, _ = known.channels.split(image[part], None)
    fused = np.ascontiguousarray(colours * known.scale, np.float32)
    return Series((), fused, known.labels[part], known.places, growth, known.noise)


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
    frames = layers.composed_of(series.frames)
    whole = layers.composed()
    near_edge = window_mean(cv2.dilate(at_edges.astype(np.float32), disc(1)), 1.0)
    differs = window_mean(squared(frames - series.fused), 1.5) / (series.noise**2 + 1)
    near_edge *= np.clip((differs - NOISY) / (CERTAIN - NOISY), 0, 1)
    image = series.fused + (whole - frames)
    image += near_edge[..., np.newaxis] * (frames - series.fused)
    return series.fused + belief * (within_frames(series, image) - series.fused)
