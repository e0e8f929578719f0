"""`depth_surface`: the depth of a fused image as a surface in space, with the image on it."""

from collections.abc import Mapping
from math import ceil, sqrt
from typing import Annotated, Any

import numpy as np
from napari.layers import Image, Surface
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.options import Bounds, check
from napari_stack.core.units import plain_unit
from napari_stack.layers.compat import full_resolution
from napari_stack.layers.names import DEPTH_AXIS
from napari_stack.layers.provenance import KEY

#: Vertices of a surface, at most: a graphics card without acceleration still turns so many.
_VERTICES = 160_000

#: Longest side of the image on it, in pixels: every graphics card takes so many.
_TEXTURE = 4096

#: Where distances in depth are not known, the relief is this share of the picture's width high.
_RELIEF = 0.2


def depth_surface(
    image: Image,
    depth: Image,
    *,
    exaggeration: Annotated[float, Bounds(0, 1000, step=0.5)] = 0.0,
    position: Mapping[int, int] | None = None,
) -> Surface:
    """Show how deep each pixel of a fused image lies, as a surface with the image on it.

    Parameters
    ----------
    image, depth : Image layer
        What `focus_stack` gave.
    exaggeration : float
        Stretch of the depth. 1 is true to scale where the distance of the frames is known; 0 takes
        that, or, where it is not known, makes the relief a fifth as high as the picture is wide.
    position : mapping of int to int, optional
        With more axes than y and x: which place on them, by number of the axis; by default 0.

    Returns
    -------
    Surface layer
        With axes z, y, x, in the units and at the place of the layers.

    Raises
    ------
    ValueError
        For layers that do not belong together.
    """
    check(depth_surface, {"exaggeration": exaggeration})
    heights, picture = _at(depth, position), _at(image, position)
    if heights.shape != picture.shape[:2] or heights.ndim != 2:
        raise UserError(
            f"the depth {depth.name!r} has the shape {heights.shape} and the image {image.name!r} "
            f"{picture.shape}: they must be of the same frames"
        )
    axis = depth.metadata.get(KEY, {}).get(DEPTH_AXIS, {})
    vertices, faces = _mesh(heights)
    size = np.array(heights.shape)
    texture = _painted(picture, image)
    y, x = ((vertices[:, 1:] + 0.5) / size).T
    coordinates = np.stack([x, 1 - y], axis=1)  # rows of a texture count from below
    step = float(axis.get("step", 1.0))
    stretch = exaggeration or _stretch(depth, axis, vertices[:, 0])
    return Surface(
        (vertices, faces),
        texture=texture,
        texcoords=coordinates,
        shading="none",
        name=f"{image.name} - surface",
        axis_labels=(axis.get("name", "z"), *depth.axis_labels[-2:]),
        units=(axis.get("unit", "pixel"), *(str(unit) for unit in depth.units[-2:])),
        metadata={KEY: {"exaggeration": stretch}},
        **_place(depth, step * stretch, float(axis.get("start", 0.0))),
    )


def _at(layer: Image, position: Mapping[int, int] | None) -> NDArray[Any]:
    data = full_resolution(layer)
    leading = layer.ndim - 2
    chosen = dict(position or {})
    place = tuple(min(chosen.get(axis, 0), data.shape[axis] - 1) for axis in range(leading))
    return np.asarray(data[place])


def _mesh(heights: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Make vertices (z, y, x) on a grid, few enough to be turned, and the triangles on them."""
    from napari_stack.engine.opencv import cv2

    height, width = heights.shape
    step = max(1.0, sqrt(height * width / _VERTICES))
    ys = np.linspace(0, height - 1, max(2, round(height / step)))
    xs = np.linspace(0, width - 1, max(2, round(width / step)))
    known = np.isfinite(heights)
    flat = np.where(known, heights, heights[known].mean() if known.any() else 0)
    flat = flat.astype(np.float32)
    if step > 1:  # each vertex stands for the pixels around it
        flat = cv2.blur(flat, (ceil(step),) * 2, borderType=cv2.BORDER_REPLICATE)
    rows, columns = np.rint(ys).astype(int), np.rint(xs).astype(int)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    vertices = np.stack([flat[y, x], y, x], axis=-1).reshape(-1, 3).astype(np.float32)
    corner = np.arange(len(rows) * len(columns)).reshape(len(rows), len(columns))
    a, b, c, d = (corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:])
    faces = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (b, d, c))])
    return vertices, faces.astype(np.int32)


def _painted(picture: NDArray[Any], layer: Image) -> NDArray[np.uint8]:
    """Return an image as it is shown, in 8-bit colours, small enough for graphics cards."""
    from napari_stack.engine.opencv import cv2

    low, high = layer.contrast_limits
    if layer.rgb:
        top = 1.0 if picture.dtype.kind == "f" else float(np.iinfo(picture.dtype).max)
        shown = picture[..., :3].astype(np.float32) / top
    else:
        share = np.clip((picture.astype(np.float32) - low) / (high - low or 1), 0, 1)
        shown = layer.colormap.map(share.ravel() ** layer.gamma)[:, :3]
        shown = shown.reshape(*picture.shape, 3)
    colours = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)
    factor = _TEXTURE / max(picture.shape[:2])
    if factor < 1:
        colours = cv2.resize(colours, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(colours)


def _stretch(depth: Image, axis: Mapping[str, Any], heights: NDArray[Any]) -> float:
    """Return 1 where distances are known in depth as they are in the picture."""
    same = plain_unit(str(axis.get("unit", "pixel"))) == plain_unit(str(depth.units[-1]))
    if same and axis.get("unit", "pixel") != "pixel":
        return 1.0
    extent = float(np.ptp(heights)) * float(axis.get("step", 1.0))
    width = depth.data.shape[-1] * float(depth.scale[-1])
    return _RELIEF * width / extent if extent > 0 else 1.0


def _place(depth: Image, scale: float, start: float) -> dict[str, Any]:
    """Extend the place of a flat layer by depth."""
    ndim = depth.ndim
    kept = [ndim - 2, ndim - 1]
    rotate, shear, affine = np.eye(3), np.eye(3), np.eye(4)
    rotate[1:, 1:] = np.asarray(depth.rotate)[np.ix_(kept, kept)]
    # napari stores the shear as the upper triangle, row by row.
    upper = np.zeros((ndim, ndim))
    upper[np.triu_indices(ndim, 1)] = depth.shear
    shear[1, 2] = upper[kept[0], kept[1]]
    affine[1:, 1:] = np.asarray(depth.affine.affine_matrix)[np.ix_([*kept, ndim], [*kept, ndim])]
    return {
        "scale": (scale, *depth.scale[-2:]),
        "translate": (start, *depth.translate[-2:]),
        "rotate": rotate,
        "shear": shear,
        "affine": affine,
    }
