"""`Pixelwise` corrections, of every pixel for itself; several are fused into one pass."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.correction import Correction
from napari_stack.core.errors import UserError
from napari_stack.core.measured import Measured, same
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack

#: Bytes of the rows that all corrections change before the next rows: they stay in the cache.
_BLOCK = 2**20


@dataclass(frozen=True, eq=False)
class Pixelwise(Correction):
    """A correction of every pixel by itself, in place; neighbours are fused."""

    local: ClassVar[bool] = True

    def apply(
        self, values: NDArray[Any], valid: NDArray[np.bool_] | None, index: int, rows: slice
    ) -> Pixels:
        """Change rows of a frame in place."""
        change_rows(parts_of(self), values, index, rows)
        return values, valid

    def merged(self, later: Correction) -> "Correction | None":
        """Do this and a later correction of the same kind in one pass."""
        return fused(self, later)


@dataclass(frozen=True, eq=False)
class PixelwiseValue(Pixelwise, Measured):
    """A measured value that is also a pixelwise correction.

    Parameters
    ----------
    alpha : bool
        The last channel is alpha and left as it is.
    """

    alpha: bool = False

    def change(self, block: NDArray[Any], index: int, rows: slice) -> None:
        """Change rows of a frame, shape (rows, x, channel), in place; alpha is not among them."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class PerFrameValue(PixelwiseValue):
    """A pixelwise value that holds numbers of every frame: arrays with an entry for each."""

    #: Names of these arrays; those after the first may be None.
    _arrays: ClassVar[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.values()[self._arrays[0]])

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return those of some frames, in the order given."""
        given = self._given()
        some: dict[str, Any] = {n: given[n][frames] for n in self._arrays if n in given}
        return replace(self, **some)

    def join(self, others: Sequence[Self]) -> Self:
        """Return these followed by others of the same options."""
        first, *rest = every = [one.values() for one in (self, *others)]
        shared = [name for name in first if name not in self._arrays]
        if any(not same(one[name], first[name]) for one in rest for name in shared):
            raise UserError("frames with different corrections cannot stand in one stack")
        given = [name for name in self._arrays if first[name] is not None]
        whole: dict[str, Any] = {n: np.concatenate([one[n] for one in every]) for n in given}
        return replace(self, **whole)


@dataclass(frozen=True)
class FusedCorrections(Pixelwise):
    """Pixelwise corrections in a row, done block by block while the pixels are in the cache.

    Parameters
    ----------
    parts : tuple of PixelwiseValue
    """

    parts: tuple[Any, ...]

    @property
    def of_sensor(self) -> bool:  # type: ignore[override]
        """Whether the parts correct what the sensor did; all or none of them do."""
        return bool(self.parts[0].of_sensor)

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return the corrections of some frames."""
        return replace(self, parts=tuple(part.select(frames) for part in self.parts))

    def join(self, others: Sequence[Self]) -> Self:
        """Return the corrections of these frames and others."""
        columns = zip(self.parts, *(other.parts for other in others), strict=True)
        return replace(self, parts=tuple(first.join(rest) for first, *rest in columns))


def parts_of(correction: Any) -> tuple[Any, ...]:
    """Return the single corrections that a correction consists of."""
    return correction.parts if isinstance(correction, FusedCorrections) else (correction,)


def fused(first: Any, later: Any) -> FusedCorrections | None:
    """Fuse two corrections, where both are pixelwise and both, or none, are of the sensor."""
    if not (isinstance(first, Pixelwise) and isinstance(later, Pixelwise)):
        return None
    if first.of_sensor != later.of_sensor:
        return None
    return FusedCorrections((*parts_of(first), *parts_of(later)))


def change_rows(parts: Sequence[Any], values: NDArray[Any], index: int, rows: slice) -> None:
    """Change rows of a frame in place by all parts, a few rows at a time."""
    pixels = values if values.ndim == 3 else values[..., np.newaxis]
    step = max(1, _BLOCK // max(pixels[0].nbytes, 1))
    for start in range(0, len(pixels), step):
        block = pixels[start : start + step]
        place = slice(rows.start + start, rows.start + start + len(block))
        for part in parts:
            part.change(block[..., :-1] if part.alpha else block, index, place)


def channel_columns(name: str, values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return values of shape (n, k) as columns of a table, numbered where there are several."""
    columns = values.T
    return {name if len(columns) == 1 else f"{name} {k}": c for k, c in enumerate(columns)}


def check_frames(what: str, count: int, stack: Stack) -> None:
    """Refuse values of another number of frames."""
    if count != len(stack):
        raise UserError(
            f"{what} of {count} frames do not fit a stack of {len(stack)} frames: measure them on "
            "a stack of the same frames"
        )


def check_channels(what: str, count: int, stack: Stack) -> None:
    """Refuse values of another number of channels; those of one channel fit all."""
    if count not in (1, stack.channels):
        raise UserError(
            f"{what} of {count} channels does not fit frames of {stack.channels}: measure it on "
            "frames of the same channels"
        )
