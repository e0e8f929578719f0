"""From which files frames come: for the EXIF of an output, and that none of them is replaced."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from napari_stack.core.combined_sources import Together
from napari_stack.core.concatenated import Joined
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.source import Selected
from napari_stack.core.stack import Stack
from napari_stack.files.exif import NOTHING, Origin, origin_of
from napari_stack.files.paths import PathLike, resolve
from napari_stack.files.read import FileSource

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
    found = getattr(stack.transforms, "reference", None)
    below = getattr(stack.source, "stack", None)
    return _reference(below) if found is None and isinstance(below, Stack) else found


def file_of(stack: Stack, index: int) -> str | None:
    """Return the file that a frame was read from, or None."""
    source: Any = stack.source
    while True:
        if isinstance(source, Selected):
            index, source = int(source.frames[index]), source.source
        elif isinstance(source, Joined):
            number, index = divmod(int(source.order[index]), len(source.stacks[0]))
            source = source.stacks[number].source
        elif isinstance(below := getattr(source, "stack", None), Stack):  # as many frames
            source = below.source
        elif isinstance(source, FileSource):
            return source.files[int(source.places[index, 0])]
        else:
            return None


def files_of(data: Any) -> frozenset[str]:
    """Return the files that the frames of a stack or hyperstack are read from, links followed."""
    frames = data.frames if isinstance(data, Hyperstack) else data
    sources: list[Any] = [frames.source] if isinstance(frames, Stack) else []
    found: set[str] = set()
    while sources:
        source = sources.pop()
        if isinstance(source, Selected):
            sources.append(source.source)
        elif isinstance(source, Together):
            sources += [stack.source for stack in source.stacks]
        elif isinstance(below := getattr(source, "stack", None), Stack):
            sources.append(below.source)
        elif isinstance(source, FileSource):
            found |= {source.files[number] for number in set(source.places[:, 0].tolist())}
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
            raise ValueError(f"{path} is an input, which would be lost: name another output")
