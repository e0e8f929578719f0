"""Other layers moved as a registered one was."""

import gc

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

import napari_stack as ns
from napari_stack import layers
from napari_stack._widgets import ApplyToOthersDock
from napari_stack.layers.compat import weak_reference


@pytest.fixture
def dock(viewer):
    dock = ApplyToOthersDock(viewer)
    viewer.window.add_dock_widget(dock)
    return dock


def names(dock):
    return [dock.list.item(row).text() for row in range(dock.list.count())]


def shown(viewer, cells):
    how = {"rgb": False, "axis_labels": ("t", "y", "x")}
    source = viewer.add_image(cells, name="cells", contrast_limits=(0, 4095), **how)
    other = viewer.add_image(4095 - cells, name="other", contrast_limits=(0, 4095), **how)
    labels = viewer.add_labels((cells > 1500).astype(np.uint8), name="labels",
                               axis_labels=("t", "y", "x"))  # fmt: skip
    moved = viewer.add_layer(layers.register(source, transform="translation"))
    return source, other, labels, moved


def test_a_channel_labels_and_points(dock, viewer, cells):
    _, other, labels, moved = shown(viewer, cells)
    points = viewer.add_points([[0, 40, 50], [5, 40, 50]], name="dots",
                               axis_labels=("t", "y", "x"))  # fmt: skip
    assert "'cells - aligned'" in dock.title.text()
    assert names(dock) == ["cells", "other", "labels", "dots"]
    dock.run()
    assert dock.message.text() == "Tick the layers to move first."
    for layer in (other, labels, points):
        dock.tick(layer)
    dock.run()
    added = {layer.name: layer for layer in list(viewer.layers)[5:]}
    assert list(added) == ["other - moved", "labels - moved", "dots - moved"]
    stack = ns.register(ns.Stack.wrap(cells), transform="translation")
    expected = ns.apply_transforms(ns.Stack.wrap(4095 - cells), stack.transforms)
    np.testing.assert_array_equal(np.asarray(added["other - moved"].data), np.asarray(expected))
    assert set(np.unique(np.asarray(added["labels - moved"].data))) <= {0, 1}
    shift = stack.transforms.matrices[5][:2, 2]
    np.testing.assert_allclose(added["dots - moved"].data[1, 1:], [40, 50] - shift[::-1], atol=1e-6)
    viewer.layers.selection.active = moved
    dock.tick(other, False)
    dock.tick(labels, False)
    dock.tick(points, False)
    dock.tick(added["dots - moved"])
    dock.back.setChecked(True)
    dock.run()
    np.testing.assert_allclose(viewer.layers[-1].data, points.data, atol=1e-6)


def test_shapes(dock, viewer, cells):
    *_, moved = shown(viewer, cells)
    corners = np.array([[5, 20, 30], [5, 20, 60], [5, 50, 60], [5, 50, 30]])
    drawn = viewer.add_shapes(
        [corners], shape_type="rectangle", edge_width=3, name="drawn", axis_labels=("t", "y", "x")
    )
    viewer.layers.selection.active = moved
    dock.tick(drawn)
    dock.run()
    made = viewer.layers[-1]
    assert (made.name, made.edge_width) == ("drawn - moved", [3])
    assert made.shape_type in (["rectangle"], ["polygon"])
    stack = ns.register(ns.Stack.wrap(cells), transform="translation")
    shift = stack.transforms.matrices[5][:2, 2]
    assert np.abs(shift).max() > 0.5
    np.testing.assert_allclose(made.data[0][:, 1:], corners[:, 1:] - shift[::-1], atol=1e-6)
    viewer.layers.selection.active = moved
    dock.tick(drawn, False)
    dock.tick(made)
    dock.back.setChecked(True)
    dock.run()
    np.testing.assert_allclose(viewer.layers[-1].data[0], corners, atol=1e-6)


def test_what_cannot_be_moved_is_told(dock, viewer, cells, notes):
    shown(viewer, cells)
    flat = viewer.add_points([[4, 5]], name="flat")
    dock.tick(flat)
    dock.run()
    assert "'flat' lacks the axis 't'" in notes[-1][1]
    assert dock.message.text() == "Nothing was moved"


def test_it_follows_the_layers(dock, viewer, cells):
    assert dock.title.text() == "Choose a registered layer."
    assert not dock.apply_button.isEnabled()
    source, other, _, moved = shown(viewer, cells)
    dock.tick(other)
    other.name = "green"
    assert names(dock) == ["cells", "green", "labels"]
    viewer.layers.remove(source)
    assert dock.ticked == [other]
    viewer.layers.remove(moved)
    assert dock.title.text() == "Choose a registered layer."


def test_nothing_stays_alive(dock, viewer, cells):
    def held():
        _, other, _, _ = shown(viewer, cells.copy())
        dock.tick(other)
        dock.run()
        return [weak_reference(layer) for layer in viewer.layers]

    references = held()
    viewer.layers.clear()
    QApplication.processEvents()
    gc.collect()
    assert [ref() for ref in references if ref() is not None] == []
