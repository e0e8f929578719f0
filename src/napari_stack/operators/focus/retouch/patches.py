"""One stroke on an image: the patch that it changes, and the maps that follow."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from napari_stack.core.pixels.casting import cast
from napari_stack.operators.focus.retouch.blend import (
    MARGIN,
    Window,
    blended,
    levels_of,
    mask_of,
    window_of,
)

Array = np.ndarray[Any, Any]

#: Share of a pixel in the stroke from which on its depth is that of the source.
_INSIDE = 0.5


class Loaded(NamedTuple):
    """The source of a stroke, whole.

    Attributes
    ----------
    values : ndarray, shape (y, x) or (y, x, channel)
        In the stored type.
    valid : ndarray of bool, shape (y, x), or None
        Pixels that it has; None for all.
    depth, confidence : float or ndarray of float32, shape (y, x)
        What they become where its pixels are taken; None where they are not known.
    """

    values: Array
    valid: Array | None
    depth: Any = None
    confidence: Any = None

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return sum(part.nbytes for part in self if isinstance(part, np.ndarray))


class Patch(NamedTuple):
    """What a stroke, or a part of one, makes of a window.

    Attributes
    ----------
    window : (slice, slice)
    values : ndarray, shape (y, x) or (y, x, channel)
        In the stored type.
    changed : ndarray of bool, shape (y, x)
        Pixels that differ from what they were.
    painted : ndarray of bool, shape (y, x)
        Pixels that lie in the stroke, and that the source has.
    """

    window: Window
    values: Array
    changed: Array
    painted: Array


def patch_of(
    image: Array,
    source: Loaded,
    points: Sequence[tuple[float, float]],
    radius: float,
    window: Window,
    *,
    alpha: bool = False,
) -> Patch:
    """Compute what a stroke makes of a window; the image stays as it is.

    It begins with the pixels as they are stored, rounded, and ends with such: so the same comes
    of an image that was stored between two strokes.

    Parameters
    ----------
    image : ndarray, shape (y, x) or (y, x, channel)
        In the stored or the working type.
    source : Loaded
    points, radius
        Of the stroke.
    window : (slice, slice)
        Of `window_of` the stroke; see `newest_patch` for a part of it.
    alpha : bool
        The last channel is alpha, which stays as it is.
    """
    dtype = source.values.dtype
    working = np.result_type(dtype, np.float32)
    base = cast(np.array(image[window], dtype=working, order="C"), dtype, None)
    result = base.copy()
    parts = [_colours(array, alpha) for array in (base, source.values[window], result)]
    one, other = (np.array(part, dtype=working, order="C") for part in parts[:2])
    valid = np.isfinite(one).all(axis=2) & np.isfinite(other).all(axis=2)
    if source.valid is not None:
        valid &= source.valid[window]
    one[~np.isfinite(one)] = 0  # where no frame has a pixel
    mask = mask_of(points, radius, window)
    values, changed = blended(one, other, None if valid.all() else valid, mask, levels_of(radius))
    np.copyto(parts[2], cast(values, dtype, None), where=changed[..., np.newaxis])
    return Patch(window, result, changed, (mask >= _INSIDE) & valid)


def newest_patch(
    image: Array,
    source: Loaded,
    points: Sequence[tuple[float, float]],
    radius: float,
    *,
    alpha: bool = False,
) -> Patch:
    """Compute what the last piece of a stroke adds to it, the pixels as the whole stroke has them.

    The parameters are those of `patch_of`; the line may still grow.
    """
    size = (image.shape[0], image.shape[1])
    window = window_of(points[-2:], radius, size)
    # What may change there is weighed by what lies in the stroke as far again around it.
    wider = window_of(points[-2:], radius + MARGIN, size)
    patch = patch_of(image, source, points, radius, wider, alpha=alpha)
    within = tuple(
        slice(part.start - whole.start, part.stop - whole.start)
        for part, whole in zip(window, wider, strict=True)
    )
    return Patch(window, *(part[within] for part in patch[1:]))


def put(
    patch: Patch, image: Array, depth: Array | None, confidence: Array | None, source: Loaded
) -> None:
    """Write a patch into an image, and what follows from it into its maps."""
    where = patch.changed if image.ndim == 2 else patch.changed[..., np.newaxis]
    np.copyto(image[patch.window], patch.values, where=where, casting="unsafe")
    for target, value in ((depth, source.depth), (confidence, source.confidence)):
        if target is not None and value is not None:
            part = (
                value[patch.window] if isinstance(value, np.ndarray) else target.dtype.type(value)
            )
            np.copyto(target[patch.window], part, where=patch.painted)


def _colours(image: Array, alpha: bool) -> Array:
    """View the channels of an image that are blended."""
    image = image[..., np.newaxis] if image.ndim == 2 else image
    return image[..., :-1] if alpha else image
