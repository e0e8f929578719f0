"""`StripFold`: a fold whose frames are taken in some rows at a time, with those around them."""

from typing import Any, NamedTuple

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights, strips_of
from napari_stack.core.stack import Stack
from napari_stack.operators.focus.frame_statistics import SeriesStatistics
from napari_stack.operators.focus.value_range import RangeState

Array = np.ndarray[Any, Any]


class Strip(NamedTuple):
    """Rows of a frame, and more of them around, within the reach of filters."""

    rows: slice  # of the state, that are taken in
    wide: slice  # of the state, that were read
    inner: slice  # of what was read, that are taken in
    colours: Array
    opacity: Array | None
    valid: Array | None

    def levelled(self, statistics: SeriesStatistics, index: int, found: RangeState) -> "Strip":
        """Take the rows in to the range of the frames, and return them at the common brightness."""
        levelled = self._replace(colours=statistics.apply_gain(self.colours, index))
        (levelled if statistics.flickers(index) else self).widen(found)
        return levelled

    def widen(self, found: RangeState) -> None:
        """Take the rows in to the range of the frames."""
        opacity, valid = (
            None if plane is None else plane[self.inner] for plane in (self.opacity, self.valid)
        )
        found.widen(self.rows, found.as_stored(self.colours[self.inner]), opacity, valid)


class StripFold:
    """The common part of folds in strips; see `napari_stack.engine.folds.RowFold`.

    Parameters
    ----------
    channels : ChannelWeights
    rows : slice
        Rows of the frames that the state is made of.
    """

    #: Rows that are taken in together, and those around them that are read.
    tall: int = 256
    margin: int

    def __init__(self, channels: ChannelWeights, rows: slice) -> None:
        self.channels, self.rows = channels, rows

    def take_in(self, index: int, strip: Strip) -> None:
        """Take in a strip of a frame."""
        raise NotImplementedError

    def strips(self) -> list[slice]:
        """Give the rows that are taken in together."""
        return strips_of(self.rows.stop - self.rows.start, self.tall)

    def prepare(self, stack: Stack, index: int) -> Stack:
        """Open a frame."""
        return stack.opened(index)

    def add(self, index: int, prepared: Stack) -> None:
        """Take in a frame."""
        for rows in self.strips():
            self.take(index, prepared, rows)
        self.close(index)

    def take(self, index: int, frame: Stack, rows: slice) -> None:
        """Read some rows of an opened frame, and take them in."""
        height = self.rows.stop - self.rows.start
        wide = slice(max(rows.start - self.margin, 0), min(rows.stop + self.margin, height))
        read = slice(self.rows.start + wide.start, self.rows.start + wide.stop)
        inner = slice(rows.start - wide.start, rows.stop - wide.start)
        self.take_in(index, Strip(rows, wide, inner, *self.channels.split(*frame.read(0, read))))

    def close(self, index: int) -> None:
        """Nothing is left to do when all rows of a frame were taken in."""
