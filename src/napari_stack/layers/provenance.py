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
from napari_stack.files.provenance import file_of
from napari_stack.layers.compat import full_resolution, is_dask, unwrapped, weak_reference
from napari_stack.recipe import Data, Recipe, Step
from napari_stack.recipe.earlier import IMAGE
from napari_stack.recipe.recipe import continued
from napari_stack.recipe.rows import Earlier

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
    earlier : Earlier
        What was done before those first frames were there.
    made : Link or None
        How these were made, where they are an image that was made here.
    begun : tuple of (Stack or Hyperstack, Appearance) or None
        What the steps of `earlier` took, where a recipe did them in one go.
    """

    data: Stack | Hyperstack
    steps: tuple[Step, ...]
    source: str
    origin: tuple[Stack | Hyperstack, Any] | None = None
    view: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    earlier: Earlier = field(default_factory=Earlier)
    made: "Link | None" = None
    begun: tuple[Stack | Hyperstack, Any] | None = None

    def recipe_of(self, steps: tuple[Step, ...]) -> Recipe | None:
        """Return all that was done up to some steps, with what was done before; None for nothing.

        Parameters
        ----------
        steps : tuple of Step
            From the first frames of this chain on.
        """
        if not steps and not self.earlier:
            return None
        return continued(self.earlier, steps, self.origin[0] if self.origin else self.data)

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


def history(chain: Chain, steps: tuple[Step, ...] | None = None, image: str = "") -> dict[str, Any]:
    """Return the metadata of a layer: the recipe so far, the name of its source, and its file.

    A recipe holds plain data only. Where an option was an array, ``recipe`` is None and ``note``
    says why. ``file`` is the one of the reference among the frames, where they come from files:
    its EXIF and colour profile go to what is saved. ``axes`` are those of which more is known than
    a layer holds: names, looks, uneven places; ``channel`` is the name of the only one.

    Parameters
    ----------
    chain : Chain
    steps : tuple of Step, optional
        What was done in all; by default the steps of the chain.
    image : str
        Which image it is, where it is not the picture.
    """
    data = chain.data
    file = reference_file(data)
    known: dict[str, Any] = {"recipe": None, "source": chain.source}
    known |= {"file": str(Path(file).absolute())} if file else {}
    told = [axis_to_plain(a) for a in data.axes if a.labels or a.looks or a.positions]
    known |= {"axes": told} if told else {}
    known |= {"channel": name} if (name := data.frames.look.name) else {}
    try:
        recipe = chain.recipe_of(chain.steps if steps is None else steps)
        plain = None if recipe is None else recipe.to_json()
    except UserError as error:
        return {KEY: known | {"note": str(error)}}
    if plain is not None and image:
        plain[IMAGE] = image
    return {KEY: known | {"recipe": plain}}


def source_files(data: Data | None) -> list[str]:
    """Return the files that frames are read from, each once; none where they come from elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_stack import Stack
    >>> source_files(Stack.wrap(np.zeros((2, 3, 4))))
    []
    """
    if data is None:
        return []
    files = [file_of(data.frames, index) for index in range(len(data.frames))]
    return list(dict.fromkeys(file for file in files if file))


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
    recipe : Recipe
        All that was done from the first frames on; the last step made this.
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
    recipe: Recipe
    used: NDArray[Any]
    per_frame: Mapping[str, NDArray[Any]]
    source: LayerReference
    others: Mapping[str, Callable[[], Any]]

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was done from the first frames on."""
        return tuple(self.recipe.steps)

    @property
    def earlier(self) -> Earlier:
        """What was done before, for what is made from this image."""
        before = tuple(self.recipe.before)
        return (
            Earlier(self.steps, before)
            if self.kind in ("image", "frames")
            else Earlier(told=(*before, *self.steps))
        )

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


def is_preview(layer: Any) -> bool:
    """Tell a layer that is a preview, and no data."""
    found = layer.metadata.get(KEY)
    return isinstance(found, dict) and bool(found.get("preview"))
