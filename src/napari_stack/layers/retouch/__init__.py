"""Retouching of fused layers: strokes recorded, shown at once, undone, and kept in the recipe."""

from napari_stack.layers.retouch.start import Start, may_retouch, start, strokes_of

__all__ = ["Start", "may_retouch", "start", "strokes_of"]
