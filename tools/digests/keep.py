"""What is kept of a result: small arrays, checksums and texts; to a file and back."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from fnmatch import fnmatch
from hashlib import sha256
from math import gcd, prod
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Layer
from numpy.typing import NDArray

import napari_stack as ns

#: Floats up to this many are kept whole.
WHOLE = 200_000

#: So many values of whole numbers are kept, to tell how large a difference is.
SAMPLED = 4_000

#: Beginning of the names of what is told for information.
MESSAGE = "message:"


def matches(name: str, pattern: str) -> bool:
    """Tell whether a name holds a pattern; none matches all."""
    return fnmatch(name.removeprefix(MESSAGE), f"*{pattern}*")


def leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Take a result apart into arrays and texts, each with a name."""
    if isinstance(value, np.ndarray | np.generic | bool | int | float):
        yield name, np.asarray(value)
    elif value is None or isinstance(value, str):
        yield name, str(value)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(part, f"{name}.{key}")
    else:
        yield from leaves(_parts(value), name)


def _parts(value: Any) -> dict[str, Any]:
    if isinstance(value, ns.Stack):
        return _of_stack(value)
    if isinstance(value, ns.Hyperstack):
        return {**_of_stack(value.frames), "leading": axes_text(value.axes), "axis": value.axis,
                "sizes": np.array(value.sizes)}  # fmt: skip
    if isinstance(value, Layer):
        return _of_layer(value)
    if hasattr(value, "_asdict"):
        return value._asdict()
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, list | tuple):
        return {str(number): part for number, part in enumerate(value)}
    raise TypeError(f"nothing is known of keeping a {type(value).__name__}")


def _of_stack(stack: ns.Stack) -> dict[str, Any]:
    """Frames as seen, and one as computed with: whole, and a few rows of it."""
    middle, height = len(stack) // 2, stack.shape[1]
    values, valid = stack.read(middle)
    values = values[::3] if stack.dtype.kind != "f" else None  # floats are seen as they are
    rows = slice(height // 3, height // 3 + max(height // 4, 1))
    return {**about(stack), "frames": np.asarray(stack), "values": values, "valid": valid,
            "rows": rendered(stack, middle, rows), "transforms": stack.transforms}  # fmt: skip


def rendered(stack: ns.Stack, index: int, rows: slice) -> NDArray[Any]:
    """Return rows of a frame as they are seen; version 0.1 calls it `seen`."""
    return (stack.render if hasattr(stack, "render") else stack.seen)(index, rows)


def about(stack: ns.Stack) -> dict[str, Any]:
    """Tell all of a stack but its pixels."""
    text = f"{stack.shape} {stack.dtype} rgb={bool(stack.rgb)} alpha={bool(stack.alpha)}"
    return {"about": text, "axes": axes_text(stack.axes), "used": stack.used}


def axes_text(axes: Any) -> str:
    """Tell names, steps, units and labels of axes."""
    told = ((a.name, f"{a.step:.7g}", a.unit, list(getattr(a, "labels", ()))) for a in axes)
    return "; ".join(map(str, told))


def _of_layer(layer: Layer) -> dict[str, Any]:
    data = layer.data
    data = [np.asarray(part) for part in data] if isinstance(data, list | tuple) else data
    told = {
        "kind": type(layer).__name__, "name": layer.name, "scale": np.asarray(layer.scale),
        "translate": np.asarray(layer.translate), "labels": str(tuple(layer.axis_labels)),
        "units": str([str(unit) for unit in layer.units]),
        "data": data if isinstance(data, list) else np.asarray(data),
        "metadata": plain_text(layer.metadata.get("napari_stack")),
    }  # fmt: skip
    if hasattr(layer, "contrast_limits"):
        told["limits"] = np.asarray(layer.contrast_limits, float)
    return told


def plain_text(value: Any) -> str:
    """Write plain data as text, its keys in order."""
    return json.dumps(value, sort_keys=True, default=str)


def kept(leaf: Any) -> tuple[dict[str, Any], NDArray[Any] | None]:
    """Return what is told of an array or text, and the values of it that are kept."""
    if isinstance(leaf, str):
        return {"kind": "text", "text": leaf}, None
    if leaf.dtype.kind not in "buif":
        return {"kind": "text", "text": f"{leaf.dtype} {leaf.shape} {leaf.tolist()}"}, None
    exact = leaf.dtype.kind in "bui"
    data = np.ascontiguousarray(leaf)
    told = {
        "kind": "integers" if exact else "floats", "shape": list(leaf.shape),
        "dtype": leaf.dtype.name, "sha": sha256(data.tobytes()).hexdigest(),
    }  # fmt: skip
    step = _step(leaf.shape, SAMPLED if exact else WHOLE)
    if step > 1 and not exact:
        told["moments"] = _moments(leaf)
    return told, data.ravel()[::step]


def _step(shape: tuple[int, ...], most: int) -> int:
    """Distance of the values kept: one that meets all columns and channels in turn."""
    step = -(-prod(shape) // most)
    while step > 1 and any(gcd(step, side) > 1 for side in shape[-3:]):
        step += 1
    return max(step, 1)


def _moments(values: NDArray[Any]) -> list[float]:
    """Summarise all values of an array of which only some are kept."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size:
        return [0.0]
    summary = finite.min(), finite.max(), finite.mean(), np.abs(finite).mean(), finite.size
    return [float(number) for number in summary]


def save(path: Path, told: Mapping[str, Any], values: Mapping[str, NDArray[Any]]) -> None:
    """Write a recording."""
    with path.open("wb") as file:
        numbered = {f"v{number}": array for number, array in enumerate(values.values())}
        index = {"told": dict(told), "values": list(values)}
        np.savez_compressed(file, index=np.array(json.dumps(index)), **numbered)


def load(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a recording."""
    with np.load(path, allow_pickle=False) as file:
        index = json.loads(str(file["index"]))
        values = {name: file[f"v{number}"] for number, name in enumerate(index["values"])}
    return index["told"], values
