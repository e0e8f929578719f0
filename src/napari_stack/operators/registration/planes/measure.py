"""How planes of a z-stack jitter: pairs of near planes measured, and their path taken apart."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.notices import FailedFrames, warn_caller, warn_of_frames
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.covariance import ENTRIES
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.registration.nonrigid.roots import Roots
from napari_stack.operators.registration.planes.path import Links, Path, taken_apart
from napari_stack.operators.registration.planes.plane_align import Apart, Plane, align_planes
from napari_stack.operators.registration.sequence.measure import MeasureOptions

Floats = NDArray[np.float64]

#: Planes so far apart are compared, and are alike from this correlation on.
_REACH, _ALIKE = 3, 0.3

#: Planes that are compared with those after them in one part of the work: of so many three more are
#: read.
_TOGETHER = 6

#: Planes that a slow trend can be told from, at the least.
_LEAST = 5

#: A trend that is left is told where it reaches so many px.
_TOLD = 5.0

#: Entries of a matrix that are its shift, and px within which a quality is the probability to lie.
_SHIFT, _NEAR = [2, 5], 1.5


def measured_planes(
    stack: Stack, view: MeasureOptions, period: float | None, run: Run
) -> Transforms:
    """Measure how planes jitter: see `measure_wobble`."""
    planes = np.flatnonzero(stack.used)
    if len(planes) < _LEAST:
        raise UserError(
            f"{len(planes)} planes are used: {_LEAST} are needed to tell jitter from slant"
        )
    roots = Roots.of(stack, view, planes)
    measure = partial(_pairs_of, planes=planes, roots=roots)
    begins = list(range(0, len(planes), _TOGETHER))
    found = run.each(measure, stack, begins, what="Comparing planes")
    linked, links = _links([one for some in found for one in some], roots.variance)
    if len(links.pairs) < _LEAST:
        raise UserError(
            "hardly any two neighbouring planes look alike: planes must lie closer than the object "
            "changes; check which axis is that of the planes"
        )
    path = taken_apart(links, period)
    _tell(path)
    return _transforms(stack, planes, linked, path)


def _pairs_of(
    stack: Stack, begin: int, *, planes: NDArray[np.intp], roots: Roots
) -> list[list[Apart]]:
    """Compare some planes with the three after each; few are held at a time."""
    found: list[list[Apart]] = []
    held: list[Plane] = []
    for number in planes[begin : begin + _TOGETHER + _REACH]:
        plane = Plane.of(*roots(stack, int(number)))
        for back, before in enumerate(reversed(held), 1):
            first = len(found) - back
            if first < _TOGETHER:  # the others are those of the next part
                found[first].append(align_planes(before, plane))
        held = [*held, plane][-_REACH:]
        found.append([])
    return found[: min(_TOGETHER, len(planes) - begin)]


def _links(found: list[list[Apart]], noise: float) -> tuple[NDArray[np.bool_], Links]:
    """Return which planes are linked to others, and the links."""
    count = len(found)
    pairs: list[tuple[int, int]] = []
    shifts, variances = [], []
    own: list[list[Floats]] = [[] for _ in range(count)]
    for one, alike in enumerate(found):
        for two, apart in enumerate(alike, one + 1):
            told = np.diag(apart.information)
            if apart.correlation < _ALIKE or told.min() < 1e-9 * max(told.max(), 1e-300):
                continue
            pairs.append((one, two))
            shifts.append(apart.shift)
            variances.append(apart.variance / told)
            for plane in (one, two):
                own[plane].append(noise / told)
    linked = np.array([bool(o) for o in own])
    usual = np.median(np.concatenate([np.array(o) for o in own if o]), axis=0) if pairs else 1.0
    noises = np.array([np.median(o, axis=0) if o else np.broadcast_to(usual, 2) for o in own])
    numbers = np.array(pairs, np.intp).reshape(-1, 2)
    least = 1e-12  # of frames without noise
    return linked, Links(
        numbers, np.array(shifts).reshape(-1, 2),
        np.maximum(np.array(variances).reshape(-1, 2), least), np.maximum(noises, least),
    )  # fmt: skip


def _tell(path: Path) -> None:
    """Warn where nothing is corrected, and of what is left."""
    if not path.jitter.any():
        warn_caller(
            "the planes jitter no more than their noise makes it seem: none is moved"
        )  # fmt: skip
    reach = float(np.hypot(*np.ptp(path.trend, axis=0)))
    if reach > _TOLD:
        warn_caller(
            f"planes also move slowly, by {reach:.2g} px over the stack: this is left, since "
            "slanted structures look like it (register takes it out, and straightens these)"
        )  # fmt: skip


def _transforms(
    stack: Stack, planes: NDArray[np.intp], linked: NDArray[np.bool_], path: Path
) -> Transforms:
    count = len(stack)
    matrices, failed = np.tile(np.eye(3), (count, 1, 1)), np.zeros(count, bool)
    quality, covariance = np.ones(count), np.full((count, ENTRIES, ENTRIES), np.nan)
    failed[planes] = ~linked
    moved = np.where(linked[:, None], path.jitter, 0)
    matrices[planes, :2, 2] = moved
    spread = np.where(linked, path.variance.mean(axis=1), 1.0)
    quality[planes] = np.where(linked, 1 - np.exp(-(_NEAR**2) / (2 * spread)), 0)
    covariance[planes] = 0
    for entry, axis in zip(_SHIFT, (0, 1), strict=True):
        covariance[planes, entry, entry] = path.variance[:, axis]
    covariance[failed] = np.nan
    names: Any = stack.source.label
    warn_of_frames("look like no plane near them", failed, names, FailedFrames)
    size = stack.shape[1], stack.shape[2]
    y, x = stack.axes[1:]
    pixel = (x.step, y.step, x.unit) if x.unit == y.unit else (1.0, 1.0, "pixel")
    return Transforms(matrices, quality, failed, size, pixel, None, covariance)
