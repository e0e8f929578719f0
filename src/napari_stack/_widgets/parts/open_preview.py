"""`FramesPreview`: a description of what would be opened, made in a thread."""

import os
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_stack._widgets.parts.layout import below, frames_text, paragraph
from napari_stack._widgets.parts.run.errors import show_error
from napari_stack._widgets.parts.run.latest_worker import LatestWorker, Work
from napari_stack.core.errors import format_error, is_mendable
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import Choices, odd_files
from napari_stack.layers.jobs.forecast import size_text

#: Milliseconds without a change after which files are looked into: a pause in typing.
_PAUSE = 300

#: Names of odd files that are listed at most.
_MOST_NAMES = 4

Data = Stack | Hyperstack

#: What would be opened, and what may be chosen of it.
Opened = tuple[Data, Choices]


class FramesPreview(QWidget):
    """Text with number, size and type of the frames, and which files are odd.

    Files are read twice: the first, which describes the frames; then, for as long as nothing
    changes, the headers of the others.
    """

    finished = Signal()
    offered = Signal(object)  # `Choices`

    def __init__(self) -> None:
        super().__init__()
        self.latest = LatestWorker(self, _PAUSE, restart=True)
        self.latest.returned.connect(self._returned)
        self.latest.errored.connect(self._errored)
        self.latest.warned.connect(self._warned)
        self.latest.progressed.connect(self._progressed)
        self._lines: list[str] = []
        self._told: list[str] = []
        self._progress = ""
        self.label = paragraph()
        self.setLayout(below(self.label))

    def ask(self, read: Callable[[], Opened] | None) -> None:
        """Describe what `read` gives, soon and in a thread; None for nothing to describe."""
        self.latest.drop()
        self._show()
        if read is not None:
            self.latest.ask_prepared(lambda: self._reading(read))

    def _reading(self, read: Callable[[], Opened]) -> Work:
        self._show("Looking into the files ...")
        self._told = []
        return lambda _run: (self._described, read())

    def _returned(self, result: Any) -> None:
        done, found = result
        done(found)

    def _described(self, found: Opened) -> None:
        data, choices = found
        self.offered.emit(choices)
        self._show(*description_of(data), *self._told)
        self.latest.ask(lambda run: (self._checked, odd_files(data, run=run)), at_once=True)

    def _checked(self, odd: dict[str, str]) -> None:
        alike = ["The headers of all files are alike."] if self._progress else []
        self._show(*self._lines, *(_odd_text(odd) or alike))
        self.finished.emit()

    def _errored(self, error: BaseException) -> None:
        self._show(format_error(error))
        if not is_mendable(error):
            show_error(error)
        self.finished.emit()

    def _warned(self, text: str) -> None:
        if text not in self._told:  # looking for choices tells it again
            self._told.append(text)
            self._lines.append(text)
            self._write()

    def _progressed(self, done: int, total: int, what: str) -> None:
        if total > 1:
            self._progress = f"{what}: {done} of {total}"
            self._write()

    def _show(self, *lines: str) -> None:
        self._lines, self._progress = list(lines), ""
        self._write()

    def _write(self) -> None:
        self.label.setText("\n".join([*self._lines, *filter(None, [self._progress])]))


def description_of(data: Data) -> list[str]:
    """Say how many frames there are, what they are, and what they take."""
    frames = data.frames
    height, width, *channels = frames.shape[1:]
    kind = _channels(channels[0] if channels else 1, rgb=frames.rgb, alpha=frames.alpha)
    lines = [
        extent(data),
        f"{width} x {height} pixels, {frames.dtype}, {kind}",
        _size(frames),
    ]
    steps = [axis for axis in data.axes[-2:] if axis.unit != "pixel"]
    if steps:
        y, x = data.axes[-2:]
        lines.insert(2, f"a pixel is {x.step:.4g} x {y.step:.4g} {x.unit}")
    first, last = (frames.source.label(i) for i in (0, len(frames) - 1))
    lines.append(first if len(frames) == 1 else f"{first} to {last}")
    return lines


def extent(data: Data) -> str:
    """Say how many frames, along each axis where there are several."""
    if isinstance(data, Stack):
        return frames_text(len(data))
    sizes = zip(data.leading, data.sizes, strict=True)
    axes = ", ".join(f"{axis.name} = {size}" for axis, size in sizes)
    return f"{frames_text(len(data.frames))} ({axes})"


def _channels(count: int, *, rgb: bool, alpha: bool) -> str:
    with_alpha = " with alpha" if alpha else ""
    if rgb:
        return f"colours{with_alpha}"
    count -= alpha
    return f"grey{with_alpha}" if count == 1 else f"{count} bands{with_alpha}"


def _size(frames: Stack) -> str:
    from psutil import virtual_memory

    needed = prod(frames.shape) * frames.dtype.itemsize
    free = virtual_memory().available
    fits = "fits into" if needed < free else "more than"
    return (
        f"{size_text(needed)} in all, {fits} the {size_text(free)} of free memory; read as needed"
    )


def _odd_text(odd: dict[str, str]) -> list[str]:
    """Say which files are odd, and what is wrong with the first."""
    if not odd:
        return []
    names = [Path(path).name for path in odd]
    some = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    count = "1 file is odd" if len(odd) == 1 else f"{len(odd)} files are odd"
    path, reason = next(iter(odd.items()))
    short = reason.replace(str(Path(path).parent) + os.sep, "").partition(": ")[0]
    return [f"{count}: {some}. {short}. Odd files: skip leaves them out."]
