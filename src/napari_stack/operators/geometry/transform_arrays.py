"""Transforms as NumPy arrays, and what they hold beyond matrices, by name."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.operators.geometry.deformation import Deformation

#: Keyword arguments of `Transforms`.
Fields = dict[str, Any]

_DEFORMATION = ("grids", "places", "row_offsets")


def beyond_matrices(transforms: Any) -> dict[str, NDArray[np.float64]]:
    """Return the arrays of a deformation and the z shifts, those that there are, by name."""
    found = {} if transforms.deformation is None else vars(transforms.deformation)
    found = {**found, "z_shifts": transforms.z_shifts}
    return {name: values for name, values in found.items() if values is not None}


def deformed(found: Mapping[str, Any]) -> Fields:
    """Return what `beyond_matrices` gave, as keyword arguments of `Transforms`."""
    arrays = {name: np.array(found[name]) for name in _DEFORMATION if name in found}
    fields: Fields = {"deformation": Deformation(**arrays)} if arrays else {}
    if "z_shifts" in found:
        fields["z_shifts"] = np.array(found["z_shifts"])
    return fields


def to_arrays(transforms: Any) -> bytes:
    """Write everything as NumPy arrays, by the names of the parameters of `Transforms`."""
    buffer = io.BytesIO()
    fields = {
        "matrices": transforms.matrices,
        "quality": transforms.quality,
        "failed": transforms.failed,
        "entry_covariance": transforms.entry_covariance,
    }
    fields |= beyond_matrices(transforms)
    if transforms.size is not None:
        fields["size"] = np.array(transforms.size)
    if transforms.reference is not None:
        fields["reference"] = np.array(transforms.reference)
    step, unit = np.array(transforms.pixel[:2], np.float64), np.array(transforms.pixel[2])
    np.savez_compressed(buffer, allow_pickle=False, pixel=step, unit=unit, **fields)
    return buffer.getvalue()


def from_arrays(data: bytes, name: str) -> Fields:
    """Read what `to_arrays` wrote."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            found = dict(file)
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{name} holds no arrays of numbers: {error}") from error
    if "matrices" not in found:
        raise UserError(f"{name} holds no transforms: it lacks the array 'matrices'")
    fields: Fields = {
        key: found[key]
        for key in ("matrices", "quality", "failed", "entry_covariance")
        if key in found
    }
    fields |= deformed(found)
    if "size" in found:
        fields["size"] = tuple(found["size"].tolist())
    if "reference" in found:
        fields["reference"] = int(found["reference"])
    if "pixel" in found and "unit" in found:
        fields["pixel"] = (*found["pixel"].tolist(), str(found["unit"]))
    return fields
