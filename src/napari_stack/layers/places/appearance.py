"""`Appearance`: colours and placement of a layer, apart from it, and layers made to match."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from napari.layers import Image, Labels
from napari.utils.transforms import Affine, CompositeAffine
from numpy.typing import NDArray

from napari_stack.core.results import Part
from napari_stack.layers.compat import show_colour_bar
from napari_stack.layers.places.frame_geometry import FrameGeometry
from napari_stack.layers.places.placement import to_physical, to_world
from napari_stack.layers.stacks.looks import spread, value_range

#: Contrast limits; None where those of the layer stay right.
Limits = tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Appearance:
    """Placement, units and colours of a layer at one moment; the layer itself may be removed.

    Parameters
    ----------
    name : str
    ndim : int
        Without the channels of colours.
    rgb : bool
    dtype : numpy.dtype
    place : CompositeAffine
    affine : Affine
        From pixels to the physical place, and from there to the world.
    units, axis_labels : tuple
        One for each axis.
    limits_range : tuple of float
        Range that the contrast limits can be chosen from.
    colours : mapping
        Colormap, contrast limits, gamma and interpolation, by the name of the layer's attribute.
    blending : str
    """

    name: str
    ndim: int
    rgb: bool
    dtype: np.dtype[Any]
    place: CompositeAffine
    affine: Affine
    units: tuple[Any, ...]
    axis_labels: tuple[str, ...]
    limits_range: tuple[float, float]
    colours: Mapping[str, Any]
    blending: str

    @classmethod
    def of(cls, layer: Any) -> Self:
        """Read it from an Image layer."""
        colours = {
            "colormap": layer.colormap,
            "contrast_limits": tuple(layer.contrast_limits),
            "gamma": layer.gamma,
            "interpolation2d": layer.interpolation2d,
            "interpolation3d": layer.interpolation3d,
        }
        dtype = np.dtype(layer.dtype).newbyteorder("=")  # as operators give it
        return cls(
            layer.name, layer.ndim, layer.rgb, dtype, to_physical(layer), to_world(layer),
            tuple(layer.units), tuple(layer.axis_labels), tuple(layer.contrast_limits_range),
            colours, str(layer.blending),
        )  # fmt: skip

    def frames(self, data: Any, geometry: FrameGeometry | None = None, **more: Any) -> Image:
        """Make a layer of frames with the same axes, which lie as `geometry` says."""
        geometry = geometry or FrameGeometry()
        offset, size = np.zeros(self.ndim), np.ones(self.ndim)
        offset[-2:], size[-2:] = geometry.shift, geometry.pixel
        if geometry.slabs is not None:
            axis, size[axis], offset[axis] = geometry.slabs
        place = self._placed(list(range(self.ndim)), offset)
        place["scale"] = place["scale"] * size
        return self._coloured(data, rgb=self.rgb, **place, **more)

    def image(
        self, data: Any, part: Part, stacked: int, count: int, limits: Limits, **more: Any
    ) -> Image | Labels:
        """Make a layer of an operator's image; of a mask Labels, which can be painted on.

        The first axis is gone when it was stacked. Another one stays, one pixel long, that is as
        thick as all its frames: napari aligns the axes of layers from the last one on, so without
        it those before it would each move to the slider of another.

        Parameters
        ----------
        data : ndarray
        part : Part
            What it shows, as the operator's result declares it.
        stacked, count : int
            Number of the axis that was stacked, and its frames.
        limits : tuple of float or None
            As `limits_of` gave them.
        """
        rgb = self.rgb or data.ndim == self.ndim  # colours that the frames had in a mosaic
        if stacked == 0:
            place = self._placed(list(range(1, self.ndim)))
        else:
            data = np.expand_dims(data, stacked)
            offset = np.zeros(self.ndim)
            offset[stacked] = (count - 1) / 2
            place = self._placed(list(range(self.ndim)), offset)
            place["scale"] = place["scale"] * np.where(np.arange(self.ndim) == stacked, count, 1)
        if data.dtype == bool:
            place["blending"] = "translucent_no_depth"
            return Labels(data.astype(np.uint8), multiscale=False, **place, **more)
        if limits is None:
            return self._coloured(data, rgb=rgb, **place, **more)
        colormap = "gray" if part.picture else part.shown.colormap
        place |= {"colormap": colormap, "contrast_limits": limits, "rgb": rgb}
        if not part.picture:
            place |= {"blending": "translucent_no_depth", "rgb": False}
        made = Image(data, multiscale=False, **place, **more)
        # Another would hide the picture that it belongs to; made hidden, its thumbnail stays black.
        made.visible = part.picture
        show_colour_bar(made, shown=part.along is not None)
        return made

    def plane(self, data: Any, **more: Any) -> Image:
        """Make a layer of one frame, of y and x alone."""
        return self._coloured(data, **{"rgb": self.rgb, **self.plane_place(), **more})

    def plane_place(self) -> dict[str, Any]:
        """Return where a layer of y and x alone lies, by names of a layer's options."""
        return self._placed([self.ndim - 2, self.ndim - 1])

    def plane_offset(self, y: float, x: float) -> NDArray[np.float64]:
        """Return where `plane` is to lie so that its first pixel is at y and x of the image."""
        kept = [self.ndim - 2, self.ndim - 1]
        return np.asarray(self._placed(kept, np.array([y, x], float))["translate"])

    def plane_of_labels(self, data: NDArray[Any], **more: Any) -> Labels:
        """Make a layer of labels that lies on one frame, of y and x alone."""
        place = self.plane_place()
        return Labels(
            data, multiscale=False, **{**place, "blending": "translucent_no_depth", **more}
        )

    def shown(self, data: NDArray[Any], part: Part) -> NDArray[Any]:
        """Return an operator's image as a layer holds it: of counts or a mask, of all colours."""
        if (not part.picture or data.dtype == bool) and data.ndim == self.ndim:
            return np.asarray(data.max(axis=-1))
        return data

    def limits_of(self, data: NDArray[Any], part: Part, deepest: float) -> Limits:
        """Return contrast limits for an operator's image, or None: those of the layer fit.

        Parameters
        ----------
        data : ndarray
        part : Part
            What it shows, as the operator's result declares it.
        deepest : float
            Place of the last frame along the axis that was stacked.
        """
        if part.along is not None:
            return min(0.0, deepest), max(0.0, deepest) or 1.0
        if part.shown.most is not None:
            return 0.0, part.shown.most
        if part.picture and data.dtype == self.dtype and data.dtype.kind != "f":
            return None
        low, high = value_range(data, rgb=self.rgb and part.picture) or (0.0, 1.0)
        if not part.picture:
            return 0.0, max(high, 1.0)
        least, most = self.limits_range
        # A mean of floats never leaves the range of the frames; a sum does.
        if data.dtype == self.dtype and least <= low and high <= most:
            return None
        return spread(min(low, 0.0) if self.rgb else low, high)  # black stays black

    def _placed(self, kept: list[int], offset: NDArray[np.float64] | None = None) -> dict[str, Any]:
        place, affine = self.place.set_slice(kept), self.affine.set_slice(kept)
        moved = 0 if offset is None else place.linear_matrix @ offset
        return {
            "scale": place.scale,
            "translate": place.translate + moved,
            "rotate": place.rotate,
            "shear": place.shear,
            "affine": affine.affine_matrix,
            "units": [self.units[axis] for axis in kept],
            "axis_labels": [self.axis_labels[axis] for axis in kept],
            "blending": self.blending,
        }

    def _coloured(self, data: Any, **more: Any) -> Image:
        # Limits are given, so that napari computes no frame to find some.
        layer = Image(data, multiscale=False, **{**self.colours, **more})
        if "contrast_limits" not in more:
            layer.contrast_limits_range = self.limits_range
        return layer
