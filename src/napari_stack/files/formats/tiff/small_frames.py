"""`SmallFrames`: frames that lie in a file as they are, so small that many are read at a time."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
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

    @classmethod
    def of(cls, directory: Directory, first: Page) -> "SmallFrames | None":
        """Return the frames of a series, None where they are large, or stored in another way."""
        layout = first.layout
        plain = layout.decode is None and layout.colours is None and not layout.white
        alone = layout.grid == (1, 1, 1, 1) and not layout.tiled and directory.depth == 1
        size = int(np.prod(layout.frame.shape)) * layout.stored.itemsize
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
        size = int(np.prod(self.frame.shape)) * self.stored.itemsize
        if size > _SMALLEST and rows is not None and rows.stop - rows.start < self.frame.shape[0]:
            return None
        many = max(_BLOCK // size, 1)
        block = self._block(path, number // many, many, size)
        if block is None or not 0 <= number < len(self.offsets):
            return None
        start, data = block
        at = int(self.offsets[number]) - start
        if at < 0 or at + size > len(data):  # the file ends early
            return None
        pixels = np.frombuffer(data, self.stored, size // self.stored.itemsize, at)
        pixels = pixels.reshape(self.frame.shape)
        return (pixels if rows is None else pixels[rows]).astype(self.frame.dtype)

    def _block(self, path: str, number: int, many: int, size: int) -> tuple[int, bytes] | None:
        with self._lock:
            if number in self._blocks:
                return self._blocks[number]
            where = self.offsets[number * many : (number + 1) * many]
            block = None
            if len(where) and where.min() >= 0:
                start, stop = int(where.min()), int(where.max()) + size
                if stop - start <= 2 * size * len(where) + _LARGEST:
                    with Path(path).open("rb", buffering=0) as file:
                        file.seek(start)
                        block = start, file.read(stop - start)
            while len(self._blocks) >= _KEPT:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[number] = block
            return block
