"""Frames of a layer as the inspectors see them: a stack, its table, frames ticked off."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Image, Layer
from numpy.typing import NDArray

from napari_stack.core.source import ArraySource
from napari_stack.core.stack import Stack
from napari_stack.layers.compat import full_resolution, unwrapped, weak_reference
from napari_stack.layers.jobs.job import Job
from napari_stack.layers.jobs.recipe_job import frames_behind
from napari_stack.layers.places.appearance import Appearance
from napari_stack.layers.provenance import (
    LayerReference,
    Link,
    link_of,
    recall,
    results_of,
    set_used,
)
from napari_stack.layers.stacks.read_layer import Data, leading_axes, read_layer, used_along_axis
from napari_stack.operators.inspection.frame_table import FrameTable, frame_table
from napari_stack.recipe import Step


def frames_layer(layer: Layer | None) -> Image | None:
    """Return the layer of frames to inspect: the layer itself, or that which it was made from."""
    if not isinstance(layer, Image):
        return None
    if (made := link_of(layer)) is not None and made.kind != "frames":
        return made.layer
    return layer if leading_axes(layer) else None


def before_of(layer: Layer, among: Iterable[Layer]) -> Image | None:
    """Return the layer that one was made from: the last one before it that is there."""
    made = link_of(layer)
    present = [unwrapped(other) for other in among if isinstance(other, Image)]
    before = None if made is None else made.layer
    if before is not None and any(before is other for other in present):
        return before
    chain = frames_behind(layer)
    if chain is None or chain.origin is None:
        return None
    source = _source(chain.origin[0])
    others = [la for la in present if la is not unwrapped(layer) and leading_axes(la)]
    return next((la for la in others if _source_of(la) is source), None)


def _source(data: Any) -> Any:
    """Return what identifies frames: the array that they lie in, or their source."""
    source = data.frames.source
    return source.data if isinstance(source, ArraySource) else source


def _source_of(layer: Image) -> Any:
    chain = recall(layer)
    if chain is None:
        return full_resolution(layer)
    return None if chain.steps else _source(chain.data)


def stacked_axis(layer: Layer | None) -> str:
    """Return the axis that was stacked last to make frames; "" where none was named."""
    chain = None if layer is None else frames_behind(layer)
    named = [step.axis for step in chain.steps if step.axis] if chain else []
    return named[-1] if named else ""


def frames_of(layer: Layer, axis: str, position: Mapping[str, int]) -> Stack:
    """Return the frames of a layer along an axis, at a position of the others.

    Raises
    ------
    ValueError
        See `read_layer`.
    """
    data = read_layer(layer).data
    if isinstance(data, Stack):
        return data
    turned = data.along(axis)
    return turned.stack({name: at for name, at in position.items() if name in turned.loops})


def table_of(
    layer: Layer,
    axis: str,
    position: Mapping[str, int],
    among: Iterable[Layer] = (),
    more: Mapping[str, NDArray[Any]] | None = None,
) -> FrameTable:
    """Collect what is known about the frames of a layer.

    Parameters
    ----------
    layer : Image layer
    axis : str
    position : mapping of str to int
        Of the other axes.
    among : iterable of Layer
        Layers that may have been made from it: what was measured then for each frame counts.
    more : mapping of str to ndarray, optional
        Further columns.
    """
    stack, data = frames_of(layer, axis, position), read_layer(layer).data
    columns = dict(more or {})
    for other, made in results_of(layer, among):
        if made.kind != "image":
            continue
        for name, measured in made.per_frame.items():
            title = name.replace("_", " ")
            values = _along(measured, made.steps[-1].with_stacked_axis(data), axis, position)
            if len(values) == len(stack):
                columns[title if title not in columns else f"{title} ({other.name})"] = values
    return frame_table(stack, columns)


def _along(
    values: NDArray[Any], placed: Data, axis: str, position: Mapping[str, int]
) -> NDArray[Any]:
    """Return what was measured for each frame at one position; nothing for another axis."""
    if values.ndim == 1:
        return values
    if placed.axis != axis:
        return values[:0, 0]
    return np.asarray(values[tuple(position.get(name, 0) for name in placed.loops)])


def tick(layer: Layer, axis: str, index: int, used: bool) -> None:
    """Tick a frame on or off: whether what is made from the layer later takes it.

    With more axes, at all positions of the others. Its pixels stay as they are.
    """
    data = read_layer(layer).data
    now = data.frames.used.copy()
    number = [known.name for known in data.leading].index(axis)
    np.moveaxis(now.reshape(data.sizes), number, 0)[index] = used
    set_used(layer, now)


def outdated(layer: Layer, among: Iterable[Layer]) -> list[tuple[Image, Link]]:
    """Return the images that were made from a layer with other frames than are ticked now."""
    data = read_layer(layer).data
    found = []
    for other, made in results_of(layer, among):
        step = made.steps[-1]
        if step.entry.gives_frames:
            continue
        if not np.array_equal(used_along_axis(step.with_stacked_axis(data)), made.used):
            found.append((other, made))
    return found


def remake(layer: Layer, results: Iterable[tuple[Image, Link]]) -> list[tuple[Job, dict[str, Any]]]:
    """Prepare to make results anew from the frames of a layer that are ticked now.

    Returns
    -------
    list of (Job, dict of str to weakref)
        For every run that made some of the results: the job, and those layers by what they show.
    """
    runs: dict[int, tuple[Step, dict[str, Any]]] = {}
    for other, made in results:
        _, wanted = runs.setdefault(id(made.others), (made.steps[-1], {}))
        wanted[made.kind] = weak_reference(other)
    known = read_layer(layer), Appearance.of(layer)
    source = LayerReference.of(layer)
    return [(Job(*known, step, {}, source), wanted) for step, wanted in runs.values()]


def show_remade(job: Job, computed: Any, wanted: Mapping[str, Any]) -> list[str]:
    """Show results that were made anew in the layers of the old ones; return their names."""
    by_kind = dict(zip(computed.images, job.finish(computed), strict=True))
    names = []
    for kind, weak in wanted.items():
        layer = weak()
        if layer is not None and kind in by_kind:
            layer.data = by_kind[kind].data
            names.append(layer.name)
    return names


def reference_frame(stack: Stack) -> int:
    """Return the frame that the others were registered to: the one left in its place.

    Without a registration, the middle one.
    """
    transforms = stack.moved_by
    if transforms is None:
        return len(stack) // 2
    apart = np.abs(transforms.matrices - np.eye(3)).max(axis=(1, 2))
    apart[transforms.failed] = np.inf
    return int(np.argmin(apart))


def difference(layer: Any, axis: str, index: int) -> Image:
    """Make a lazy layer of the differences of all frames to one of them, in either direction."""
    import dask.array

    data = dask.array.asarray(full_resolution(layer))
    number = list(leading_axes(layer)).index(axis)
    data = data.rechunk(dict.fromkeys(range(layer.ndim - 2), 1)).astype(np.float32)
    if layer.rgb:
        data = data[..., :3].mean(axis=-1, dtype=np.float32)
    shown = data - dask.array.take(data, [index], axis=number)
    low, high = layer.contrast_limits
    reach = float(high - low) / 2
    appearance = Appearance.of(layer)
    colours = {"colormap": "PiYG", "contrast_limits": (-reach, reach), "gamma": 1.0}
    appearance = replace(
        appearance, rgb=False, colours={**appearance.colours, **colours},
        limits_range=(-2 * reach, 2 * reach),
    )  # fmt: skip
    name = f"{layer.name} - difference to {index}"
    return appearance.frames(shown, name=name)
