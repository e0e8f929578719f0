"""Masks drawn as shapes: which pixels of the frames lie inside."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.layers.compat import frame_size
from napari_stack.layers.places.apply_transforms import ellipse
from napari_stack.layers.places.placement import Placement

#: Options that say where, and so may be drawn.
DRAWN = ("region", "mask")

_AREAS = ("rectangle", "ellipse", "polygon")


def mask_of(shapes: Any, layer: Any) -> NDArray[np.bool_]:
    """Return the pixels (y, x) of a layer's frames whose centres lie in any shape of another layer.

    Shapes lie in the world; the frame that they were drawn on does not matter.

    Raises
    ------
    ValueError
        When nothing with an area was drawn on the frames.
    """
    from skimage.draw import polygon2mask

    size = frame_size(layer)
    frames = Placement.of(layer)
    to_pixels = np.linalg.inv(frames.plane) @ Placement.of(shapes).plane_in(frames)
    mask = np.zeros(size, bool)
    for kind, vertices in zip(shapes.shape_type, shapes.data, strict=True):
        if kind in _AREAS:
            points = ellipse(np.asarray(vertices)) if kind == "ellipse" else np.asarray(vertices)
            whole = np.column_stack([points[:, :-3:-1], np.ones(len(points))])
            x, y, _ = to_pixels @ whole.T
            mask |= polygon2mask(size, np.column_stack([y, x]))
    if not mask.any():
        raise UserError(
            f"no shape of {shapes.name!r} covers pixels of the frames: draw a rectangle, an "
            "ellipse or a polygon on them"
        )
    return mask
