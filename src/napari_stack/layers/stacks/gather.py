"""Single images in layers of their own, as many files dropped on napari are, taken as frames."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image

from napari_stack.core.axis import Axis
from napari_stack.core.stack import Stack
from napari_stack.files import read
from napari_stack.files.natural_order import naturally
from napari_stack.layers.compat import full_resolution, unwrapped
from napari_stack.layers.provenance import is_preview, link_of
from napari_stack.layers.stacks.looks import look_of
from napari_stack.layers.stacks.read_layer import Data, axes_of


def alike_images(layers: Iterable[Any]) -> list[Any]:
    """Return the layers that are single images of one size, of which most are; none for one only.

    Results of operators do not count.
    """
    single = [
        layer for layer in layers
        if isinstance(layer, Image) and layer.ndim == 2 and not is_preview(layer)
        and link_of(layer) is None
    ]  # fmt: skip
    kinds: dict[Any, list[Any]] = {}
    for layer in single:
        data = full_resolution(layer)
        kinds.setdefault((data.shape, str(data.dtype), layer.rgb), []).append(layer)
    most = max(kinds.values(), key=len, default=[])
    return most if len(most) > 1 else []


def offered_images(layers: Sequence[Any], selected: Iterable[Any]) -> list[Any]:
    """Return the single images that may be meant: those selected, else all that are alike."""
    chosen = alike_images(selected)
    wanted = {id(unwrapped(layer)) for layer in chosen}
    return [la for la in layers if id(unwrapped(la)) in wanted] or alike_images(layers)


def gathered(layers: Sequence[Any]) -> Data:
    """Take single images as frames, in the natural order of their files or names.

    Where each is still as its file has it, frames are read from the files, so that EXIF and pixel
    sizes come along. Reading may take a while.
    """
    paths = [str(layer.source.path or "") for layer in layers]
    if all(paths) and len(set(paths)) == len(paths) and all(Path(p).is_file() for p in paths):
        order = naturally(paths)
        by_path = dict(zip(paths, layers, strict=True))
        data = read(order)
        if _same(data, [by_path[path] for path in order]):
            return data
    by_name = {layer.name: layer for layer in layers}  # names differ within a viewer
    return _stacked([by_name[name] for name in naturally(by_name)])


def _same(data: Data, layers: Sequence[Any]) -> bool:
    """Whether frames are what layers show: by one row of each in the middle."""
    if not isinstance(data, Stack) or len(data) != len(layers):
        return False
    row = data.shape[1] // 2
    return all(
        np.array_equal(data[number][row], np.asarray(full_resolution(layer)[row]))
        for number, layer in enumerate(layers)
    )


def _stacked(layers: Sequence[Any]) -> Stack:
    import dask.array

    first = layers[0]
    arrays = [dask.array.asarray(full_resolution(layer)) for layer in layers]
    frames = dask.array.stack([array.rechunk(-1) for array in arrays])
    y, x = axes_of(first)
    stack = Stack.wrap(frames, rgb=first.rgb, axes=(Axis("frame"), y, x))
    return replace(stack, look=look_of(first))
