"""Tests of `napari_stack.layers`."""
