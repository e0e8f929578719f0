"""What a stack is made of: axes, sources of frames, corrections, and the cast at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

#: Bytes of the rows that are rounded, clipped and cast before the next rows.
_CAST_BYTES = 2**19

#: Pixels of a frame in the working type, and where they are valid (None: everywhere).
Pixels = tuple[NDArray[Any], NDArray[np.bool_] | None]


@dataclass(frozen=True)
class Axis:
    """An axis of the data: its name, the distance between neighbours, and the unit of that.

    Its places may have names (`labels`), as channels do.
    """

    name: str
    step: float = 1.0
    unit: str = "pixel"
    labels: tuple[str, ...] = ()

    def taken(self, numbers: Sequence[int] | NDArray[np.intp]) -> "Axis":
        """Return the axis of some of its places: without a unit where they do not lie evenly."""
        named = len(self.labels) > max(numbers, default=-1)
        labels = tuple(self.labels[i] for i in numbers) if named else ()
        gaps = np.diff(np.asarray(numbers))
        if not gaps.size:
            return replace(self, labels=labels)
        if gaps[0] and (gaps == gaps[0]).all():
            return replace(self, step=self.step * abs(int(gaps[0])), labels=labels)
        return replace(self, step=1.0, unit="pixel", labels=labels)


@runtime_checkable
class Source(Protocol):
    """Where frames come from, as they are stored. It is picklable and safe to read from threads.

    Attributes
    ----------
    shape : tuple of int
        (n, y, x) or (n, y, x, channel).
    dtype : numpy.dtype
        In native byte order.
    partial : bool
        Whether rows can be read without reading the whole frame.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102

    @property
    def partial(self) -> bool: ...  # noqa: D102

    def read(self, index: int, rows: slice | None = None) -> NDArray[Any]:
        """Read one frame, or some rows of it."""
        ...

    def label(self, index: int) -> str:
        """Name a frame for messages and for the names of output files."""
        ...


def is_computed(source: Source) -> bool:
    """Tell whether a source computes its frames: then it gives the working values as well.

    Such a source has an attribute ``computed`` that is True, and ``pixels(index, rows)`` which
    gives `Pixels` as they are computed with, neither rounded nor cast.
    """
    return bool(getattr(source, "computed", False))


class Correction(Protocol):
    """What was measured for the frames of a stack, and how it is applied to one of them.

    A frozen, picklable dataclass; what is measured for each frame has one entry a frame. One with
    a true ``of_sensor`` corrects what the sensor did: it comes before those that have none.
    """

    def apply(
        self, values: NDArray[Any], valid: NDArray[np.bool_] | None, index: int, rows: slice
    ) -> Pixels:
        """Make `rows` of frame `index` from its `source_rows`, which may be changed in place."""
        ...

    def source_rows(self, rows: slice, index: int) -> slice:  # noqa: ARG002
        """Rows it must see to make `rows`."""
        return rows

    def frame_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of a corrected frame."""
        return shape

    def merged(self, later: "Correction") -> "Correction | None":  # noqa: ARG002
        """One correction that does this and then `later`, or None where that cannot be."""
        return None

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return the correction of these frames, in this order (repeats allowed)."""
        ...

    def join(self, others: Sequence[Self]) -> Self:
        """Return the correction of these frames followed by those of `others`."""
        ...


@dataclass(frozen=True)
class ArraySource:
    """Frames in an array: numpy, dask, zarr, or what else is indexed like them; nothing is copied.

    Parameters
    ----------
    data : array
        (..., y, x) or (..., y, x, channel).
    leading : tuple of int
        Lengths of the axes before y and x; frames count in C order over them. Default: one axis.
    name : str
        What the array is called, for messages.
    """

    data: Any
    leading: tuple[int, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "leading", tuple(self.leading or self.data.shape[:1]))

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (prod(self.leading), *self.data.shape[len(self.leading) :])

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return np.dtype(self.data.dtype).newbyteorder("=")

    @property
    def partial(self) -> bool:
        """False for a dask array whose chunks hold whole frames: a row costs the frame."""
        chunks = getattr(self.data, "numblocks", None)
        return chunks is None or chunks[len(self.leading)] > 1

    def read(self, index: int, rows: slice | None = None) -> NDArray[Any]:  # noqa: D102
        place = self._place(index)
        part = self.data[place if rows is None else (*place, rows)]
        if hasattr(part, "compute"):  # in this thread: the run has threads of its own
            part = part.compute(scheduler="synchronous")
        return np.asarray(part, dtype=self.dtype)

    def label(self, index: int) -> str:  # noqa: D102
        place = ", ".join(map(str, self._place(index)))
        return f"frame {place}" + (f" of {self.name}" if self.name else "")

    def _place(self, index: int) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(index, self.leading))


