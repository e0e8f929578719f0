"""`drizzle`: one finer image of frames that are shifted by parts of a pixel."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.core.options import Bounds, check
from napari_stack.core.stack import Stack
from napari_stack.engine.glimpses import small
from napari_stack.engine.run import Run
from napari_stack.operators.combine.combine import require_used
from napari_stack.operators.combine.drizzle.drizzle_sampling import (
    coherence,
    gap_of,
    samples_enough,
)
from napari_stack.operators.combine.measures.normalisation import noise_weights

Bayer = Literal["none", "RGGB", "BGGR", "GRBG", "GBRG"]

#: Below this share the two halves of the frames have nothing in common beyond their sampling.
_NOTHING_SHARED = 0.1

#: Share of the pixels that all frames see which may stay empty in silence.
_EMPTY = 0.01


class Drizzled(NamedTuple):
    """Result of `drizzle`.

    Attributes
    ----------
    image : ndarray of float, shape (y, x) or (y, x, channel)
        In the units of the frames; NaN where no drop fell.
    weights : ndarray of float32, shape of `image`
        How many frames' worth of drops fell on each pixel.
    """

    image: NDArray[Any]
    weights: NDArray[np.float32]


def drizzle(
    stack: Stack,
    *,
    scale: Annotated[float, Bounds(1.0, 8.0, step=0.5)] = 2.0,
    pixfrac: Annotated[float, Bounds(0.05, 1.0, step=0.05)] = 0.7,
    bayer: Bayer = "none",
    weights: Literal["equal", "noise"] = "equal",
    run: Run = Run(),
) -> Drizzled:
    """Put the frames together on a finer grid, from their drift by parts of a pixel.

    Each pixel, shrunk, is dropped where it belongs, with the area that it covers as its weight
    (Fruchter and Hook 2002, the square kernel). Nothing is interpolated.

    Parameters
    ----------
    stack : Stack
        Registered frames. They are read as they were before they were moved.
    scale : float
        Pixels of the result in one of a frame, along each axis.
    pixfrac : float
        Side of a drop in pixels of a frame: small ones give more detail and need more frames.
    bayer : {"none", "RGGB", "BGGR", "GRBG", "GBRG"}
        Colours of the pixels of frames as the sensor recorded them: each is dropped into its own
        colour, and nothing is demosaiced.
    weights : {"equal", "noise"}
        All frames count the same, or by the inverse of the variance of their noise.
    run : Run

    Returns
    -------
    Drizzled
        The image, and how many frames' worth of drops fell on each pixel.

    Raises
    ------
    ValueError
        When the frames are not registered, or their shifts do not sample the finer grid.

    Warns
    -----
    UserWarning
        When the frames have nothing to show beyond their own sampling, or pixels stay empty.

    Notes
    -----
    The noise of neighbours is correlated: it looks less than it is.
    """
    check(drizzle, locals())
    require_used(stack)
    plain, matrices, size = unmoved(stack)
    if bayer != "none" and stack.ndim != 3:
        raise UserError(
            f"frames of {stack.shape[3]} channels are no mosaic of colours: read them with "
            "demosaic=False, or choose bayer='none'"
        )
    _refuse_unsampled(matrices[stack.used], size, scale)
    shares = (
        noise_weights(plain, run) if weights == "noise" else dict.fromkeys(range(len(stack)), 1.0)
    )
    grid = (round(size[0] * scale), round(size[1] * scale))
    channels = 3 if bayer != "none" else (stack.shape[3] if stack.ndim == 4 else 1)
    drops = Drops(matrices, (*grid, channels), scale, pixfrac, bayer, shares)
    found = run.fold(drops, plain, what="Drizzling")
    image, covered = found.result()
    if stack.ndim == 3 and bayer == "none":
        image, covered = image[..., 0], covered[..., 0]
    _tell_of_gaps(covered, found.smooth, scale)
    return Drizzled(image, covered)


def unmoved(stack: Stack) -> tuple[Stack, NDArray[np.float64], tuple[int, int]]:
    """Return frames before they were moved, what takes the view to each, and the view's size.

    Raises
    ------
    ValueError
        When they are not registered, or changed after they were moved.
    """
    moving = [k for k, correction in enumerate(stack.corrections) if correction.moves]
    if not moving:
        computed = stack.moved_by is not None
        raise UserError(
            "the frames are moved already, as pixels: drizzle needs the frames and their shifts; "
            "apply the transforms to the frames as they were recorded"
            if computed
            else "the frames are not registered: register them first, or apply transforms"
        )
    if moving[-1] != len(stack.corrections) - 1 or len(moving) > 1:
        name = type(stack.corrections[-1]).__name__
        raise UserError(
            f"the frames were changed after they were moved ({name}): drizzle reads them before; "
            "do that before registering, or on the result"
        )
    warp: Any = stack.corrections[-1]
    matrices = np.stack([warp.matrix(index) for index in range(len(stack))])
    return replace(stack, corrections=stack.corrections[:-1]), matrices, tuple(warp.size)


def _refuse_unsampled(matrices: NDArray[np.float64], size: tuple[int, int], scale: float) -> None:
    gap = gap_of(matrices, size)
    if samples_enough(gap, scale):
        return
    count = "one frame" if len(matrices) == 1 else f"{len(matrices)} frames"
    raise UserError(
        f"the shifts of {count} do not sample parts of a pixel: between them {gap:.2f} px are left "
        f"out, and a grid {scale:g} times as fine needs {1.3 / scale:.2f} or less. Take more "
        "frames that drift by parts of a pixel, a smaller scale, or combine() them"
    )


def _tell_of_gaps(covered: NDArray[Any], shared: float | None, scale: float) -> None:
    if scale > 1 and shared is not None and shared < _NOTHING_SHARED:
        warn_caller(
            f"the finer grid gains nothing: beyond their own sampling the two halves of the frames "
            f"share {max(shared, 0):.0%} of what they show; scale=1 gives as much",
        )
    empty = float((covered == 0).mean())
    if empty > _EMPTY:
        warn_caller(
            f"no drop fell on {empty:.1%} of the pixels (NaN): choose a greater pixfrac, a smaller "
            "scale, or take more frames",
        )


@dataclass
class Drops:
    """Running sums of what was dropped, of even and odd frames: a fold."""

    matrices: NDArray[np.float64]
    shape: tuple[int, int, int]
    scale: float
    pixfrac: float
    bayer: str
    shares: dict[int, float]
    sums: Any = None
    frames: int = 0

    def prepare(self, stack: Stack, index: int) -> Any:
        """Read a frame."""
        values, valid = stack.read(index)
        values = values[..., np.newaxis] if values.ndim == 2 else values
        return np.ascontiguousarray(values), np.empty((0, 0), bool) if valid is None else valid

    def add(self, index: int, prepared: Any) -> None:
        """Drop a frame."""
        values, counts = prepared
        if self.sums is None:
            self.sums = np.zeros((2, 2, *self.shape), values.dtype)
        half = self.sums[self.frames % 2]
        drop(
            values, counts, self.matrices[index], self.scale, self.pixfrac, self.bayer,
            self.shares[index], half[0], half[1],
        )  # fmt: skip
        self.frames += 1

    def glimpse(self) -> NDArray[np.float32] | None:
        """Return what fell so far, NaN where nothing did."""
        if self.sums is None:
            return None
        even, odd = self.sums
        total, weights = small(even[0]) + small(odd[0]), small(even[1]) + small(odd[1])
        image: NDArray[np.float32] = np.full(total.shape, np.nan, np.float32)
        np.divide(total, weights, out=image, where=weights > 0)
        return np.squeeze(image, -1) if image.shape[-1] == 1 else image

    def merge(self, later: Self) -> None:
        """Take in the sums of later frames."""
        if self.sums is None:
            self.sums, self.frames = later.sums, later.frames
            return
        self.sums += later.sums if self.frames % 2 == 0 else later.sums[::-1]
        self.frames += later.frames

    def result(self) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Return the image, NaN where nothing fell, and the weights."""
        total, weights = self.sums.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            image = total / weights
        return image, (weights * self.scale**2).astype(np.float32)

    @property
    def smooth(self) -> float | None:
        """What both halves share beyond the sampling of the frames; None for few frames."""
        if self.frames < 4:
            return None
        with np.errstate(invalid="ignore", divide="ignore"):
            one, other = (half[0] / half[1] for half in self.sums)
        return max(coherence(one[..., k], other[..., k], self.scale) for k in range(self.shape[2]))


