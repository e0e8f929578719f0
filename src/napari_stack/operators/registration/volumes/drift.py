"""Where each volume lies, and the frames that are read there."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import usual_name
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.notices import FailedFrames, warn_of_frames
from napari_stack.core.pixels.channels import check_channel
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.geometry.warp import Interpolation, Warp
from napari_stack.operators.registration.nonrigid.roots import Roots
from napari_stack.operators.registration.sequence.measure import MeasureOptions
from napari_stack.operators.registration.volumes.shifted_planes import ShiftedPlanes
from napari_stack.operators.registration.volumes.volume_align import (
    Fixed,
    Placed,
    align_volume,
    smoothed,
)

#: A volume that is less alike than this is not found. Of noise alone, volumes of 8 planes of 64 px
#: reach 0.02.
_ALIKE = 0.1


def moved_volumes(
    stack: Hyperstack,
    transform: str,
    reference: int | str,
    channel: int,
    interpolation: Interpolation,
    run: Run,
) -> Hyperstack:
    """Register volumes: see `register_volumes`."""
    tables, names = _tables(stack, channel)
    count = tables[0][0].shape[0]
    number = _reference(reference, count)
    size = stack.frames.shape[1], stack.frames.shape[2]
    every = len(stack.frames)
    moves = Transforms.exact(np.eye(3), every)
    matrices, shifts = moves.matrices.copy(), np.zeros(every)
    failed, quality = np.zeros(every, bool), np.ones(every)
    for part, (measured, moved) in enumerate(tables):
        placed = _placed(stack.frames, measured, number, transform, run.part(part, len(tables)))
        for index, place in enumerate(placed):
            here = moved[index].ravel()
            quality[here] = max(place.correlation, 0.0)
            failed[here] = place.correlation < _ALIKE
            if place.correlation >= _ALIKE:
                matrices[here], shifts[here] = place.matrix(size), place.z_shift
    lost = [bool(failed[moved[i].ravel()[0]]) for _, moved in tables for i in range(count)]
    warn_of_frames("could not be registered", np.array(lost), _label(names), FailedFrames)
    found = Transforms(matrices, quality, failed, size, z_shifts=shifts, reference=None)
    return _moved(stack, found, tables, interpolation)


def _label(name: str) -> Any:
    return lambda index: f"volume {index} along {name!r}"


#: Numbers of frames by volume and plane: of those that are measured, and (volume, plane, channel)
#: of those that are moved alike.
Tables = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def _tables(data: Hyperstack, channel: int) -> tuple[Tables, str]:
    """Tables of all positions that drift for themselves, and the name of the axis of time."""
    if data.frames.ndim == 4:
        check_channel(data.frames, "all")
    kinds = [usual_name(axis.name) for axis in data.leading]
    time = data.number
    planes = [k for k, kind in enumerate(kinds) if kind == "z" and k != time]
    if not planes:
        others = [axis.name for axis in data.leading if axis.name != data.axis]
        raise UserError(
            f"volumes need an axis of planes named 'z' beside {data.axis!r}; there "
            f"{'is ' + ', '.join(map(repr, others)) if others else 'is none'}: name it 'z'"
        )
    numbers = np.arange(len(data.frames)).reshape(data.sizes)
    colours = [k for k, kind in enumerate(kinds) if kind == "c" and k != time]
    front = [time, planes[0], *colours[:1]]
    rest = [k for k in range(len(kinds)) if k not in front]
    ordered = np.transpose(numbers, rest + front)
    if not colours:
        ordered = ordered[..., np.newaxis]
    if channel >= ordered.shape[-1]:
        raise UserError(f"channel {channel} was asked for; there are {ordered.shape[-1]}, from 0")
    parts = ordered.reshape(-1, *ordered.shape[-3:])
    return [(part[..., channel], part) for part in parts], data.axis


def _reference(reference: int | str, count: int) -> int:
    if isinstance(reference, str):
        return {"first": 0, "middle": count // 2, "last": count - 1}[reference]
    if reference >= count:
        raise UserError(f"reference {reference} was asked for; there are {count} volumes")
    return reference


def _placed(
    frames: Stack, table: NDArray[np.intp], reference: int, transform: Any, run: Run
) -> list[Placed]:
    """Where each volume of a table lies."""
    view = MeasureOptions()
    roots = Roots.of(frames, view, table[reference])
    fixed = Fixed(_volume(frames, table[reference], roots), transform)
    others = [i for i in range(len(table)) if i != reference]
    align = partial(_aligned, table=table, roots=roots, fixed=fixed)
    found = dict(zip(others, run.each(align, frames, others, what="Registering volumes"),
                     strict=True))  # fmt: skip
    found[reference] = Placed((0.0,) * 5, 1.0, 1.0)
    return [found[i] for i in range(len(table))]


def _volume(frames: Stack, numbers: NDArray[np.intp], roots: Roots) -> NDArray[np.float32]:
    return smoothed(np.stack([roots(frames, int(number))[0] for number in numbers]))


def _aligned(
    frames: Stack,
    index: int,
    *,
    table: NDArray[np.intp],
    roots: Roots,
    fixed: Fixed,
) -> Placed:
    return align_volume(fixed, _volume(frames, table[index], roots))


def _moved(
    data: Hyperstack, found: Transforms, tables: Tables, interpolation: Interpolation
) -> Hyperstack:
    """Hyperstack whose frames are read between planes, and warped within them."""
    volumes = np.concatenate([np.moveaxis(moved, 2, 1).reshape(-1, moved.shape[1])
                              for _, moved in tables])  # fmt: skip
    assert found.z_shifts is not None
    source = ShiftedPlanes(data.frames, volumes, found.z_shifts[volumes[:, 0]])
    outside = np.array([not source.taps(i) for i in range(len(data.frames))])
    used = data.frames.used & ~found.failed & ~outside
    size = data.frames.shape[1], data.frames.shape[2]
    frames = replace(data.frames, source=source, corrections=(), used=used)
    warp = Warp(found, size, size, interpolation=interpolation)
    return data.with_frames(replace(frames.corrected(warp), used=used))
