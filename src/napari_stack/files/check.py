"""`odd_files`: a look into the headers of all files of a series, which `read` puts off."""

from typing import Any

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.source import Selected
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files.formats.registry import format_of
from napari_stack.files.read import FileSource


def odd_files(data: Stack | Hyperstack, *, run: Run = Run()) -> dict[str, str]:
    """Look into the header of every file and tell which are unlike the first, or unreadable.

    No frame is decoded, so that damage among the pixels is found only when they are read.

    Parameters
    ----------
    data : Stack or Hyperstack
        As `read` gave it; of what comes from no file nothing is told.
    run : Run
        Reports progress file by file, and cancels.

    Returns
    -------
    dict of str to str
        What is wrong with a file, by its path.
    """
    source: Any = data.source if isinstance(data, Stack) else data.frames.source
    while isinstance(source, Selected):
        source = source.source
    if not isinstance(source, FileSource):
        return {}
    found: dict[str, str] = {}
    numbers = sorted(set(source.places[:, 0].tolist()))
    for done, number in enumerate(numbers, 1):
        path = source.files[number]
        try:
            _check(path, source)
        except (ValueError, OSError) as error:
            found[path] = str(error)
        if run.tick is not None:
            run.tick(done, len(numbers), "Checking headers")
    return found


def _check(path: str, source: FileSource) -> None:
    headers = source._headers
    kind: Any = format_of(path, headers)
    look = getattr(kind, "glance", kind.contents)
    held = look(path, headers)
    source.first.check(path, held.frame, len(held.order))
