"""Parts of all frames of a series that fit a memory, and how their pixels are read."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.focus.occlusion.measuring import Measured

Array = NDArray[Any]
#: Rows and columns.
Part = tuple[slice, slice]

# Rows and columns around a tile on which it depends, and those of the least tile itself.
MARGIN, LEAST = 96, 64
# Memory that is taken in any case, in bytes.
LEAST_MEMORY = 64 * 2**20
# Planes (y, x) of float32 that are held at once: for each frame twice its channels and these; and
# others, however many frames there are.
PLANES, OTHERS = 5, 48


def tiles(shape: tuple[int, int], frames: int, channels: int, memory: int) -> list[Part]:
    """Give parts of an image that fit a memory, all frames together: rows, or smaller tiles.

    Raises
    ------
    UserError
        When the least tile does not fit.
    """
    height, width = shape
    memory = max(memory, LEAST_MEMORY)
    pixel = 4 * (frames * (2 * channels + PLANES) + OTHERS)
    pixels = max(memory // pixel, 1)
    tall, wide = pixels // width, width  # with what lies around
    if tall < min(height, 4 * MARGIN):
        tall = min(height, isqrt(pixels)) if width > height else pixels // min(width, isqrt(pixels))
        wide = pixels // tall
    sides = []
    for whole, fitting in ((height, tall), (width, wide)):
        side = whole if fitting >= whole else fitting - 2 * MARGIN
        if side < min(LEAST, whole):
            least = np.prod([min(LEAST + 2 * MARGIN, s) for s in shape]) * pixel
            raise UserError(
                f"telling near from far in {frames} frames needs a memory of {least / 2**20:.0f} "
                f"MiB, and the run has {memory / 2**20:.0f}: raise it, or fuse neighbouring frames "
                "first (focus_slabs)"
            )
        sides.append([slice(a, min(a + side, whole)) for a in range(0, whole, side)])
    return [(rows, columns) for rows in sides[0] for columns in sides[1]]


def with_margin(tile: Part, shape: tuple[int, ...]) -> tuple[Part, Part]:
    """Return a tile with what lies around, and where the tile lies in that."""
    wide = [
        slice(max(side.start - MARGIN, 0), min(side.stop + MARGIN, whole))
        for side, whole in zip(tile, shape, strict=False)
    ]
    inner = [
        slice(side.start - around.start, side.stop - around.start)
        for side, around in zip(tile, wide, strict=True)
    ]
    return (wide[0], wide[1]), (inner[0], inner[1])


class FramesOfPart(Sequence[Array]):
    """A part of each frame (y, x, channel) on the scale 0 to 255, read when it is asked for.

    Parameters
    ----------
    known : Measured
    fused : (y, x, channel) ndarray of float32
        What is shown where a frame is not valid.
    part : (slice, slice)
        Rows and columns.
    step : callable, optional
        Called after each frame.
    """

    def __init__(
        self, known: Measured, fused: Array, part: Part, step: Callable[[], None] | None = None
    ) -> None:
        self.known, self.fused, self.part, self.step = known, fused, part, step

    def __len__(self) -> int:
        return len(self.known.numbers)

    def __getitem__(self, place: Any) -> Any:
        frame, _ = self.read(place)
        if self.step is not None:
            self.step()
        return frame

    def read(self, place: int) -> tuple[Array, Array | None]:
        """Return a frame and where it is valid; None for all."""
        rows, columns = self.part
        colours, valid = self.known.frame(int(self.known.numbers[place]), rows)
        frame = np.ascontiguousarray(colours[:, columns])
        if valid is not None:
            valid = valid[:, columns]
            frame[~valid] = self.fused[~valid]
        return frame, valid


def read_together(frames: FramesOfPart, run: Run, what: str) -> tuple[Array, Array]:
    """Read a part of all frames in threads, and return where all are valid, as float32."""
    held = np.empty((len(frames), *frames.fused.shape), np.float32)
    places = {int(number): place for place, number in enumerate(frames.known.numbers)}

    def fill(_stack: Stack, number: int) -> Array | None:
        held[places[number]], valid = frames.read(places[number])
        return valid

    everywhere = np.ones(frames.fused.shape[:2], bool)
    for valid in replace(run, executor=None).each(fill, frames.known.stack, places, what=what):
        if valid is not None:
            everywhere &= valid
    return held, everywhere.astype(np.float32)
