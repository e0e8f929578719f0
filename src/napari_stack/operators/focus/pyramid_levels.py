"""The Laplacian pyramid of an image: its levels, the energies that rank them, and its collapse."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_stack.core.pixels.luminance import weighted_sum
from napari_stack.engine.glimpses import SIDE
from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.pyramid_kernels import (
    CENTRE,
    add_expanded,
    reduce,
)

Array = np.ndarray[Any, Any]

# Grey levels of the histogram whose entropy is measured at the base.
ENTROPY_BINS = 16
# Standard deviation of the Gaussian window as a share of its side; its 5 weights are then close to
# the generating kernel with a = 0.4.
WINDOW_SHARE = 0.17


def level_count(shape: tuple[int, ...], min_size: int) -> int:
    """Return the number of levels: floor(log2(min(shape[:2]) / min_size)), at least 0."""
    return max((min(shape[:2]) // min_size).bit_length() - 1, 0)


def level_sizes(shape: tuple[int, ...], count: int) -> list[tuple[int, int]]:
    """Return rows and columns of an image and of `count` coarser levels, each half as large."""
    sizes = [(shape[0], shape[1])]
    for _ in range(count):
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes


def rows_at(rows: slice, level: int) -> slice:
    """Return the rows of a level that cover some rows of the image."""
    return slice(rows.start // 2**level, -(-rows.stop // 2**level))


def gaussian_levels(image: Array, count: int, centre: float = CENTRE) -> list[Array]:
    """Return an image and `count` coarser levels of it, each half as large."""
    levels = [image]
    for _ in range(count):
        levels.append(reduce(levels[-1], centre))
    return levels


def reduced_plane(plane: Array, times: int = 1, centre: float = CENTRE) -> Array:
    """Return a plane (y, x) at half its size, or halved several times."""
    return gaussian_levels(plane[..., np.newaxis], times, centre)[-1][..., 0]


def details_of(fine: Array, coarse: Array, centre: float = CENTRE) -> Array:
    """Return the details that a level has beside the coarser one."""
    details = np.empty_like(fine)
    add_expanded(fine, coarse, -1, details, centre)
    return details


def collapse(levels: Sequence[Array], centre: float = CENTRE) -> Array:
    """Return the image of a pyramid's levels, fine to coarse; details are written over."""
    *details, image = levels
    for detail in reversed(details):
        add_expanded(detail, image, 1, detail, centre)
        image = detail
    return image


def small_levels(levels: Sequence[Array]) -> slice:
    """Return which levels, fine to coarse, make a small image: the coarsest at least."""
    sides = [max(level.shape[:2]) for level in levels]
    return slice(next((i for i, side in enumerate(sides) if side <= SIDE), len(sides) - 1), None)


def local_mean(image: Array, size: int) -> Array:
    """Return the mean over a Gaussian window of `size` x `size` pixels (odd), edges replicated."""
    sigma = WINDOW_SHARE * size
    return cv2.GaussianBlur(image, (size, size), sigma, borderType=cv2.BORDER_REPLICATE)


def local_deviation(grey: Array, size: int) -> Array:
    """Return the standard deviation of a (y, x) image over a window of `size` x `size` pixels."""
    centred = grey - grey.mean()  # the squares of a high pedestal would swallow the contrast
    scale = max(float(np.abs(centred).max()), np.finfo(grey.dtype).tiny)
    centred /= scale
    variance = local_mean(centred**2, size) - local_mean(centred, size) ** 2
    return np.sqrt(np.maximum(variance, 0)) * grey.dtype.type(scale)


def local_entropy(grey: Array, size: int, bins: int = ENTROPY_BINS) -> Array:
    """Return the spread of grey levels over a window of `size` x `size` pixels, by their entropy.

    With H = -sum p ln p over `bins` levels between the image's own limits, d apart, the result is
    d exp(H): the logarithm of that estimates the differential entropy, so images of different
    contrast compare, and a dark frame full of noise does not win. A pixel counts in
    the two levels next to it, by nearness, so that the result changes smoothly with the values.

    Parameters
    ----------
    grey : (y, x) ndarray of float
        An image.
    size : int
        Side of the window, odd.
    bins : int
        Number of grey levels.

    Returns
    -------
    (y, x) ndarray of float
        In the units of the pixels; 0 everywhere for a constant image.
    """
    low, high = grey.min(), grey.max()
    step = (high - low) / (bins - 1)
    if not step > 0:
        return np.zeros_like(grey)
    position = (grey - low) / step
    entropy = np.zeros_like(grey)
    for level in range(bins):
        share = local_mean(np.maximum(1 - np.abs(position - level), 0), size)
        entropy -= share * np.log(np.maximum(share, np.finfo(grey.dtype).tiny))
    return step * np.exp(entropy)


@dataclass(frozen=True, eq=False)
class Splitter:
    """Splits frames into the levels of their pyramids, and measures the energies of the levels.

    Energies are never negative where only valid pixels contributed; elsewhere they are the share
    of valid support minus 1, so that any frame with full support goes before them.

    Parameters
    ----------
    centre : float
        Weight of the generating kernel at its centre.
    weights : (channel,) ndarray
        Of the channels.
    size : int
        Side of the window in which energies are measured.
    """

    centre: float
    weights: Array
    size: int

    def finest(self, colours: Array, coarser: Array, share: Array | None) -> tuple[Array, Array]:
        """Return the energy of the details that an image has beside its coarser level, and them.

        `share` is 1 where pixels are valid, 0 elsewhere. The energy is the window's mean of
        |detail|.
        """
        detail = details_of(colours, coarser, self.centre)
        support = None if share is None else local_mean(share, self.size) * share
        return self._energy(detail, support), detail

    def coarser(
        self, base: Array, share: Array | None, levels: int
    ) -> tuple[list[Array], list[Array]]:
        """Split the next level of a frame, which is used up, into all that are coarser.

        Parameters
        ----------
        base : (y, x, channel) ndarray
            At full size where the pyramid has no levels.
        share : (y, x) ndarray or None
            Share of the pixels behind each one that are valid.
        levels : int
            Levels of the pyramid beside its base.

        Returns
        -------
        energies, levels : list of ndarray
            Fine to coarse, the base twice: by its deviation and by its entropy.
        """
        energies, details, size = [], [], self.size
        for _ in range(levels - 1):
            detail, base = base, reduce(base, self.centre)
            add_expanded(detail, base, -1, detail, self.centre)
            support = None if share is None else local_mean(share, size)
            energies.append(self._energy(detail, support))
            details.append(detail)
            share = None if share is None else reduced_plane(share, centre=self.centre)
        grey = weighted_sum(base, self.weights)
        support = None if share is None else local_mean(share, size) * (share if not levels else 1)
        energies += [_ranked(local_deviation(grey, size), support)]
        energies += [_ranked(local_entropy(grey, size), support)]
        return energies, [*details, base, base]

    def _energy(self, detail: Array, support: Array | None) -> Array:
        grey = weighted_sum(detail, self.weights)
        return _ranked(local_mean(np.abs(grey, out=grey), self.size), support)


def _ranked(energy: Array, support: Array | None) -> Array:
    """Rank pixels with full valid support, by their energy, above those with less."""
    if support is not None:
        np.copyto(energy, np.minimum(support, 1) - 1, where=support <= 1 - 1e-4)
    return energy
