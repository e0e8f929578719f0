"""`Stack`: a sequence of frames plus the corrections that were measured for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.correction import Correction, last_transforms
from napari_stack.core.errors import UserError
from napari_stack.core.look import Look
from napari_stack.core.pixels.casting import cast, declared
from napari_stack.core.single_axis import SingleAxis
from napari_stack.core.source import (
    ArraySource,
    Pixels,
    Selected,
    Source,
    as_array,
    frame_number,
)
from napari_stack.core.sources.cached_frame import CachedFrame

#: Bytes of rows that go through local corrections at a time.
_BLOCK = 2**20


@dataclass(frozen=True, eq=False)
class Stack(SingleAxis):
    """A sequence of frames plus the corrections measured for them; nothing is copied.

    Axis 0 counts frames; a frame is (y, x) or (y, x, channel).

    Parameters
    ----------
    source : Source
        Where the frames come from. Use `Stack.wrap` for arrays and `napari_stack.read` for files.
    corrections : tuple of Correction
        Applied in this order when a frame is read.
    used : ndarray of bool, shape (n,)
        Frames that reducers take; a failed or ticked-off frame keeps its place. One that is
        missing in the source is never taken.
    rgb : bool
        The channels are colours (RGB or RGBA); else they are bands.
    alpha : bool
        The last channel is declared as alpha: pixels below its maximum do not count.
    axes : tuple of Axis
        Of the frames, y and x.
    look : Look
        How all frames are shown; channels along an axis have the `looks` of that axis.

    Examples
    --------
    >>> import numpy as np
    >>> stack = Stack.wrap(np.zeros((5, 20, 30), np.uint16))
    >>> stack.shape, len(stack.select([0, 2]))
    ((5, 20, 30), 2)
    """

    source: Source
    corrections: tuple[Correction, ...] = ()
    used: NDArray[np.bool_] = None  # type: ignore[assignment]
    rgb: bool = False
    alpha: bool = False
    axes: tuple[Axis, Axis, Axis] = (Axis("frame"), Axis("y"), Axis("x"))
    look: Look = Look()

    def __post_init__(self) -> None:
        self.source.check()
        object.__setattr__(self, "used", self.source.usable(self.used))

    @classmethod
    def wrap(
        cls,
        data: Any,
        *,
        rgb: bool | None = None,
        axes: Sequence[Axis] = (),
        leading: tuple[int, ...] = (),
    ) -> "Stack":
        """Make a stack of an array: numpy, dask or zarr; it is not copied.

        Parameters
        ----------
        data : array, shape (n, y, x) or (n, y, x, channel)
        rgb : bool, optional
            The channels are colours; with four, the last one is alpha. By default three
            channels are colours, any other number are bands.
        axes : sequence of Axis
            Names, steps and units of the frames, y and x.
        leading : tuple of int
            Lengths of the axes before y and x, where there are several: frames then count in C
            order over them.

        Raises
        ------
        ValueError
            For data of another shape, without pixels, or of complex or structured type.
        """
        data = as_array(data)
        source = ArraySource(data, leading)
        channels = source.shape[3] if len(source.shape) == 4 else 0
        if rgb and channels not in (3, 4):
            raise UserError(f"colours need 3 or 4 channels, got {channels or 'none'}")
        colours = channels == 3 if rgb is None else rgb
        named = {"axes": tuple(axes)} if axes else {}
        return cls(source, rgb=colours, alpha=colours and channels == 4, **named)  # type: ignore[arg-type]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """(n, y, x) or (n, y, x, channel), as seen."""
        frame = self.source.shape[1:]
        for correction in self.corrections:
            frame = correction.frame_shape(frame)
        return (self.source.shape[0], *frame)

    @property
    def ndim(self) -> int:
        """Number of axes: 3, or 4 with channels."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels, as stored and as seen."""
        return self.source.dtype

    @property
    def channels(self) -> int:
        """Number of channels of a pixel, alpha left out; 1 for grey frames."""
        return self.shape[3] - self.alpha if self.ndim == 4 else 1

    @property
    def working(self) -> np.dtype[Any]:
        """Type of the pixels while they are computed: float32, or float64 where digits would go."""
        return np.result_type(self.dtype, np.float32)

    @property
    def native(self) -> np.dtype[Any]:
        """Type of `values`: as stored where nothing was corrected, else the working type."""
        plain = self.dtype.kind in "ui" or self.dtype.itemsize >= 4
        untouched = not self.corrections and not self.source.computed
        return self.dtype if plain and untouched else self.working

    @property
    def transforms(self) -> Any:
        """Measured `Transforms` of a registered stack, or None."""
        return last_transforms(self.corrections)

    @property
    def moved_by(self) -> Any:
        """Measured `Transforms` like `transforms`, also of frames that were computed since."""
        return last_transforms(self.corrected_by)

    @property
    def corrected_by(self) -> tuple[Correction, ...]:
        """All that was done to the frames: also before they were computed and kept as pixels."""
        return (*self.source.corrected_by, *self.corrections)

    def __len__(self) -> int:
        return self.source.shape[0]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return map(self.render, range(len(self)))

    def __getitem__(self, index: int) -> NDArray[Any]:
        """Frame as seen: corrected, rounded, clipped and cast to `dtype`."""
        return self.render(frame_number(index, len(self)))

    def render(self, index: int, rows: slice | None = None) -> NDArray[Any]:
        """Return a frame, or some of its rows, as seen: rounded, clipped and cast."""
        if not self.corrections and not self.source.computed:
            return self.source.pixels(index, rows)[0]
        later = self.corrections[1:] if self._begins_stored else self.corrections
        if self.corrections and rows is None and all(c.local for c in later):
            return self._render_in_blocks(index)
        values, valid = self.read(index, rows)
        return cast(values, self.dtype, valid)

    @property
    def _begins_stored(self) -> bool:
        """Whether the first correction takes pixels as stored, without a copy in a wider type."""
        if self.dtype.kind not in "ui" or self.alpha or self.source.computed:
            return False
        return bool(self.corrections) and self.corrections[0].reads_stored

    def _render_in_blocks(self, index: int) -> NDArray[Any]:
        """Return a frame as seen, a few rows at a time: these stay in the cache from end to end."""
        stored, known = self.source.pixels(index)
        result = np.empty(self.shape[1:], self.dtype)
        step = max(1, _BLOCK // (result[0].size * self.working.itemsize))
        for start in range(0, len(result), step):
            rows = slice(start, min(start + step, len(result)))
            needed = self.source_rows(index, rows)
            pixels = stored[needed[0]], None if known is None else known[needed[0]]
            values, valid = self._through(self._begun(*pixels), index, needed)
            result[rows] = cast(values, self.dtype, valid)
        return result

    def source_rows(self, index: int, rows: slice) -> list[slice]:
        """Rows that each step needs to make `rows`: of the source first, `rows` themselves last."""
        needed = [rows]
        for correction in reversed(self.corrections):
            needed.append(correction.source_rows(needed[-1], index))
        return needed[::-1]

    def read(self, index: int, rows: slice | None = None) -> Pixels:
        """Frame as computed with: corrected, in the working type, not cast.

        Parameters
        ----------
        index : int
        rows : slice, optional
            Rows wanted, with start and stop; by default all.

        Returns
        -------
        values : ndarray, shape (rows, x) or (rows, x, channel)
        valid : ndarray of bool, shape (rows, x), or None
            None when all are valid.
        """
        values, valid = self.values(index, rows)
        return values.astype(self.working, copy=False), valid

    def values(self, index: int, rows: slice | None = None) -> Pixels:
        """Return the same numbers as `read` in the `native` type, which may save a cast."""
        needed = self.source_rows(index, rows or slice(0, self.shape[1]))
        whole = needed[0] == slice(0, self.source.shape[1])
        stored = self.source.pixels(index, None if whole else needed[0])
        return self._through(self._begun(*stored), index, needed)

    def _through(self, pixels: Pixels, index: int, needed: Sequence[slice]) -> Pixels:
        values, valid = pixels
        for correction, wanted in zip(self.corrections, needed[1:], strict=True):
            values, valid = correction.apply(values, valid, index, wanted)
        return values, valid

    def _begun(self, values: NDArray[Any], valid: NDArray[np.bool_] | None) -> Pixels:
        """Turn what was read into what the corrections begin with; they may change it."""
        if self.source.computed:
            return values.astype(self.native, copy=False), valid
        if self._begins_stored:
            return values, None
        values = values.astype(self.native, copy=bool(self.corrections))
        return declared(values, self.dtype, self.alpha)

    def corrected(self, correction: Correction) -> "Stack":
        """Apply a measured correction lazily; neighbouring ones become one where they can.

        What belongs to the sensor (``of_sensor``) comes before all that does not, such as a warp.
        """
        place = len(self.corrections)
        if correction.of_sensor:
            others = (i for i, c in enumerate(self.corrections) if not c.of_sensor)
            place = next(others, place)
        *before, last = (None, *self.corrections[:place])
        merged = last.merged(correction) if last is not None else None
        chain = (*before, merged) if merged is not None else (*before, last, correction)
        kept = tuple(c for c in chain if c is not None)
        return replace(self, corrections=kept + self.corrections[place:])

    def select(self, frames: ArrayLike) -> "Stack":
        """Return the stack of some frames (numbers or a mask), in the order given."""
        numbers = np.asarray(frames)
        if numbers.dtype == bool and numbers.shape != (len(self),):
            raise IndexError(
                f"a mask of the shape {numbers.shape} does not fit a stack of {len(self)} frames"
            )
        numbers = np.flatnonzero(numbers) if numbers.dtype == bool else numbers.astype(np.intp)
        numbers = np.array([frame_number(int(i), len(self)) for i in numbers], np.intp)
        return replace(
            self,
            source=Selected(self.source, numbers),
            corrections=tuple(c.select(numbers) for c in self.corrections),
            used=self.used[numbers],
            axes=(self.axes[0].taken(numbers), *self.axes[1:]),
        )

    def opened(self, index: int) -> "Stack":
        """Return the stack of one frame, decoded once: its rows can be asked for one by one."""
        one = self.select([index])
        if self.source.partial and not self.source.computed:
            return one
        return replace(one, source=CachedFrame(self.source, index, *self.source.pixels(index)))

    def to_dask(self) -> Any:
        """Return a lazy dask array of the frames as seen, one chunk a frame, for viewers."""
        from napari_stack.core.sources.dask_frames import to_dask

        return to_dask(self)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise UserError("frames are computed when asked for: an array of them is a copy")
        changed = self.corrections or self.source.computed
        frames = None if changed else self.source.several(0, len(self))
        frames = np.stack([self[i] for i in range(len(self))]) if frames is None else frames
        return frames.astype(dtype or self.dtype, copy=False)
