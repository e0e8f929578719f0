"""Retouching of fused layers: strokes recorded, shown at once, undone, and kept in the recipe."""

from napari_stack.layers.retouch.replay import replay
from napari_stack.layers.retouch.session import Retouching
from napari_stack.layers.retouch.start import Start, may_retouch, other_fusions, start, strokes_of

__all__ = ["Retouching", "Start", "may_retouch", "other_fusions", "replay", "start", "strokes_of"]
