"""Which layer a result was made from, and how; held weakly, so that it keeps no frames alive."""

import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from napari.layers import Image
from numpy.typing import NDArray

from napari_stack.layers.read_layer import full_resolution
from napari_stack.recipe.step import Step


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
    source : weakref to Image layer
    array : weakref to array
        What the source showed at that time.
    others : mapping of str to weakref to array
        The other images that were made with it, by kind.
    """

    kind: str
    steps: tuple[Step, ...]
    used: NDArray[Any]
    per_frame: Mapping[str, NDArray[Any]]
    source: Any
    array: Any
    others: Mapping[str, Any]

    @property
    def layer(self) -> Image | None:
        """The layer of frames, when it lives and still shows what the result was made from."""
        layer = self.source()
        if layer is None or full_resolution(layer) is not self.array():
            return None
        return layer

    def image(self, kind: str) -> Any:
        """Return another image that was made with this one, when it lives."""
        found = self.others.get(kind)
        return None if found is None else found()


_links: dict[int, Link] = {}


def link(array: Any, made: Link) -> None:
    """Remember how an array was made for as long as it lives."""
    _links[id(array)] = made
    weakref.finalize(array, _links.pop, id(array), None).atexit = False


def link_of(layer: Any) -> Link | None:
    """Return how the data of a layer was made, or None when it was not made here."""
    return _links.get(id(full_resolution(layer))) if isinstance(layer, Image) else None


def results_of(layer: Any, among: Iterable[Any]) -> list[tuple[Any, Link]]:
    """Return the layers that were made from a layer's frames, with how they were."""
    found = ((other, link_of(other)) for other in among)
    plain = bare(layer)
    return [(la, li) for la, li in found if li is not None and li.layer is plain]


def bare(layer: Any) -> Any:
    """Take a layer out of the wrapper through which plugins see it."""
    return getattr(layer, "__wrapped__", layer)


def reference(thing: Any) -> Any:
    """Hold something weakly; what cannot be held so counts as gone."""
    try:
        return weakref.ref(bare(thing))
    except TypeError:
        return _gone


def _gone() -> None:
    return None
