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
    if isinstance(exif_from, (Stack, Hyperstack)):
        data, exif_from = exif_from, FRAMES
    if exif_from is None or exif_from == "":
        return NOTHING
    if exif_from == FRAMES:
        path = reference_file(data)
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
    if not (isinstance(exif_from, (Stack, Hyperstack)) or exif_from in (None, "", FRAMES)):
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
    found: int | None = None if stack.transforms is None else stack.transforms.reference
    below = stack.source.below
    return found if found is not None or below is None else _reference(below)


def file_of(stack: Stack, index: int) -> str | None:
    """Return the file that a frame was read from, or None."""
    at: tuple[Source, int] | None = (stack.source, index)
    while at is not None:
        if (file := at[0].file(at[1])) is not None:
            return file
        at = at[0].origin(at[1])
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
    there = {str(path.resolve()): path for path in paths if path.exists()}
    lost = files_of(data) & there.keys() if there else ()  # a series may have many
    for file in sorted(lost):
        raise UserError(f"{there[file]} is an input, which would be lost: name another output")
