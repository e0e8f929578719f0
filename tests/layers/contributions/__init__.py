"""Tests of what napari's manifest names."""
