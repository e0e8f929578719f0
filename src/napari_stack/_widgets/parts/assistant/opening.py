"""Frames to begin with: files that are dropped or chosen, or single images that are there."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QMimeData

from napari_stack import layers
from napari_stack.engine.run import Run
from napari_stack.files import read
from napari_stack.layers.stacks.gather import gathered
from napari_stack.layers.stacks.read_layer import Data

#: Data, its contrast limits, and the name of its layer.
Opened = tuple[Data, tuple[float, float], str]


def dropped_paths(mime: QMimeData | None) -> list[str]:
    """Return the files and folders that are dropped."""
    urls = [] if mime is None else mime.urls()
    return [str(Path(url.toLocalFile())) for url in urls if url.isLocalFile()]


def opening(paths: Sequence[str]) -> Callable[[Run], Opened]:
    """Return the work that opens files, or a folder, as frames."""
    given: Any = list(paths) if len(paths) > 1 else paths[0]

    def work(run: Run) -> Opened:
        _begin(run)
        data = read(given)
        return data, layers.show_limits(data), name_of(paths)

    return work


def gathering(images: Sequence[Any]) -> Callable[[Run], Opened]:
    """Return the work that takes single images as frames."""
    name = name_of([str(layer.source.path or layer.name) for layer in images])

    def work(run: Run) -> Opened:
        _begin(run)
        data = gathered(images)
        return data, layers.show_limits(data), name

    return work


def _begin(run: Run) -> None:
    if run.tick:  # cancelled before it began
        run.tick(0, 0, "Opening frames")


def name_of(paths: Sequence[str]) -> str:
    """Name a layer after the folder of a series, or after its file.

    Examples
    --------
    >>> name_of(["/data/pcb/1.jpg", "/data/pcb/2.jpg"]), name_of(["/data/cells.ome.tif"])
    ('pcb', 'cells.ome')
    """
    first = Path(paths[0])
    if len(paths) > 1:
        return first.absolute().parent.name if first.parent.name else "frames"
    return (first.name if first.is_dir() else first.stem) or "frames"
