"""Which files are meant: a file, a folder, a glob, or a list of these, and in which order."""

import os
from collections.abc import Iterable, Iterator
from glob import escape, glob, has_magic
from os.path import isdir
from pathlib import Path
from typing import Literal, get_args

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.core.system.home import at_home
from napari_stack.files.clutter import images_among, is_hidden, without_sidecars
from napari_stack.files.exif import times
from napari_stack.files.formats import FAMILIES, KINDS, is_zarr
from napari_stack.files.natural_order import naturally
from napari_stack.files.remote import address, is_remote

#: Suffixes of images.
SUFFIXES = tuple(suffix for family in FAMILIES for suffix in family)

#: As given (in a folder by name), all by name ("2" before "10"), or by when they were taken.
Order = Literal["given", "natural", "time"]

PathLike = str | os.PathLike[str]


def resolve(paths: PathLike | Iterable[PathLike], order: Order = "given") -> list[str]:
    """List the files that are meant, each once.

    Parameters
    ----------
    paths : str, path, or a list of these
        An address such as ``https://...`` is handed on as it is.
    order : {"given", "natural", "time"}

    Raises
    ------
    FileNotFoundError
        For a missing file, a folder without images, or a glob without match.
    ValueError
        When no path is given at all, or an empty one.
    """
    if isinstance(paths, bytes) or not isinstance(paths, (str, os.PathLike, Iterable)):
        raise TypeError(f"a path, or a list of paths, is needed, got {paths!r}")
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        raise UserError("no file is given: name a file, a folder, or a glob such as 'run1/*.tif'")
    if order not in get_args(Order):
        raise UserError(f"order must be 'given', 'natural' or 'time', got {order!r}")
    named = [None if is_remote(path) else expanded(path) for path in given]
    groups = [
        [address(path)] if here is None else naturally(_expand(here))
        for path, here in zip(given, named, strict=True)
    ]
    if len(given) > 1:
        groups = without_sidecars(groups, [here is not None and here.is_file() for here in named])
    found = list(dict.fromkeys(name for group in groups for name in group))
    if order == "given":
        return found
    found = naturally(found)
    if order == "natural":
        return found
    taken = dict(zip(found, times(found), strict=True))
    return sorted(found, key=taken.__getitem__)


def expanded(path: PathLike) -> Path:
    """Make a path of a text, ~ expanded.

    Raises
    ------
    TypeError
        For what is neither text nor a path.
    ValueError
        For an empty one, which would mean the current folder.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"a path must come first, a text or a Path, got a {type(path).__name__}")
    if not str(path).strip():
        raise UserError("the path is empty: name a file or a folder (. is the current one)")
    return at_home(path)


def _expand(path: Path) -> Iterator[str]:
    if path.is_dir():
        yield from [str(path)] if is_zarr(path) else _in_folder(path)
    elif path.exists():
        yield str(path)
    elif has_magic(str(path)):
        yield from _matching(str(path))
    else:
        raise FileNotFoundError(
            f"{path} does not exist: check the spelling, or name a folder or a glob"
        )


def _in_folder(folder: Path) -> list[str]:
    """Return the images in a folder; where there are none, those in the folders in it."""
    found, inner = _listed(folder)
    if not found and (found := [path for other in inner for path in _listed(Path(other))[0]]):
        warn_caller(
            f"{folder} holds no images itself: those of the folders in it are read, "
            f"{len(found)} in all",
        )
    if not found:
        raise FileNotFoundError(
            f"the folder {folder} holds no images ({KINDS}, by their suffix): name the folder that "
            "holds them, or a glob"
        )
    return found


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """Return the images in a folder, and the folders."""
    with os.scandir(folder) as entries:
        listed = [(entry.path, entry.name, entry.is_dir()) for entry in entries]
    images = images_among([path for path, name, is_dir in listed if _may_be_frames(name, is_dir)])
    inner = [path for path, name, is_dir in listed if is_dir and not is_hidden(name)]
    return images, inner


def _matching(pattern: str) -> list[str]:
    folder, names = os.path.split(pattern)
    if has_magic(folder) and isdir(folder):  # noqa: PTH112
        pattern = os.path.join(escape(folder), names)  # noqa: PTH118
    matches = glob(pattern, recursive=True)  # noqa: PTH207
    if "**" in pattern:  # links may lead round in circles
        matches = list({os.path.realpath(match): match for match in sorted(matches)[::-1]}.values())
    found = images_among([match for match in matches if _may_be_frames(match, isdir(match))])  # noqa: PTH112
    if not found:
        what = "only files that are no images" if matches else "nothing"
        raise FileNotFoundError(
            f"the glob {pattern} finds {what}: check the spelling; images are {KINDS}, by their "
            "suffix"
        )
    return found


def _may_be_frames(name: str, is_folder: bool) -> bool:
    """Whether a name may mean images: of folders only those of zarr do."""
    return not is_folder or name.lower().endswith(".zarr")
