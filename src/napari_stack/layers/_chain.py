"""What stands behind an array that this project made: frames, their corrections, the steps."""

import weakref
from dataclasses import dataclass
from typing import Any

from napari_stack.hyperstack import Hyperstack
from napari_stack.recipe import Recipe, Step
from napari_stack.stack import Stack

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
    """

    data: Stack | Hyperstack
    steps: tuple[Step, ...]
    source: str


# By the name of the dask array, which is unique and which copies of the array keep, such as the
# data of a layer that was duplicated. An entry lives as long as the graph that they share.
_chains: dict[str, Chain] = {}


def remember(array: Any, chain: Chain) -> None:
    """Keep what stands behind a dask array for as long as it or a copy of it lives."""
    _chains[array.name] = chain
    weakref.finalize(array.dask, _chains.pop, array.name, None).atexit = False


def recall(layer: Any, array: Any) -> Chain | None:
    """Return what stands behind an array of a layer, or None when it was not made here."""
    name = getattr(array, "name", None) if hasattr(array, "dask") else None
    chain = _chains.get(name) if isinstance(name, str) else None
    leading = layer.ndim - 2
    if chain is None or len(chain.data.shape) - leading != (3 if layer.rgb else 2):
        return None
    return chain


def history(steps: tuple[Step, ...], source: str) -> dict[str, Any]:
    """Return the metadata of a layer: the recipe so far and the name of its source.

    A recipe holds plain data only. Where an option was an array, ``recipe`` is None and ``note``
    says why.
    """
    if not steps:
        return {KEY: {"recipe": None, "source": source}}
    try:
        return {KEY: {"recipe": Recipe(steps).to_plain(), "source": source}}
    except ValueError as error:
        return {KEY: {"recipe": None, "source": source, "note": str(error)}}
