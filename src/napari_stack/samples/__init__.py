"""Synthetic stacks with known truth: formulas sampled at moved coordinates.

Nothing is interpolated, but the pictures of `deforming` and `scanned`: drawn twice as fine.
"""

from napari_stack.samples._degraded import bleaching, flickering, hot_pixels, shaded, vignetted
from napari_stack.samples._layers import occluded
from napari_stack.samples._moving import deforming, scanned
from napari_stack.samples._series import cosmic_rays, drifting_cells, focus_series, hyperstack
from napari_stack.samples._translucent import fluorescent, transparent
from napari_stack.samples._volumes import sinking_volume, wobbling

__all__ = [
    "bleaching",
    "cosmic_rays",
    "deforming",
    "drifting_cells",
    "flickering",
    "fluorescent",
    "focus_series",
    "hot_pixels",
    "hyperstack",
    "occluded",
    "scanned",
    "shaded",
    "sinking_volume",
    "transparent",
    "vignetted",
    "wobbling",
]
