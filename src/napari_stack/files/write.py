"""Writing files and folders: what is refused, and that no half file ever bears the final name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look
from napari_stack.core.stack import Stack
from napari_stack.core.system.atomic_write import (
    adding,
    refuse_existing,
    replacing,
    require_parent_folder,
)
from napari_stack.engine.run import Run
from napari_stack.files.exif import NOTHING, origin_of
from napari_stack.files.formats import WRITERS
from napari_stack.files.formats.tiff import layered as tiff_layered
from napari_stack.files.frame_names import frame_names
from napari_stack.files.paths import PathLike, expanded
from napari_stack.files.provenance import FRAMES, file_of, origin_for, refuse_inputs, refuse_missing
from napari_stack.files.write_content import Compression, Content, WriteOptions, Writer, content_of

#: Suffixes that can be written.
WRITTEN = tuple(WRITERS)


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
    look: Look | None = None,
    recipe: Mapping[str, Any] | None = None,
    exif_from: PathLike | Stack | Hyperstack | None = FRAMES,
    names: str = "{source}",
    layers: tiff_layered.Layers | None = None,
    levels: int | None = None,
    chunks: Sequence[int] | None = None,
    shards: Sequence[int] | None = None,
    fps: float = 10.0,
    time_stamp: bool = False,
    scale_bar: bool = False,
    run: Run | None = None,
) -> None:
    """Write an image or a stack; frames of a stack are computed and written one by one.

    Parameters
    ----------
    path : str or path
        A file, ``.tif``, ``.tiff``, ``.ome.tif``, ``.png``, ``.jpg``, ``.zarr``, or a movie,
        ``.mp4`` (with the extra ``video``) or ``.gif``. A folder (one that exists, or a name
        without a suffix) takes one file a frame; see `names`.
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
    look : Look, optional
        How an image is shown: its name, colours and display range; that of a stack is its own, and
        channels along an axis have the `looks` of that axis.
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
    levels : int, optional
        Resolutions of a zarr or OME-TIFF, each of half the sides. By default one in a TIFF, and in
        a zarr as many as it takes until the last one has no more than 512 pixels a side.
    chunks : tuple of int, optional
        Pixels of a chunk of a zarr along y and x, or lengths along all axes of the data; by default
        a frame, or 1024 x 1024 pixels of a large one.
    shards : tuple of int, optional
        Lengths of the files that a zarr puts several chunks into, as for chunks; by default each
        chunk is a file.
    fps : float
        Frames of a movie a second.
    time_stamp : bool
        Write time or place of each frame into a movie.
    scale_bar : bool
        Draw a scale bar into a movie; the axis x needs a unit of length.
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
    0 in others and in a PNG. A movie shows the frames in their colours and display range (else all
    of 8 bits, or the range of some frames), channels as one picture.
    """
    path = expanded(path)
    content = content_of(path, data, axes, rgb, alpha)
    if look is not None:
        content = replace(content, frames=replace(content.frames, look=look))
    options = WriteOptions(
        compression, level, quality, overwrite, recipe, run=run or Run(), levels=levels,
        chunks=chunks, shards=shards, fps=fps, time_stamp=time_stamp, scale_bar=scale_bar,
    )  # fmt: skip
    _check(path, content, names, options, with_layers=layers is not None)
    options = replace(options, origin=origin_for(data, exif_from))
    if layers is None and _is_folder(path) and content.leading:
        _write_folder(path, content, names, options)
        return
    with replacing(path, overwrite=overwrite) as part:
        if layers is None:
            _writer(path).write(part, content, options)
        else:
            tiff_layered.write(path, part, content, layers, options)


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
    **more: Any,
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
    **more
        Other options of `write`: levels, chunks, shards, fps, time_stamp, scale_bar.
    layered : bool
        Layers will be written.

    Raises
    ------
    FileExistsError, FileNotFoundError, ValueError
        See `write`.
    """
    path = expanded(path)
    options = WriteOptions(compression, level, quality, overwrite, **more)
    refuse_missing(exif_from)
    if isinstance(data, tuple):
        dtype, shape = data
        data = np.broadcast_to(np.zeros((), dtype), shape)  # takes no memory
    if data is not None:
        content = content_of(path, data, axes, rgb, alpha)
        _check(path, content, names, options, with_layers=layered)
    elif _is_folder(path):
        require_parent_folder(path)
    else:
        _check_file(path, overwrite)


def _is_folder(path: Path) -> bool:
    """Whether a path means a folder for one file a frame."""
    if path.suffix.lower() == ".zarr":
        return False
    return path.is_dir() or (not path.suffix and not path.exists())


def _writer(path: Path) -> Writer:
    """Return what writes a file."""
    if (writer := WRITERS.get(path.suffix.lower())) is None:
        raise UserError(
            f"{path} cannot be written: its suffix {path.suffix!r} is none of "
            f"{', '.join(WRITTEN)}; choose one of these"
        )
    return writer


def _check(
    path: Path, content: Content, names: str, options: WriteOptions, *, with_layers: bool
) -> None:
    """Refuse all that would be refused on writing, before anything is computed."""
    if not with_layers and _is_folder(path) and content.leading:
        require_parent_folder(path)
        frame = Content(content.frames.select([0]))
        targets = [path / name for name in frame_names(content.frames, names)]
        refuse_inputs(targets, content.frames)
        for target in targets:
            writer = _writer(target)
            refuse_existing(target, options.overwrite)
            writer.check(target, frame, options)
        return
    refuse_inputs([path], content.frames)
    writer = _check_file(path, options.overwrite)
    if with_layers:
        tiff_layered.check(path, content)
    else:
        writer.check(path, content, options)


def _check_file(path: Path, overwrite: bool) -> Writer:
    """Refuse a file that cannot be written, or must not be."""
    writer = _writer(path)
    writer.check_target(path)
    refuse_existing(path, overwrite)
    require_parent_folder(path)
    return writer


def _write_folder(folder: Path, content: Content, names: str, options: WriteOptions) -> None:
    """Write one file a frame, named after a pattern; all of them or none."""
    stack = content.frames
    files = frame_names(stack, names)
    with adding(folder, files, overwrite=options.overwrite) as part:
        for index, name in enumerate(files):
            frame = Content(stack.select([index]), note_used=not stack.used.all())
            source = None if options.origin is NOTHING else file_of(stack, index)
            origin = options.origin if source is None else origin_of(source)
            one = replace(options, origin=origin, run=options.run.part(index, len(files)))
            _writer(part / name).write(part / name, frame, one)
