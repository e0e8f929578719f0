"""The dock that shows a fused image on the surface of its depth."""

import numpy as np
import pytest
from napari.layers import Image, Surface
from qtpy.QtWidgets import QApplication

from napari_stack import layers
from napari_stack._widgets import SurfaceDock
from napari_stack._widgets.docks.surface import _is_map


def test_it_shows_the_newest_depth_in_space(viewer, hyper):
    source = viewer.add_layer(layers.to_layer(hyper, "hyper"))
    dock = SurfaceDock(viewer)
    viewer.window.add_dock_widget(dock)
    assert "Focus-stack frames first" in dock._told.text()
    made = layers.focus_stack(source, method="pyramid")
    for layer in made:
        viewer.add_layer(layer)
    assert (dock.image.name, dock.depth.name) == ("hyper - fused", "hyper - fused - depth")
    assert not dock._told.text()
    viewer.dims.set_current_step((0, 1), (2, 1))
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    camera.zoom = 3.25
    dock.button.click()
    surface = viewer.layers[-1]
    assert isinstance(surface, Surface)
    np.testing.assert_array_equal(surface.data[0][:, 0].reshape(64, 80), made[1].data[2, 1, 0])
    assert viewer.dims.ndisplay == 3
    assert not dock.image.visible
    assert dock._told.text().endswith("its depth true to scale.")
    viewer.dims.ndisplay = 2
    QApplication.processEvents()
    assert dock.image.visible
    assert not surface.visible
    assert camera.zoom == 3.25
    viewer.layers.clear()
    assert not dock.button.isEnabled()
    dock.run()
    assert len(viewer.layers) == 0


@pytest.mark.parametrize(
    ("name", "is_map"),
    [
        ("scan - depth series", False),
        ("a - depth", True),
        ("a - depth (um)", True),
        ("a - depth [1]", True),
        ("a - confidence", True),
    ],
)
def test_maps_are_told_by_the_end_of_their_name(name, is_map):
    assert _is_map(Image(np.zeros((4, 5)), name=name)) == is_map


def test_layers_that_do_not_belong_together_are_told(viewer, notes):
    viewer.add_image(np.zeros((9, 9)), name="a - depth")
    viewer.add_image(np.zeros((9, 8)), name="b")
    dock = SurfaceDock(viewer)
    viewer.window.add_dock_widget(dock)
    dock.depth = viewer.layers[0]
    dock.button.click()
    assert len(viewer.layers) == 2
    assert any("they must be of the same frames" in text for _, text in notes)
