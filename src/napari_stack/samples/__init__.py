"""Synthetic stacks with known truth: formulas sampled at moved coordinates, never interpolated."""

from napari_stack.samples._degraded import bleaching, flickering, hot_pixels, shaded, vignetted
from napari_stack.samples._series import cosmic_rays, drifting_cells, focus_series, hyperstack

__all__ = [
    "bleaching",
    "cosmic_rays",
    "drifting_cells",
    "flickering",
    "focus_series",
    "hot_pixels",
    "hyperstack",
    "shaded",
    "vignetted",
]
