"""`Warp`, the geometric correction, and `apply_transforms`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil, floor
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.correction import Correction
from napari_stack.core.errors import UserError
from napari_stack.core.matrices import corners_of
from napari_stack.core.method_options import MethodOptions
from napari_stack.core.options import Bounds, check, method_options, options_of
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack
from napari_stack.operators.geometry.framing import Framing, view_of
from napari_stack.operators.geometry.transforms import Transforms


@dataclass(frozen=True)
class Constant(MethodOptions):
    """A border of one value.

    Parameters
    ----------
    value : float
        What pixels beyond the frame's border are, in all channels.
    """

    value: Annotated[float, Bounds(-1e12, 1e12)] = 0.0


@dataclass(frozen=True)
class ReplicateBlurred(MethodOptions):
    """A border of the frame's outermost pixels, blurred.

    Parameters
    ----------
    radius : float
        Standard deviation of the Gaussian blur.
    """

    radius: Annotated[float, Bounds(0.5, 500, step=1, unit="px")] = 50.0


Interpolation = Literal["nearest", "linear", "cubic", "lanczos"]

#: Kernels from the narrowest to the widest.
_KERNELS: tuple[Interpolation, ...] = ("nearest", "linear", "cubic", "lanczos")

#: Pixels by which rounding may miss a whole number.
_TOLERANCE = 1e-6

#: Rows around those that the corners ask for: the taps of the widest kernel, and rounding.
_MARGIN = 4

#: A Gaussian is nothing beyond so many sigmas.
_BLUR_REACH = 3


@dataclass(frozen=True, eq=False)
class Warp(Correction):
    """Frames warped to a common place; pixels are interpolated once.

    Parameters
    ----------
    transforms : Transforms
        From the reference to each frame.
    source_size : tuple of int
        Height and width of a frame.
    size : tuple of int
        Height and width of the result.
    origin : tuple of float
        (x, y) of the result's first pixel, in pixels of the reference.
    interpolation : {"nearest", "linear", "cubic", "lanczos"}
    border : {"invalid", "replicate", "reflect"}, Constant or ReplicateBlurred
        What lies beyond a frame's border.
    """

    transforms: Transforms = field()  # type: ignore[misc]
    source_size: tuple[int, int]
    size: tuple[int, int]
    origin: tuple[float, float] = (0.0, 0.0)
    interpolation: Interpolation = "cubic"
    border: Any = "invalid"

    moves: ClassVar[bool] = True

    @property
    def reads_stored(self) -> bool:  # type: ignore[override]
        """It can be done on pixels as stored, a few rows at a time: see `Stack.render`."""
        return not isinstance(self.border, ReplicateBlurred)

    def matrix(self, index: int) -> NDArray[np.float64]:
        """Take a point of the result to frame `index`."""
        return self.transforms.matrices[index] @ self.shift

    @property
    def shift(self) -> NDArray[np.float64]:
        """Take a point of the result to the reference."""
        shift = np.eye(3)
        shift[:2, 2] = self.origin
        return shift

    def frame_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of a corrected frame."""
        return (*self.size, *shape[2:])

    def source_rows(self, rows: slice, index: int) -> slice:
        """Rows of the frame that `rows` of the result are made of."""
        rows = self._needed(rows)
        matrix, right, last = self.matrix(index), self.size[1] - 1, self.source_size[0] - 1
        _, (d, e, f), (g, h, i) = matrix.tolist()
        # Plain numbers: this is asked for every few rows of a frame.
        corners = [(x, y) for x in (0, right) for y in (rows.start, rows.stop - 1)]
        depths = [g * x + h * y + i for x, y in corners]
        more = self._vertical_reach(index)
        if not min(depths) > 0:  # a horizon runs through the frame: any row may be asked for
            return slice(0, self.source_size[0])
        places = [(d * x + e * y + f) / w for (x, y), w in zip(corners, depths, strict=True)]
        low, high = min(places) + more[0], max(places) + more[1]
        if self.border == "reflect" and (low < 0 or high > last):  # mirrored rows
            return slice(0, self.source_size[0])
        start = floor(min(max(low - _MARGIN, 0), last))
        return slice(start, ceil(min(max(high + _MARGIN, 0), last)) + 1)

    def _vertical_reach(self, index: int) -> tuple[float, float]:
        """Least and greatest dy that a deformation adds."""
        if self.transforms.deformation is None:
            return 0.0, 0.0
        if index not in self._reaches:
            low, high = self.transforms.deformation.bounds(index)[:, 1].tolist()
            self._reaches[index] = low, high
        return self._reaches[index]

    @cached_property
    def _reaches(self) -> dict[int, tuple[float, float]]:
        return {}

    def _deformed(self, index: int) -> Any:
        """Return the `Deformed` of a frame, or None."""
        from napari_stack.operators.geometry.warp_rows import Deformed

        found = self.transforms.deformation
        if found is None:
            return None
        grid, place, rows = found.of_frame(index)
        return Deformed(grid, place @ self.shift, rows)

    def _needed(self, rows: slice) -> slice:
        """Rows of the result that `rows` of it depend on: more where the border is blurred."""
        if not isinstance(self.border, ReplicateBlurred):
            return rows
        reach = int(np.ceil(_BLUR_REACH * self.border.radius)) + 1
        return slice(max(rows.start - reach, 0), min(rows.stop + reach, self.size[0]))

    def apply(
        self, values: NDArray[Any], valid: NDArray[np.bool_] | None, index: int, rows: slice
    ) -> Pixels:
        """Warp rows of a frame."""
        from napari_stack.operators.geometry.warp_rows import blur_outside, warp_parts

        needed = self._needed(rows)
        first = self.source_rows(rows, index).start
        place = (first, self.source_size[0], self.matrix(index), needed, self.size[1])
        reflect = self.border == "reflect"
        rough = self.border == "invalid" or isinstance(self.border, Constant)
        warped, inside, whole = warp_parts(
            values, valid, *place, self.interpolation, reflect, rough, self._deformed(index)
        )
        if isinstance(self.border, ReplicateBlurred):
            blur_outside(warped, inside, self.border.radius)
            asked = slice(rows.start - needed.start, rows.stop - needed.start)
            warped, inside = warped[asked], inside[asked]
            whole = None if whole is None else whole[asked]
        if isinstance(self.border, Constant):
            warped[~inside] = self.border.value
        # What the border is filled with counts, whatever the pixels were that it was made of.
        counts = inside if self.border == "invalid" else ~inside
        if whole is not None:
            counts = counts & whole if self.border == "invalid" else counts | whole
        elif self.border != "invalid":
            return warped, None
        return warped, None if counts.all() else counts

    def merged(self, later: Correction) -> "Warp | None":
        """One warp that does this and then `later`, where one border can say what both do."""
        if not isinstance(later, Warp) or later.moves_rows:
            return None
        # Where the later border is never reached, it need not be said.
        if self.border != later.border and not self._holds(later):
            return None
        shift = Transforms.exact(self.shift, len(self.transforms))
        return replace(
            later,
            transforms=self.transforms.then(shift).then(later.transforms),
            source_size=self.source_size,
            interpolation=max(self.interpolation, later.interpolation, key=_KERNELS.index),
            border=self.border,
        )

    @property
    def moves_rows(self) -> bool:
        """It moves rows of a scan apart, which only those of the frames as recorded can be."""
        found = self.transforms.deformation
        return found is not None and found.row_offsets is not None

    def _holds(self, later: "Warp") -> bool:
        """Tell whether all that a later warp shows lies within what this one shows."""
        corners = corners_of(later.size)
        points = np.stack([later.matrix(i) for i in range(len(later.transforms))]) @ corners
        if not (points[:, 2] > 0).all():
            return False
        x, y = points[:, 0] / points[:, 2], points[:, 1] / points[:, 2]
        found = later.transforms.deformation
        more = 0.0 if found is None else found.reach()
        low, high = min(x.min(), y.min()), (self.size[1] - x.max(), self.size[0] - y.max())
        return bool(low >= more - _TOLERANCE and min(high) >= more + 1 - _TOLERANCE)

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return the warp of some frames."""
        return replace(self, transforms=self.transforms.select(frames))

    def join(self, others: Sequence[Self]) -> Self:
        """Return the warp of these frames followed by others of the same framing."""
        if any((o.size, o.origin) != (self.size, self.origin) for o in others):
            raise UserError("frames of different framing cannot stand in one stack")
        return replace(self, transforms=self.transforms.join([o.transforms for o in others]))


def apply_transforms(
    stack: Stack,
    transforms: Transforms,
    *,
    framing: Framing = "reference",
    interpolation: Interpolation = "cubic",
    border: Literal["invalid", "replicate", "reflect"] | Constant | ReplicateBlurred = "invalid",
    failed: Literal["leave out", "keep", "interpolate"] = "leave out",
) -> Stack:
    """Warp every frame to the place of the reference, lazily.

    Parameters
    ----------
    stack : Stack
    transforms : Transforms
        One for each frame of the stack.
    framing : {"reference", "common", "all"}
        What the result shows: the reference's view, only what all used frames cover, or
        everything that any used frame covers.
    interpolation : {"nearest", "linear", "cubic", "lanczos"}
        How pixels between pixels are made; cubic is that of Keys (1981), lanczos has three lobes:
        sharper, and it rings more.
    border : {"invalid", "constant", "replicate", "replicate blurred", "reflect"}
        What lies beyond a frame's border: nothing (it does not count in an average), one value,
        the frame's outermost pixels as they are or blurred, or the frame mirrored.
    failed : {"leave out", "keep", "interpolate"}
        What becomes of frames that could not be registered: they stay where they are and count
        no more, stay and count, or are moved as frames between their neighbours would be.

    Returns
    -------
    Stack
        Frames that are left out keep their place as they are and are not `used`.

    Raises
    ------
    ValueError
        When the number of transforms is not that of frames, or no view is common to all frames.
    """
    check(apply_transforms, locals())
    if len(transforms) != len(stack):
        raise UserError(
            f"{len(transforms)} transforms do not fit a stack of {len(stack)} frames: measure "
            "them on a stack of the same frames"
        )
    size = stack.shape[1:3]
    left_out = transforms.failed
    if failed == "interpolate" and left_out.any():
        transforms = transforms.interpolated()
    used = stack.used & ~left_out if failed == "leave out" else stack.used
    beyond = transforms.deformation
    more = 0.0 if beyond is None else beyond.reach(used)
    origin, framed = view_of(transforms.matrices[used], size, framing, more)
    border = method_options(options_of(apply_transforms)["border"], border)
    warp = Warp(transforms, size, framed, origin, interpolation, border)  # type: ignore[arg-type]
    frame, y, x = stack.axes
    axes = (frame, y.begun(origin[1]), x.begun(origin[0]))
    return replace(stack.corrected(warp), used=used, axes=axes)
