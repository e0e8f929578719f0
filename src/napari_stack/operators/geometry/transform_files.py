"""Transforms as JSON, CSV, text and NumPy files: one pair of functions for each form."""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.core.system.atomic_write import replacing
from napari_stack.operators.geometry.covariance import ENTRIES, packed, unknown, unpacked
from napari_stack.operators.geometry.decomposition import composed_similarity, decompose
from napari_stack.operators.geometry.transform_arrays import (
    Fields,
    beyond_matrices,
    deformed,
    from_arrays,
    to_arrays,
)

FORMAT = "napari-stack transforms"
CONVENTION = (
    "matrices[i] takes a point (x, y, 1) of the reference to the same object point in frame i; "
    "pixel centres lie at whole numbers"
)
#: Version of files that hold more than matrices.
_BEYOND = 2
_ENTRIES = [f"m{row}{column}" for row in range(3) for column in range(3)]
_TEXT_COLUMNS = "frame scale angle shift_y shift_x success"
_TEXT_LACKS = "quality and covariance are not kept here: .json, .npz and .csv keep them"
#: Titles of the covariances of two entries.
_PAIRS = [
    f"covariance_{_ENTRIES[one]}_{_ENTRIES[other]}"
    for one, other in zip(*np.tril_indices(ENTRIES), strict=True)
]


def to_json_types(transforms: Any) -> dict[str, Any]:
    """Write transforms as plain data (JSON types)."""
    plain: dict[str, Any] = {"format": FORMAT, "version": 1, "convention": CONVENTION}
    if transforms.size is not None:
        plain["size"] = list(transforms.size)
    if tuple(transforms.pixel) != (1.0, 1.0, "pixel"):
        plain["pixel"] = list(transforms.pixel)
    if transforms.reference is not None:
        plain["reference"] = int(transforms.reference)
    plain["frames"] = [
        {"matrix": matrix.tolist(), "quality": float(quality), "failed": bool(failed)}
        for matrix, quality, failed in _frames(transforms)
    ]
    for frame, covariance in zip(plain["frames"], transforms.entry_covariance, strict=True):
        if np.isfinite(covariance).all():
            frame["covariance"] = packed(covariance).tolist()
    for name, values in beyond_matrices(transforms).items():
        plain[name] = values.tolist()
        plain["version"] = _BEYOND  # so that no older reader takes the matrices for all
    return plain


def _frames(transforms: Any) -> Iterable[tuple[NDArray[np.float64], float, bool]]:
    return zip(transforms.matrices, transforms.quality, transforms.failed, strict=True)


def from_json(data: bytes, name: str) -> Fields:
    """Read what `to_json_types` wrote."""
    try:
        plain = json.loads(data)
    except ValueError as error:
        raise UserError(f"{name} is not a JSON file: {error}") from error
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise UserError(f"{name} holds no transforms: it lacks the format {FORMAT!r}")
    if plain.get("version") not in (1, _BEYOND):
        raise UserError(f"{name} has the version {plain.get('version')}; 1 and 2 are read here")
    try:
        frames = plain["frames"]
        fields: Fields = {
            "matrices": np.array([frame["matrix"] for frame in frames]),
            "quality": np.array([frame["quality"] for frame in frames]),
            "failed": np.array([frame["failed"] for frame in frames]),
            "entry_covariance": _covariances(frame.get("covariance") for frame in frames),
        }
    except (KeyError, TypeError) as error:
        raise UserError(f"{name} is damaged: it lacks matrix, quality or failed") from error
    fields |= deformed(plain)
    if "size" in plain:
        fields["size"] = tuple(plain["size"])
    if "pixel" in plain:
        fields["pixel"] = tuple(plain["pixel"])
    if "reference" in plain:
        fields["reference"] = int(plain["reference"])
    return fields


def _covariances(triangles: Iterable[Any]) -> NDArray[np.float64]:
    """Covariances (n, 8, 8) of lower triangles, of which some are not known: None."""
    missing = unknown(1)[0]
    every = [missing if triangle is None else unpacked(triangle) for triangle in triangles]
    return np.array(every).reshape(-1, ENTRIES, ENTRIES)


