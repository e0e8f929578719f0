"""Saving a layer: which formats suit it, the usual name, and the work, for a thread."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_stack.core.units import metres, seconds
from napari_stack.engine.run import Run
from napari_stack.files import write
from napari_stack.layers.compat import full_resolution
from napari_stack.layers.provenance import KEY
from napari_stack.layers.stacks.looks import look_of
from napari_stack.layers.stacks.read_layer import axes_of, read_layer


class Format(NamedTuple):
    """A format of files: what it is called, and its suffix."""

    name: str
    suffix: str

    @property
    def filter(self) -> str:
        """As dialogs for files take it."""
        return f"{self.name} (*{self.suffix})"


_TIFF, _OME = Format("TIFF", ".tif"), Format("OME-TIFF", ".ome.tif")
_JPEG, _PNG = Format("JPEG", ".jpg"), Format("PNG", ".png")
_ZARR = Format("OME-Zarr", ".zarr")
_MOVIES = (Format("Movie", ".mp4"), Format("Animated GIF", ".gif"))

#: Characters that a name of a file must not have somewhere.
_ODD = re.compile(r'[<>:"/\\|?*\x00-\x1f]+')


def formats_for(layer: Any) -> list[Format]:
    """Return the formats that can hold a layer, the one that suits it best first.

    A photograph goes to JPEG, another image to TIFF, frames along axes to OME-TIFF, which keeps
    the names of axes and pixel sizes.
    """
    dtype = full_resolution(layer).dtype
    if layer.ndim > 2:
        movies = _MOVIES if layer.ndim == 3 else ()
        return [_OME, _ZARR, _TIFF, *movies]
    if dtype == np.uint8:
        return [_JPEG, _TIFF, _PNG] if layer.rgb else [_TIFF, _PNG, _JPEG, _OME]
    return [_TIFF, *([_PNG] if dtype == np.uint16 else []), *([] if layer.rgb else [_OME])]


def usual_path(layer: Any, folder: str | Path = "") -> Path:
    """Return where a layer is saved unless another place is chosen: beside its frames."""
    known = layer.metadata.get(KEY, {})
    place = Path(folder or (Path(known["file"]).parent if known.get("file") else ""))
    return place / f"{file_name(layer.name)}{formats_for(layer)[0].suffix}"


def file_name(name: str) -> str:
    """Return the name of a layer as files can have it."""
    return _ODD.sub("_", name).strip(" .") or "result"


def with_suffix(path: str, chosen: str, formats: list[Format]) -> str:
    """Return a path with the suffix of the format that was chosen, where it has none."""
    if Path(path).suffix:
        return path
    suffixes = {one.filter: one.suffix for one in formats}
    return path + suffixes.get(chosen, formats[0].suffix)


def prepare_save(layer: Any, path: str | Path) -> Callable[[Run], Path]:
    """Take from a layer what its file needs; the function that comes back writes it.

    The layer may be changed or removed meanwhile. A file that is there is replaced once the new
    one is complete.

    Parameters
    ----------
    layer : Image layer
    path : str or Path
        See `napari_stack.write`.

    Raises
    ------
    ValueError
        For a layer that is no image, or an empty one.
    """
    target = Path(path)
    known = what_is_known(layer)
    if layer.ndim == 2:
        data: Any = full_resolution(layer)
        how = {"axes": axes_of(layer), "rgb": layer.rgb, "look": look_of(layer), **known}
    else:
        data = read_layer(layer).data
        how = {"recipe": known["recipe"], **_marks(data)}

    def save(run: Run = Run()) -> Path:
        write(target, data, overwrite=True, run=run, **how)
        return target

    return save


def _marks(data: Any) -> dict[str, Any]:
    """Return what is drawn into a movie, as no dialog asks for it: all that is known."""
    times = any(seconds(axis.unit) for axis in data.leading)
    return {"time_stamp": times, "scale_bar": metres(data.axes[-1].unit) is not None}


def what_is_known(layer: Any) -> dict[str, Any]:
    """Return the recipe of a layer, and the file whose EXIF data belong to it."""
    kept = layer.metadata.get(KEY, {})
    file = kept.get("file", "")
    return {"recipe": kept.get("recipe"), "exif_from": file if Path(file).is_file() else None}
