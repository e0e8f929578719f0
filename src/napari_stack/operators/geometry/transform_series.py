"""What `Transforms` do: checked, compared, selected, joined, multiplied, inverted, interpolated."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.operators.geometry import deformation_products
from napari_stack.operators.geometry.covariance import ENTRIES, of_inverse, of_product, unknown
from napari_stack.operators.geometry.deformation import Deformation

if TYPE_CHECKING:
    from napari_stack.operators.geometry.transforms import Transforms

Floats = NDArray[np.float64]
Moves = TypeVar("Moves", bound="Transforms")

#: Below this a matrix squeezes the image to nothing.
_LEAST_DETERMINANT = 1e-9

#: What there is an entry of for every frame.
_BY_FRAME = ("matrices", "quality", "failed", "entry_covariance")


def checked(transforms: "Transforms") -> dict[str, Any]:
    """Return the arrays of transforms in their types, what was not given filled in.

    Raises
    ------
    UserError
        When they do not fit one another, or a matrix cannot be inverted.
    """
    matrices = np.asarray(transforms.matrices, np.float64)
    if matrices.ndim != 3 or matrices.shape[1:] != (3, 3) or not np.isfinite(matrices).all():
        raise UserError(f"matrices need the shape (n, 3, 3), all finite; got {matrices.shape}")
    n = len(matrices)
    if (flat := np.flatnonzero(np.abs(np.linalg.det(matrices)) < _LEAST_DETERMINANT)).size:
        raise UserError(f"matrix {flat[0]} maps the image onto a line: it cannot be inverted")
    quality, failed = transforms.quality, transforms.failed
    quality = np.ones(n) if quality is None else np.asarray(quality, np.float64)
    failed = np.zeros(n, bool) if failed is None else np.asarray(failed, bool)
    if quality.shape != (n,) or failed.shape != (n,):
        raise UserError(f"quality and failed need one entry for each of the {n} frames")
    covariance = transforms.entry_covariance
    covariance = unknown(n) if covariance is None else np.asarray(covariance, np.float64)
    if covariance.shape != (n, ENTRIES, ENTRIES):
        raise UserError(f"entry_covariance needs the shape ({n}, 8, 8); got {covariance.shape}")
    covariance = (covariance + covariance.swapaxes(1, 2)) / 2  # so that a half can be stored
    covariance[failed] = np.nan
    if transforms.deformation is not None and len(transforms.deformation) != n:
        raise UserError(f"the deformation is that of {len(transforms.deformation)} frames, not {n}")
    shifts = transforms.z_shifts
    shifts = None if shifts is None else np.asarray(shifts, np.float64)
    if shifts is not None and (shifts.shape != (n,) or not np.isfinite(shifts).all()):
        raise UserError(f"z_shifts need {n} finite numbers, one a volume")
    values = dict(zip(_BY_FRAME, (matrices, quality, failed, covariance), strict=True))
    return {**values, "z_shifts": shifts}


def _by_frame(transforms: "Transforms") -> dict[str, Any]:
    values = vars(transforms)
    return {name: values[name] for name in _BY_FRAME}


def equal(one: "Transforms", two: "Transforms") -> bool:
    """Compare all that two transforms hold; what is unknown in both is equal."""
    whole = ((t.size, t.pixel, t.reference, t.deformation) for t in (one, two))
    if next(whole) != next(whole) or not _same(one.z_shifts, two.z_shifts):
        return False
    theirs = _by_frame(two)
    return all(np.array_equal(v, theirs[n], equal_nan=True) for n, v in _by_frame(one).items())


def _same(one: Floats | None, two: Floats | None) -> bool:
    if one is None or two is None:
        return one is two
    return np.array_equal(one, two)


def selected(transforms: Moves, frames: NDArray[np.intp]) -> Moves:
    """Return the transforms of some frames, in the order given."""
    place = np.flatnonzero(np.arange(len(transforms))[frames] == transforms.reference)
    shifts, found = transforms.z_shifts, transforms.deformation
    return replace(
        transforms,
        **{name: values[frames] for name, values in _by_frame(transforms).items()},
        reference=int(place[0]) if len(place) else None,
        deformation=None if found is None else found.select(frames),
        z_shifts=None if shifts is None else shifts[frames],
    )


def joined(parts: Sequence[Moves]) -> Moves:
    """Return transforms of frames that follow one another."""
    every, counts = [_by_frame(part) for part in parts], [len(part) for part in parts]
    whole: dict[str, Any] = {n: np.concatenate([values[n] for values in every]) for n in _BY_FRAME}
    return replace(
        parts[0],
        **whole,
        deformation=Deformation.joined([part.deformation for part in parts], counts),
        z_shifts=_joined_shifts([part.z_shifts for part in parts], counts),
    )


def product(first: Moves, later: "Transforms") -> Moves:
    """Return the transforms of frames that were warped by the first and registered once more."""
    a, b = first.matrices, later.matrices
    return replace(
        first,
        matrices=a @ b,
        quality=np.minimum(first.quality, later.quality),
        failed=first.failed | later.failed,
        entry_covariance=of_product(a, first.entry_covariance, b, later.entry_covariance),
        reference=first.reference if later.reference is None else later.reference,
        deformation=deformation_products.of_product(a, first.deformation, b, later.deformation),
        z_shifts=_added_shifts(first.z_shifts, later.z_shifts),
    )


def inverted(transforms: Moves) -> Moves:
    """Return the transforms from each frame to the reference."""
    matrices = np.linalg.inv(transforms.matrices)
    shifts = transforms.z_shifts
    return replace(
        transforms,
        matrices=matrices / matrices[:, 2:, 2:],
        entry_covariance=of_inverse(transforms.matrices, transforms.entry_covariance),
        deformation=deformation_products.of_inverse(transforms.matrices, transforms.deformation),
        z_shifts=None if shifts is None else -shifts,
    )


def checked_points(points: Any) -> Floats:
    """Return points (points, 2) as floats.

    Raises
    ------
    UserError
        For another shape.
    """
    places: Floats = np.asarray(points, np.float64)
    if places.ndim != 2 or places.shape[1] != 2:
        raise UserError(f"points need the shape (points, 2), as (x, y); got {places.shape}")
    return places


def _joined_shifts(parts: Sequence[Floats | None], counts: Sequence[int]) -> Floats | None:
    """Return z shifts of frames that follow one another; None stands for none."""
    if all(part is None for part in parts):
        return None
    pairs = zip(parts, counts, strict=True)
    return np.concatenate([np.zeros(n) if part is None else part for part, n in pairs])


def _added_shifts(one: Floats | None, two: Floats | None) -> Floats | None:
    """Return the z shifts of two motions, one after the other."""
    if one is None or two is None:
        return two if one is None else one
    return one + two


def interpolated(transforms: Moves) -> Moves:
    """Return transforms with failed frames placed between the nearest good ones.

    Raises
    ------
    UserError
        When all frames have failed.
    """
    good = np.flatnonzero(~transforms.failed)
    if not len(good):
        raise UserError("all frames have failed: there is nothing to interpolate from")

    def filled(values: Any) -> Any:
        if values is None:
            return None
        frames = np.arange(len(values))
        entries = values.reshape(len(values), -1).T
        each = [np.interp(frames, good, entry[good]) for entry in entries]
        return np.stack(each, axis=1).reshape(values.shape)

    found = transforms.deformation
    if found is not None:
        found = Deformation(filled(found.grids), filled(found.places), filled(found.row_offsets))
    return replace(
        transforms,
        matrices=filled(transforms.matrices),
        failed=np.zeros(len(transforms), bool),
        deformation=found,
        z_shifts=filled(transforms.z_shifts),
    )
