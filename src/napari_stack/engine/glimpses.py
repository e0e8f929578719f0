"""`Glimpses`: small pictures of a result while it grows, for whoever watches a run."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

#: Pixels of the longer side of a picture, at most.
SIDE = 160

#: Seconds between two pictures: they shall not slow down what they show.
_EVERY = 0.4


@runtime_checkable
class Growing(Protocol):
    """A state that can show the result of what it has taken in so far."""

    def glimpse(self) -> NDArray[Any] | None:
        """Return a small picture, which is made quickly and changes nothing; None before any."""
        ...


class Gathering(Growing, Protocol):
    """A `Growing` state that takes in what was found of each frame."""

    def take(self, index: int, found: Any) -> None:
        """Take in what was found of a frame."""
        ...


class Glimpses:
    """Hands out a picture now and then.

    Parameters
    ----------
    show : callable
        Gets pictures of float32, (y, x) or (y, x, channel), NaN where nothing is known yet; it is
        called in the thread that runs.
    every : float
        Seconds between two.
    """

    def __init__(self, show: Callable[[NDArray[Any]], Any], every: float = _EVERY) -> None:
        self._show, self._every = show, every
        self._last = -np.inf

    def offer(self, state: Any) -> None:
        """Show a state, if it is a `Growing` one, unless a picture was shown just now."""
        now = time.monotonic()
        if now - self._last < self._every:
            return
        made = state.glimpse() if isinstance(state, Growing) else None
        if made is not None:
            self._last = now
            self._show(made)


def gathered(
    results: Iterable[Any],
    numbers: Sequence[int],
    growing: Gathering | None,
    glimpses: Glimpses | None,
) -> Iterator[Any]:
    """Hand on the results of frames, in order, and show what they come to where that is wanted."""
    for index, found in zip(numbers, results, strict=True):
        if growing is not None and glimpses is not None:
            growing.take(index, found)
            glimpses.offer(growing)
        yield found


def small(image: NDArray[Any]) -> NDArray[np.float32]:
    """Return every n-th pixel of an image, so that it is small.

    Examples
    --------
    >>> small(np.zeros((1000, 320, 3))).shape
    (143, 46, 3)
    """
    step = step_of(image.shape)
    return image[::step, ::step].astype(np.float32)


def step_of(shape: tuple[int, ...]) -> int:
    """Return how many pixels of an image become one of a small picture, along a side."""
    return -(-max(shape[:2]) // SIDE)
