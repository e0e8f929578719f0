"""Cells of the grid in which before and after lie."""

from napari_stack._widgets.parts.compare import best_stride


def test_cells_of_the_grid():
    assert best_stride(0, 2, 3) == 2