def drop(
    values: NDArray[Any],
    counts: NDArray[np.bool_],
    matrix: NDArray[np.float64],
    scale: float,
    pixfrac: float,
    bayer: str,
    weight: float,
    total: NDArray[Any],
    weights: NDArray[Any],
) -> None:
    """Drop the pixels of a frame onto a grid; both sums are added to.

    Parameters
    ----------
    values : ndarray, shape (y, x, channel)
    counts : ndarray of bool, shape (y, x), or (0, 0) where all do
    matrix : ndarray, shape (3, 3)
        Takes a point (x, y) of the view to the frame; pixel centres lie at whole numbers.
    scale, pixfrac, bayer, weight
        As for `drizzle`.
    total, weights : ndarray, shape (y, x, channel)
        Of the grid, which begins where the view does.
    """
    from napari_stack.operators.combine.drizzle.drizzle_kernels import drop_shifted, drop_turned

    planes = np.array(["RGB".find(c) for c in (bayer if bayer != "none" else "----")], np.int64)
    # Counted from the border of the grid, a point of the view lies at scale * (p + 1/2).
    onto = np.diag([scale, scale, 1.0]) @ [[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]]
    there = onto @ np.linalg.inv(matrix)
    there = there / there[2, 2]
    (a, b, c), (d, e, f), (g, h, _) = there.tolist()
    if max(abs(b), abs(d), abs(g), abs(h)) * max(values.shape) < 1e-9 and a > 0 and e > 0:
        rows, columns = np.arange(values.shape[0]), np.arange(values.shape[1])
        x, y = a * (columns - pixfrac / 2) + c, e * (rows - pixfrac / 2) + f
        side = (a * pixfrac, e * pixfrac)
        drop_shifted(values, counts, planes, x, y, side, weight, total, weights)
    else:
        drop_turned(values, counts, planes, there, pixfrac, weight, total, weights)
