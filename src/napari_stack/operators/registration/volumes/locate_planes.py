"""`locate_planes`: which plane of a z-stack each frame of a series shows."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import about_centre
from napari_stack.core.notices import FailedFrames, warn_caller, warn_of_frames
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run

Floats = NDArray[np.float64]
Volume = NDArray[np.float32]

#: Frames less alike than this are not found; steps on each reduction, and what ends them.
_ALIKE, _STEPS, _ENOUGH = 0.2, 8, 2e-3

#: Reductions, sides of the smallest level at the least, and pixels at the border left out.
_LEVELS, _LEAST_SIDE, _BORDER = (4, 2, 1), 48, 2

#: A frame lies outside where it is unlike the last plane by more than this part of a plane.
_BEYOND = 0.25


@dataclass(frozen=True, eq=False)
class PlanePlaces:
    """Where frames lie in a z-stack.

    Parameters
    ----------
    z : ndarray, shape (n,)
        Plane that each shows, from 0; fractions lie between planes. NaN where it was not found.
    shifts : ndarray, shape (n, 2)
        (dx, dy) in px: point p of the z-stack lies at p + shift in the frame.
    correlation : ndarray, shape (n,)
        Of the frame and the z-stack at its place.
    outside : ndarray of bool, shape (n,)
        Frames that lie before the first or after the last plane: `z` is that of the nearest.
    """

    z: Floats
    shifts: Floats
    correlation: Floats
    outside: NDArray[np.bool_]

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Frames that were not found."""
        return np.isnan(self.z)

    @property
    def columns(self) -> dict[str, Floats]:
        """Columns by title, as `frame_table` takes them."""
        return {
            "z (planes)": self.z,
            "x in the z-stack (px)": self.shifts[:, 0],
            "y in the z-stack (px)": self.shifts[:, 1],
            "correlation": self.correlation,
            "outside": self.outside.astype(np.float64),
        }


def locate_planes(stack: Stack, reference: Stack, *, run: Run = Run()) -> PlanePlaces:
    """Find which plane of a z-stack each frame of a series shows: how the focus drifts.

    Started by the correlation with every plane, refined on the intensities of all pixels by
    Gauss-Newton along x, y and z, free in gain and offset; between planes the z-stack is
    interpolated by cubic convolution.

    Parameters
    ----------
    stack : Stack
        Single planes over time.
    reference : Stack
        Planes of the same object, at least 3, evenly spaced, in frames of the same size.
    run : Run

    Returns
    -------
    PlanePlaces

    Raises
    ------
    ValueError
        When there are too few planes, or frames of another size.

    Warns
    -----
    UserWarning
        Of frames that were not found, and of those that lie outside of the z-stack.
    """
    _check(stack, reference)
    from napari_stack.operators.registration.nonrigid.roots import Roots
    from napari_stack.operators.registration.sequence.measure import MeasureOptions
    from napari_stack.operators.registration.volumes.volume_align import smoothed

    view = MeasureOptions()
    fixed = Roots.of(reference, view, np.arange(len(reference)))
    planes = smoothed(np.stack([fixed(reference, k)[0] for k in range(len(reference))]))
    numbers = np.flatnonzero(stack.used)
    roots = Roots.of(stack, view, numbers)
    levels = _levels(planes)
    locate = partial(_located, roots=roots, levels=levels)
    found = run.each(locate, stack, numbers.tolist(), what="Finding planes")
    places = np.full((len(stack), 5), np.nan)
    places[numbers] = found
    places[~(places[:, 3] >= _ALIKE), :3] = np.nan
    outside = (places[:, 4] == 1) & ~np.isnan(places[:, 2])
    failed = np.isnan(places[:, 2]) & stack.used
    warn_of_frames("show no plane of the z-stack", failed, stack.source.label, FailedFrames)
    if outside.any():
        warn_caller(
            f"{outside.sum()} of {len(stack)} frames lie before the first or after the last plane "
            "of the z-stack: how far, it cannot tell"
        )
    return PlanePlaces(places[:, 2], places[:, :2], places[:, 3], outside)


def _check(stack: Stack, reference: Stack) -> None:
    if len(reference) < 3:
        raise UserError(f"a z-stack of {len(reference)} planes was given; 3 are needed at least")
    if stack.shape[1:3] != reference.shape[1:3]:
        raise UserError(
            f"frames of {stack.shape[2]} x {stack.shape[1]} and a z-stack of "
            f"{reference.shape[2]} x {reference.shape[1]} px: both need the same size"
        )
    if not stack.used.any():
        raise UserError("no frame is used: use one at least")


