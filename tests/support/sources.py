"""Sources of frames that tell what was read, or that may not be read."""

from dataclasses import dataclass, field

import numpy as np

from napari_stack.core.source import ArraySource, Source


@dataclass(frozen=True)
class WatchedSource(ArraySource):
    """Frames in an array; `reads` lists the number and the rows of every read."""

    by_rows: bool = True
    reads: list = field(default_factory=list)

    @property
    def partial(self):
        return self.by_rows

    def pixels(self, index, rows=None):
        self.reads.append((index, rows))
        return super().pixels(index, rows)

    def label(self, index):
        return f"watched {index}"


@dataclass(frozen=True)
class NamedSource(ArraySource):
    """Frames in an array, with the names of files."""

    names: tuple[str, ...] = ()

    def label(self, index):
        return self.names[index] if self.names else f"f{index}.png"


class UntouchableSource(Source):
    """Frames that must not be computed."""

    shape, dtype, partial = (3, 20, 30), np.dtype(np.uint8), True

    def pixels(self, index, rows=None):
        raise AssertionError("computed although the target is refused")

    def label(self, index):
        return f"f{index}.png"
