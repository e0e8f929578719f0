"""The slices of DICOM series, one in each file: sorted by where they lie, times in front."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.files.formats.base import Contents, Series
from napari_stack.files.formats.described import spaced
from napari_stack.files.formats.microscopes.dicom_values import reals, whole

#: Places that lie as near as this, in mm, are one; steps that differ by less are even.
_NEAR = 1e-2


def series_of(headers: Sequence[Any], like: Contents) -> tuple[Series, ...]:
    """Group slices by the series that they belong to.

    Parameters
    ----------
    headers : sequence of pydicom.Dataset
        Of the files; their numbers are those of the frames.
    like : Contents
        What one of the files holds.
    """
    groups: dict[str, list[int]] = {}
    for number, header in enumerate(headers):
        groups.setdefault(str(header.get("SeriesInstanceUID", "")), []).append(number)
    return tuple(
        # Series that happen to be alike were taken in other ways: they are not joined.
        Series(str(headers[group[0]].get("SeriesDescription", "")), held, kind)
        for kind, group in groups.items()
        for held in [_sorted(headers, group, like)]
    )


def _sorted(headers: Sequence[Any], group: list[int], like: Contents) -> Contents:
    """Put the slices of a series in order: along z, several times at each place along t."""
    count = np.array([whole(headers[n], "InstanceNumber") for n in group])
    places = _places([headers[number] for number in group])
    found = np.array(group)
    if places is None:
        return _held(like, [(Axis("frame"), len(group))], found[np.argsort(count, kind="stable")])
    near = np.rint(places / _NEAR)
    at = np.unique(near, return_index=True)[1]
    along = places[at]
    times = len(group) // len(at)
    by = np.lexsort((count, near))
    if len(at) * times != len(group) or (np.unique(near, return_counts=True)[1] != times).any():
        return _held(like, [(Axis("frame"), len(group))], found[np.argsort(count, kind="stable")])
    z = z_axis(along)
    if times == 1:
        return _held(like, [(z, len(at))], found[by])
    grid = found[by].reshape(len(at), times).T
    return _held(like, [(Axis("t"), times), (z, len(at))], grid.ravel())


def _places(headers: Sequence[Any]) -> NDArray[np.float64] | None:
    """Return where slices lie along their normal, None where they are not parallel or not known."""
    sides = [reals(header, "ImageOrientationPatient", 6) for header in headers]
    places = [reals(header, "ImagePositionPatient", 3) for header in headers]
    if not all(sides) or not all(places):
        return None
    turned = np.array(sides)
    if np.ptp(turned, axis=0).max() > 1e-3:
        return None
    normal = np.cross(turned[0, :3], turned[0, 3:])
    return np.array(places) @ normal


def z_axis(places: NDArray[np.float64]) -> Axis:
    """Return the axis of slices by their places in mm, which are kept where they are uneven."""
    if len(places) < 2:
        return Axis("z")
    gaps = np.diff(places)
    axis = spaced("z", float(gaps.mean()), "mm")
    even = np.abs(gaps - gaps.mean()).max() <= _NEAR
    return axis if even else replace(axis, positions=tuple(places.tolist()))


def _held(like: Contents, leading: Sequence[tuple[Axis, int]], order: NDArray[np.intp]) -> Contents:
    axes, sizes = tuple(axis for axis, _ in leading), tuple(size for _, size in leading)
    return replace(like, leading=axes, sizes=sizes, order=order)
