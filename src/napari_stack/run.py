"""`Run` and `Cancelled`, by the names that scripts know."""

from napari_stack.engine.run import Cancelled, Run

__all__ = ["Cancelled", "Run"]
