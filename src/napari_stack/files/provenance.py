"""From which files frames come: for the EXIF of an output, and that none of them is replaced."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.source import Source
from napari_stack.core.stack import Stack
from napari_stack.files.exif import NOTHING, Origin, origin_of
from napari_stack.files.paths import PathLike, resolve

#: The frames that are written themselves.
FRAMES = "frames"


def origin_for(data: Any, exif_from: "PathLike | Stack | Hyperstack | None") -> Origin:
    """Find what goes to the output.

    Parameters
    ----------
    data : Stack, Hyperstack or array
        What is written.
    exif_from : str, path, Stack, Hyperstack or None
        ``"frames"`` for the data itself; a file, a folder or another stack; None or ``""`` for
        nothing. Of frames that were registered the reference counts, else the middle one.
    """
    if exif_from is None or exif_from == "":
        return NOTHING
    if isinstance(exif_from, str) and exif_from == FRAMES:
        path = reference_file(data)
    elif isinstance(exif_from, (Stack, Hyperstack)):
        path = reference_file(exif_from)
    else:
        files = resolve(exif_from)
        path = files[len(files) // 2]
    return NOTHING if path is None else origin_of(path)


def refuse_missing(exif_from: "PathLike | Stack | Hyperstack | None") -> None:
    """Refuse a file or folder that is not there; see `origin_for`.

    Raises
    ------
    FileNotFoundError
    """
    if isinstance(exif_from, (Stack, Hyperstack)) or exif_from in (None, "", FRAMES):
        return
    resolve(exif_from)


def reference_file(data: Any) -> str | None:
    """Return the file of the frame that the others were moved to, by default of the middle one.

    None where it comes from no file.
    """
    stack = data.stack() if isinstance(data, Hyperstack) else data
    if not isinstance(stack, Stack):
        return None
    chosen = _reference(stack)
    return file_of(stack, len(stack) // 2 if chosen is None else chosen)


def _reference(stack: Stack) -> int | None:
    """Find the frame that the others were moved to, also below what was closed since."""
    if stack.transforms is not None:
        found: int | None = stack.transforms.reference
        if found is not None:
            return found
    below = stack.source.below
    return None if below is None else _reference(below)


def file_of(stack: Stack, index: int) -> str | None:
    """Return the file that a frame was read from, or None."""
    at: tuple[Source, int] | None = (stack.source, index)
    while at is not None:
        source, index = at
        if (file := source.file(index)) is not None:
            return file
        at = source.origin(index)
    return None


def files_of(data: Any) -> frozenset[str]:
    """Return the files that the frames of a stack or hyperstack are read from, links followed."""
    frames = data.frames if isinstance(data, Hyperstack) else data
    sources = [frames.source] if isinstance(frames, Stack) else []
    found: set[str] = set()
    while sources:
        source = sources.pop()
        found |= source.files_read
        sources += source.parents
    return frozenset(str(Path(file).resolve()) for file in found)


def refuse_inputs(paths: Iterable[Path], data: Any) -> None:
    """Refuse to replace any of the files that frames are read from.

    Raises
    ------
    ValueError
    """
    there = [path for path in paths if path.exists()]
    files = files_of(data) if there else frozenset()  # a series may have many
    for path in there:
        if str(path.resolve()) in files:
            raise UserError(f"{path} is an input, which would be lost: name another output")
