"""An operator applied at every position of a hyperstack."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis, usual_name
from napari_stack.core.catalogue import entry_of
from napari_stack.core.correction import Correction
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.notices import counted_together
from napari_stack.core.options import options_of
from napari_stack.core.sources.combined_sources import (
    Concatenated,
    Place,
    as_channels,
    refuse_projections,
)
from napari_stack.core.sources.stack_source import Rendered
from napari_stack.core.stack import Stack
from napari_stack.core.strokes import Strokes


@counted_together()
def map_operator(
    data: Hyperstack,
    operator: Callable[..., Any],
    measure_at: Mapping[str, Place],
    measure_each: bool,
    run: Any,
    options: Mapping[str, Any],
) -> Any:
    """Apply an operator along the chosen axis at every position; see `Hyperstack.map`."""
    entry = entry_of(operator)
    operator, frames_out = entry.function, entry.gives_frames
    options = _with_strokes(operator, options, data)
    if measure_at and entry.shares_measure:
        return _jointly(data, operator, measure_at, run, options)
    if measure_at and not frames_out:
        raise UserError(
            f"{operator.__name__} makes images at all positions: measure_at is for operators "
            "that correct frames"
        )

    def at(stack: Stack, index: int, count: int) -> Any:
        part = {} if run is None else {"run": run.part(index, count)}
        return operator(stack, **_at(options, places[index]), **part)

    places = list(data.positions())
    if not frames_out:
        stacks = (data.stack(place) for place in places)
        return _images(data, (at(stack, i, len(places)) for i, stack in enumerate(stacks)))
    if entry.measures_apart and not measure_each:
        return _apart(data, operator, measure_at, run, options)
    opened = _closed(data, places[0] if measure_each else measure_at)
    first = at(opened, 0, len(places) if measure_each else 1)
    if first.source is not opened.source:  # frames were made, not corrected
        stacks = (data.stack(place) for place in places)
        return _made(data, [at(stack, i, len(places)) for i, stack in enumerate(stacks)])
    if not measure_each:
        return _shared(data, first)
    rest = enumerate(places[1:], 1)
    return _each(data, [first, *(at(_closed(data, p), i, len(places)) for i, p in rest)])


def _with_strokes(
    operator: Callable[..., Any], options: Mapping[str, Any], data: Hyperstack
) -> dict[str, Any]:
    """Read the options that are strokes; refuse those at places that are not there."""
    known, read = options_of(operator), dict(options)
    for name, value in options.items():
        if name in known and known[name].kind is Strokes and value is not None:
            read[name] = Strokes.of(value).renamed(data.called)
            read[name].check_places(data.loops)
    return read


def _at(options: Mapping[str, Any], place: Mapping[str, int]) -> dict[str, Any]:
    """Return the options for one place: of strokes, those that lie there."""
    return {n: v.at(place) if isinstance(v, Strokes) else v for n, v in options.items()}


def _jointly(
    data: Hyperstack,
    operator: Callable[..., Any],
    measure_at: Mapping[str, Place],
    run: Any,
    options: Mapping[str, Any],
) -> Any:
    """Make images at all positions, along one loop by what is measured at one of its places.

    The frames along that loop are bands of one stack meanwhile.
    """
    if len(measure_at) > 1 or "channel" in options:
        raise UserError(
            f"{operator.__name__} measures along one axis for all: name that axis alone in "
            "measure_at, and no channel"
        )
    ((name, at),) = ((data.called(name), at) for name, at in measure_at.items())
    refuse_projections(operator.__name__, {name: at})
    data.stack({name: at})  # refuses what is not there
    size, others = data.loops[name], {n: s for n, s in data.loops.items() if n != name}
    places = [dict(zip(others, p, strict=True)) for p in np.ndindex(*others.values())]
    found: list[Any] = []
    for number, place in enumerate(places):
        stack = as_channels([data.stack({**place, name: k}) for k in range(size)])
        part = {} if run is None else {"run": run.part(number, len(places))}
        here = _at(options, place)
        found.append(operator(stack, channel=int(at) % size, **here, **part))
    kind, axis = type(found[0]), list(data.loops).index(name)
    found = [_asked_for(images) for images in found]
    whole = []
    for images in zip(*found, strict=True):  # bands in front, a map once for each of them
        bands = [np.moveaxis(im, 2, 0) if im.ndim == 3 else np.stack([im] * size) for im in images]
        made = np.stack(bands).reshape(*others.values(), *bands[0].shape)
        whole.append(np.moveaxis(made, len(others), axis))
    return kind(*whole)


def _closed(data: Hyperstack, position: Mapping[str, Place]) -> Stack:
    """Stack at a position, its corrections closed, so that a result holds only new ones."""
    stack = data.stack(position)
    if not stack.corrections:
        return stack
    return replace(stack, source=Rendered(stack), corrections=())


def _shared(data: Hyperstack, result: Stack) -> Hyperstack:
    """Give the corrections of one position to all."""
    numbers = np.indices(data.sizes)[data.number].ravel()
    corrections = [c.select(numbers) for c in result.corrections]
    return _with(data, corrections, result.used[numbers], result.axes)


def _each(data: Hyperstack, results: list[Stack]) -> Hyperstack:
    """Give every position its own corrections."""
    return _joined(data, results, np.concatenate([data.numbers(p) for p in data.positions()]))


def _joined(data: Hyperstack, results: list[Stack], numbers: NDArray[np.intp]) -> Hyperstack:
    """Put the corrections of results in the place of their frames' numbers."""
    order = np.argsort(numbers)
    chains = zip(*(result.corrections for result in results), strict=True)
    joined = [first.join(others).select(order) for first, *others in chains]
    used = np.concatenate([result.used for result in results])[order]
    return _with(data, joined, used, results[0].axes)


