"""`add_in_parts`: layers added so that the window lives between what napari takes long for."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from typing import Any

from napari.layers import Image

from napari_stack.layers.compat import show_colour_bar, shows_colour_bar
from napari_stack.layers.stacks.ahead import frame_ahead


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
        is in view was computed, in a thread.
    """
    for layer in made:
        yield
        bar = isinstance(layer, Image) and shows_colour_bar(layer)
        if bar:
            show_colour_bar(layer, shown=False)
        viewer.add_layer(layer)
        if any(layer is one for one in lazy):
            yield from _computed(frame_ahead(layer, viewer.dims.point))
            layer.visible = True
        if bar:
            yield
            show_colour_bar(layer)
    yield


def select(viewer: Any, layer: Any) -> None:
    """Make a layer the active one, unless it was removed meanwhile."""
    if layer in viewer.layers:
        viewer.layers.selection.active = layer


def _computed(work: Callable[[], None] | None) -> Generator[None, None, None]:
    def go() -> None:
        with suppress(Exception):  # the viewer meets it when it reads the frame itself, and tells
            if work is not None:
                work()

    thread = threading.Thread(target=go, name="napari-stack-ahead")
    thread.start()
    while thread.is_alive():
        yield
