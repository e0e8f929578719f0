"""Reading files: frames lazily, one image, the recipe that a file keeps, headers of a series."""

import os
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.source import Selected
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files.data_source import stack_of
from napari_stack.files.file_source import FileSource
from napari_stack.files.formats import format_of
from napari_stack.files.given_data import is_data
from napari_stack.files.header_cache import HeaderCache, ReadOptions
from napari_stack.files.name_axes import axes_in_names
from napari_stack.files.paths import Order, PathLike, expanded, resolve
from napari_stack.files.remote import address, is_remote
from napari_stack.files.series import Asked, Odd, frames_of
from napari_stack.files.series_choice import alike, described


def read(
    paths: PathLike | Iterable[PathLike] | Any,
    *,
    axis: str | int | None = None,
    every: int = 1,
    start: int = 0,
    stop: int | None = None,
    order: Order = "given",
    odd: Odd = "refuse",
    series: int | str | None = None,
    from_names: bool | str = False,
    demosaic: bool = True,
) -> Stack | Hyperstack:
    """Open frames from files, lazily.

    Parameters
    ----------
    paths : str, path, or a list of these; or data
        A file, a folder, or a glob, or a list of these. Each file is taken once. An address,
        ``https://...`` or ``s3://...``, of a zarr or OME-Zarr. Or what another library opened: an
        array of NumPy, dask or zarr, a group of zarr, an ``xarray.DataArray``, a
        ``bioio.BioImage``.
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
    series : int or str, optional
        Number or name of the image to read, of files and sets of files that hold several, such as
        positions; `napari_stack.files.list_series` names them. Default: all, along an axis
        "position" in front (frames that are only counted go on along their axis), where they are
        alike in size, type and axes; else the first, with a warning that names all.
    from_names : bool or str
        Whether frames are laid out along the axes that the names of files and folders tell of, as
        in ``e_t000_z000_ch00.tif``, ``e_s1_w1DAPI_t3.tif``, ``Pos0/img_channel000_z000.tif`` or a
        folder a channel; or a pattern of the names, such as ``"{position}/e_{t}_{z}_{c}"``, where *
        stands for anything. Places without a file become frames that are missing, and not used.
        False: files are frames one after the other, with a warning where names tell of axes.
    demosaic : bool
        Make colours out of the mosaic of a sensor, in camera RAW and SER. Without, frames come as
        the sensor recorded them: one value a pixel, black level and orientation as they are.

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
    one axis, to count these, or says that frames of its series are not used). A file that is cut
    off, or holds fewer frames than it declares, is refused when it is opened. One that turns out to
    be damaged or of another size or type than the first is reported by name when it is read, or by
    `napari_stack.files.odd_files`, which looks into the headers of all.

    TIFF (OME, ImageJ, LSM and STK among them), PNG, JPEG, BMP, WebP, JPEG 2000, JPEG XL, AVIF, PNM,
    GIF, SER and NumPy files are read; with extras zarr and OME-Zarr (``zarr``), FITS (``fits``),
    camera RAW (``raw``), HEIC (``phones``), films (``video``), and formats of microscopes
    (``microscopes``). docs/formats.md tells what is known of each. In a folder the first of these
    families counts: pictures, RAW, microscopes, films, FITS, zarr, NumPy.

    Pixels come as they are stored, but upright, as EXIF or TIFF says; 0 is black also in a TIFF
    where it is white, and palettes become RGB, save in files of ImageJ, where both are for display
    only. A last channel is alpha only where the file declares it so. Of an .npz the array
    ``images`` counts, or the only one, else each is a series; the last axis is colours where it has
    a length of 3 or 4.
    RAW is developed to 16-bit colours with the camera's white balance. Of a zarr group, level 0 is
    read; FITS keeps the order of its rows.
    """
    if odd not in ("refuse", "skip"):
        raise UserError(f"odd must be 'refuse' or 'skip', got {odd!r}")
    if is_data(paths):
        return stack_of(paths, axis, slice(start, stop, every), series)
    files = resolve(paths, order)
    part, skip = slice(start, stop, every), odd == "skip"
    asked = Asked(series, from_names, ReadOptions(demosaic))
    return frames_of(files, axis, part, skip, asked)


