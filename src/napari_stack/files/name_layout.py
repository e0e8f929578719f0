"""Frames of files laid out along the axes of their names, where that is asked for."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.files.formats.base import MISSING, Contents, First
from napari_stack.files.name_axes import NamedAxes, axes_by_pattern, axes_in_names, may_be_plain

#: Files that a message names at most.
_MOST_NAMES = 4


def named_axes(files: Sequence[str], from_names: bool | str) -> NamedAxes | None:
    """Return the axes in the names of files where they are asked for; else tell of them.

    Parameters
    ----------
    files : sequence of str
    from_names : bool or str
        Whether they are asked for, or a pattern.

    Raises
    ------
    UserError
        When they are asked for and there are none, or two files are at one place.

    Warns
    -----
    UserWarning
        When they are not asked for and there are some.
    """
    if not from_names and not may_be_plain(files):
        return None
    by_pattern = isinstance(from_names, str) and bool(from_names)
    named = axes_by_pattern(files, str(from_names)) if by_pattern else axes_in_names(files)
    if not from_names:
        if named is not None and named.is_plain:
            but = f" (all but {_odd_names(files, named)})" if named.odd else ""
            warn_caller(
                f"the names of the {len(files)} files{but} tell of axes, {named}, but they are "
                "read as frames one after the other: axes in names (from_names=True) lays them out",
            )
        return None
    if named is None:
        raise UserError(
            f"the names of the {len(files)} files, {PurePath(files[0]).name} the first, tell of no "
            "axes such as t, z, c or position: give a pattern, such as from_names='e_{t}_{z}_{c}'"
        )
    if named.odd:
        raise UserError(
            f"the names of the files tell of axes, {named}, but for {_odd_names(files, named)}: "
            "leave these out, or give a pattern that fits all"
        )
    if named.twice:
        first, second = (files[number] for number in named.twice)
        raise UserError(
            f"{first} and {second} are at the same place along {named}: leave one out, or give a "
            "pattern that tells them apart, such as from_names='e_{t}_{z}_{c}'"
        )
    return named


def _odd_names(files: Sequence[str], named: NamedAxes) -> str:
    names = [PurePath(files[number]).name for number in named.odd]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def along_names(
    files: Sequence[str], each: Sequence[Contents], named: NamedAxes
) -> tuple[tuple[Axis, ...], tuple[int, ...], NDArray[np.intp], NDArray[np.bool_] | None]:
    """Lay the frames of files out along the axes of their names, and along their own behind these.

    Returns
    -------
    leading : tuple of Axis
    sizes : tuple of int
    places : ndarray of int, shape (n, 2)
        File, and number in it, of every frame.
    used : ndarray of bool, shape (n,), or None
    """
    first = each[0]
    like = First(files[0], first.frame, len(first.order))
    for path, held in zip(files, each, strict=True):
        like.check(path, held.frame, len(held.order))
    places = np.full((len(named.grid), len(first.order), 2), MISSING, np.intp)
    for number, file in enumerate(named.grid.tolist()):
        if file >= 0:
            order = each[file].order
            places[number] = np.stack([np.where(order < 0, MISSING, file), order], axis=1)
    flat = places.reshape(-1, 2)
    used = None if (flat >= 0).all() else flat[:, 1] >= 0
    if first.sizes == (1,):
        return named.axes, named.sizes, flat, used
    taken = {axis.name for axis in named.axes}
    own = tuple(
        replace(axis, name=f"{axis.name}2") if axis.name in taken else axis
        for axis in first.leading
    )
    return (*named.axes, *own), (*named.sizes, *first.sizes), flat, used
