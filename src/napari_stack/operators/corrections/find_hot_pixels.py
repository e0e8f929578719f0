"""`find_hot_pixels`: defective pixels, that stand out of their neighbours in most frames."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.core.options import Bounds, CountsWith, ImageSource, check
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.corrections.hot_pixel_band import band_of, seen_of
from napari_stack.operators.corrections.hot_pixel_excess import (
    UNSCALED,
    Excess,
    Sampled,
    noise_of,
    rounding_of,
    sample,
    without_scene,
)
from napari_stack.operators.corrections.hot_pixel_mask import (
    Seen,
    blinks,
    come_in_pairs,
    find,
    grows,
    is_spread,
    is_still,
    least_of,
    specks,
)
from napari_stack.operators.corrections.hot_pixel_mask import lines as defective_lines
from napari_stack.operators.corrections.jpeg_blocks import (
    seems_compressed,
    strongest_of_squares,
)
from napari_stack.operators.corrections.mosaic import mosaic_step
from napari_stack.operators.corrections.sensor import sensor_view

Kind = Literal["both", "hot", "cold", "blinking", "warm", "all"]
Lines = Literal["none", "columns", "rows", "both"]

#: Side of the square around a pixel: by the colours of a mosaic, or given.
Side = Literal["auto"] | Annotated[int, Bounds(3, 31, step=2, unit="px")]

#: Frames that are looked at, at most: the median of so many is known to a tenth of their noise.
_MOST_FRAMES = 201

#: Frames that the noise is measured on.
_FOR_NOISE = 9


def find_hot_pixels(
    stack: Stack,
    *,
    thresholds: str = "auto",
    blur: Side = "auto",
    kind: Kind = "both",
    lines: Lines = "none",
    exposures: Annotated[ImageSource, CountsWith("kind", ("warm", "all"))] = None,
    run: Run = Run(),
) -> NDArray[np.bool_]:
    """Find pixels that stand out of their neighbours in most frames, whatever drifts through.

    Parameters
    ----------
    stack : Stack
        Frames of a moving scene, or dark frames. Registered or not: they are taken as the sensor
        gave them. Of more than 201 frames 201 are looked at, evenly spread.
    thresholds : str
        How far a pixel must stand out in most frames: "auto" (2.4 times the noise of pixels of
        that brightness, more for few frames and where the scene is rich), one number, or one for
        each channel with commas between, such as "13,13,13", where the range of the data counts
        255.
    blur : int or "auto"
        Side of the square around a pixel; it is compared with the median of the eight pixels at
        the corners and the middles of the sides. "auto" takes 3, or 5 in mosaics of colours.
    kind : {"both", "hot", "cold", "blinking", "warm", "all"}
        Pixels that are too bright in most frames, too dark, or both; that are too bright in some
        frames only; or whose excess grows with the exposure, however small it is.
    lines : {"none", "columns", "rows", "both"}
        Find whole columns or rows that stand out, too.
    exposures : array, path or layer
        Exposure time of each frame, for warm pixels.
    run : Run

    Returns
    -------
    ndarray of bool, shape (y, x) or (y, x, channel)
        Alpha is not among the channels.

    Raises
    ------
    ValueError
        When an option is out of range, or no frame is used.

    Warns
    -----
    UserWarning
        When pixels are found and the scene does not move: its own points may be among them. Those
        that the optics spread over neighbours are left out. When frames were compressed as JPEG.

    Notes
    -----
    The lower median over the frames of (v - median of the eight) / noise(level): a pixel must stand
    out in more than half of the frames. What moves through lifts few of them.
    """
    check(find_hot_pixels, locals())
    if blur != "auto" and blur % 2 == 0:
        raise UserError(f"find_hot_pixels: blur must be an odd number, got {blur}")
    from napari_stack.operators.combine.combine import require_used

    require_used(stack)
    sensor = _some(sensor_view(stack))
    growth = exposure_weights(exposures, stack, kind)
    step = mosaic_step(sensor) if blur == "auto" else int(blur) // 2
    frames = np.flatnonzero(sensor.used)
    chosen = frames[np.linspace(0, len(frames) - 1, min(len(frames), _FOR_NOISE)).astype(int)]
    measure = partial(sample, step=step)
    samples = run.part(0, 2).each(measure, sensor, chosen.tolist(), what="Measuring noise")
    limits = limits_of(thresholds, sensor.channels, samples, sensor.dtype)
    noise, rounding = np.tile(UNSCALED, (sensor.channels, 1)), None
    if limits is None:
        noise = without_scene(samples, noise_of(samples, sensor.dtype))
        rounding = rounding_of(samples, noise, sensor.dtype)
        limits = [least_of(int(sensor.used.sum()))] * sensor.channels
    excess = sensor.corrected(Excess(sensor.shape[1], step, noise))
    rules = Rules(kind, lines, limits, rounding, growth, seems_compressed(sensor))
    masks = _masks(excess, rules, run.part(1, 2))
    return masks[0] if sensor.ndim == 3 else np.stack(masks, axis=-1)


def _some(stack: Stack) -> Stack:
    """Take of many used frames some, evenly spread."""
    frames = np.flatnonzero(stack.used)
    if len(frames) <= _MOST_FRAMES:
        return stack
    used = np.zeros(len(stack), bool)
    used[frames[np.linspace(0, len(frames) - 1, _MOST_FRAMES).astype(int)]] = True
    return replace(stack, used=used)


def exposure_weights(exposures: Any, stack: Stack, kind: str) -> NDArray[np.float64] | None:
    """Return what the excess of each frame counts for its growth with the exposure, or None."""
    from napari_stack.operators.combine.combine import numbers_of_frames

    if exposures is None or kind not in ("warm", "all"):
        if kind == "warm":
            raise UserError(
                "warm pixels are those whose excess grows with the exposure: give exposures, the "
                "exposure time of each frame, or choose kind='hot'"
            )
        return None
    times = numbers_of_frames("exposures", exposures, stack)
    some = times[stack.used] - times[stack.used].mean()
    if not some.any():
        raise UserError(
            f"all exposures are {times[0]:g}: warm pixels show in frames of different exposures; "
            "choose kind='hot'"
        )
    return (times - times[stack.used].mean()) / np.sqrt((some**2).sum())


def limits_of(
    thresholds: str, channels: int, samples: list[Sampled], dtype: np.dtype[Any]
) -> list[float] | None:
    """Read one threshold a channel, in grey levels; None stands for automatic ones."""
    if thresholds.strip() == "auto":
        return None
    from napari_stack.core.pixels.bit_depth import bits_top

    try:
        numbers = [float(part) for part in thresholds.split(",")]
    except ValueError:
        numbers = []
    if not numbers or any(not 0 < n <= 255 for n in numbers):
        raise UserError(
            "find_hot_pixels: thresholds must be 'auto', a number in the range 0 to 255, or one "
            f"for each channel with commas between, got {thresholds!r}"
        )
    if len(numbers) not in (1, channels):
        raise UserError(f"{len(numbers)} thresholds do not fit frames of {channels} channels")
    unit = bits_top(dtype, max(one.greatest for one in samples)) / 255
    numbers = numbers if len(numbers) == channels else numbers * channels
    return [number * unit for number in numbers]


class Rules(NamedTuple):
    """Which pixels are asked for, and by which limits for each channel."""

    kind: str
    lines: str
    limits: list[float]
    rounding: NDArray[np.float64] | None
    growth: NDArray[np.float64] | None
    compressed: bool = False

    def found(self, channel: int, seen: Seen, frames: int) -> NDArray[np.int8]:
        """Find pixels of a channel that are too bright (1) or too dark (-1) in most frames."""
        rounding = None if self.rounding is None else float(self.rounding[channel])
        sign = find(seen, self.limits[channel], frames, rounding)
        return strongest_of_squares(sign, seen.middle) if self.compressed else sign

    def chosen(
        self, channel: int, seen: Seen, sign: NDArray[np.int8], frames: int
    ) -> NDArray[np.bool_]:
        """Return the pixels of the kinds asked for."""
        found = np.zeros(sign.shape, bool)
        if self.kind in ("both", "hot", "all"):
            found |= sign > 0
        if self.kind in ("both", "cold", "all"):
            found |= sign < 0
        if seen.often is not None:
            found |= blinks(seen.often, frames) & (sign <= 0)
        if seen.growth is not None:
            found |= grows(seen.growth)
        for axis, name in enumerate(("columns", "rows")):
            if self.lines in (name, "both"):
                found |= defective_lines(seen.middle, axis, self.limits[channel])
        return found


def _masks(excess: Stack, rules: Rules, run: Run) -> list[NDArray[np.bool_]]:
    """Find the defects of each channel, and tell where they may be points of the scene."""
    frames = int(excess.used.sum())
    growth = None if rules.growth is None else rules.growth[excess.used]
    band = partial(band_of, often=rules.kind in ("blinking", "all"), weights=growth)
    images = run.bands(band, excess, what="Comparing neighbours")
    channels = list(enumerate(seen_of(images, growth is not None)))
    signs = [rules.found(k, seen, frames) for k, seen in channels]
    alone = [specks(seen.middle, rules.limits[k]) for k, seen in channels]
    if any(sign.any() for sign in signs) and _stands_still(excess, alone, signs):
        signs = [np.where(is_spread(seen.middle), 0, signs[k]) for k, seen in channels]
        _tell(sum(int((sign != 0).sum()) for sign in signs))
    if rules.compressed:
        _tell_of_compression()
    return [rules.chosen(k, seen, signs[k], frames) for k, seen in channels]


def _stands_still(
    excess: Stack, alone: list[NDArray[np.bool_]], signs: list[NDArray[np.int8]]
) -> bool:
    """Tell whether the scene lies at the same pixels in frames that are half of all apart."""
    frames = np.flatnonzero(excess.used)
    one, two = (excess.read(int(i))[0] for i in (frames[0], frames[len(frames) // 2]))
    one, two = np.atleast_3d(one), np.atleast_3d(two)
    told = [is_still(one[..., k], two[..., k], mask) for k, mask in enumerate(alone)]
    if True in told or False in told:
        return True in told
    return any(come_in_pairs(sign > 0) for sign in signs)


def _tell_of_compression() -> None:
    warn_caller(
        "the frames were compressed as JPEG, which spreads a defective pixel over the 8 x 8 pixels "
        "around it: of each such square only what stands out most is taken, and faint ones are "
        "missed; find the defects on frames as the camera recorded them (raw, or TIFF)"
    )


def _tell(found: int) -> None:
    if found:
        warn_caller(
            f"the scene does not move: points of it cannot be told from the {found} defective "
            "pixels found, which may be among them; find the defects on dark frames, or on frames "
            "between which the scene moves, and give those as the mask",
        )
