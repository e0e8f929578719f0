"""The reader that the manifest names: a list of frames in a text file, as one lazy layer."""

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.core.home import at_home
from napari_stack.files import read
from napari_stack.layers.to_layer import to_layer

#: Suffix of a list of frames.
SUFFIX = ".frames"


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[Any]] | None:
    """Return the function that reads a path, or None when it is no list of frames.

    Only lists are claimed. napari opens images and folders itself, and a second reader for them
    would make it ask which one to use at every drop. Folders and globs are opened lazily with the
    dock "Open Frames", or from a script with ``to_layer(napari_stack.read(folder))``.
    """
    paths = path if isinstance(path, list) else [path]
    known = len(paths) == 1 and Path(paths[0]).suffix.lower() == SUFFIX
    return _read if known else None


def _read(path: str | list[str]) -> list[Any]:
    listed = Path(path[0] if isinstance(path, list) else path)
    return [to_layer(read(listed_frames(listed)), listed.stem).as_layer_data_tuple()]


def listed_frames(path: Path) -> list[str]:
    """Return what a list of frames names: a file, folder or glob a line, from where it lies.

    Empty lines, and lines that begin with ``#``, do not count; quotes around a line are no part of
    the name.

    Raises
    ------
    ValueError
        When the list is empty, or no text.
    """
    try:
        text = path.read_text(encoding=_encoding(path))
        lines = [_unquoted(line.strip()) for line in text.splitlines()]
    except UnicodeError as error:
        raise UserError(f"{path}: a list of frames is a text in UTF-8: {error}") from error
    frames = [
        str(path.parent / at_home(line)) for line in lines if line and not line.startswith("#")
    ]
    if not frames:
        raise UserError(f"{path}: the list names no frames; write a file, folder or glob a line")
    return frames


def _encoding(path: Path) -> str:
    """Tell UTF-16, as Windows' editors may write it, by its byte-order mark."""
    with path.open("rb") as file:
        marked = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return "utf-16" if marked else "utf-8-sig"


def _unquoted(line: str) -> str:
    quoted = len(line) > 1 and line[0] == line[-1] and line[0] in "\"'"
    return line[1:-1].strip() if quoted else line
