"""One pixel of a layer through its frames, and what an operator made of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.operator import resolve
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.layers.compat import weak_reference
from napari_stack.layers.inspection.frame_inspection import frames_layer, frames_of, stacked_axis
from napari_stack.layers.provenance import link_of
from napari_stack.layers.stacks.read_layer import leading_axes, position_at, read_layer
from napari_stack.operators.combine.measures.normalisation import normalised
from napari_stack.operators.inspection.pixel import (
    ClippedValues,
    PixelValues,
    pixel_values,
)
from napari_stack.recipe import Step


@dataclass(frozen=True, eq=False)
class PixelTarget:
    """A pixel to read; made on the main thread, read on any.

    Parameters
    ----------
    frames : Any
        Weak reference to the layer of frames.
    name, axis : str
        Of that layer, and of the axis along which they lie.
    stack : Stack
        The frames at the position of the other axes.
    y, x : int
        In pixels of the frames as seen.
    step : Step or None
        What made the image that is looked at; None where it is a frame.
    depth : float
        For an image with a map of places along the axis the frame that it came from; else NaN.
    """

    frames: Any
    name: str
    axis: str
    stack: Stack
    y: int
    x: int
    step: Step | None = None
    depth: float = np.nan

    @property
    def frame(self) -> int | None:
        """The frame nearest to the depth; None where there is no depth."""
        return round(self.depth) if np.isfinite(self.depth) else None

    def read(self, run: Run = Run()) -> "Reading":
        """Read the pixel of every frame, and clip its values as the image's were.

        Raises
        ------
        Cancelled
            From the run's tick.
        """
        stack = self.stack
        if self.step is None or self.step.entry.clipped_values is None:
            return Reading(self, pixel_values(stack, self.y, self.x, run=run), ())
        options, clip = self.step.options, resolve(self.step.entry.clipped_values)
        stack = normalised(stack, options.get("normalisation", "none"), run)
        pixel = pixel_values(stack, self.y, self.x, run=run)
        clipped = tuple(clip(line, pixel.counts, options) for line in pixel.values.T)
        return Reading(self, pixel, clipped)


@dataclass(frozen=True, eq=False)
class Reading:
    """A pixel through the frames.

    Parameters
    ----------
    target : PixelTarget
    pixel : PixelValues
    clipped : tuple of ClippedValues
        One for each channel of a clipped image; else empty.
    """

    target: PixelTarget
    pixel: PixelValues
    clipped: tuple[ClippedValues, ...]

    def __str__(self) -> str:
        target, count = self.target, int(self.pixel.counts.sum())
        text = f"y = {target.y}, x = {target.x} of {target.name!r}: "
        text += f"{count} of {len(target.stack)} frames count"
        if self.clipped:
            number = sum(int(clip.rejected.sum()) for clip in self.clipped)
            text += f", {number} rejected"
        if len(self.clipped) == 1:
            clip = self.clipped[0]
            text += f"; centre {clip.centre:.4g}, kept from {clip.low:.4g} to {clip.high:.4g}"
        if target.frame is not None:
            text += f"; sharpest at frame {target.depth:.2f} (double-click to see it)"
        return text


def target_at(layer: Any, world: Any) -> PixelTarget | None:
    """Find the pixel of a layer at a place of the viewer.

    Parameters
    ----------
    layer : Image layer
        Frames, or an image that was made of frames.
    world : sequence of float
        Coordinates of the viewer.

    Returns
    -------
    PixelTarget or None
        None outside the frames, and for a layer without any.
    """
    frames = frames_layer(layer)
    if frames is None or len(world) < frames.ndim:
        return None
    place = [float(v) for v in frames.world_to_data(world[-frames.ndim :])]
    made = link_of(layer)
    step = made.steps[-1] if made is not None and made.kind != "frames" else None
    axis = _axis(frames, step)
    stack = frames_of(frames, axis, position_at(frames, world))
    y, x = (int(np.floor(at + 0.5)) for at in place[-2:])
    if not (0 <= y < stack.shape[1] and 0 <= x < stack.shape[2]):
        return None
    depth = np.nan
    if step is not None and made is not None:
        depth = _value(layer, made.image(step.entry.along_axis), world)
        if step.entry.holds_distances(step.options):
            depth /= stack.axes[0].step
    return PixelTarget(weak_reference(frames), frames.name, axis, stack, y, x, step, depth)


def _axis(frames: Any, step: Step | None) -> str:
    """Return the axis that was stacked for an image, or last for frames, or the first."""
    first = next(iter(leading_axes(frames)))
    if step is None:
        return stacked_axis(frames) or first
    return step.with_stacked_axis(read_layer(frames).data).axis


def _value(layer: Any, image: NDArray[Any] | None, world: Any) -> float:
    """Return the value of an image that lies as a layer at a place; NaN where there is none."""
    if image is None:
        return np.nan
    at = [int(np.floor(v + 0.5)) for v in layer.world_to_data(world[-layer.ndim :])]
    lengths = image.shape[: layer.ndim]
    # Along an axis of one thick pixel all frames lie in it.
    inside = [min(max(i, 0), n - 1) if n == 1 else i for i, n in zip(at, lengths, strict=True)]
    if not all(0 <= i < n for i, n in zip(inside, lengths, strict=True)):
        return np.nan
    return float(image[tuple(inside)])
