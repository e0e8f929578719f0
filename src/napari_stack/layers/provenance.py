"""What stands behind an array that this project made: frames, their corrections, the steps."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import reference_file
from napari_stack.recipe import Recipe, Step

#: Key under which a layer's metadata holds the recipe so far and the name of its source.
KEY = "napari_stack"


@dataclass(frozen=True, eq=False)
class Chain:
    """Frames, and how they came about.

    Parameters
    ----------
    data : Stack or Hyperstack
    steps : tuple of Step
        Done so far, from the source on.
    source : str
        Name of the layer or file that the first step took its frames from.
    origin : tuple of (Stack or Hyperstack, Look) or None
        Those frames, and how their layer looked; None before the first step.
    view : ndarray, shape (3, 3)
        Takes a pixel (x, y, 1) of the array to the pixel of a source's frame that lies at the same
        place in the world.
    """

    data: Stack | Hyperstack
    steps: tuple[Step, ...]
    source: str
    origin: tuple[Stack | Hyperstack, Any] | None = None
    view: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))


# By the name of the dask array, which is unique and which copies of the array keep, such as the
# data of a layer that was duplicated. An entry lives as long as the graph that they share.
_chains: dict[str, Chain] = {}


def remember(array: Any, chain: Chain) -> None:
    """Keep what stands behind a dask array for as long as it or a copy of it lives."""
    _chains[array.name] = chain
    weakref.finalize(array.dask, _chains.pop, array.name, None).atexit = False


# Of arrays in memory: what makes the chain of them, and does not hold them itself.
_rebuilding: dict[int, tuple[weakref.ref[Any], Callable[[Any], Chain]]] = {}


def remember_pixels(array: NDArray[Any], rebuild: Callable[[Any], Chain]) -> None:
    """Keep what stands behind an array in memory for as long as it lives.

    Parameters
    ----------
    array : ndarray
    rebuild : callable
        Makes the chain of the array; it must not hold the array.
    """
    key = id(array)
    _rebuilding[key] = (weakref.ref(array), rebuild)
    weakref.finalize(array, _rebuilding.pop, key, None).atexit = False


def _known(array: Any) -> Chain | None:
    if hasattr(array, "dask"):
        name = getattr(array, "name", None)
        return _chains.get(name) if isinstance(name, str) else None
    reference, rebuild = _rebuilding.get(id(array), (None, None))
    if reference is None or rebuild is None or reference() is not array:
        return None
    return rebuild(array)


def recall(layer: Any, array: Any) -> Chain | None:
    """Return what stands behind an array of a layer, or None when it was not made here."""
    chain = _known(array)
    leading = layer.ndim - 2
    if chain is None or len(chain.data.shape) - leading != (3 if layer.rgb else 2):
        return None
    used = None if hasattr(array, "dask") else ticked(array)
    return chain if used is None else _with_used(chain, used)


def history(steps: tuple[Step, ...], source: str, data: Any = None) -> dict[str, Any]:
    """Return the metadata of a layer: the recipe so far, the name of its source, and its file.

    A recipe holds plain data only. Where an option was an array, ``recipe`` is None and ``note``
    says why. ``file`` is the one of the reference among the frames `data`, where they come from
    files: its EXIF and colour profile go to what is saved.
    """
    file = reference_file(data)
    known: dict[str, Any] = {"recipe": None, "source": source}
    known |= {"file": str(Path(file).absolute())} if file else {}
    if not steps:
        return {KEY: known}
    try:
        return {KEY: known | {"recipe": Recipe(steps).to_plain()}}
    except ValueError as error:
        return {KEY: known | {"note": str(error)}}


# Frames ticked off in arrays that were not made here, by their id; an entry lives as long as they.
_ticked: dict[int, NDArray[Any]] = {}


def set_used(layer: Any, array: Any, used: NDArray[Any]) -> None:
    """Choose which frames of an array are taken by what is made from it from now on."""
    chain = recall(layer, array)
    if chain is not None and hasattr(array, "dask"):
        _chains[array.name] = _with_used(chain, used)
        return
    if id(array) not in _ticked:
        weakref.finalize(array, _ticked.pop, id(array), None).atexit = False
    _ticked[id(array)] = used


def _with_used(chain: Chain, used: NDArray[Any]) -> Chain:
    data = chain.data
    if isinstance(data, Hyperstack):
        return replace(chain, data=replace(data, frames=replace(data.frames, used=used)))
    return replace(chain, data=replace(data, used=used))


def ticked(array: Any) -> NDArray[Any] | None:
    """Return which frames of an array that was not made here are taken; None for all."""
    return _ticked.get(id(array))
