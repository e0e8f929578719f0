"""`FramesPreview`: what would be opened, told before it is, by a thread that never blocks."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_stack._widgets.parts.errors import format_error, show_error
from napari_stack._widgets.parts.layout import frames_text, paragraph
from napari_stack._widgets.parts.worker import Worker
from napari_stack.core.errors import is_mendable
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import odd_files

#: Milliseconds without a change after which files are looked into: a pause in typing.
_PAUSE = 300

#: Names of odd files that are listed at most.
_MOST_NAMES = 4

Data = Stack | Hyperstack


class FramesPreview(QWidget):
    """Text that tells number, size and type of the frames, and which files are odd.

    Files are looked into twice: the first, which tells all about the frames; then, for as long as
    nothing changes, the headers of the others.
    """

    finished = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._read: Callable[[], Data] | None = None
        self._worker: Worker | None = None
        self._number = 0
        self._lines: list[str] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._look)
        self.label = paragraph()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.label)

    @property
    def busy(self) -> bool:
        """Whether there is something to look into still."""
        return self._timer.isActive() or self._worker is not None

    def ask(self, read: Callable[[], Data] | None) -> None:
        """Look into what `read` gives, soon and in a thread; None for nothing to look into."""
        self.abandon()
        self._read = read
        self._show()
        if read is not None:
            self._timer.start()

    def abandon(self) -> None:
        """Stop, and ignore whatever still comes of it."""
        self._timer.stop()
        self._number += 1
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None

    def _look(self) -> None:
        read = self._read
        assert read is not None
        self._show("Looking into the files ...")
        self._start(lambda _run: read(), self._looked)

    def _looked(self, data: Data) -> None:
        self._show(*described(data))
        self._start(lambda run: odd_files(data, run=run), self._checked)

    def _checked(self, odd: dict[str, str]) -> None:
        alike = ["The headers of all files are alike."] if self._checking else []
        self._show(*self._lines[: -1 if self._checking else None], *(_told(odd) or alike))
        self._worker = None
        self.finished.emit()

    @property
    def _checking(self) -> bool:
        return bool(self._lines) and self._lines[-1].startswith("Checking")

    def _start(self, work: Callable[[Run], Any], done: Callable[[Any], None]) -> None:
        number = self._number
        self._worker = worker = Worker(lambda run: (number, done, work(run)))
        worker.returned.connect(self._returned)
        worker.errored.connect(self._errored)
        worker.warned.connect(self._warned)
        worker.progressed.connect(self._progressed)
        self.destroyed.connect(worker.cancel)
        worker.start()

    def _returned(self, result: Any) -> None:
        number, done, found = result
        if number == self._number:  # else it was asked for something else meanwhile
            done(found)

    def _errored(self, error: BaseException) -> None:
        if self.sender() is not self._worker:
            return
        self._worker = None
        self._show(format_error(error))
        if not is_mendable(error):
            show_error(error)
        self.finished.emit()

    def _warned(self, text: str) -> None:
        if self.sender() is self._worker:
            self._show(*self._lines, text)

    def _progressed(self, done: int, total: int, what: str) -> None:
        if self.sender() is self._worker and total > 1:
            lines = self._lines[: -1 if self._checking else None]
            self._show(*lines, f"{what}: {done} of {total}")

    def _show(self, *lines: str) -> None:
        self._lines = list(lines)
        self.label.setText("\n".join(lines))


def described(data: Data) -> list[str]:
    """Say how many frames there are, what they are, and what they take."""
    frames = data if isinstance(data, Stack) else data.frames
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

    pixels = 1
    for side in frames.shape:
        pixels *= side
    needed, free = pixels * frames.dtype.itemsize, virtual_memory().available
    fits = "fits into" if needed < free else "more than"
    return f"{_bytes(needed)} in all, {fits} the {_bytes(free)} of free memory; read as needed"


def _bytes(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit in ("bytes", "KiB") else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError


def _told(odd: dict[str, str]) -> list[str]:
    """Say which files are odd, and what is wrong with the first."""
    if not odd:
        return []
    names = [Path(path).name for path in odd]
    some = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    count = "1 file is odd" if len(odd) == 1 else f"{len(odd)} files are odd"
    path, reason = next(iter(odd.items()))
    short = reason.replace(str(Path(path).parent) + os.sep, "").partition(": ")[0]
    return [f"{count}: {some}. {short}. Odd files: skip leaves them out."]
