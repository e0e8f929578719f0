"""`apply_transforms`: where frames were found, applied to other layers, or taken back."""

from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer, Points, Shapes, Tracks
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.source import ArraySource
from napari_stack.core.stack import Stack
from napari_stack.layers.compat import full_resolution
from napari_stack.layers.places.appearance import Appearance
from napari_stack.layers.places.frame_geometry import FrameGeometry
from napari_stack.layers.places.motion import Motion, without_axis
from napari_stack.layers.places.placement import moved_by
from napari_stack.layers.provenance import KEY, Chain, remember
from napari_stack.layers.stacks.read_layer import read_layer
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.geometry.warp import Warp

#: Corners of an ellipse that a perspective has made into something else.
_CORNERS = 64


def apply_transforms(
    layer: Layer, transforms: Image | Transforms, *, inverse: bool = False, axis: str | int = ""
) -> Layer:
    """Move a layer as the frames of another one were moved by `register`, or back.

    Parameters
    ----------
    layer : Image, Labels, Points, Shapes or Tracks layer
        In the coordinates of the frames as they were recorded, with their axis; further axes, such
        as channels, are moved alike. Where it lies in the world, and its pixel size, count.
    transforms : Image layer or Transforms
        A layer that `register` made, or measured transforms. These are in pixels of `layer`.
    inverse : bool
        Take what lies on the registered frames to the frames as they were recorded.
    axis : str or int
        With measured transforms: the axis they belong to, by default the first.

    Returns
    -------
    Layer
        A new one of the same kind. Images and labels are lazy, interpolated once (labels are the
        nearest ones) and show the same view as the registered frames.

    Raises
    ------
    ValueError
        When the layer is of another kind, lacks the axis of the frames, or has anything at other
        frames than there are; when the other layer was not registered.

    Examples
    --------
    >>> import numpy as np
    >>> from napari.layers import Points
    >>> shifts = np.tile(np.eye(3), (2, 1, 1))
    >>> shifts[1, 0, 2] = 5  # what lies at x in the first frame lies at x + 5 in the second
    >>> dots = Points([[1, 10, 25]], name="dots")
    >>> apply_transforms(dots, Transforms(shifts)).data.tolist()
    [[1.0, 10.0, 20.0]]
    """
    move = next((m for kind, m in _MOVERS.items() if isinstance(layer, kind)), None)
    if move is None:
        raise UserError(
            f"{str(layer)!r} is a {type(layer).__name__} layer: choose an Image, Labels, Points, "
            "Shapes or Tracks layer"
        )
    motion = (
        Motion.measured(transforms, layer, axis)
        if isinstance(transforms, Transforms)
        else Motion.of(transforms)
    )
    found: Layer = move(layer, motion, inverse)
    found.name = f"{layer.name} - moved back" if inverse else f"{layer.name} - moved"
    return found


def _move_image(layer: Any, motion: Motion, inverse: bool) -> Layer:
    chain = read_layer(layer)
    moved, origin = _warped(chain.data.frames, chain.data.sizes, layer, motion, inverse)
    data = chain.data.with_frames(moved)
    array = data.to_dask()
    # It is the source of what follows: a recipe has no step that moves frames by measured values.
    remember(array, Chain(data, (), f"{layer.name} (moved)"))
    metadata = {KEY: {"recipe": None, "source": layer.name, "note": "moved by measured transforms"}}
    geometry = FrameGeometry(origin)
    return Appearance.of(layer).frames(array, geometry, name=layer.name, metadata=metadata)


def _move_labels(layer: Any, motion: Motion, inverse: bool) -> Layer:
    data = full_resolution(layer)
    leading = tuple(data.shape[:-2])
    if not leading:
        raise without_axis(layer, motion.placement.names[0])
    frames = Stack(ArraySource(data, leading, f"the layer {layer.name!r}"))
    moved, origin = _warped(frames, leading, layer, motion, inverse)
    array = moved.to_dask().reshape(*leading, *moved.shape[1:])
    return _like(layer, array, translate=moved_by(layer, origin), multiscale=False)