def _apart(
    data: Hyperstack,
    operator: Callable[..., Any],
    measure_at: Mapping[str, Place],
    run: Any,
    options: Mapping[str, Any],
) -> Hyperstack:
    """Give every position its own corrections, but for channels and for loops that are named."""
    named = {data.called(name): at for name, at in measure_at.items()}
    alike = [n for n in data.loops if n in named or usual_name(n) == "c"]
    numbers = np.moveaxis(np.arange(len(data.frames)).reshape(data.sizes), data.number, -1)
    loops = list(data.loops)
    back = np.moveaxis(numbers, [loops.index(n) for n in alike], range(len(alike)))
    others = {n: size for n, size in data.loops.items() if n not in alike}
    places = [dict(zip(others, place, strict=True)) for place in np.ndindex(*others.values())]
    results, order = [], []
    for index, place in enumerate(places):
        part = {} if run is None else {"run": run.part(index, len(places))}
        result = operator(_closed(data, {**named, **place}), **_at(options, place), **part)
        here = back[(..., *place.values(), slice(None))].reshape(-1, len(result))
        results += [result] * len(here)
        order.append(here.ravel())
    return _joined(data, results, np.concatenate(order))


def _made(data: Hyperstack, results: list[Stack]) -> Hyperstack:
    """Put frames that were made at every position in the place of the old ones."""
    count = len(results[0])
    numbers = np.arange(len(results) * count).reshape((*data.loops.values(), count))
    order = np.moveaxis(numbers, -1, data.number)
    source = Concatenated(tuple(results), order.ravel())
    used = np.concatenate([result.used for result in results])[source.order]
    leading = list(data.leading)
    leading[data.number] = replace(results[0].axes[0], name=data.axis)
    frames = replace(data.frames, source=source, corrections=(), used=used)
    return replace(data, frames=frames, leading=tuple(leading), sizes=order.shape)


def _with(
    data: Hyperstack, corrections: list[Correction], used: NDArray[np.bool_], axes: tuple[Axis, ...]
) -> Hyperstack:
    axes = (data.frames.axes[0], axes[1], axes[2])  # resized pixels have another size
    frames = replace(data.frames, used=data.frames.used & used, axes=axes)
    for correction in corrections:
        frames = frames.corrected(correction)
    return replace(data, frames=frames)


def _images(data: Hyperstack, results: Iterator[Any]) -> Any:
    """Put the images of all positions into arrays with the loops in front."""
    whole: list[NDArray[Any]] = []
    kind: Any = None
    for number, result in enumerate(results):
        kind = type(result)
        images = _asked_for(result if isinstance(result, tuple) else (result,))
        if not whole:
            count = prod(data.loops.values())
            whole = [np.empty((count, *image.shape), image.dtype) for image in images]
        for target, image in zip(whole, images, strict=True):
            target[number] = image
    loops = tuple(data.loops.values())
    shaped = [images.reshape(loops + images.shape[1:]) for images in whole]
    return kind(*shaped) if issubclass(kind, tuple) else shaped[0]


def _asked_for(images: tuple[Any, ...]) -> tuple[Any, ...]:
    """Leave out what was not asked for, which is None and comes last."""
    return tuple(image for image in images if image is not None)
