"""Files: frames are read lazily from many formats; TIFF, PNG, JPEG and zarr are written."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.atomic_write import require_parent_folder
from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import exif, write_content
from napari_stack.files import read as reading
from napari_stack.files import write as writing
from napari_stack.files.check import odd_files
from napari_stack.files.formats.tiff import layered as tiff_layered
from napari_stack.files.formats.tiff.layered import Layers, named_layers
from napari_stack.files.paths import SUFFIXES, Order, PathLike, expanded, resolve
from napari_stack.files.provenance import FRAMES, origin_for, reference_file, refuse_missing
from napari_stack.files.read import Odd
from napari_stack.files.write import WRITTEN, Compression

__all__ = [
    "SUFFIXES",
    "WRITTEN",
    "Compression",
    "check_target",
    "load_image",
    "named_layers",
    "odd_files",
    "read",
    "read_recipe",
    "reference_file",
    "write",
]


def read(
    paths: PathLike | Iterable[PathLike],
    *,
    axis: str | int | None = None,
    every: int = 1,
    start: int = 0,
    stop: int | None = None,
    order: Order = "given",
    odd: Odd = "refuse",
) -> Stack | Hyperstack:
    """Open frames from files, lazily.

    Parameters
    ----------
    paths : str, path, or a list of these
        A file, a folder, or a glob, or a list of these. Each file is taken once.
    axis : str or int, optional
        The axis to stack, by name or number, for files with more axes. Default: the first.
    every, start, stop : int
        Frames taken along that axis, as in a slice.
    order : {"given", "natural", "time"}
        Order of the files: as given (those of a folder or glob in natural order, "2" before "10"),
        all in natural order, or by when they were taken, which opens all: by EXIF where all have
        it, else by the time of the file.
    odd : {"refuse", "skip"}
        What happens to files whose frames differ from those of the first in size, type or number,
        and to unreadable ones: an error names the first one that is read, or all are opened now
        and the odd ones left out, with a warning that names them. What most files hold counts.

    Returns
    -------
    Stack or Hyperstack
        A hyperstack for files with more than one axis before y and x.

    Raises
    ------
    FileNotFoundError
        For a missing file, a folder without images, or a glob without match.
    ValueError
        For a damaged file or one of an unknown kind, or when no frame is left.

    Notes
    -----
    Pages that only count go on from file to file. Where every file has a named axis, such as z, or
    several, the files make one more in front: "t", or "file" where t is taken.

    Only the first file of a series is opened (all of them when the first has several pages along
    one axis, to count these, or tells that frames of its series are not used). A file that is cut
    off, or holds fewer frames than it tells of, is refused when it is opened. One that turns out to
    be damaged or of another size or type than the first is reported by name when it is read, or by
    `napari_stack.files.odd_files`, which looks into the headers of all.

    TIFF (OME and ImageJ among them), PNG, JPEG, BMP, WebP and NumPy files are read; zarr and
    OME-Zarr, FITS and camera RAW with the extras ``zarr``, ``fits`` and ``raw``. In a folder the
    first of these families counts: pictures, RAW, FITS, zarr, NumPy.

    Pixels come as they are stored, but upright, as EXIF or TIFF says; 0 is black also in a TIFF
    where it is white, and palettes become RGB, save in files of ImageJ, where both are for display
    only. A last channel is alpha only where the file declares it so. Of an .npz the array
    ``images`` counts, or the only one; its last axis is colours where it has a length of 3 or 4.
    RAW is developed to 16-bit colours with the camera's white balance. Of a zarr group, level 0 is
    read; FITS keeps the order of its rows.
    """
    if odd not in ("refuse", "skip"):
        raise UserError(f"odd must be 'refuse' or 'skip', got {odd!r}")
    files = resolve(paths, order, exif.times)
    skip = odd == "skip"
    return reading.series(files, axis=axis, every=every, start=start, stop=stop, skip=skip)


def load_image(source: NDArray[Any] | PathLike | None) -> NDArray[Any] | None:
    """Load an image that is given as an option: an array and None are handed through.

    Raises
    ------
    FileNotFoundError, ValueError
        See `read`; also when the file holds several frames.
    """
    if source is None or isinstance(source, np.ndarray):
        return source
    return reading.image(resolve(os.fspath(source)))


def write(
    path: PathLike,
    data: Any,
    *,
    compression: Compression = "zlib",
    level: int | None = None,
    quality: int = 95,
    overwrite: bool = False,
    axes: Sequence[Axis | str] | None = None,
    rgb: bool | None = None,
    alpha: bool | None = None,
    recipe: Mapping[str, Any] | None = None,
    exif_from: PathLike | Stack | Hyperstack | None = FRAMES,
    names: str = "{source}",
    layers: Layers | None = None,
    run: Run | None = None,
) -> None:
    """Write an image or a stack; frames of a stack are computed and written one by one.

    Parameters
    ----------
    path : str or path
        A file, ``.tif``, ``.tiff``, ``.ome.tif``, ``.png``, ``.jpg`` or ``.zarr``. A folder (one
        that exists, or a name without a suffix) takes one file a frame; see `names`.
    data : array, Stack or Hyperstack
        An image (y, x) or (y, x, channel), an array with `axes`, or a stack, written as seen.
    compression : {'zlib', 'none', 'lzw', 'zstd'}
        All of them without loss. A PNG takes zlib or none, zarr all but lzw; a JPEG has its own.
    level : int, optional
        How hard zlib (0 to 9) or zstd (1 to 22) try; the library's default is a good balance.
    quality : int
        Of a JPEG, 1 to 100.
    overwrite : bool
        Replace a file that exists already.
    axes : sequence of Axis or str, optional
        Of an array: all but the channels of a pixel, y and x last.
    rgb : bool, optional
        The channels of an array are colours; see `Stack.wrap`. Four channels in a PNG always are.
    alpha : bool, optional
        The last channel of an array is alpha. By default it is for colours of four channels.
    recipe : mapping, optional
        Plain data (JSON) that is kept in the file.
    exif_from : str, path, Stack, Hyperstack or None
        Where EXIF and colour profile come from: the files of the frames that are written
        (``"frames"``), another file, folder or stack, or nothing (None). Of a series the file of
        the reference counts where it was registered, else the middle one; of a folder written,
        each frame has its own.
    names : str
        Names of the files in a folder: ``{source}`` stands for the name of the file that a frame
        was read from, ``{index}`` for its number; as in ``"aligned_{source}.png"`` or
        ``"{index:04d}.jpg"``. A running number comes in front where names would repeat or change
        the order.
    layers : mapping of str to array, or Stack, optional
        Layers of a TIFF for image editors, the topmost first, each of the size and type of `data`,
        which is what programs without layers (GIMP before 3 among them) show. A layer with four
        channels has alpha.
    run : Run, optional
        Reports progress frame by frame, and cancels.

    Raises
    ------
    FileExistsError
        When the file exists and must not be overwritten; nothing is computed.
    FileNotFoundError
        When the folder does not exist.
    ValueError
        For an unknown suffix, what the format cannot hold, or a file that the frames are read from.

    Notes
    -----
    A file appears under its name when it is complete, and not before: after an error, a cancel or
    a kill the old file is there, or none. A file beyond 4 GB is a BigTIFF.

    uint8, uint16 and float32 become a (hyper)stack of ImageJ; other types, bands, and colours with
    alpha or 16 bits a TIFF with a description. Both keep names, steps and units of the axes, and
    which frames are not used. True and False take one bit in a TIFF of one channel, and are 255 and
    0 in others and in a PNG.
    """
    if not isinstance(path, str | os.PathLike):
        kind = type(path).__name__
        raise TypeError(f"the path of a file or folder must come first, got a {kind}")
    path, run = expanded(path), run or Run()
    content = _content_for(path, data, axes, rgb, alpha)
    how = writing.How(compression, level, quality, overwrite, recipe, run=run)
    _check(path, content, names, how, layered=layers is not None)
    how = replace(how, origin=origin_for(data, exif_from))
    if layers is not None:
        tiff_layered.write_file(path, content, layers, how)
    elif writing.is_folder(path) and content.leading:
        writing.write_folder(path, content, names, how)
    else:
        writing.write_file(path, content, how)


def _check(
    path: Path, content: write_content.Content, names: str, how: writing.How, *, layered: bool
) -> None:
    if layered:
        tiff_layered.check(path, content, how)
    else:
        writing.check(path, content, names, how)


def _content_for(
    path: Path,
    data: Any,
    axes: Sequence[Axis | str] | None,
    rgb: bool | None,
    alpha: bool | None,
) -> write_content.Content:
    if path.suffix.lower() == ".png" and rgb is None and getattr(data, "shape", ())[2:] == (4,):
        rgb = True if not isinstance(data, (Stack, Hyperstack)) else rgb
    return write_content.content_of(data, axes, rgb, alpha)


def check_target(
    path: PathLike,
    *,
    overwrite: bool = False,
    data: Any = None,
    compression: Compression = "zlib",
    level: int | None = None,
    axes: Sequence[Axis | str] | None = None,
    rgb: bool | None = None,
    alpha: bool | None = None,
    quality: int = 95,
    exif_from: PathLike | Stack | Hyperstack | None = FRAMES,
    names: str = "{source}",
    layered: bool = False,
) -> None:
    """Refuse what `write` would refuse, before anything is computed.

    Parameters
    ----------
    path : str or path
        A file or folder. Without `data`, one without a suffix is taken for a folder, and what it
        holds is not looked at.
    overwrite : bool
    data : array, Stack, Hyperstack or (dtype, shape), optional
        What will be written: a stack, nothing of which is computed, or type and shape of an array
        that is not there yet.
    compression, level, axes, rgb, alpha, quality, exif_from, names
        See `write`.
    layered : bool
        Layers will be written.

    Raises
    ------
    FileExistsError, FileNotFoundError, ValueError
        See `write`.
    """
    path = expanded(path)
    how = writing.How(compression, level, quality, overwrite)
    refuse_missing(exif_from)
    if isinstance(data, tuple):
        dtype, shape = data
        data = np.broadcast_to(np.zeros((), dtype), shape)  # takes no memory
    if data is not None:
        content = _content_for(path, data, axes, rgb, alpha)
        _check(path, content, names, how, layered=layered)
    elif writing.is_folder(path):
        require_parent_folder(path)
    else:
        writing.check_target(path, overwrite)


def read_recipe(path: PathLike) -> dict[str, Any] | None:
    """Read the recipe that a file keeps, or None where it keeps none.

    Raises
    ------
    FileNotFoundError, ValueError
        For a missing or damaged file.
    """
    return reading.recipe(str(expanded(path)))
