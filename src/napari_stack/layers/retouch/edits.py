"""`Edit`: strokes that can be undone and done again, by the pixels that they replaced."""

from dataclasses import dataclass, replace
from typing import Any, Self

from numpy.typing import NDArray

from napari_stack.core.stroke import Stroke


@dataclass(frozen=True, eq=False)
class Edit:
    """One thing that can be undone, or done again: strokes, and what pixels they replaced.

    Parameters
    ----------
    strokes : tuple of Stroke
    before : list of (array, window, ndarray)
        Of every array that was changed: the window, and what was in it.
    """

    strokes: tuple[Stroke, ...]
    before: list[tuple[NDArray[Any], Any, NDArray[Any]]]

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels that it holds."""
        return sum(values.nbytes for _, _, values in self.before)

    def swapped(self) -> Self:
        """Put the pixels that it holds in their place; return the edit that takes them out."""
        held = [(array, window, array[window].copy()) for array, window, _ in self.before]
        for array, window, values in reversed(self.before):
            array[window] = values
        return replace(self, before=held)
