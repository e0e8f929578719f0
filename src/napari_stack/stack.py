"""`Stack`, by the name that scripts know."""

from napari_stack.core.stack import Stack

__all__ = ["Stack"]