def list_series(paths: PathLike | Iterable[PathLike]) -> list[str]:
    """Name the images that a file, or a set of files, holds, for the option ``series`` of `read`.

    Parameters
    ----------
    paths : str, path, or a list of these
        As in `read`; the first file, or the set that it belongs to, is asked.

    Returns
    -------
    list of str
        The number of each, its name where it has one, and what it holds.

    Raises
    ------
    FileNotFoundError, UserError
        See `read`.
    """
    return choices_in(paths).series


class Choices(NamedTuple):
    """What may be chosen of files.

    Attributes
    ----------
    series : list of str
        The images that they hold, one at least.
    axes : str
        The axes that their names tell of, and how long these are; empty where they tell of none.
    """

    series: list[str]
    axes: str = ""


def choices_in(paths: PathLike | Iterable[PathLike]) -> Choices:
    """Look for what may be chosen of files: their series, and axes in their names.

    Raises
    ------
    FileNotFoundError, UserError
        See `read`.
    """
    files = resolve(paths)
    kind = format_of(files[0], HeaderCache())
    if (whole := kind.set_of(files)) is not None:
        return Choices(described(whole.series))
    named = axes_in_names(files)
    usable = named is not None and named.by_words and not named.twice and not named.odd
    known = str(named) if usable else ""
    return Choices(described(kind.series(files[0])), known)


def read_each(path: PathLike) -> list[tuple[str, Stack | Hyperstack]]:
    """Open every image of a file, with its name: one where they make one stack, else all of them.

    Raises
    ------
    FileNotFoundError, UserError
        See `read`.
    """
    files = resolve(path)
    kind = format_of(files[0], HeaderCache())
    whole = kind.set_of(files)
    found = kind.series(files[0]) if whole is None else whole.series
    if alike(found):
        return [("", read(path))]
    return [(series.name, read(path, series=number)) for number, series in enumerate(found)]


def load_image(source: NDArray[Any] | PathLike | None) -> NDArray[Any] | None:
    """Load an image that is given as an option: an array and None are handed through.

    Raises
    ------
    FileNotFoundError, UserError
        See `read`; also when the file holds several frames.
    """
    if source is None or isinstance(source, np.ndarray):
        return source
    files = resolve(os.fspath(source))
    found = frames_of(files)
    frames = found.frames if isinstance(found, Hyperstack) else found
    if len(frames) != 1:
        raise UserError(
            f"{files[0]} holds {len(frames)} frames where one image is needed: name another file"
        )
    return frames[0]


def read_recipe(path: PathLike) -> dict[str, Any] | None:
    """Read the recipe that a file keeps, or None where it keeps none.

    Raises
    ------
    FileNotFoundError, UserError
        For a missing or damaged file.
    """
    name = address(path) if is_remote(path) else str(expanded(path))
    recipe = format_of(name, HeaderCache()).note(name).recipe
    return None if recipe is None else dict(recipe)


def odd_files(data: Stack | Hyperstack, *, run: Run = Run()) -> dict[str, str]:
    """Read the header of every file and name those that are unlike the first, or unreadable.

    No frame is decoded, so that damage among the pixels is found only when they are read.

    Parameters
    ----------
    data : Stack or Hyperstack
        As `read` gave it; what comes from no file has no odd ones.
    run : Run
        Reports progress file by file, and cancels.

    Returns
    -------
    dict of str to str
        What is wrong with a file, by its path.
    """
    source = data.source if isinstance(data, Stack) else data.frames.source
    while isinstance(source, Selected):
        source = source.source
    if not isinstance(source, FileSource):
        return {}
    found: dict[str, str] = {}
    numbers = sorted(set(source.read_places[:, 0].tolist()))
    for done, number in enumerate(numbers, 1):
        path = source.files[number]
        try:
            _check_header(path, source)
        except (UserError, OSError) as error:
            found[path] = str(error)
        if run.tick is not None:
            run.tick(done, len(numbers), "Checking headers")
    return found


def _check_header(path: str, source: FileSource) -> None:
    """Refuse a file none of whose images is like the first file's."""
    kind = format_of(path, source.headers)
    held, wanted = kind.read_header(path), source.first.frame
    if (held.frame.shape, held.frame.dtype) != (wanted.shape, wanted.dtype):
        each = [series.contents for series in kind.series(path)]
        alike = [one for one in each if one.frame.shape == wanted.shape]
        held = alike[0] if alike else held
    source.first.check(path, held.frame, len(held.order))
