"""`SmallFrames`: frames that lie in a file as they are, so small that many are read at a time."""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from napari_stack.files.formats.base import First, Frame
from napari_stack.files.formats.tiff.directory import Directory
from napari_stack.files.formats.tiff.pages import Page

#: Larger frames are read one by one: opening the file for each takes little of the time.
_LARGEST = 2**16

#: Of frames up to this many bytes rows are not read by themselves: a disk reads as much at once.
_SMALLEST = 2**12

#: Bytes that are read at a time, and how many of such blocks are kept: threads are near each other.
_BLOCK, _KEPT = 2**20, 4


@dataclass(eq=False)
class SmallFrames:
    """Frames of one size, one after the other or with little between them.

    Parameters
    ----------
    frame : Frame
    stored : dtype
        In the byte order of the file.
    offsets : ndarray of int, shape (n,)
        Where each begins; -1 for those that are stored in another way.
    """

    frame: Frame
    stored: np.dtype[Any]
    offsets: NDArray[np.int64]
    _blocks: dict[int, tuple[int, bytes] | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def size(self) -> int:
        """Bytes of a frame."""
        return prod(self.frame.shape) * self.stored.itemsize

    @classmethod
    def of(cls, directory: Directory, first: Page) -> "SmallFrames | None":
        """Return the frames of a series, None where they are large, or stored in another way."""
        layout = first.layout
        plain = layout.decode is None and layout.colours is None and not layout.white
        alone = layout.grid == (1, 1, 1, 1) and not layout.tiled and directory.depth == 1
        size = prod(layout.frame.shape) * layout.stored.itemsize
        if not (plain and alone and layout.orientation == 1) or size > _LARGEST:
            return None
        if directory.contiguous:
            step = int(first.counts.sum())
            offsets = int(first.offsets[0]) + step * np.arange(directory.count, dtype=np.int64)
            return cls(layout.frame, layout.stored, offsets) if step >= size else None
        if directory.strips is None or len(directory.strips) < directory.count:
            return None
        whole = directory.strips[:, 1] >= size
        return cls(layout.frame, layout.stored, np.where(whole, directory.strips[:, 0], -1))

    def matches(self, first: First) -> bool:
        """Whether the frames, and how many they are, are as the first file of a stack has them."""
        alike = (self.frame.shape, self.frame.dtype) == (first.frame.shape, first.frame.dtype)
        return alike and first.count in (0, len(self.offsets))

    def read(self, path: str, number: int, rows: slice | None) -> NDArray[Any] | None:
        """Read a frame, or some rows of it; None where it is to be read in another way."""
        size = self.size
        if size > _SMALLEST and rows is not None and rows.stop - rows.start < self.frame.shape[0]:
            return None
        many = max(_BLOCK // size, 1)
        block = self._block(path, number // many, many)
        if block is None or not 0 <= number < len(self.offsets):
            return None
        start, data = block
        at = int(self.offsets[number]) - start
        if at < 0 or at + size > len(data):  # the file ends early
            return None
        pixels = np.frombuffer(data, self.stored, size // self.stored.itemsize, at)
        pixels = pixels.reshape(self.frame.shape)
        return (pixels if rows is None else pixels[rows]).astype(self.frame.dtype)

    def read_many(self, path: str, numbers: range) -> NDArray[Any] | None:
        """Read frames that follow one another; None where they are to be read in another way."""
        frames = np.empty((len(numbers), *self.frame.shape), self.frame.dtype)
        many = max(_BLOCK // self.size, 1)
        with Path(path).open("rb", buffering=0) as file:
            for begin in range(0, len(frames), many):
                part = frames[begin : begin + many]
                start = numbers.start + begin
                where = self.offsets[start : start + len(part)]
                if len(where) < len(part) or not self._near(where):
                    return None
                if not self._read_into(part, where, file):
                    return None
        return frames

    def _read_into(self, frames: NDArray[Any], where: NDArray[np.int64], file: IO[bytes]) -> bool:
        """Read frames that are near each other; False where the file ends early."""
        start = int(where.min())
        length = int(where.max()) + self.size - start
        alike = self.stored == frames.dtype and frames.nbytes == length
        straight = alike and bool((np.diff(where) == self.size).all())
        data = frames.reshape(-1).view(np.uint8) if straight else np.empty(length, np.uint8)
        file.seek(start)
        if file.readinto(data.data) < length:  # type: ignore[attr-defined]
            return False
        if not straight:
            found = sliding_window_view(data, self.size)[where - start].view(self.stored)
            frames[...] = found.reshape(frames.shape)
        return True

    def _near(self, where: NDArray[np.int64]) -> bool:
        """Whether frames are stored as they are, with little between them."""
        if not len(where) or where.min() < 0:
            return False
        length = int(where.max()) + self.size - int(where.min())
        return length <= 2 * self.size * len(where) + _LARGEST

    def _block(self, path: str, number: int, many: int) -> tuple[int, bytes] | None:
        with self._lock:
            if number in self._blocks:
                return self._blocks[number]
            where = self.offsets[number * many : (number + 1) * many]
            block = None
            if self._near(where):
                start = int(where.min())
                with Path(path).open("rb", buffering=0) as file:
                    file.seek(start)
                    block = start, file.read(int(where.max()) + self.size - start)
            while len(self._blocks) >= _KEPT:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[number] = block
            return block
