"""`FramePictures`: a small picture of the frame under the mouse, made in a thread and kept."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QBuffer, QByteArray, QIODevice, QObject, Signal

from napari_stack._widgets.parts.run.growing import image_of
from napari_stack._widgets.parts.run.latest_worker import LatestWorker, Work
from napari_stack.core.stack import Stack
from napari_stack.engine.glimpses import small
from napari_stack.engine.run import Run
from napari_stack.layers.compat import full_resolution
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

    #: Of this frame there is a picture now.
    made = Signal(int)

    def __init__(self, parent: QObject, in_view: Callable[[], tuple[Any, ...]]) -> None:
        super().__init__(parent)
        self.latest = LatestWorker(self, _PAUSE, restart=True)
        self.latest.returned.connect(self._keep)
        self._in_view = in_view
        self._of: tuple[Any, ...] = ()
        self._kept: OrderedDict[int, str] = OrderedDict()

    def of(self, frame: int) -> str:
        """Return the picture of a frame; "" where it has yet to be made, which is begun."""
        layer, axis, position, _ = self._in_view()
        if layer is None:
            return ""
        of = id(full_resolution(layer)), axis, position, tuple(layer.contrast_limits)
        if of != self._of:
            self.forget()
            self._of = of
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

    def _work(self, frame: int, of: tuple[Any, ...]) -> Work | None:
        layer, axis, position, _ = self._in_view()
        if layer is None or self._of != of:
            return None
        stack = frames_of(layer, axis, position)
        limits = None if layer.rgb else tuple(layer.contrast_limits)
        return partial(_made, stack, frame, limits, of)

    def _keep(self, result: tuple[tuple[Any, ...], int, str]) -> None:
        of, frame, picture = result
        if of == self._of:
            self._kept[frame] = picture
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
            self.made.emit(frame)


def _made(
    stack: Stack, frame: int, limits: Any, of: tuple[Any, ...], run: Run
) -> tuple[tuple[Any, ...], int, str]:
    if run.tick:  # the mouse has gone on
        run.tick(0, 1, "Reading a frame")
    image = image_of(small(stack[frame]), limits)
    kept = QByteArray()
    buffer = QBuffer(kept)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    code = bytes(kept.toBase64().data()).decode()
    return of, frame, f'<img src="data:image/png;base64,{code}">'
