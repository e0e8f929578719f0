"""`frame_ahead`: the frame that a viewer is about to show, computed before, in a thread."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from napari_stack.layers.provenance import recall
from napari_stack.layers.stacks.read_layer import leading_axes, position_at


def frame_ahead(layer: Any, world: Any) -> Callable[[], None] | None:
    """Return what computes the frame of a lazy layer at a place; None for one not made here.

    A viewer that shows the layer next finds the frame computed, and need not wait for it.

    Parameters
    ----------
    layer : Image layer
    world : sequence of float
        Where the sliders stand, as `viewer.dims.point`.
    """
    chain = recall(layer) if layer.ndim > 2 and not isinstance(layer.data, np.ndarray) else None
    if chain is None:
        return None
    from napari_stack.core.sources.dask_frames import compute_ahead

    place, sizes = position_at(layer, world), leading_axes(layer)
    index = np.ravel_multi_index(tuple(place.values()), tuple(sizes.values()))
    return partial(compute_ahead, chain.data.frames, int(index))