def _levels(planes: Volume) -> list[tuple[Volume, int]]:
    """Reduced planes, the coarsest first, and how many times smaller they are."""
    from napari_stack.operators.registration.volumes.volume_start import reduced

    side = min(planes.shape[1:])
    return [
        (reduced(planes, step), step) for step in _LEVELS if step == 1 or side / step >= _LEAST_SIDE
    ]


def _located(stack: Stack, index: int, *, roots: Any, levels: Any) -> list[float]:
    """Return dx, dy, z, the correlation there, and 1 where it lies outside."""
    from napari_stack.operators.registration.volumes.volume_align import smoothed
    from napari_stack.operators.registration.volumes.volume_start import reduced

    frame = smoothed(roots(stack, index)[0][np.newaxis])
    coarse, finer = levels[0]
    found, alike, outside = _start(coarse, finer, reduced(frame, finer)[0]), 0.0, False
    for planes, step in levels:
        small = reduced(frame, step)[0]
        for _ in range(_STEPS):
            change, alike = _step(planes, small, found, step)
            moved = found + change
            outside = not -_BEYOND <= moved[2] <= len(planes) - 1 + _BEYOND
            moved[2] = np.clip(moved[2], 0, len(planes) - 1)
            enough = np.abs(moved - found).max() < _ENOUGH * step
            found = moved
            if enough:
                break
    return [*found.tolist(), alike, float(outside)]


def _start(planes: Volume, step: int, frame: NDArray[np.float32]) -> Floats:
    """Find the likest plane, and the shift from it in px."""
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in frame.shape))

    def spectrum(image: NDArray[np.float32]) -> Any:
        apart = (image - image.mean()) * window
        return np.fft.rfft2(apart) / max(float(np.sqrt((apart**2).sum())), 1e-30)

    seen, best, most = spectrum(frame), np.zeros(3), -np.inf
    for number, plane in enumerate(planes):
        alike = np.fft.irfft2(np.conj(spectrum(plane)) * seen, s=frame.shape)
        place = np.unravel_index(int(alike.argmax()), frame.shape)
        if alike[place] > most:
            most = float(alike[place])
            dy, dx = (
                (int(k) + side // 2) % side - side // 2
                for k, side in zip(place, frame.shape, strict=True)
            )
            best = np.array([dx * step, dy * step, number], float)
    return best


def _step(
    planes: Volume, frame: NDArray[np.float32], found: Floats, step: int
) -> tuple[Floats, float]:
    """One step of Gauss-Newton: the change of dx, dy and z, and the correlation before it."""
    from napari_stack.operators.geometry.warp_rows import warp_parts

    height, width = frame.shape
    plane = _between(planes, found[2])
    low, high = (np.clip(found[2] + part, 0, len(planes) - 1) for part in (-0.5, 0.5))
    deep = (_between(planes, high) - _between(planes, low)) / (high - low)
    down, across = (np.gradient(plane, axis=axis) / step for axis in (0, 1))
    matrix = about_centre((height, width), 1.0, 0.0, (found[0] / step, found[1] / step))
    seen, inside, _ = warp_parts(
        frame, None, 0, height, matrix, slice(0, height), width, "cubic", False, True
    )
    inner = np.s_[_BORDER:-_BORDER, _BORDER:-_BORDER]
    counts = inside[inner]
    if counts.sum() < counts.size / 10:
        return np.zeros(3), 0.0
    base = np.stack([part[inner][counts] for part in (across, down, deep, plane)])
    base, value = base - base.mean(axis=1, keepdims=True), seen[inner][counts]
    value = value - value.mean()
    scale = np.sqrt(np.maximum((base**2).sum(axis=1), 1e-30))
    normal = (base @ base.T) / np.outer(scale, scale)
    solved = np.linalg.lstsq(normal, (base @ value) / scale, rcond=1e-9)[0] / scale
    alike = float(base[3] @ value / max(scale[3] * np.sqrt(float(value @ value)), 1e-30))
    if abs(solved[3]) < 1e-9:
        return np.zeros(3), alike
    limits = np.array([2.0 * step, 2.0 * step, 1.0])
    return np.clip(solved[:3] / solved[3] * [-1, -1, 1], -limits, limits), alike


def _between(planes: Volume, z: float) -> NDArray[np.float32]:
    """Plane at a fraction between planes."""
    from napari_stack.operators.registration.volumes.shifted_planes import plane_weights

    found: NDArray[np.float32] = np.zeros(planes.shape[1:], np.float32)
    for number, weight in plane_weights(float(z), len(planes)):
        found += np.float32(weight) * planes[number]
    return found
