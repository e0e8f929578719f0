"""How far the pixels of each frame stand out of their neighbours, in units of the noise there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.correction import Correction
from napari_stack.core.pixels.channels import colour_channels
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack

#: Pixels of a frame that the noise is measured on.
_SAMPLE = 2**14

#: Levels that noise is measured at, and pixels at each of them at least.
_LEVELS, _LEAST = 48, 400

#: Entries of a table of the noise by level.
_TABLE = 256

#: Noise of a pixel less the median of eight others, in units of its own.
_OF_EIGHT = 1.09


class Sampled(NamedTuple):
    """What is measured on a frame: its greatest value, and pixels of each channel.

    Attributes
    ----------
    greatest : float
        Of all pixels.
    variance : float
        Of the noise, without what the scene adds to the distance of neighbours.
    pixels : tuple of ndarray, shape (2, k)
        For each channel the level around some pixels, and how far they stand out.
    """

    greatest: float
    variance: float
    pixels: tuple[NDArray[Any], ...]


@dataclass(frozen=True, eq=False)
class Excess(Correction):
    """Frames of which each pixel says how far it stands out of eight others around it.

    Parameters
    ----------
    height : int
        Rows of a frame.
    step : int
        How far the eight are away; 2 compares pixels of a mosaic with those of their own colour.
    noise : ndarray, shape (channels, 2 + k)
        By channel, what `noise_by_level` gives.
    """

    height: int
    step: int
    noise: NDArray[np.float64]

    def source_rows(self, rows: slice, index: int) -> slice:  # noqa: ARG002
        """Rows it must see."""
        return slice(max(rows.start - self.step, 0), min(rows.stop + self.step, self.height))

    def frame_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape without an alpha, which stands out of nothing."""
        return shape if len(shape) == 2 else (*shape[:2], len(self.noise))

    def apply(
        self, values: NDArray[Any], valid: NDArray[np.bool_] | None, index: int, rows: slice
    ) -> Pixels:
        """Compare rows of a frame; beside pixels that do not count no pixel does."""
        first = rows.start - self.source_rows(rows, index).start
        count = rows.stop - rows.start
        pixels = values[..., np.newaxis] if values.ndim == 2 else values
        parts = [
            stand_out(_filled(pixels[..., k], valid), first, count, self.step, noise)
            for k, noise in enumerate(self.noise)
        ]
        out = parts[0] if values.ndim == 2 else np.stack(parts, axis=-1)
        if valid is None:
            return out, None
        from napari_stack.engine.opencv import cv2

        side = 2 * self.step + 1
        near = cv2.erode(valid.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
        return out, near[first : first + count]

    def select(self, frames: NDArray[np.intp]) -> "Excess":  # noqa: ARG002
        """Return that of some frames: they share it."""
        return self

    def join(self, others: Sequence["Excess"]) -> "Excess":  # noqa: ARG002
        """Return that of these frames and others of the same sensor."""
        return self


def stand_out(
    values: NDArray[Any], first: int, count: int, step: int, noise: NDArray[np.float64]
) -> NDArray[Any]:
    """Take how far the pixels of some rows stand out of the eight `step` away from them."""
    from napari_stack.operators.corrections.hot_pixel_kernels import excess

    out = np.empty((count, values.shape[1]), values.dtype)
    excess(np.ascontiguousarray(values), first, step, noise, out)
    return out


def _filled(values: NDArray[Any], valid: NDArray[np.bool_] | None) -> NDArray[Any]:
    return values if valid is None else np.where(valid, values, values.dtype.type(0))


#: A table that leaves distances as they are, in grey levels.
UNSCALED = np.array([0.0, 0.0, 1.0])


def sample(stack: Stack, index: int, step: int) -> Sampled:
    """Measure levels and distances at some pixels of a frame, with a step to the neighbours.

    Parameters
    ----------
    stack : Stack
    index : int
    step : int
    """
    from napari_stack.operators.combine.measures.normalisation import measure_noise

    values, valid = stack.read(index)
    values = colour_channels(values, stack.alpha)
    greatest = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
    pairs = []
    stride = max(values.shape[0] * values.shape[1] // _SAMPLE, 1) | 1
    whole = None if valid is None else valid.ravel()[::stride]
    for k in range(values.shape[2]):
        plane = _filled(values[..., k], valid)
        over = stand_out(plane, 0, len(plane), step, UNSCALED)
        pair = np.stack([plane.ravel()[::stride], over.ravel()[::stride]])
        pair[0] -= pair[1]
        pairs.append(pair if whole is None else pair[:, whole])
    return Sampled(greatest, measure_noise(stack, index), tuple(pairs))


def noise_by_level(pairs: NDArray[Any], grey: float) -> NDArray[np.float64]:
    """Measure how far pixels of the same level stand out of their neighbours by the noise.

    Parameters
    ----------
    pairs : ndarray, shape (2, k)
        Levels and distances of sampled pixels.
    grey : float
        Step between values: a whole number of them was recorded, which counts as noise; 0 for
        floats.

    Returns
    -------
    ndarray, shape (2 + k,)
        Where levels begin, entries for a root of the level above, and the noise of each entry.
    """
    order = np.argsort(pairs[0], kind="stable")
    level, over = pairs[0][order].astype(np.float64), pairs[1][order].astype(np.float64)
    if not len(level):
        return UNSCALED
    # Values are blurred by their own step: else the spread of whole numbers is 0, or a whole one.
    over += np.random.default_rng(0).uniform(-0.5, 0.5, len(over)) * grey
    parts = np.array_split(np.arange(len(level)), int(np.clip(len(level) // _LEAST, 1, _LEVELS)))
    middle = np.array([level[part].mean() for part in parts])
    spread = np.array([np.subtract(*np.percentile(over[part], [84.1, 15.9])) / 2 for part in parts])
    spread = np.maximum(spread, _floor(level, over, grey))
    for k in range(1, len(spread)):  # where values are cut off at the top it would be 0
        spread[k] = max(spread[k], 0.5 * spread[k - 1])
    origin, top = middle[0], middle[-1]
    if top <= origin:
        return np.array([origin, 0.0, spread.max()])
    scale = (_TABLE - 1) / np.sqrt(top - origin)
    table = np.interp(origin + (np.arange(_TABLE) / scale) ** 2, middle, spread)
    return np.array([origin, scale, *table])


def _floor(level: NDArray[Any], over: NDArray[Any], grey: float) -> float:
    """Return the least noise there is, by which distances are finite numbers of 32 bits."""
    rounding = max(16 * float(np.abs(level).max()), float(np.abs(over).max()))
    rounding *= float(np.finfo(np.float32).eps)
    return max(grey / np.sqrt(12), rounding, float(np.finfo(np.float32).tiny))


def grey_step(pairs: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> float:
    """Return the step between the values of frames: some cameras shift 12 bits up in 16."""
    if dtype.kind == "f":
        return 0.0
    values = np.concatenate([np.rint(pair.sum(axis=0)) for pair in pairs])
    return float(max(np.gcd.reduce(values.astype(np.int64)), 1)) if len(values) else 1.0


def without_scene(samples: Sequence[Sampled], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave the noise of the pixels alone: a scene that moves is not in the median over frames.

    How much of the distances of neighbours it is, at the usual level, holds for all levels.
    """
    variance = float(np.median([one.variance for one in samples]))
    if not 0 < variance < np.inf:
        return noise
    share = _OF_EIGHT * np.sqrt(variance) / usual_noise(samples, noise)[0]
    return np.concatenate([noise[:, :2], noise[:, 2:] * min(1.0, float(share))], axis=1)


def usual_noise(samples: Sequence[Sampled], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the noise of each channel at its median level."""
    found = []
    for k, table in enumerate(noise):
        levels = np.concatenate([one.pixels[k][0] for one in samples])
        found.append(noise_at(table, float(np.median(levels)) if levels.size else 0.0))
    return np.array(found)


def rounding_of(
    samples: Sequence[Sampled], noise: NDArray[np.float64], dtype: np.dtype[Any]
) -> NDArray[np.float64]:
    """Return the noise of rounding to whole numbers for each channel, in units of the noise."""
    greys = [grey_step([one.pixels[k] for one in samples], dtype) for k in range(len(noise))]
    return np.array(greys) / np.sqrt(12) / usual_noise(samples, noise)


def noise_at(noise: NDArray[np.float64], level: float) -> float:
    """Look up the noise at a level in a table of `noise_by_level`."""
    place = int(np.sqrt(max(level - noise[0], 0.0)) * noise[1] + 0.5)
    return float(noise[2 + min(place, len(noise) - 3)])


def noise_of(samples: Sequence[Sampled], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Measure the noise by level on samples of several frames: (channel, 2 + k)."""
    tables = []
    for k in range(len(samples[0].pixels)):
        pairs = [one.pixels[k] for one in samples]
        tables.append(noise_by_level(np.concatenate(pairs, axis=1), grey_step(pairs, dtype)))
    length = max(map(len, tables))
    return np.array([np.pad(t, (0, length - len(t)), "edge") for t in tables])
