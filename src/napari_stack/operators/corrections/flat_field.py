"""`measure_flat_field`, `correct_flat_field`, `FlatField`: uneven light and sensor, taken out."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.options import Bounds, CountsWith, ImageSource, check
from napari_stack.core.signatures import composed
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import read
from napari_stack.operators.corrections.pixelwise import PixelwiseValue, check_channels
from napari_stack.operators.corrections.sensor import check_size, sensor_view

#: No pixel is multiplied by more: what is left of its light is noise.
_MOST_GAIN = 20.0


@dataclass(frozen=True, eq=False)
class FlatField(PixelwiseValue):
    """Gain and dark level of every pixel: a frame becomes (raw - dark) * gain.

    Parameters
    ----------
    alpha : bool
        The last channel is alpha and left as it is.
    gain : ndarray of float32, shape (y, x) or (y, x, channel)
        mean(flat - dark) / (flat - dark).
    dark : ndarray, shape (y, x) or (y, x, channel), or None
        What a pixel shows without light.
    """

    _name: ClassVar[str] = "flat field"
    of_sensor: ClassVar[bool] = True

    gain: NDArray[np.float32] = ()  # type: ignore[assignment]
    dark: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        self._freeze(np.float32, "gain", "dark")
        shapes = {a.shape for a in (self.gain, self.dark) if a is not None}
        if self.gain.ndim not in (2, 3) or any(s[:2] != self.gain.shape[:2] for s in shapes):
            raise UserError(f"a flat field needs gain and dark of one frame's size, got {shapes}")

    def change(self, block: NDArray[Any], index: int, rows: slice) -> None:  # noqa: ARG002
        """Correct rows of a frame in place."""
        if self.dark is not None:
            block -= _channels(self.dark)[rows]
        block *= _channels(self.gain)[rows]


#: Part of the longer side, or what the frames say.
Smoothness = (
    Literal["auto"] | Annotated[float, Bounds(0.5, 50.0, step=0.5, unit="% of the longer side")]
)


def _channels(image: NDArray[Any]) -> NDArray[Any]:
    return image if image.ndim == 3 else image[..., np.newaxis]


def measure_flat_field(
    stack: Stack,
    *,
    flat: ImageSource = None,
    dark: ImageSource = None,
    smoothness: Annotated[Smoothness, CountsWith("flat", (None,))] = "auto",
    run: Run = Run(),
) -> FlatField:
    """Take gain and dark level of every pixel from recordings, or estimate the gain from frames.

    Parameters
    ----------
    stack : Stack
        Registered or not: it is measured on the frames as the sensor gave them.
    flat : array, path or layer
        Recorded image of an even surface, or several that are averaged first. Without it a smooth
        one is estimated from the frames: what the median of many scenes has in common.
    dark : array, path or layer
        Recorded image without light, or several that are averaged first. Without it none is taken
        off.
    smoothness : {"auto"} or float
        Without a recorded flat: standard deviation of the Gaussian that smooths the estimate.
        "auto" takes what makes the flats of two halves of the series as alike as can be: much
        where scenes are few, little where they are many.
    run : Run

    Returns
    -------
    FlatField

    Raises
    ------
    ValueError
        When an option is out of range, an image has another size than the frames, or the flat is
        not brighter than the dark.

    Notes
    -----
    Recorded: (raw - dark) / (flat - dark) * mean(flat - dark). Estimated: the median over the
    frames of each frame divided by its own median, smoothed, and repeated on the frames so
    corrected; after the retrospective methods that Peng et al. 2017 compare. It needs scenes that
    differ.
    """
    check(measure_flat_field, locals())
    from napari_stack.operators.corrections import flat_field_estimate

    sensor = sensor_view(stack)
    recorded = [_averaged(image, sensor, what) for image, what in ((flat, "flat"), (dark, "dark"))]
    bright, black = recorded
    if bright is None:
        share = None if smoothness == "auto" else float(smoothness) / 100
        bright = flat_field_estimate.estimate(sensor, black, share, run)
    elif black is not None:
        bright = _fit_channels(bright, black) - _fit_channels(black, bright)
    mean = bright.mean(axis=(0, 1), dtype=np.float64)
    if not (mean > 0).all():
        raise UserError("the flat is not brighter than the dark: were they given the wrong way?")
    gain = mean / np.maximum(bright, mean / _MOST_GAIN)
    return FlatField(stack.alpha, gain.astype(np.float32), black)


def _fit_channels(image: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Give a grey image a channel axis where the other one has channels."""
    return image[..., np.newaxis] if image.ndim < other.ndim else image


def _averaged(image: Any, stack: Stack, what: str) -> NDArray[np.float32] | None:
    """Load a recorded image; several frames are averaged."""
    if image is None:
        return None
    if isinstance(image, str | Path):
        frames: Any = read(image)
        frames = frames if isinstance(frames, Stack) else frames.frames
    else:
        several = image.ndim == 4 or (image.ndim == 3 and image.shape[1:3] == stack.shape[1:3])
        frames = image if several else image[np.newaxis]
    total = np.zeros(frames.shape[1:], np.float64)
    for frame in frames:
        total += frame
    mean = (total / len(frames)).astype(np.float32)
    check_size(f"a {what}", mean.shape, stack)
    if mean.ndim == 3:
        if stack.alpha and mean.shape[2] == stack.channels + 1:
            mean = mean[..., :-1]
        check_channels(f"a {what}", mean.shape[2], stack)
    return mean


def apply_flat_field(stack: Stack, flat_field: FlatField) -> Stack:
    """Make up for uneven light and sensor, lazily and before any warp.

    Parameters
    ----------
    stack : Stack
        Frames of the same camera and size.
    flat_field : FlatField

    Returns
    -------
    Stack
        Values below the dark level become negative, and 0 in a type without sign.

    Raises
    ------
    ValueError
        When it is of another size or number of channels than the frames.
    """
    check_size("a flat field", flat_field.gain.shape, stack)
    if flat_field.gain.ndim == 3:
        check_channels("a flat field", flat_field.gain.shape[2], stack)
    return stack.corrected(replace(flat_field, alpha=stack.alpha))


correct_flat_field = composed(
    "correct_flat_field",
    "Take out uneven light and sensor by a recorded or an estimated flat field.",
    measure_flat_field,
    apply_flat_field,
)