def _warped(
    frames: Stack, leading: tuple[int, ...], layer: Any, motion: Motion, inverse: bool
) -> tuple[Stack, tuple[float, float]]:
    """Frames warped to the view, and where it begins (x, y)."""
    coordinates = [values.ravel() for values in np.indices(leading)]
    moves, place, numbers = motion.at(layer, coordinates)
    # A warp reads: it wants the way from the result to the frames.
    moves = (moves.inverse() if inverse else moves).select(place)
    origin, size = motion.view_of(layer, inverse)
    drawn = motion.warp or Warp(Transforms(np.eye(3)[None]), size, size)
    labels = isinstance(layer, Labels)
    height, width = frames.shape[1:3]
    warp = replace(
        drawn, transforms=moves, source_size=(height, width), size=size,
        origin=origin, interpolation="nearest" if labels else drawn.interpolation,
        border="invalid" if labels else drawn.border,
    )  # fmt: skip
    used = frames.used if inverse else frames.used & motion.used.ravel()[numbers]
    return replace(frames.corrected(warp), used=used), origin


def _move_points(layer: Any, motion: Motion, inverse: bool) -> Layer:
    return _like(layer, _moved(layer, np.asarray(layer.data, float), motion, inverse)[0])


def _move_shapes(layer: Any, motion: Motion, inverse: bool) -> Layer:
    kinds, shapes = [], []
    for kind, vertices in zip(layer.shape_type, layer.data, strict=True):
        points = np.asarray(vertices, float)
        moved, moves = _moved(layer, points, motion, inverse)
        bent = moves is not None and moves.deformation is not None
        if kind == "ellipse" and moves is not None and (bent or moves.matrices[:, 2, :2].any()):
            moved, _ = _moved(layer, ellipse(points), motion, inverse)
            kind = "polygon"
        if (
            kind == "rectangle"
            and moves is not None
            and (bent or not _keeps_angles(moves.matrices))
        ):
            kind = "polygon"
        kinds.append(kind)
        shapes.append(moved)
    return _like(layer, shapes, shape_type=kinds)


def _move_tracks(layer: Any, motion: Motion, inverse: bool) -> Layer:
    data = np.asarray(layer.data, float).copy()
    data[:, 1:] = _moved(layer, data[:, 1:], motion, inverse)[0]
    return _like(layer, data)


def _moved(
    layer: Any, points: NDArray[np.float64], motion: Motion, inverse: bool
) -> tuple[NDArray[np.float64], Transforms | None]:
    """Points (n, axis) moved, and the transforms from where registered ones lie to recorded."""
    if not len(points):
        return points, None
    coordinates = list(points[:, :-2].T)
    if not coordinates:
        raise without_axis(layer, motion.placement.names[0])
    moves, place, _ = motion.at(layer, coordinates)
    moved = points.copy()
    for number in range(len(moves)):
        here = place == number
        at = points[here][:, :-3:-1]
        found = moves.points_in_frame(number, at) if inverse else (
            moves.points_in_reference(number, at)
        )  # fmt: skip
        moved[here, :-3:-1] = found
    return moved, moves


def _keeps_angles(matrices: NDArray[np.float64]) -> bool:
    linear = matrices[:, :2, :2]
    turned = np.stack([linear[:, 1, 1], -linear[:, 1, 0], -linear[:, 0, 1], linear[:, 0, 0]], -1)
    alike = np.allclose(linear.reshape(-1, 4), turned, atol=1e-6)
    return bool(alike and not matrices[:, 2, :2].any())


def ellipse(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points on the ellipse that touches the sides of a rectangle in their middles."""
    centre = corners.mean(axis=0)
    across, along = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)[:, None]
    return np.asarray(centre + np.cos(angle) * across + np.sin(angle) * along)


def _like(layer: Any, data: Any, **changes: Any) -> Layer:
    """Layer with other data that looks and lies like this one."""
    _, state, kind = layer.as_layer_data_tuple()
    return Layer.create(data, {**state, "metadata": {**layer.metadata}, **changes}, kind)


_MOVERS: dict[type, Any] = {
    Image: _move_image,
    Labels: _move_labels,
    Points: _move_points,
    Shapes: _move_shapes,
    Tracks: _move_tracks,
}
