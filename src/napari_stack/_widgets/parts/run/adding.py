"""`add_in_parts`: layers added so that the window lives between what napari takes long for."""

import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any

from napari.layers import Image

from napari_stack._widgets.parts.run.errors import show_error
from napari_stack.layers.compat import show_colour_bar, shows_colour_bar
from napari_stack.layers.stacks.ahead import frame_ahead

#: Seconds that are waited for a frame at a time: without, a dock that is closed meanwhile, which
#: waits for all, would take turns with the frame's thread. The window does not notice it.
_MOMENT = 0.002


def add_in_parts(
    viewer: Any, made: Sequence[Any], lazy: Sequence[Any] = ()
) -> Generator[None, None, None]:
    """Add layers one after the other, the last on top; see `Runner.start` for the parts.

    The bar of a layer's colours, for which napari takes as long as for the layer, comes after it.

    Parameters
    ----------
    viewer : napari.Viewer
    made : sequence of layers
    lazy : sequence of layers
        Those of them that are made hidden, and are to be in view: each is shown once the frame that
        is in view was computed, in a thread. Where that cannot be computed, why is told, and the
        layer stays hidden.
    """
    for layer in made:
        yield
        bar = isinstance(layer, Image) and shows_colour_bar(layer)
        if bar:
            show_colour_bar(layer, shown=False)
        thumbnail = layer.thumbnail.copy()
        viewer.add_layer(layer)
        if not layer.visible:
            layer.thumbnail = thumbnail  # napari forgets that of a hidden layer
        if any(layer is one for one in lazy):
            yield from _computed(frame_ahead(layer, viewer.dims.point), layer)
        if bar:
            yield
            show_colour_bar(layer)
    yield


def select(viewer: Any, layer: Any) -> None:
    """Make a layer the active one, unless it was removed meanwhile."""
    if layer in viewer.layers:
        viewer.layers.selection.active = layer


def _computed(work: Callable[[], None] | None, layer: Any) -> Generator[None, None, None]:
    wrong: list[Exception] = []

    def go() -> None:
        try:
            if work is not None:
                work()
        except Exception as error:  # noqa: BLE001
            wrong.append(error)

    thread = threading.Thread(target=go, name="napari-stack-ahead")
    thread.start()
    while thread.is_alive():
        yield
        thread.join(_MOMENT)
    for error in wrong:
        show_error(error)
    layer.visible = not wrong
