"""The option `scene` where nothing hides anything: the planes of all depths, in focus at once."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.notices import warn_caller
from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.progress import Progress
from napari_stack.engine.run import Run
from napari_stack.operators.focus.methods import WorkingResult
from napari_stack.operators.focus.occlusion.layering import (
    squared,
    window_mean,
)
from napari_stack.operators.focus.occlusion.measuring import Measured, measured
from napari_stack.operators.focus.translucent.filtering import FilteredSum, filters
from napari_stack.operators.focus.translucent.spectra import SeriesSpectra, agree

Array = NDArray[Any]
# Multiples of the noise's variance, over a window, from which the sum of the frames counts, and
# wholly: where planes do not overlap, the fused image has less noise.
NOISY, CERTAIN, GATE_WINDOW = 2.0, 4.0, 1.5
# Share of the range of the frames at a pixel by which the sum may leave it: where planes overlap,
# it shows what no frame does; but what refracts light out of focus, or lies beyond the ends of the
# series, would get halos.
BEYOND = 0.5
Clear = Literal["transparent", "fluorescent"]


def all_planes(
    found: WorkingResult, stack: Stack, run: Run, channels: ChannelWeights, scene: Clear
) -> WorkingResult:
    """Return a fused series of a clear scene: its image shows all planes in focus.

    Parameters
    ----------
    found : WorkingResult
        Fused as if the scene were opaque: its image tells how blur grows.
    stack : Stack
    run : Run
    channels : ChannelWeights
    scene : {"transparent", "fluorescent"}
        What is fluorescent is brightest in focus: sharpness is not divided by the light around, as
        it is elsewhere against the discs of bright spots.

    Warns
    -----
    UserWarning
        Where the frames are no sums of planes whose blur grows evenly: the image stays as it is.
    """
    glows = scene == "fluorescent"
    asked = {"by_light": not glows, "uncertain": found.deviation is not None}
    known = measured(stack, run.part(0, 4), channels, near_last=True, **asked)
    if glows and found.depth is not None:
        depth = np.interp(known.depth, np.arange(len(known.numbers)), known.numbers)
        found = found._replace(
            depth=depth.astype(np.float32), confidence=known.confidence, deviation=known.deviation
        )
    rows, columns = known.sampled()
    spectra = SeriesSpectra(rows.stop - rows.start, columns.stop - columns.start)
    colours, _, _ = known.channels.split(found.image, None)
    here = run.part(1, 4)
    progress = Progress(here.tick, len(known.numbers), "Telling how blur grows")
    for number in known.numbers.tolist():
        spectra.add(known.grey(_filled(known, number, rows, colours[rows]))[:, columns])
        progress.step()
    growth = spectra.growth()
    if growth is not None and not glows:
        # What is in focus tells it better, where something is all around.
        other = known.growth(found.image, run.part(2, 4))
        growth = growth if other is None else other if agree(growth, other) else None
    if growth is None:
        warn_caller(
            f'scene="{scene}": the image is fused as if it were opaque, for these frames do not '
            "behave as sums of planes whose blur grows evenly: too few, too little in focus, or "
            "from a microscope that keeps out what is out of focus"
        )
        return found
    gains = filters(known.places, growth, spectra.power, known.noise)
    fused = _summed(colours, known, gains, run.part(3, 4))
    image = found.image.reshape(*colours.shape[:2], -1).copy()
    image[..., : fused.shape[2]] = fused
    return found._replace(image=image.reshape(found.image.shape))


def _summed(colours: Array, known: Measured, gains: Array, run: Run) -> Array:
    """Return the sum of the filtered frames, within their range.

    Where it differs from the fused `colours` by no more than its noise, these stay.
    """
    rows = slice(0, len(colours))
    progress = Progress(run.tick, len(known.numbers), "Focusing on all planes")
    total = FilteredSum(colours.shape, gains)
    low, high = np.full(colours.shape, np.inf), np.full(colours.shape, -np.inf)
    for place, number in enumerate(known.numbers.tolist()):
        frame = _filled(known, number, rows, colours)
        total.add(place, frame)
        np.minimum(low, frame, out=low)
        np.maximum(high, frame, out=high)
        progress.step()
    beyond = BEYOND * (high - low)
    image = np.clip(total.image(), low - beyond, high + beyond)
    more = image - colours * known.scale
    noise = (total.noise * known.noise) ** 2 + 1e-12  # on the scale of 0 to 255
    differs = window_mean(squared(more.astype(np.float32)), GATE_WINDOW) / noise
    share = np.clip((differs - NOISY) / (CERTAIN - NOISY), 0, 1)
    return colours + share[..., np.newaxis] * (more / known.scale)


def _filled(known: Measured, number: int, rows: slice, image: Array) -> Array:
    """Return a frame (y, x, channel), where it is not valid the fused image."""
    frame, valid = known.frame(number, rows)
    if valid is not None:
        frame[~valid] = image[~valid] * known.scale
    return frame
