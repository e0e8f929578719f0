"""Data that other libraries opened, as images: of NumPy, dask, zarr, xarray and bioio."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis, usual_name
from napari_stack.core.errors import UserError
from napari_stack.files.formats.array_axes import (
    StoredImage,
    arranged,
    contents_of,
    named_contents,
)
from napari_stack.files.formats.described import spaced, time_axis

#: Packages whose objects are known by the module of their class: none of them need be installed.
_BIOIO, _XARRAY, _ZARR = ("bioio", "bioio_base", "aicsimageio"), ("xarray",), ("zarr",)

#: A step is the same everywhere to this share of it.
_EVEN = 1e-3


def is_data(given: Any) -> bool:
    """Tell whether something is data, rather than paths of files."""
    known = _of(given, _BIOIO) or _of(given, _XARRAY) or _of(given, _ZARR)
    return known or (hasattr(given, "shape") and hasattr(given, "dtype"))


def images_of(data: Any) -> list[StoredImage]:
    """Describe the images that something holds, which reads nothing of their pixels.

    Raises
    ------
    UserError
        For less than two axes.
    """
    if _of(data, _BIOIO):
        return [_scene(data, name) for name in data.scenes]
    if _of(data, _ZARR):
        from napari_stack.files.formats.ome_zarr import stored_images

        return stored_images(data)
    if _of(data, _XARRAY):
        return [_of_xarray(data, str(getattr(data, "name", None) or ""))]
    return [StoredImage(data, tuple(data.shape), _unnamed(data))]


def _of(given: Any, packages: Sequence[str]) -> bool:
    return any(kind.__module__.partition(".")[0] in packages for kind in type(given).__mro__)


def _unnamed(data: Any) -> Any:
    if len(data.shape) < 2:
        raise UserError(f"an array of the shape {tuple(data.shape)} holds no image of two axes")
    return contents_of(tuple(data.shape), data.dtype, partial=True)


@dataclass(frozen=True, eq=False)
class _Lazy:
    """An array of xarray that is read from a file when it is indexed."""

    data: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.data.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.data.dtype)

    def __getitem__(self, place: Any) -> NDArray[Any]:
        return np.asarray(self.data[place].data)


def _of_xarray(
    data: Any, name: str, known: Mapping[str, Axis] | None = None, *, drop: bool = False
) -> StoredImage:
    """Describe an array with named axes, put into the order in which they are needed.

    Parameters
    ----------
    data : xarray.DataArray
    name : str
    known : mapping of str to Axis
        Axes by their names here, where more is known of them than coordinates say.
    drop : bool
        Leave out leading axes of one place.
    """
    if not hasattr(data, "dims") or len(data.dims) < 2 or not hasattr(data, "dtype"):
        raise UserError(
            f"a {type(data).__name__} holds no image: give one of its arrays, with two axes or more"
        )
    names = {dim: usual_name(str(dim)) for dim in data.dims}
    places = arranged(list(names.values()), data.shape)
    leading, plane, samples = ([data.dims[i] for i in part] for part in places)
    if drop:
        data = data.isel({dim: 0 for dim in leading if data.sizes[dim] == 1})
        leading = [dim for dim in leading if dim in data.dims]
    data = data.transpose(*leading, *plane, *samples)
    axes = [(known or {}).get(names[dim]) or _axis(data, dim, names[dim]) for dim in
            (*leading, *plane)]  # fmt: skip
    array = data.data if data.chunks is not None else _Lazy(data)
    return StoredImage(array, tuple(data.shape), named_contents(
        tuple(data.shape), data.dtype, axes, partial=True), name)  # fmt: skip


def _axis(data: Any, dim: Any, name: str) -> Axis:
    """Return an axis by its coordinates: names of channels, times, or places with a unit."""
    if dim not in data.coords or data.coords[dim].dims != (dim,):
        return Axis(name)
    values = np.asarray(data.coords[dim].values)
    unit = str(data.coords[dim].attrs.get("units") or data.coords[dim].attrs.get("unit") or "")
    if values.dtype.kind in "US" or (values.dtype.kind == "O" and isinstance(values[0], str)):
        return Axis(name, labels=tuple(map(str, values)))
    if values.dtype.kind == "M":
        return time_axis(((values - values[0]) / np.timedelta64(1, "s")).tolist(), name)
    if values.dtype.kind not in "iuf" or len(values) < 2:
        return Axis(name)
    places = values.astype(float)
    gaps = np.diff(places)
    step = float(gaps.mean())
    if not np.isfinite(places).all() or not step:
        return Axis(name)
    axis = Axis(name, abs(step), unit or "pixel", start=float(places.min()) if unit else 0.0)
    even = np.abs(gaps - step).max() <= _EVEN * abs(step)
    return axis if even else replace(axis, positions=tuple(places.tolist()), start=0.0)


def _scene(image: Any, name: str) -> StoredImage:
    """Describe a scene of bioio, whose lengths are in micrometres."""
    current = image.current_scene
    image.set_scene(name)
    try:
        data, sizes = image.xarray_dask_data, image.physical_pixel_sizes
        known = {
            letter: spaced(letter, float(getattr(sizes, letter.upper(), None) or 0), "um")
            for letter in "zyx"
        }
        known["c"] = Axis("c", labels=tuple(map(str, image.channel_names or ())))
        known["t"] = spaced("t", _seconds(image.time_interval), "s")
    finally:
        image.set_scene(current)
    if "C" in data.sizes and len(known["c"].labels) != data.sizes["C"]:
        known["c"] = Axis("c")
    return _of_xarray(data, name, known, drop=True)


def _seconds(interval: Any) -> float:
    if isinstance(interval, timedelta):
        return interval.total_seconds()
    with suppress(TypeError, ValueError):
        return float(interval)
    return 0.0
