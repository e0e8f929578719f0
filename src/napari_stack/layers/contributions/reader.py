"""The reader that the manifest names: lists of frames, and formats that napari does not open."""

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.core.system.home import at_home
from napari_stack.files import read, read_each
from napari_stack.files.remote import address, is_remote
from napari_stack.layers.stacks.to_layer import to_layer

#: Suffix of a list of frames.
SUFFIX = ".frames"

#: Suffixes of formats that napari does not open by itself: microscopes, phones, webcams. Of others
#: a second reader would make it ask which one to use at every drop.
CLAIMED = (
    ".nd2", ".czi", ".lif", ".lof", ".xlif", ".oif", ".oib", ".ims", ".mrc", ".mrcs",
    ".heic", ".heif", ".hif", ".avif", ".jxl", ".ser", ".m4v",
)  # fmt: skip


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[Any]] | None:
    """Return the function that reads a path, or None when napari opens it itself.

    Claimed are lists of frames, and files that napari does not open. Other images and folders it
    opens itself, and a second reader for them would make it ask which one to use at every drop.
    They are opened lazily with the dock "Open Frames", or from a script with
    ``to_layer(napari_stack.read(folder))``.
    """
    paths = path if isinstance(path, list) else [path]
    if len(paths) != 1:
        return None
    suffix = Path(paths[0]).suffix.lower()
    return _read_list if suffix == SUFFIX else _read_file if suffix in CLAIMED else None


def _read_list(path: str | list[str]) -> list[Any]:
    listed = _only(path)
    return [to_layer(read(frames_of(listed)), listed.stem).as_layer_data_tuple()]


def _read_file(path: str | list[str]) -> list[Any]:
    """Make a layer of a file; one of each image where these differ in size, type or axes."""
    file = _only(path)
    return [
        to_layer(data, f"{file.stem} {name}".strip()).as_layer_data_tuple()
        for name, data in read_each(file)
    ]


def _only(path: str | list[str]) -> Path:
    return Path(path[0] if isinstance(path, list) else path)


def frames_of(path: Path) -> list[str]:
    """Return what a list of frames names: a file, folder or glob a line, from where it lies.

    Addresses such as ``https://...`` stand as they are. Empty lines, and lines that begin with
    ``#``, do not count; quotes around a line are no part of the name.

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
        address(line) if is_remote(line) else str(path.parent / at_home(line))
        for line in lines
        if line and not line.startswith("#")
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
