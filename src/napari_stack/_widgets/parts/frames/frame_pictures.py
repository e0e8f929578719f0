"""`FramePictures`: a small picture of the frame under the mouse, made in a thread and kept."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import QBuffer, QByteArray, QIODevice, QObject, Signal

from napari_stack._widgets.parts.run.growing import image_of
from napari_stack._widgets.parts.run.latest_worker import LatestWorker, Work
from napari_stack.core.errors import format_error
from napari_stack.core.stack import Stack
from napari_stack.engine.glimpses import small
from napari_stack.engine.run import Run
from napari_stack.layers.compat import full_resolution, unwrapped, weak_reference
from napari_stack.layers.inspection.frame_inspection import frames_of

#: Milliseconds that the mouse rests on a frame before it is read.
_PAUSE = 80

#: Pictures that are kept: some ten MB.
_MOST = 500


class FramePictures(QObject):
    """Gives pictures of frames as the text of an HTML image.

    Parameters
    ----------
    parent : QObject
        When it is deleted, the work ends.
    in_view : callable
        Gives the layer of frames, the axis, the position on the others and the frame in view.
    """

    #: Of this frame there is a picture now, or a word on why there is none.
    made = Signal(int)

    def __init__(self, parent: QObject, in_view: Callable[[], tuple[Any, ...]]) -> None:
        super().__init__(parent)
        self.latest = LatestWorker(self, _PAUSE, restart=True)
        self.latest.returned.connect(self._returned)
        self.latest.errored.connect(self._errored)
        self.latest.warned.connect(self._warned)
        self._in_view = in_view
        self._layer: Callable[[], Any] = lambda: None  # whose data is followed
        self._array: Callable[[], Any] = lambda: None  # that the pictures are of
        self._of: tuple[Any, ...] = ()
        self._kept: OrderedDict[int, str] = OrderedDict()
        self._read, self._said = -1, list[str]()  # the frame that is read, and what is said of it

    def of(self, frame: int) -> str:
        """Return the picture of a frame; "" where it has yet to be made, which is begun."""
        layer, axis, position, _ = self._in_view()
        if layer is None:
            return ""
        self._follow(layer)
        array = unwrapped(full_resolution(layer))
        of = _shown(layer, axis, position)
        if of != self._of or array is not self._array():  # an id may come back with other frames
            self.forget()
            self._array, self._of = weak_reference(array), of
        if frame in self._kept:
            self._kept.move_to_end(frame)
            return self._kept[frame]
        self.latest.ask_prepared(partial(self._work, frame, of))
        return ""

    def forget(self) -> None:
        """Keep no picture, and make none."""
        self.latest.drop()
        self._kept.clear()
        self._of = ()

    def _follow(self, layer: Any) -> None:
        """Forget pictures when the layer is told to have other pixels, edited in place too."""
        plain, before = unwrapped(layer), self._layer()
        if plain is before:
            return
        if before is not None:
            before.events.data.disconnect(self._data_changed)
        plain.events.data.connect(self._data_changed)
        self._layer = weak_reference(plain)
        self.forget()

    def _data_changed(self, event: Any = None) -> None:  # noqa: ARG002
        if isalive(self):
            self.forget()

    def _work(self, frame: int, of: tuple[Any, ...]) -> Work | None:
        layer, axis, position, _ = self._in_view()
        if layer is None or unwrapped(full_resolution(layer)) is not self._array():
            return None
        if _shown(layer, axis, position) != of:
            return None
        self._read, self._said = frame, []
        stack = frames_of(layer, axis, position)
        limits = _range_of(stack.dtype) if layer.rgb else tuple(layer.contrast_limits)
        return partial(_made, stack, frame, limits)

    def _warned(self, text: str) -> None:
        self._said.append(escape(text))

    def _returned(self, picture: str) -> None:
        self._keep("<br>".join([picture, *self._said]))

    def _errored(self, error: BaseException) -> None:
        self._keep(escape(f"could not be read: {format_error(error)}"))

    def _keep(self, text: str) -> None:
        self._kept[self._read] = text
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        self.made.emit(self._read)


def _shown(layer: Any, axis: str, position: Any) -> tuple[Any, ...]:
    return axis, position, layer.rgb, tuple(layer.contrast_limits)


def _range_of(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return black and white of colours, which are shown in the range of their type."""
    return (0.0, float(np.iinfo(dtype).max)) if dtype.kind in "iu" else (0.0, 1.0)


def _made(stack: Stack, frame: int, limits: tuple[float, float], run: Run) -> str:
    if run.tick:  # the mouse has gone on
        run.tick(0, 1, "Reading a frame")
    image = image_of(small(stack[frame]), limits)
    kept = QByteArray()
    buffer = QBuffer(kept)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    code = bytes(kept.toBase64().data()).decode()
    return f'<img src="data:image/png;base64,{code}">'
