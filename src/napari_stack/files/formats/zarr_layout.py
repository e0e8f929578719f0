"""`Layout`: how frames are stored in a zarr array: order of axes, chunks, shards, levels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats import ngff
from napari_stack.files.write_content import Content, WriteOptions

#: Pixels up to which a frame is one chunk; beyond, chunks have sides of `_SIDE`.
_ONE_CHUNK, _SIDE = 2**22, 1024

#: The smallest resolution has sides of this many pixels at most.
_SMALLEST = 512


@dataclass(frozen=True)
class Layout:
    """How an array is stored.

    Attributes
    ----------
    plan : ngff.Plan or None
        None for axes that OME-NGFF has not: they are stored in the order given, channels last.
    leading : tuple of int
        Lengths of the axes of the array before y and x; channels of a pixel are among them.
    order : tuple of int
        Which axis of the content each of them is; -1 is the channels of a pixel.
    sizes : tuple of int
        Lengths of the leading axes of the content.
    plane : tuple of int
        y and x, and channels where these come last.
    chunks : tuple of int
        Of level 0, along all axes of the array.
    shards : tuple of int or None
    levels : int
    """

    plan: ngff.Plan | None
    leading: tuple[int, ...]
    order: tuple[int, ...]
    sizes: tuple[int, ...]
    plane: tuple[int, ...]
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    levels: int

    @classmethod
    def of(cls, content: Content, options: WriteOptions) -> "Layout":
        """Find it for what is written, and as it was asked for.

        Raises
        ------
        UserError
            For chunks that do not fit, or that memory does not hold.
        """
        plan = ngff.plan_of(content)
        shape = content.frame_shape
        if plan is None:
            order, plane = tuple(range(len(content.sizes))), shape
        else:
            order, plane = plan.order, shape[:2]
        leading = tuple(shape[2] if i < 0 else content.sizes[i] for i in order)
        sides = plane[:2]
        if prod(sides) > _ONE_CHUNK:
            sides = tuple(min(side, _SIDE) for side in sides)
        whole = (*leading, *plane)
        alone = (1,) * len(leading)
        chunks = _asked("chunks", options.chunks, (*alone, *sides, *plane[2:]), order, whole)
        shards = None
        if options.shards is not None:
            asked = _asked("shards", options.shards, chunks, order, whole)
            shards = tuple(-(-s // c) * c for s, c in zip(asked, chunks, strict=True))
        levels = (_levels(plane[:2]) if options.levels is None else options.levels) if plan else 1
        made = cls(plan, leading, order, content.sizes, plane, chunks, shards, levels)
        made.check(content, options)
        return made

    def check(self, content: Content, options: WriteOptions) -> None:
        """Refuse chunks that memory does not hold: those along other axes are filled in it."""
        size = prod(self.block) * prod(self.plane) * content.frames.dtype.itemsize
        if size > options.run.memory:
            what = "shard" if self.shards else "chunk"
            raise UserError(
                f"{size / 2**20:.0f} MiB of frames lie in one {what} and {self.block} places of "
                f"it, and the memory of the run is {options.run.memory / 2**20:.0f} MiB: choose "
                f"a {what} of fewer frames"
            )

    @property
    def block(self) -> tuple[int, ...]:
        """How many places along the leading axes are written at a time."""
        outer = (self.shards or self.chunks)[: len(self.leading)]
        return tuple(s if i < 0 else min(o, s)
                     for o, s, i in zip(outer, self.leading, self.order, strict=True))  # fmt: skip

    @property
    def rest(self) -> tuple[int, ...]:
        """Numbers of the leading axes that are not channels of a pixel."""
        return tuple(k for k, i in enumerate(self.order) if i >= 0)

    def starts(self) -> Iterator[tuple[int, ...]]:
        """Go through the first places of the blocks."""
        along = zip(self.leading, self.block, strict=True)
        return product(*(range(0, size, step) for size, step in along))

    def places(self) -> Iterator[tuple[int, ...]]:
        """Go through the places of frames, block by block, along the axes of `rest`."""
        for start in self.starts():
            yield from product(*(
                range(start[k], min(start[k] + self.block[k], self.leading[k])) for k in self.rest
            ))  # fmt: skip

    def frame_order(self) -> NDArray[np.intp]:
        """Return the numbers of the frames of the content in the order of `places`."""
        found = []
        for place in self.places():
            at = [0] * len(self.sizes)
            for k, number in zip(self.rest, place, strict=True):
                at[self.order[k]] = number
            found.append(np.ravel_multi_index(at, self.sizes) if at else 0)
        return np.array(found, np.intp)


def _asked(
    name: str,
    asked: Sequence[int] | None,
    usual: tuple[int, ...],
    order: tuple[int, ...],
    shape: tuple[int, ...],
) -> tuple[int, ...]:
    """Return lengths of chunks along the axes of an array, of those asked for.

    These are along y and x, or along all axes in the order of the data.
    """
    if asked is None:
        return usual
    count = sum(i >= 0 for i in order)
    lengths = [int(length) for length in asked]
    if len(lengths) not in (2, count + 2) or min(lengths) < 1:
        raise UserError(
            f"{name} needs whole numbers above 0 along y and x, or along all {count + 2} axes, got "
            f"{tuple(asked)}"
        )
    given = [1] * (count + 2 - len(lengths)) + lengths
    leading = [usual[k] if i < 0 else given[i] for k, i in enumerate(order)]
    whole = (*leading, *given[-2:], *usual[len(order) + 2 :])
    return tuple(min(length, size) for length, size in zip(whole, shape, strict=True))


def _levels(plane: tuple[int, ...]) -> int:
    """How many resolutions it takes until the last one is small."""
    levels, side = 1, max(plane)
    while side > _SMALLEST:
        levels, side = levels + 1, -(-side // 2)
    return levels
