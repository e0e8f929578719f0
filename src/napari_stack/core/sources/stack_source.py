"""`StackSource`: frames computed from a stack, as the source of another stack."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from napari_stack.core.source import Pixels, Source
from napari_stack.core.stack import Stack


@dataclass(frozen=True, eq=False)
class StackSource(Source):
    """Base of sources computed from a stack; what is not said otherwise is as there.

    Parameters
    ----------
    stack : Stack
    """

    stack: Stack

    computed: ClassVar[bool] = True  # type: ignore[misc]

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return self.stack.shape

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.stack.dtype

    @property
    def partial(self) -> bool:  # type: ignore[override]  # noqa: D102
        return self.stack.source.partial

    @property
    def parents(self) -> tuple[Source, ...]:  # noqa: D102
        return (self.stack.source,)

    @property
    def below(self) -> Stack:  # noqa: D102
        return self.stack

    def label(self, index: int) -> str:  # noqa: D102
        return self.stack.source.label(index)


@dataclass(frozen=True)
class Rendered(StackSource):
    """A stack as the source of another: its corrections are done and closed."""

    @property
    def missing(self) -> frozenset[int]:  # noqa: D102
        return self.stack.source.missing

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: D102
        return self.stack.values(index, rows)
