"""The command line: every operator, recipes and the demo, made from the same signatures."""

from napari_stack.cli.main import main

__all__ = ["main"]
