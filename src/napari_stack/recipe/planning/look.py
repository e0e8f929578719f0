"""`look_at`: what a few frames, the axes, EXIF and names of files tell, in a second or two."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.pixels.luminance import brightness
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files.exif import origin_of
from napari_stack.files.provenance import file_of
from napari_stack.recipe.planning.facts import Facts, Seen, meaning_of
from napari_stack.recipe.step import Data

#: Frames that are looked at, and files whose EXIF is.
_MOST_FRAMES = 9
_MOST_FILES = 12
#: Pixels of the longer side that sharpness is measured at.
_SIDE = 512
#: Places a side that sharpness and brightness are measured at.
_PLACES, _COARSE = 8, 16
#: Side of the part of a frame, at its centre, in which hot pixels are looked for.
_PART = 640
#: Differences of neighbours that a hot pixel stands out by; of 8-bit data, some grey levels.
_HOT = 5.0
#: Share of places that are sharpest at one end: more fade or blur all along, and are no series.
_AT_AN_END = 0.8

_MODEL, _TAKEN, _FRACTION = 272, 36867, 37521

#: What is looked for in names, and the word for it.
_WORDS = {
    "focus": r"focus|edof|macro", "tile": r"tiles?|mosaic|row|col|pos(ition)?", "burst": "burst",
    "t": r"t|time|timelapse", "z": r"z|depth|slice|plane",
}  # fmt: skip

Array = NDArray[Any]


def look_at(data: Data, run: Run = Run()) -> Facts:
    """Look at some frames, as far as it takes to guess what they are.

    Parameters
    ----------
    data : Stack or Hyperstack
    run : Run
        Its tick is told of each frame.
    """
    channel = _clearest_channel(data)
    along = _along(data, channel)
    numbers = np.unique(np.linspace(0, len(along) - 1, _MOST_FRAMES).round().astype(int))
    seen = _Look()
    for done, number in enumerate(numbers):
        if run.tick:
            run.tick(done, len(numbers), "Looking at frames")
        seen.add(_grey(along[int(number)], along))
    names = data.leading if isinstance(data, Hyperstack) else data.axes[:1]
    sizes = data.sizes if isinstance(data, Hyperstack) else (len(data),)
    camera, interval, words = _of_files(along)
    return Facts(
        {axis.name: size for axis, size in zip(names, sizes, strict=True)},
        data.rgb, camera, interval, words, channel,
        any(meaning_of(axis.name) == "z" and _spaced(axis) for axis in names), seen.finish(),
    )  # fmt: skip


def _spaced(axis: Axis) -> bool:
    """Tell whether places along an axis are known, and go one way."""
    gaps = np.diff(axis.positions)
    return axis.unit not in ("", "pixel") and bool((gaps > 0).all() or (gaps < 0).all())


def _along(data: Data, channel: int | None) -> Stack:
    """Return the frames along the axis that tells most: time, else focus, else the longest."""
    if isinstance(data, Stack):
        return data
    sizes = {axis.name: size for axis, size in zip(data.leading, data.sizes, strict=True)}
    several = [name for name, size in sizes.items() if size > 1] or list(sizes)
    ranks = {"t": 0, "z": 1, "p": 2, "c": 4}
    name = min(several, key=lambda n: (ranks.get(meaning_of(n), 3), -sizes[n]))
    turned = data.along(name)
    at: dict[str, Any] = {n: size // 2 for n, size in turned.loops.items()}
    at |= {n: channel for n in at if meaning_of(n) == "c" and channel is not None}
    return turned.stack(at)


def _clearest_channel(data: Data) -> int | None:
    """Return the channel in which structure stands out most from noise."""
    if isinstance(data, Stack):
        return None
    axis = next((n for n, a in enumerate(data.leading) if meaning_of(a.name) == "c"), None)
    if axis is None or data.sizes[axis] < 2:
        return None
    middle = [size // 2 for size in data.sizes]
    places = [(*middle[:axis], c, *middle[axis + 1 :]) for c in range(data.sizes[axis])]
    frames = [data.frames[int(np.ravel_multi_index(p, data.sizes))] for p in places]
    return int(np.argmax([_clarity(_grey(frame, data.frames)) for frame in frames]))


def _clarity(grey: Array) -> float:
    """Contrast of the image, in deviations of its noise (Immerkaer 1996, by its median)."""
    across = grey[:-2] - 2 * grey[1:-1] + grey[2:]
    noise = np.median(np.abs(across[:, :-2] - 2 * across[:, 1:-1] + across[:, 2:])) / 0.6745 / 6
    small = _shrunk(grey, max(1, min(grey.shape) // 64))
    return float(small.std() / (noise + 1e-9 * (np.abs(small).max() + 1)))


def _grey(frame: Array, stack: Stack) -> Array:
    values = np.asarray(frame).astype(np.float32)
    if frame.dtype.kind not in "ui":
        values = np.nan_to_num(values)
    return values if values.ndim == 2 else brightness(values, stack.rgb)


def _shrunk(image: Array, by: int) -> Array:
    """Average squares of pixels; what is over at the ends is left out."""
    height, width = (size // by * by for size in image.shape)
    return image[:height, :width].reshape(height // by, by, width // by, by).mean((1, 3))


class _Look:
    """What is seen so far."""

    def __init__(self) -> None:
        self.sharp: list[Array] = []
        self.coarse: list[Array] = []
        self.brightness: list[float] = []
        self.standing_out: Array | None = None
        self.noise: list[float] = []

    def add(self, grey: Array) -> None:
        """Look at a frame."""
        small = _shrunk(grey, max(1, max(grey.shape) // _SIDE))
        self.brightness.append(float(grey.mean()))
        self.coarse.append(_places(small, _COARSE))
        self.sharp.append(_places(_laplacian(small), _PLACES))
        self._hot(grey)

    def _hot(self, grey: Array) -> None:
        """Look for pixels that stand out from all around them more than these differ."""
        from scipy.ndimage import maximum_filter, minimum_filter

        top, left = ((size - min(size, _PART)) // 2 for size in grey.shape)
        part = grey[top : top + _PART, left : left + _PART]
        around = np.ones((3, 3), bool)
        around[1, 1] = False
        most, least = (f(part, footprint=around) for f in (maximum_filter, minimum_filter))
        over = part - most - 2 * (most - least)
        before = self.standing_out
        self.standing_out = over if before is None else np.minimum(before, over)
        self.noise.append(
            float(np.median(np.abs(np.diff(part)))) + 1.0 if part.shape[1] > 1 else 1.0
        )

    def finish(self) -> Seen:
        """Sum up."""
        sharp, coarse = np.array(self.sharp), np.array(self.coarse)
        most, least = sharp.max(0), sharp.min(0)
        textured = most >= np.median(most)
        ratio = most / np.maximum(least, 1e-3 * max(float(most.max()), 1e-9))
        mean = coarse.mean(0)
        corners = np.mean([mean[i, j] for i in (0, -1) for j in (0, -1)])
        centre = mean[tuple(slice(n // 3, n - n // 3) for n in mean.shape)].mean()
        several = len(sharp) > 2
        out = np.zeros((1, 1)) if self.standing_out is None else self.standing_out
        hot = (out > _HOT * np.median(self.noise)) & several
        return Seen(
            frames=len(sharp),
            alike=float(np.median([_correlation(*pair) for pair in _pairs(coarse)] or [1.0])),
            sharpness=float(np.median(ratio[textured])),
            in_turn=_in_turn(sharp[:, textured]) if several else Seen.in_turn,
            brightness=tuple(self.brightness),
            hot=float(hot.mean() * 1e6),
            corners=float(min(corners / centre, 2.0)) if centre > 0 else 1.0,
        )


def _laplacian(image: Array) -> Array:
    if min(image.shape) < 3:
        return np.zeros_like(image)
    inner = 2 * image[1:-1, 1:-1]
    across = np.abs(inner - image[1:-1, :-2] - image[1:-1, 2:])
    return np.asarray(across + np.abs(inner - image[:-2, 1:-1] - image[2:, 1:-1]))


def _places(image: Array, count: int) -> Array:
    """Average an image over `count` x `count` places; over fewer where it is smaller."""
    rows, columns = (np.linspace(0, n, min(count, n) + 1).astype(int)[:-1] for n in image.shape)
    sums = np.add.reduceat(np.add.reduceat(image, rows, axis=0), columns, axis=1)
    heights = np.diff(np.append(rows, image.shape[0]))
    widths = np.diff(np.append(columns, image.shape[1]))
    return np.asarray(sums / np.outer(heights, widths))


def _in_turn(sharp: Array) -> float:
    """Share of the steps at which places become sharper up to their peak, and less sharp then."""
    steps = np.diff(sharp, axis=0)
    peaks = sharp.argmax(0)
    if max((peaks == 0).mean(), (peaks == len(steps)).mean()) > _AT_AN_END:
        return Seen.in_turn
    before = np.arange(len(steps))[:, np.newaxis] < peaks
    return float(np.where(before, steps > 0, steps < 0).mean())


def _pairs(images: Array) -> list[tuple[Array, Array]]:
    return list(pairwise(images))


def _correlation(one: Array, other: Array) -> float:
    one, other = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / norm if norm > 0 else 1.0


def _of_files(stack: Stack) -> tuple[str, float | None, tuple[str, ...]]:
    """Return the camera, the seconds between photographs, and words in names of files."""
    found = [file_of(stack, index) for index in range(min(len(stack), _MOST_FILES))]
    files = list(dict.fromkeys(file for file in found if file))
    if not files:
        return "", None, ()
    origins = [origin_of(file) for file in files]
    camera = str(origins[0].main.get(_MODEL, "")).strip("\0 ")
    taken = [_seconds(origin.taken) for origin in origins]
    known = [time for time in taken if time is not None]
    complete = len(known) == len(files) > 1
    interval = float(np.median(np.abs(np.diff(known)))) if complete else None
    return camera, interval, _words(files)


def _seconds(taken: dict[int, Any]) -> float | None:
    with suppress(KeyError, ValueError):
        time = datetime.strptime(str(taken[_TAKEN]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        return time.timestamp() + float("0." + str(taken.get(_FRACTION, "0")).strip("\0 "))
    return None


def _words(files: Sequence[str]) -> tuple[str, ...]:
    """Return what names tell: words that stand by themselves, or before a number."""
    path = Path(files[0])
    parts = re.findall(r"[a-z]+", f"{path.parent.name} {path.stem}".lower())
    return tuple(w for w, pattern in _WORDS.items() if any(re.fullmatch(pattern, p) for p in parts))