@dataclass(frozen=True)
class Selected:
    """Some frames of a source, in any order."""

    source: Source
    frames: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (len(self.frames), *self.source.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.source.dtype

    @property
    def partial(self) -> bool:  # noqa: D102
        return self.source.partial

    @property
    def computed(self) -> bool:  # noqa: D102
        return is_computed(self.source)

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: D102
        return self.source.pixels(int(self.frames[index]), rows)  # type: ignore[attr-defined]

    def read(self, index: int, rows: slice | None = None) -> NDArray[Any]:  # noqa: D102
        return self.source.read(int(self.frames[index]), rows)

    def label(self, index: int) -> str:  # noqa: D102
        return self.source.label(int(self.frames[index]))


@dataclass(frozen=True)
class Held:
    """One frame that was read before, as it was read: any of its rows are at hand.

    Parameters
    ----------
    source : Source
        Where it is from.
    number : int
        Its number there.
    values, valid : ndarray
        What `pixels` of a source that is computed gave, else what `read` did and None.
    """

    source: Source
    number: int
    values: NDArray[Any]
    valid: NDArray[np.bool_] | None = None

    #: Rows cost nothing but themselves.
    partial = True

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (1, *self.source.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.source.dtype

    @property
    def computed(self) -> bool:  # noqa: D102
        return is_computed(self.source)

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: ARG002, D102
        rows = rows or slice(None)  # corrections may change what they are given
        return self.values[rows].copy(), None if self.valid is None else self.valid[rows].copy()

    def read(self, index: int, rows: slice | None = None) -> NDArray[Any]:  # noqa: ARG002, D102
        if self.computed:
            return self.source.read(self.number, rows)
        return self.values[rows or slice(None)]

    def label(self, index: int) -> str:  # noqa: ARG002, D102
        return self.source.label(self.number)


def cast(values: NDArray[Any], dtype: DTypeLike, valid: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Round, clip and cast pixels once; invalid ones become 0, or NaN in a float type.

    Parameters
    ----------
    values : ndarray, shape (y, x) or (y, x, channel)
        Float pixels. Invalid ones may be changed.
    dtype : dtype
        Wanted type.
    valid : ndarray of bool, shape (y, x), or None
    """
    dtype = np.dtype(dtype)
    if dtype.kind in "fc":
        result = values.astype(dtype, copy=False)
        if valid is not None:
            result[~valid] = np.nan
        return result
    if valid is not None:
        values[~valid] = 0
    if dtype.kind == "b":
        return values > 0.5
    if values.dtype == np.float32 and dtype in (np.uint8, np.uint16) and values.flags.c_contiguous:
        from napari_stack.core._round_kernel import put_rounded

        result = np.empty(values.shape, dtype)
        put_rounded(values.reshape(-1), np.float32(np.iinfo(dtype).max), result.reshape(-1))
        return result
    limits = np.iinfo(dtype)
    # The greatest 64-bit integers have no float of their own: the next float would wrap around.
    top = float(limits.max)
    top = top if int(top) <= limits.max else float(np.nextafter(values.dtype.type(top), 0))
    result = np.empty(values.shape, dtype)
    step = max(1, _CAST_BYTES * len(values) // max(values.nbytes, 1))
    for start in range(0, len(values), step):  # so few rows that they stay in the cache
        part = np.rint(values[start : start + step])
        np.clip(part, float(limits.min), top, out=part)
        result[start : start + step] = part
    return result
