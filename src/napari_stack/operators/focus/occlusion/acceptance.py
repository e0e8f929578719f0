"""Where layers are believed: near certain edges of the depth, where they clearly explain frames."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.occlusion.defocus import blurred
from napari_stack.operators.focus.occlusion.layering import (
    REACH,
    Labels,
    Layers,
    Opacities,
    Plane,
    Series,
    disc,
    misfit,
    squared,
    window_mean,
)

# Found on rendered scenes (benchmarks/focus_occlusion.py) and on photographs.
# Layers are believed where their misfit is this share of the fused image's, no frame's grows by
# more than this share, and the mean of the logarithms of the frames' shares is below the last.
BETTER, WORST_FRAME, MEAN_LOGARITHM = 0.65, 0.4, -0.35
# It has to be less by so many squared grey levels of 255, so much of the noise's, and so many times
# what the fused image's is where the depth is certain: that is how well blur is modelled at all.
LEAST_GAIN, NOISE_GAIN, MODEL_GAIN = 2.0, 0.5, 3.0
# A label tells of depth where the sharpest texture is this multiple of the noise's, this much at
# least, and this multiple of what a frame in the middle shows.
TEXTURE_NOISE, LEAST_TEXTURE, STANDS_OUT = 6.0, 0.5, 2.0
# Beside what is this much stronger, the blur of that is seen, and not texture.
LEAKED = 0.1
# Window of the texture, pixels that are believed together at least, and the widest blur followed.
WINDOW, ISLAND, WIDEST = 1.5, 60, 24
# How far the result may leave what frames show at a pixel and those beside it: a share of their
# range, and a multiple of the noise.
BEYOND, BEYOND_NOISE = 0.5, 2.0
# Frames in which layers and the fused image are compared.
TRIED = 9


def plain_misfit(series: Series, even: Labels) -> NDArray[np.float32]:
    """Return how far each frame is from what the fused image, with an even depth, would show."""
    colours = [series.fused] * len(series.frames)
    return misfit(series, Opacities(even, len(colours)), colours, TRIED)


def model_error(series: Series, even: Labels, sure: NDArray[np.bool_]) -> float:
    """Return how far frames are from the model of blur where the depth is sure, beyond noise.

    That is due to how frames were registered, to lenses that blur otherwise, and to compression.
    """
    usual = plain_misfit(series, even).mean(axis=0)[sure]
    return max(float(np.median(usual)) - series.noise**2, 0.0) if usual.size else 0.0


def believed(
    series: Series, layers: Layers, even: Labels, near: NDArray[np.bool_], error: float
) -> Plane:
    """Return how far layers are believed, 0 to 1.

    Parameters
    ----------
    series : Series
    layers : Layers
    even : (y, x) ndarray
        Labels of the fused image.
    near : (y, x) ndarray of bool
        Where an edge of the depth is near.
    error : float
        Of the model.
    """
    ours = misfit(series, layers.opacities, layers.colours, TRIED)
    usual = plain_misfit(series, even)
    total, before = ours.mean(axis=0), usual.mean(axis=0)
    floor = np.float32(series.noise**2 + 1)
    wins = near & (total < BETTER * before)
    wins &= before - total > LEAST_GAIN + NOISE_GAIN * series.noise**2 + MODEL_GAIN * error
    wins &= (ours - usual).max(axis=0) < WORST_FRAME * before
    wins &= np.log((ours + floor) / (usual + floor)).mean(axis=0) < MEAN_LOGARITHM
    return window_mean(without_islands(wins).astype(np.float32), 1.0)


def within_frames(series: Series, image: Plane) -> Plane:
    """Return an image that leaves what the frames show by no more than unveiling may."""
    low, high = series.frames.min(axis=0), series.frames.max(axis=0)
    beside, around = disc(1), disc(REACH)
    least, most = (
        edge(edge_of, beside).reshape(image.shape)
        for edge, edge_of in ((cv2.erode, low), (cv2.dilate, high))
    )
    beyond = BEYOND * (most - least) + np.float32(BEYOND_NOISE * series.noise)
    least = np.maximum(least - beyond, cv2.erode(low, around).reshape(image.shape))
    most = np.minimum(most + beyond, cv2.dilate(high, around).reshape(image.shape))
    inside: Plane = np.clip(image, least, most)
    return inside


def without_islands(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask without parts of few pixels."""
    _, parts, found, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    large = found[:, cv2.CC_STAT_AREA] >= ISLAND
    large[0] = False
    kept: NDArray[np.bool_] = large[parts]
    return kept


class Edges(NamedTuple):
    """Edges of the depth whose both sides texture tells."""

    here: NDArray[np.bool_]  # within the reach of labels
    near: NDArray[np.bool_]  # within the reach of blur
    farthest: NDArray[np.uint16]  # the farthest label within reach, at edges


def certain_edges(series: Series) -> Edges:
    """Return edges between labels that texture tells."""
    clear, around = _textured(series), disc(REACH)
    count, labels = len(series.frames), series.labels.astype(np.float32)
    nearest = cv2.dilate(np.where(clear, labels, np.float32(-1)), around)
    farthest = cv2.erode(np.where(clear, labels, np.float32(count)), around)
    edges = (nearest - farthest >= series.gap) & (nearest >= 0) & (farthest < count)
    widest = max(series.blur(0, number) for number in range(count))
    wide: NDArray[Any] = cv2.dilate(edges.astype(np.uint8), disc(int(min(widest, WIDEST))))
    return Edges(edges, wide > 0, np.where(edges, farthest, 0).astype(np.uint16))


def _textured(series: Series) -> NDArray[np.bool_]:
    """Return where a frame is clearly sharper than others: flat areas tell no depth."""
    rough = np.stack(
        [window_mean(squared(frame - blurred(frame, 1.5)), WINDOW) for frame in series.frames]
    )
    most, middle = rough.max(axis=0), len(rough) // 2 if len(rough) > 2 else 0
    usual = np.partition(rough, middle, axis=0)[middle]
    least = TEXTURE_NOISE * series.noise**2 + LEAST_TEXTURE
    clear: NDArray[np.bool_] = (most > least) & (most > STANDS_OUT * usual)
    clear &= most > LEAKED * cv2.dilate(most, disc(REACH))
    return clear