def to_json(transforms: Any) -> bytes:
    """Write transforms as JSON, with version and conventions."""
    return (json.dumps(to_json_types(transforms), indent=1) + "\n").encode()


def to_csv(transforms: Any) -> bytes:
    """Write a line a frame: the matrix, quality, failed, what the matrix does, how sure it is.

    Standard deviations are those of the shift; the covariances of the entries follow, where any
    is known.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    parts = ["shift_x", "shift_y", "rotation", "scale_x", "scale_y", "shear"]
    known = np.isfinite(transforms.entry_covariance).all(axis=(1, 2))
    more = ["shift_x_sigma", "shift_y_sigma", *_PAIRS] if known.any() else []
    writer.writerow(["frame", *_ENTRIES, "quality", "failed", *parts, *more])
    found = decompose(transforms.matrices, transforms.size)
    sigma = np.sqrt(np.einsum("nii->ni", transforms.covariance))  # in pixels, as the shifts here
    for i, (matrix, quality, failed) in enumerate(_frames(transforms)):
        what = [*found.shift[i], found.rotation[i], *found.scale[i], found.shear[i]]
        entries = [repr(float(v)) for v in (*matrix.ravel(), quality)]
        line = [i, *entries, int(failed), *(f"{value:.6g}" for value in what)]
        if known[i]:
            line += [f"{value:.6g}" for value in sigma[i]]
            line += [repr(float(v)) for v in packed(transforms.entry_covariance[i])]
        writer.writerow(line + [""] * (len(more) + 3 + len(_ENTRIES) + len(parts) - len(line)))
    return text.getvalue().encode()


def from_csv(data: bytes, name: str) -> Fields:
    """Read lines with the columns m00 to m22 and, if any, quality and failed."""
    rows = list(csv.DictReader(io.StringIO(data.decode(errors="replace"))))
    if not rows or not set(_ENTRIES) <= set(rows[0]):
        raise UserError(f"{name} holds no transforms: it needs the columns m00 to m22")
    try:
        values = [[float(row[entry]) for entry in _ENTRIES] for row in rows]
        fields: Fields = {"matrices": np.array(values).reshape(-1, 3, 3)}
        for column, kind in (("quality", float), ("failed", bool)):
            if column in rows[0]:
                fields[column] = np.array([float(row[column]) for row in rows]).astype(kind)
        if set(_PAIRS) <= set(rows[0]):
            triangles = ([row[pair] for pair in _PAIRS] for row in rows)
            fields["entry_covariance"] = _covariances(
                [float(value) for value in triangle] if all(triangle) else None
                for triangle in triangles
            )
    except (TypeError, ValueError) as error:
        raise UserError(f"{name}: a line of it holds no transform ({error})") from error
    return fields


def to_text(transforms: Any) -> bytes:
    """Write a line a frame as imreg_dft gives it: scale, angle, shift (y, x), success.

    These bring the frame to the reference: scaled and turned (degrees) about the centre, then
    shifted.

    Raises
    ------
    ValueError
        When a transform is more than shift, rotation and scale, or the frames' size is unknown.
    """
    size = transforms.size
    if size is None:
        raise UserError("the text form turns about the centre of a frame: give the size of frames")
    found = decompose(transforms.matrices, size)
    similar = np.allclose(found.shear, 0, atol=1e-6) and np.allclose(
        found.scale[:, 0], found.scale[:, 1], rtol=1e-6
    )
    if not similar or not np.allclose(transforms.matrices[:, 2, :2], 0, atol=1e-12):
        raise UserError("the text form holds shift, rotation and scale only: save as .json or .csv")
    back = decompose(np.linalg.inv(transforms.matrices), size)
    lines = [f"# {_TEXT_COLUMNS}", f"# size {size[0]} {size[1]}"]
    for i, failed in enumerate(transforms.failed):
        values = (back.scale[i, 0], -back.rotation[i], *back.shift[i, ::-1])
        lines.append(" ".join([str(i), *(f"{v:.12g}" for v in values), str(int(not failed))]))
    lines.append(f"# {_TEXT_LACKS}")
    return ("\n".join(lines) + "\n").encode()


def from_text(data: bytes, name: str) -> Fields:
    """Read what `to_text` wrote."""
    lines = data.decode(errors="replace").splitlines()
    sizes = [line.split()[2:] for line in lines if line.startswith("# size ")]
    if f"# {_TEXT_COLUMNS}" not in lines or not sizes:
        raise UserError(f"{name} holds no transforms: it lacks the line '# {_TEXT_COLUMNS}'")
    try:
        size = (int(sizes[0][0]), int(sizes[0][1]))
        rows = np.array([line.split() for line in lines if line[:1] != "#" and line], float)
        _, scale, angle, y, x, success = rows.T
    except (ValueError, IndexError) as error:
        raise UserError(f"{name}: a line of it holds no transform ({error})") from error
    back = composed_similarity(np.stack([x, y], axis=1), -angle, scale, size)
    return {"matrices": np.linalg.inv(back), "failed": success == 0, "size": size}


def to_numpy(transforms: Any) -> bytes:
    """Write the matrices (n, 3, 3) as pystackreg takes them; its convention is ours."""
    buffer = io.BytesIO()
    np.save(buffer, transforms.matrices, allow_pickle=False)
    return buffer.getvalue()


def from_numpy(data: bytes, name: str) -> Fields:
    """Read matrices (n, 3, 3)."""
    try:
        return {"matrices": np.load(io.BytesIO(data), allow_pickle=False)}
    except (ValueError, EOFError, OSError) as error:
        raise UserError(f"{name} holds no array of numbers: {error}") from error


#: How each ending is written and read.
FORMS = {
    ".json": (to_json, from_json),
    ".csv": (to_csv, from_csv),
    ".txt": (to_text, from_text),
    ".npy": (to_numpy, from_numpy),
    ".npz": (to_arrays, from_arrays),
}

#: Ending of a folder that holds OME-Zarr.
ZARR = ".zarr"

#: Endings of forms that keep no covariance.
WITHOUT_COVARIANCE = (".txt", ".npy")

#: Endings of forms that keep deformations and z shifts.
_WHOLE = (".json", ".npz")


def write(transforms: Any, path: str | Path, *, overwrite: bool = False) -> None:
    """Write transforms to a file, in the form that its ending tells."""
    check_form(path)
    suffix = Path(path).suffix.lower()
    if suffix == ZARR:
        from napari_stack.operators.geometry.transform_zarr import check_transforms, write_zarr

        check_transforms(transforms, path)
        with replacing(Path(path), overwrite=overwrite) as temporary:
            write_zarr(transforms, temporary)
        return
    beyond = transforms.deformation is not None or transforms.z_shifts is not None
    if beyond and suffix not in _WHOLE:
        raise UserError(
            f"{path}: this form holds matrices only, and these transforms deform frames or shift "
            "planes: save as .json or .npz"
        )
    data = FORMS[suffix][0](transforms)
    if suffix in WITHOUT_COVARIANCE and (transforms.entry_covariance > 0).any():
        warn_caller(
            f"{path}: this form keeps neither the covariance nor the quality of the motion: "
            "save as .json, .npz or .csv to keep them"
        )
    with replacing(Path(path), overwrite=overwrite) as temporary:
        temporary.write_bytes(data)


def read(path: str | Path) -> Fields:
    """Read what `write` wrote, as keyword arguments of `Transforms`."""
    check_form(path)
    if Path(path).suffix.lower() == ZARR:
        from napari_stack.operators.geometry.transform_zarr import read_zarr

        return read_zarr(Path(path))
    return FORMS[Path(path).suffix.lower()][1](Path(path).read_bytes(), str(path))


def check_form(path: str | Path) -> None:
    """Refuse the name of a file that transforms are not written to.

    Raises
    ------
    ValueError
        For another ending than those of `Transforms.save`.
    """
    if Path(path).suffix.lower() not in (*FORMS, ZARR):
        raise UserError(f"{path}: transforms are written as {', '.join((*FORMS, ZARR))}")
