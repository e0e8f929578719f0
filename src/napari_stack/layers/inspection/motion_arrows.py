"""`motion_arrows`: how a frame moved, as a layer of arrows over the registered frames."""

from collections.abc import Mapping

import numpy as np
from napari.layers import Layer, Vectors

from napari_stack.core.errors import UserError
from napari_stack.layers.inspection.frame_inspection import frames_of
from napari_stack.layers.places.appearance import Appearance
from napari_stack.layers.places.motion import recorded_transforms
from napari_stack.operators.geometry.quiver import quiver
from napari_stack.operators.geometry.warp import Warp

#: Arrows along the longer side.
_ALONG = 24


def motion_arrows(layer: Layer, axis: str, frame: int, position: Mapping[str, int]) -> Vectors:
    """Return arrows from places of the result to where they were recorded in a frame.

    Where frames were deformed it is that alone, without the motion of the whole frame. Arrows are
    drawn longer than they are where all are short; the layer's name says how much.

    Parameters
    ----------
    layer : Image layer
        Of registered frames.
    axis : str
        Along which the frames lie.
    frame : int
    position : mapping of str to int
        Of the other axes.

    Raises
    ------
    ValueError
        For frames that were not registered.
    """
    frames = frames_of(layer, axis, position)
    if not any(isinstance(correction, Warp) for correction in frames.corrected_by):
        raise UserError(f"{layer.name!r} was not registered in this session: its motion is unknown")
    transforms, size = recorded_transforms(frames), (frames.shape[1], frames.shape[2])
    whole = transforms.deformation is None
    arrows = quiver(transforms, frame, size, along=_ALONG, matrix=whole)
    longest = float(np.hypot(*arrows[:, 1].T).max(initial=0.0))
    times = _round_down(max(size) / _ALONG / longest) if longest > 0 else 1.0
    what = "motion" if whole else "deformation"
    return Vectors(
        arrows, name=f"{layer.name} - {what} of frame {frame} ({times:g}x)", length=times,
        edge_color="yellow", edge_width=max(size) / 500, vector_style="arrow",
        **{**Appearance.of(layer).plane_place(), "blending": "translucent_no_depth"},
    )  # fmt: skip


def _round_down(times: float) -> float:
    """Return the next lower of 1, 2, 5, 10, ...; 1 at least.

    Examples
    --------
    >>> [_round_down(times) for times in (0.2, 3.4, 7, 42)]
    [1.0, 2.0, 5.0, 20.0]
    """
    if times < 1:
        return 1.0
    ten = 10.0 ** np.floor(np.log10(times))
    return float(ten * max(step for step in (1, 2, 5) if step * ten <= times))
