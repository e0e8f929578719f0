"""`Blocks`: frames of an array whose chunks hold many of them, each chunk read once."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Bytes of blocks that are kept at least, and the part of the memory that they may take.
_LEAST, _PART = 2**29, 8


@dataclass
class _Block:
    """Chunks that hold some frames, or some of their rows; read by the first that needs them."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    pixels: NDArray[Any] | None = None


class Blocks:
    """Frames of an array in chunks that hold several frames.

    What is read of it is kept until there is more than memory is for: frames are mostly asked for
    in order, also by several threads at a time, of which one reads and the others wait.

    Parameters
    ----------
    data : array
        Of dask, zarr, h5py or the like, which say what their chunks are.
    starts : sequence of sequence of int
        Where the chunks begin along the leading axes and y, and where the last one ends.
    """

    def __init__(self, data: Any, starts: Sequence[Sequence[int]]) -> None:
        self._data = data
        self._starts = [np.asarray(along) for along in starts]
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, ...], _Block] = {}

    @classmethod
    def of(cls, data: Any, leading: int) -> "Blocks | None":
        """Return the blocks of an array, None where no chunk holds several frames.

        Nor where a chunk of frames is larger than memory is for.
        """
        chunks = chunks_of(data)
        if chunks is None or len(chunks) <= leading:
            return None
        lengths = chunks[: leading + 1]
        several = prod(max(along) for along in lengths[:leading])
        frame = prod(data.shape[leading:]) * np.dtype(data.dtype).itemsize
        if several == 1 or several * frame > _most_bytes():
            return None
        return cls(data, [list(accumulate(along, initial=0)) for along in lengths])

    def frame(self, place: Sequence[int], rows: slice | None = None) -> NDArray[Any]:
        """Return the frame at a place, or some rows of it; it may be a view, not to be changed."""
        *leading, down = self._starts
        along = [
            int(np.searchsorted(s, p, "right")) - 1 for s, p in zip(leading, place, strict=True)
        ]
        first, last = 0, len(down) - 1
        if rows is not None:
            first = int(np.searchsorted(down, rows.start, "right")) - 1
            last = int(np.searchsorted(down, rows.stop, "left"))
        where = [slice(int(s[i]), int(s[i + 1])) for s, i in zip(leading, along, strict=True)]
        top = int(down[first])
        pixels = self._read((*along, first, last), (*where, slice(top, int(down[last]))))
        found = pixels[tuple(p - w.start for p, w in zip(place, where, strict=True))]
        return found if rows is None else found[rows.start - top : rows.stop - top]

    def _read(self, key: tuple[int, ...], where: tuple[slice, ...]) -> NDArray[Any]:
        with self._lock:
            block = self._kept.pop(key, None) or _Block()
            self._kept[key] = block  # the last one used is the last to go
            self._let_go()
        with block.lock:
            if block.pixels is None:
                block.pixels = read_part(self._data, where)
            return block.pixels

    def _let_go(self) -> None:
        sizes = {k: b.pixels.nbytes for k, b in self._kept.items() if b.pixels is not None}
        total = sum(sizes.values())
        for key, size in sizes.items():
            if total <= _most_bytes() or key == next(reversed(self._kept)):
                return
            del self._kept[key]
            total -= size


def read_part(data: Any, where: tuple[Any, ...]) -> NDArray[Any]:
    """Read a part of an array; of dask in this thread, for runs have threads of their own."""
    part = data[where]
    if hasattr(part, "compute"):
        part = part.compute(scheduler="synchronous")
    return np.asarray(part)


def chunks_of(data: Any) -> list[tuple[int, ...]] | None:
    """Return the lengths of an array's chunks along its axes, or None where it has none."""
    chunks = getattr(data, "chunks", None)
    if not isinstance(chunks, tuple | list) or len(chunks) != len(data.shape):
        return None
    found = []
    for length, size in zip(chunks, data.shape, strict=True):
        if isinstance(length, int | np.integer):
            whole, rest = divmod(int(size), max(int(length), 1))
            length = (int(length),) * whole + ((rest,) if rest else ())
        found.append(tuple(int(one) for one in length))
    return found if all(sum(a) == n for a, n in zip(found, data.shape, strict=True)) else None


@cache
def _most_bytes() -> int:
    import psutil

    return max(_LEAST, int(psutil.virtual_memory().total) // _PART)
