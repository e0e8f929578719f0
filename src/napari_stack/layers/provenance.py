"""Where the data of a layer come from: frames, their corrections, the steps, the source layer.

All is found by the array that a layer shows, and is kept no longer than that array lives.
"""

import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import reference_file
from napari_stack.files.metadata import axis_to_plain
from napari_stack.layers.compat import full_resolution, is_dask, unwrapped, weak_reference
from napari_stack.recipe import Recipe, Step

#: Key under which a layer's metadata holds the recipe so far and the name of its source.
KEY = "napari_stack"

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Chain:
    """Frames, and how they were made.

    Parameters
    ----------
    data : Stack or Hyperstack
    steps : tuple of Step
        Done so far, from the source on.
    source : str
        Name of the layer or file that the first step took its frames from.
    origin : tuple of (Stack or Hyperstack, Appearance) or None
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

    def with_frames(self, frames: Stack) -> "Chain":
        """Return the chain with other frames in the place of its own."""
        return replace(self, data=self.data.with_frames(frames))


# By the name of the dask array, which is unique and which copies of the array keep, such as the
# data of a layer that was duplicated. An entry lives as long as the graph that they share.
_chains: dict[str, Chain] = {}

# By the id of an array in memory: what makes its chain, and does not hold the array itself.
_rebuilding: dict[int, Callable[[Any], Chain]] = {}

# By the id of an array: the frames that are used, where the user chose some. Copies of an array
# have a choice of their own.
_used: dict[int, NDArray[Any]] = {}

# By the id of an array: how the result that it holds was made.
_links: dict[int, "Link"] = {}


def _keep(entries: dict[int, T], array: Any, entry: T) -> None:
    """Keep an entry for as long as its array lives."""
    if id(array) not in entries:
        weakref.finalize(array, entries.pop, id(array), None).atexit = False
    entries[id(array)] = entry


def remember(array: Any, chain: Chain) -> None:
    """Keep the chain of a dask array for as long as it or a copy of it lives."""
    _chains[array.name] = chain
    weakref.finalize(array.dask, _chains.pop, array.name, None).atexit = False


def remember_pixels(array: NDArray[Any], rebuild: Callable[[Any], Chain]) -> None:
    """Keep the chain of an array in memory for as long as the array lives.

    Parameters
    ----------
    array : ndarray
    rebuild : callable
        Makes the chain of the array; it must not hold the array.
    """
    _keep(_rebuilding, array, rebuild)


def recall(layer: Any) -> Chain | None:
    """Return the chain of the data of an Image layer, or None when they were not made here."""
    array = full_resolution(layer)
    rebuild = _rebuilding.get(id(array))
    chain = rebuild(array) if rebuild else _chains.get(array.name) if is_dask(array) else None
    if chain is None or len(chain.data.shape) != layer.ndim + layer.rgb:
        return None
    used = used_frames(array)
    return chain if used is None else chain.with_frames(replace(chain.data.frames, used=used))


def set_used(layer: Any, used: NDArray[Any]) -> None:
    """Choose which frames of a layer are taken by what is made from it from now on."""
    _keep(_used, full_resolution(layer), used)


def used_frames(array: Any) -> NDArray[Any] | None:
    """Return which frames of an array the user chose; None where nothing was chosen."""
    return _used.get(id(array))


def history(steps: tuple[Step, ...], source: str, data: Any = None) -> dict[str, Any]:
    """Return the metadata of a layer: the recipe so far, the name of its source, and its file.

    A recipe holds plain data only. Where an option was an array, ``recipe`` is None and ``note``
    says why. ``file`` is the one of the reference among the frames `data`, where they come from
    files: its EXIF and colour profile go to what is saved. ``axes`` are those of `data` of which
    more is known than a layer holds: names, looks, uneven places; ``channel`` is the name of the
    only one.
    """
    file = reference_file(data)
    known: dict[str, Any] = {"recipe": None, "source": source}
    known |= {"file": str(Path(file).absolute())} if file else {}
    axes = () if data is None else data.axes
    told = [axis_to_plain(a) for a in axes if a.labels or a.looks or a.positions]
    known |= {"axes": told} if told else {}
    known |= {"channel": name} if data is not None and (name := data.frames.look.name) else {}
    if not steps:
        return {KEY: known}
    try:
        return {KEY: known | {"recipe": Recipe(steps).to_json()}}
    except UserError as error:
        return {KEY: known | {"note": str(error)}}


@dataclass(frozen=True, eq=False)
class LayerReference:
    """A layer and the array that it showed at one time, both held weakly.

    Parameters
    ----------
    layer, array : callable
        Give the layer and the array, or None when it is gone.
    """

    layer: Callable[[], Any]
    array: Callable[[], Any]

    @classmethod
    def of(cls, layer: Any) -> Self:
        """Refer to a layer as it is now."""
        return cls(weak_reference(layer), weak_reference(full_resolution(layer)))

    @property
    def unchanged(self) -> Image | None:
        """The layer, when it lives and still shows that array."""
        layer = self.layer()
        same = layer is not None and full_resolution(layer) is self.array()
        return layer if same else None


@dataclass(frozen=True, eq=False)
class Link:
    """What a result was made from.

    Parameters
    ----------
    kind : str
        ``image``, ``rejected``, ``depth``, ...; ``frames`` for frames.
    steps : tuple of Step
        All that was done from the first frames on; the last one made this.
    used : ndarray of bool, shape (n,)
        Frames of the source that counted when it was made.
    per_frame : mapping of str to ndarray, shape (n,)
        What was measured for each frame.
    source : LayerReference
        The layer of frames.
    others : mapping of str to weakref to array
        The images that were made together, by kind.
    """

    kind: str
    steps: tuple[Step, ...]
    used: NDArray[Any]
    per_frame: Mapping[str, NDArray[Any]]
    source: LayerReference
    others: Mapping[str, Callable[[], Any]]

    @property
    def layer(self) -> Image | None:
        """The layer of frames, when it lives and still shows what the result was made from."""
        return self.source.unchanged

    def image(self, kind: str) -> Any:
        """Return another image that was made with this one, when it lives."""
        found = self.others.get(kind)
        return None if found is None else found()


def link(array: Any, made: Link) -> None:
    """Remember how an array was made for as long as it lives."""
    _keep(_links, array, made)


def link_of(layer: Any) -> Link | None:
    """Return how the data of a layer was made, or None when it was not made here."""
    return _links.get(id(full_resolution(layer))) if isinstance(layer, Image) else None


def results_of(layer: Any, among: Iterable[Any]) -> list[tuple[Any, Link]]:
    """Return the layers that were made from a layer's frames, with how they were made."""
    found = ((other, link_of(other)) for other in among)
    wanted = unwrapped(layer)
    return [(la, li) for la, li in found if li is not None and li.layer is wanted]
