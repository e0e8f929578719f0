"""Shapes of napari that are not compiled, which pays for large ones only."""

from napari.layers.shapes import _accelerated_triangulate_python as in_python
from napari.layers.shapes._shapes_models import _polygon_base, shape


def compile_no_shapes(monkeypatch):
    """Take in Python what napari compiles with every backend, for some seconds."""
    duplicates, box = in_python.remove_path_duplicates_py, in_python.create_box_from_bounding_py
    for module in (shape, _polygon_base):
        monkeypatch.setattr(module, "remove_path_duplicates", duplicates)
    monkeypatch.setattr(_polygon_base, "create_box_from_bounding", box)
