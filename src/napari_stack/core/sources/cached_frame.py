"""`CachedFrame`: one frame that was read, as a source of its rows."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.source import Pixels, Source, WrappedSource


@dataclass(frozen=True)
class CachedFrame(WrappedSource):
    """One frame that was read before, as it was read: any of its rows are at hand.

    Parameters
    ----------
    source : Source
        Where it is from.
    number : int
        Its number there.
    values, valid : ndarray
        What `pixels` of the source gave.
    """

    number: int
    values: NDArray[Any]
    valid: NDArray[np.bool_] | None = None

    partial: ClassVar[bool] = True  # type: ignore[misc]

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (1, *self.source.shape[1:])

    @property
    def missing(self) -> frozenset[int]:  # noqa: D102
        return frozenset({0} if self.number in self.source.missing else ())

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: ARG002, D102
        part = slice(None) if rows is None else rows
        if not self.computed:
            return self.values[part], self.valid
        # Corrections may change what they are given.
        return self.values[part].copy(), None if self.valid is None else self.valid[part].copy()

    def origin(self, index: int) -> tuple[Source, int]:  # noqa: ARG002, D102
        return self.source, self.number

    def label(self, index: int) -> str:  # noqa: ARG002, D102
        return self.source.label(self.number)
