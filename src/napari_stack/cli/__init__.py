"""The command line: every operator, recipes and the demo, made from the same signatures."""

from napari_stack.cli._main import main

__all__ = ["main"]
