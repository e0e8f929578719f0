"""`combine` and `sigma_clip`: one image from the pixels that lie above each other."""

import warnings
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.options import Bounds, check
from napari_stack.run import Run
from napari_stack.sources import cast
from napari_stack.stack import Stack


class Clipped(NamedTuple):
    """Result of `sigma_clip`.

    Attributes
    ----------
    image : ndarray, shape (y, x) or (y, x, channel)
        Mean of the values that were kept, in the type of the frames.
    rejected : ndarray of uint16, shape of `image`
        Number of frames rejected at each pixel.
    """

    image: NDArray[Any]
    rejected: NDArray[np.uint16]


def combine(
    stack: Stack,
    *,
    method: Literal["mean", "sum", "minimum", "maximum"] = "mean",
    run: Run = Run(),
) -> NDArray[Any]:
    """Combine the frames into one image; only valid pixels of used frames count.

    Parameters
    ----------
    stack : Stack
    method : {"mean", "sum", "minimum", "maximum"}
        The mean lowers noise; the maximum draws star trails; the sum is a long exposure.
    run : Run

    Returns
    -------
    ndarray, shape (y, x) or (y, x, channel)
        In the type of the frames, rounded; a sum is float64. Pixels that no frame covers are 0,
        or NaN in a float type.

    Raises
    ------
    ValueError
        When no frame is used.
    """
    check(combine, locals())
    require_used(stack)
    state = run.fold(_Combined(method), stack, what="Combining frames")
    values, covered = state.result()
    dtype = np.float64 if method == "sum" else stack.dtype
    return cast(values, dtype, None if covered.all() else covered)


def require_used(stack: Stack) -> None:
    """Refuse a stack of which no frame is used."""
    if not stack.used.any():
        raise ValueError(
            f"none of the {len(stack)} frames is used (all failed or were ticked off): "
            "register again with other options, or use some"
        )


@dataclass
class _Combined:
    """Running result of frames; float64, so that the order of frames does not show."""

    method: str
    values: Any = None
    count: Any = field(default=0)

    def prepare(self, stack: Stack, index: int) -> Any:
        return stack.values(index)

    def add(self, index: int, prepared: Any) -> None:  # noqa: ARG002
        values, valid = prepared
        if self.values is None:
            start = {"minimum": np.inf, "maximum": -np.inf}.get(self.method, 0.0)
            self.values = np.full(values.shape, start, np.float64)
        where: Any = True if valid is None else valid[(...,) + (None,) * (values.ndim - 2)]
        self._step(values, where)
        self.count = self.count + (1 if valid is None else valid.astype(np.uint32))

    def _step(self, values: NDArray[Any], where: Any) -> None:
        steps = {"minimum": np.minimum, "maximum": np.maximum}
        steps.get(self.method, np.add)(self.values, values, out=self.values, where=where)

    def merge(self, later: Self) -> None:
        if later.values is None:
            return
        if self.values is None:
            self.values, self.count = later.values, later.count
            return
        self._step(later.values, True)
        self.count = self.count + later.count

    def result(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        values = self.values
        count = np.broadcast_to(self.count, values.shape[:2])
        covered = count > 0
        if self.method == "mean":
            divisor = np.maximum(count, 1)
            values = values / divisor.reshape(divisor.shape + (1,) * (values.ndim - 2))
        values[~covered] = 0
        return values, covered


def sigma_clip(
    stack: Stack,
    *,
    sigma: Annotated[float, Bounds(0.1, 100.0, step=0.1, unit="sigma")] = 2.5,
    iterations: Annotated[int, Bounds(0, 1000)] = 5,
    run: Run = Run(),
) -> Clipped:
    """Average the frames without the values that stray: rays, trails, passers-by.

    Per pixel and channel: the mean and the population standard deviation of the values not
    rejected so far; values further than `sigma` deviations from the mean are rejected; again,
    until nothing more is. Fewer than three values are simply averaged.

    Parameters
    ----------
    stack : Stack
        Registered frames.
    sigma : float
        Distance from the mean, in standard deviations, beyond which a value is rejected.
    iterations : int
        Rounds of rejection at most; 0 gives the plain mean.
    run : Run

    Returns
    -------
    Clipped
        The image in the type of the frames, rounded, and the number of rejected frames.

    Raises
    ------
    ValueError
        When an option is out of range or no frame is used.

    Warns
    -----
    UserWarning
        When so few frames cannot be clipped: no value lies further than sqrt(n - 1) population
        deviations from the mean of n.
    """
    check(sigma_clip, locals())
    require_used(stack)
    used = int(stack.used.sum())
    if iterations and sigma >= np.sqrt(used - 1):
        warnings.warn(_cannot_clip(used, sigma), stacklevel=2)
    from napari_stack.operators._clipping import clip_band

    clip = partial(clip_band, sigma=float(sigma), iterations=int(iterations), dtype=stack.dtype)
    image, rejected = run.bands(clip, stack, what="Clipping")
    return Clipped(image, rejected)


def _cannot_clip(frames: int, sigma: float) -> str:
    least = max(int(np.floor(sigma**2 + 1)) + 1, 3)
    instead = f", or a sigma below {np.sqrt(frames - 1):.2f}" if frames > 2 else ""
    count = "one frame" if frames == 1 else f"{frames} frames"
    return (
        f"{count} cannot be clipped at {sigma:g} sigma: no value of so few can lie that far from "
        f"their mean; use {least} frames or more{instead}"
    )
