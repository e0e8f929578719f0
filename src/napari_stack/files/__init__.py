"""Files: frames are read lazily from TIFF, PNG and JPEG, and written as TIFF and PNG."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.files import _content, _reading, _writing
from napari_stack.files._paths import SUFFIXES, PathLike, expanded, resolve
from napari_stack.files._replacing import refuse_homeless
from napari_stack.files._writing import WRITTEN, Compression
from napari_stack.hyperstack import Hyperstack
from napari_stack.run import Run
from napari_stack.sources import Axis
from napari_stack.stack import Stack

__all__ = ["SUFFIXES", "WRITTEN", "check_target", "load_image", "read", "read_recipe", "write"]


def read(
    paths: PathLike | Iterable[PathLike],
    *,
    axis: str | int | None = None,
    every: int = 1,
    start: int = 0,
    stop: int | None = None,
) -> Stack | Hyperstack:
    """Open frames from files, lazily.

    Parameters
    ----------
    paths : str, path, or a list of these
        A file, a folder, or a glob, whose files come in natural order ("2" before "10"). A list
        keeps its order, and holds each file once.
    axis : str or int, optional
        The axis to stack, by name or number, for files with more axes. Default: the first.
    every, start, stop : int
        Frames taken along that axis, as in a slice.

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
    be damaged or of another size or type than the first is reported by name when it is read.

    Pixels come as they are stored. Palettes become RGB, except in files of ImageJ, where they are
    for display only; JPEGs come upright as EXIF says. A last channel is alpha only where the file
    declares it so.
    """
    return _reading.series(resolve(paths), axis=axis, every=every, start=start, stop=stop)


def load_image(source: NDArray[Any] | PathLike | None) -> NDArray[Any] | None:
    """Load an image that is given as an option: an array and None are handed through.

    Raises
    ------
    FileNotFoundError, ValueError
        See `read`; also when the file holds several frames.
    """
    if source is None or isinstance(source, np.ndarray):
        return source
    return _reading.image(resolve(os.fspath(source)))


def write(
    path: PathLike,
    data: Any,
    *,
    compression: Compression = "zlib",
    overwrite: bool = False,
    axes: Sequence[Axis | str] | None = None,
    rgb: bool | None = None,
    alpha: bool | None = None,
    recipe: Mapping[str, Any] | None = None,
    run: Run | None = None,
) -> None:
    """Write an image or a stack; frames of a stack are computed and written one by one.

    Parameters
    ----------
    path : str or path
        A file, ``.tif``, ``.tiff`` or ``.png``. A folder (one that exists, or a name without a
        suffix) takes one TIFF a frame, named after where it came from, with a running number in
        front where such names would repeat or change the order.
    data : array, Stack or Hyperstack
        An image (y, x) or (y, x, channel), an array with `axes`, or a stack, written as seen.
    compression : {'zlib', 'none', 'lzw', 'zstd'}
        All of them without loss. A PNG takes zlib or none.
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
    run : Run, optional
        Reports progress frame by frame, and cancels.

    Raises
    ------
    FileExistsError
        When the file exists and must not be overwritten; nothing is computed.
    FileNotFoundError
        When the folder does not exist.
    ValueError
        For an unknown suffix, or what the format cannot hold.

    Notes
    -----
    A file appears under its name when it is complete, and not before: after an error or a cancel
    the old file is there, or none. A file beyond 4 GB is a BigTIFF.

    uint8, uint16 and float32 become a (hyper)stack of ImageJ; other types, bands, and colours with
    alpha or 16 bits a TIFF with a description. Both keep names, steps and units of the axes, and
    which frames are not used. True
    and False take one bit in a TIFF of one channel, and are 255 and 0 in others and in a PNG.
    """
    path, run = expanded(path), run or Run()
    content = _content_for(path, data, axes, rgb, alpha)
    _writing.check(path, content, compression=compression, overwrite=overwrite)
    as_folder = _writing.is_folder(path) and bool(content.leading)
    function = _writing.write_folder if as_folder else _writing.write_file
    function(path, content, compression=compression, overwrite=overwrite, recipe=recipe, run=run)


def _content_for(
    path: Path,
    data: Any,
    axes: Sequence[Axis | str] | None,
    rgb: bool | None,
    alpha: bool | None,
) -> _content.Content:
    if path.suffix.lower() == ".png" and rgb is None and getattr(data, "shape", ())[2:] == (4,):
        rgb = True if not isinstance(data, (Stack, Hyperstack)) else rgb
    return _content.content_of(data, axes, rgb, alpha)


def check_target(
    path: PathLike,
    *,
    overwrite: bool = False,
    data: Any = None,
    compression: Compression = "zlib",
    axes: Sequence[Axis | str] | None = None,
    rgb: bool | None = None,
    alpha: bool | None = None,
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
    compression, axes, rgb, alpha
        See `write`.

    Raises
    ------
    FileExistsError, FileNotFoundError, ValueError
        See `write`.
    """
    path = expanded(path)
    if isinstance(data, tuple):
        dtype, shape = data
        data = np.broadcast_to(np.zeros((), dtype), shape)  # takes no memory
    if data is not None:
        content = _content_for(path, data, axes, rgb, alpha)
        _writing.check(path, content, compression=compression, overwrite=overwrite)
    elif _writing.is_folder(path):
        refuse_homeless(path)
    else:
        _writing.check_target(path, overwrite)


def read_recipe(path: PathLike) -> dict[str, Any] | None:
    """Read the recipe that a file keeps, or None where it keeps none.

    Raises
    ------
    FileNotFoundError, ValueError
        For a missing or damaged file.
    """
    return _reading.recipe(str(expanded(path)))
