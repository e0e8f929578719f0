"""What retouching shows in the canvas: the stroke being painted, and where strokes are."""

from typing import Any

import numpy as np
from napari.layers import Image, Labels

from napari_stack.layers.places.appearance import Appearance
from napari_stack.layers.retouch.growing import Growing


class StrokeOverlay:
    """A small image layer over the window of the stroke that is being painted.

    Parameters
    ----------
    viewer : napari.Viewer
    image : Image layer
        That is painted on.
    """

    def __init__(self, viewer: Any, image: Any) -> None:
        self.viewer = viewer
        self._appearance = Appearance.of(image)
        shape = (2, 2, image.data.shape[-1]) if image.rgb else (2, 2)
        empty = np.zeros(shape, image.data.dtype)
        made = self._appearance.plane(empty, name="stroke", visible=False)
        self.layer: Image = viewer.add_layer(made)
        viewer.layers.selection.active = image

    def show(self, grown: Growing, image: Any) -> None:
        """Show what a stroke has made of its window so far."""
        if self.layer.data is grown.values:
            self.layer.refresh(thumbnail=False, highlight=False, extent=False)
            return
        rows, columns = grown.window
        if self.layer.contrast_limits != image.contrast_limits:
            self.layer.contrast_limits = image.contrast_limits
        self.layer.visible = False  # it is moved and resized out of sight, and drawn once
        self.layer.translate = self._appearance.plane_offset(rows.start, columns.start)
        self.layer.data = grown.values
        self.layer.visible = True

    def hide(self) -> None:
        """Show nothing; the image has it now."""
        if self.layer in self.viewer.layers:
            self.layer.visible = False

    def remove(self) -> None:
        """Take the layer away."""
        if self.layer in self.viewer.layers:
            self.viewer.layers.remove(self.layer)


def labels_layer(labels: Any, image: Any, stacked: int) -> Labels:
    """Make a layer that shows which pixels were painted, and from which frame: its number and 1.

    Parameters
    ----------
    labels : ndarray of int
        Without the axis that is stacked; the layer shows this array itself.
    image : Image layer
        On which it lies.
    stacked : int
        Number of the axis that was stacked.
    """
    made = Labels(
        np.expand_dims(labels, stacked) if stacked else labels,
        name=f"{image.name} - strokes", opacity=0.4, multiscale=False,
        scale=image.scale, translate=image.translate, rotate=image.rotate, shear=image.shear,
        affine=image.affine.affine_matrix, units=image.units, axis_labels=image.axis_labels,
    )  # fmt: skip
    made.editable = False
    return made
