"""Transforms as OME-Zarr 0.6 (NGFF RFC-5): an affine for each frame, and a displacement field."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.operators.geometry import spline_grids
from napari_stack.operators.geometry.deformation import Deformation
from napari_stack.operators.geometry.transform_arrays import Fields

Floats = NDArray[np.float64]

#: Samples of a field along the distance of two control points: between samples it is linear to
#: others, and a 64th of what the curve rises there is lost.
_FINER = 8

_VERSION, _OURS = "0.6", "napari-stack"
_SPACE = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
_VECTORS: list[dict[str, Any]] = [{"name": "d", "type": "displacement", "discrete": True}, *_SPACE]


def write_zarr(transforms: Any, path: Path) -> None:
    """Write transforms as a group of zarr.

    A scene has the system of the reference and one for each frame, in pixels. A point of the
    reference is first displaced, then goes through the affine: ``A (p + d(p))``.

    Raises
    ------
    UserError
        For homographies, rows of a scan and z shifts, which it cannot hold.
    """
    zarr = _zarr(path)
    check_transforms(transforms, path)
    group = zarr.open_group(path, mode="w", zarr_format=3)
    group.attrs["ome"] = {"version": _VERSION, "scene": _scene(transforms)}
    from napari_stack.operators.geometry.transform_files import to_json_types

    group.attrs[_OURS] = to_json_types(replace(transforms, deformation=None))
    for number, vectors in enumerate(_fields(transforms)):
        step, field = _step(transforms), group.require_group(_place(number))
        values = np.moveaxis(vectors[..., ::-1], -1, 0).astype(np.float32)  # dy first, as the axes
        field.create_array("s0", data=values)
        scale = {"type": "scale", "scale": [1.0, step, step]}
        dataset = {"path": "s0", "coordinateTransformations": [
            scale | {"input": {"path": "s0"}, "output": {"name": "physical"}},
        ]}  # fmt: skip
        systems = [{"name": "physical", "axes": _VECTORS}]
        images = [{"coordinateSystems": systems, "datasets": [dataset]}]
        field.attrs["ome"] = {"version": _VERSION, "multiscales": images}


def _zarr(path: Any) -> Any:
    try:
        import zarr
    except ImportError as error:
        raise UserError(
            f"{path}: OME-Zarr needs the package zarr: pip install 'napari-stack[zarr]'"
        ) from error
    return zarr


def check_transforms(transforms: Any, path: str | Path) -> None:
    """Refuse motion that it cannot hold."""
    bent = transforms.deformation
    lacks = "save as .json or .npz"
    if transforms.z_shifts is not None or (bent is not None and bent.row_offsets is not None):
        raise UserError(f"{path}: OME-Zarr holds no rows of a scan and no z shifts: {lacks}")
    if not np.allclose(transforms.matrices[:, 2], [0, 0, 1], atol=1e-12):
        raise UserError(f"{path}: OME-Zarr holds affine matrices, and these have perspective: "
                        f"{lacks}")  # fmt: skip
    if bent is not None and transforms.size is None:
        raise UserError(f"{path}: a displacement field covers a frame: give the size of frames")


def _place(number: int) -> str:
    return f"coordinateTransformations/frame_{number}"


def _scene(transforms: Any) -> dict[str, Any]:
    every = []
    for number, matrix in enumerate(transforms.matrices):
        swapped = matrix[:2][::-1, [1, 0, 2]]  # rows and columns are y, x
        affine = {"type": "affine", "affine": swapped.tolist()}
        field = {"type": "displacements", "path": _place(number), "interpolation": "linear"}
        steps = [affine] if transforms.deformation is None else [field, affine]
        ends = {"input": {"name": "reference"}, "output": {"name": f"frame {number}"}}
        every.append({"type": "sequence", **ends, "transformations": steps})
    names = ["reference", *(f"frame {k}" for k in range(len(every)))]
    systems = [{"name": name, "axes": _SPACE} for name in names]
    return {"coordinateSystems": systems, "coordinateTransformations": every}


def _step(transforms: Any) -> float:
    """Distance of samples, in px of the reference."""
    share = np.linalg.norm(transforms.deformation.places[:, :2, :2], axis=1).max()
    return float(max(np.floor(1 / (share * _FINER)), 1.0))


def _fields(transforms: Any) -> Iterator[Floats]:
    """Displacements (rows, columns, 2) before each matrix, where there are any."""
    bent = transforms.deformation
    if bent is None:
        return
    step = _step(transforms)
    down, across = (np.arange(np.ceil((side - 1) / step) + 1) * step for side in transforms.size)
    x, y = np.meshgrid(across, down)
    points = np.column_stack([x.ravel(), y.ravel()])
    for number, matrix in enumerate(transforms.matrices):
        places = bent.forward(number, matrix, points)
        back = (places - matrix[:2, 2]) @ np.linalg.inv(matrix[:2, :2]).T
        yield (back - points).reshape(*x.shape, 2)


def read_zarr(path: Path) -> Fields:
    """Read transforms that `write_zarr` wrote, as keyword arguments of `Transforms`.

    Scenes of others will do, where each transformation is an affine, after a displacement field or
    without one, in pixels of y and x.

    Raises
    ------
    UserError
        When it holds something else.
    """
    zarr = _zarr(path)
    try:
        group = zarr.open_group(path, mode="r")
        every = _in_order(group.attrs["ome"]["scene"])
        parts = [each.get("transformations", [each]) for each in every]
        matrices = np.array([_matrix(steps[-1]) for steps in parts]).reshape(-1, 3, 3)
        fields = [_field(group, steps[:-1]) for steps in parts]
    except (KeyError, TypeError, IndexError, ValueError, OSError) as error:
        raise UserError(f"{path} holds no transforms of OME-Zarr 0.6: {error!r}") from error
    from napari_stack.operators.geometry.transform_files import from_json

    found: Fields = {}
    if _OURS in group.attrs:
        found = from_json(json.dumps(group.attrs[_OURS]).encode(), str(path))
    found["matrices"] = matrices
    if any(field is not None for field in fields):
        found["deformation"] = _deformation(fields, matrices, path)
    return found


def _in_order(scene: Any) -> list[Any]:
    """Return the transformations of a scene, one from the same system to each of the others."""
    systems = {one["name"]: one["axes"] for one in scene["coordinateSystems"]}
    every = scene["coordinateTransformations"]
    starts = {each["input"]["name"] for each in every}
    ends = {each["output"]["name"]: each for each in every}
    if len(starts) != 1 or len(ends) != len(every) or starts & set(ends):
        raise ValueError("each transformation has to lead from one system to another of the rest")
    for name in (*starts, *ends):
        axes = [(axis["name"], axis.get("unit", "pixel")) for axis in systems[name]]
        if axes != [("y", "pixel"), ("x", "pixel")]:
            raise ValueError(f"y and x in pixels are needed; the axes of {name!r} are {axes}")
    return [ends[name] for name in systems if name in ends]


def _matrix(step: Any) -> Floats:
    if step["type"] != "affine":
        raise ValueError(f"an affine is needed, not {step['type']!r}")
    matrix = np.eye(3)
    matrix[:2] = np.array(step["affine"])[::-1, [1, 0, 2]]
    return matrix


def _field(group: Any, steps: list[Any]) -> tuple[Floats, float] | None:
    """Read samples (rows, columns, 2) of (dx, dy), and their distance."""
    if not steps:
        return None
    if len(steps) > 1 or steps[0]["type"] != "displacements":
        raise ValueError("nothing but one displacement field may come before an affine")
    field = group[steps[0]["path"]]
    (dataset,) = field.attrs["ome"]["multiscales"][0]["datasets"]
    (scale,) = dataset["coordinateTransformations"]
    _, down, across = scale["scale"]
    if down != across:
        raise ValueError("samples of a field need one distance along y and x")
    return np.moveaxis(np.asarray(field[dataset["path"]][:], float), 0, -1)[..., ::-1], float(down)


def _deformation(fields: list[Any], matrices: Floats, path: Path) -> Deformation:
    if any(field is None for field in fields) or len({(f[0].shape, f[1]) for f in fields}) > 1:
        raise UserError(f"{path}: the fields of all frames need one size and distance")
    linear = matrices[:, :2, :2]
    grids = [spline_grids.fitted(field[0]) @ m.T for field, m in zip(fields, linear, strict=True)]
    share = 1 / fields[0][1]
    place = np.array([[share, 0, 1], [0, share, 1], [0, 0, 1.0]])
    return Deformation(np.stack(grids), np.tile(place, (len(grids), 1, 1)))
