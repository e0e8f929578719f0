"""Docks in a viewer, and runs of them."""

import gc
import weakref

import numpy as np
from qtpy.QtWidgets import QApplication

from napari_stack import _widgets, layers
from napari_stack.layers.compat import weak_reference
from napari_stack.operators import CATALOGUE

#: The docks of the operators, by the operator's name.
DOCKS = {name: getattr(_widgets, _widgets.dock_name(name)) for name in CATALOGUE}

#: Those that take any frames and add layers; drizzle needs frames whose shifts are known, planes a
#: depth, and the quality is a table.
RUN_ON_ANY = {
    name: dock
    for name, dock in DOCKS.items()
    if name not in ("drizzle", "register_planes", "register_volumes", "measure_quality")
}


def docked(viewer, kind):
    """Open a dock."""
    dock = kind(viewer)
    viewer.window.add_dock_widget(dock, name=kind.__name__)
    return dock


def ran(dock, qtbot, run=None):
    """Run a dock, by default what its button does, to the end."""
    with qtbot.waitSignal(dock.runner.finished, timeout=120_000):
        (run or dock.run)()


def assert_as_the_function(name, source, added, options):
    """See that a dock added the layers that the function of its operator gives."""
    expected = getattr(layers, name)(source, **options)
    expected = expected if isinstance(expected, list) else [expected]
    assert [layer.name for layer in added] == [layer.name for layer in expected]
    for layer, like in zip(added, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(layer.data), np.asarray(like.data))
        np.testing.assert_allclose(layer.scale, like.scale)
        np.testing.assert_allclose(layer.translate, like.translate)
        assert layer.units == like.units
        assert layer.axis_labels == like.axis_labels
        assert layer.metadata == like.metadata


def cells_layer(viewer, data, **more):
    """Add frames with scale, units and axis labels."""
    return viewer.add_image(
        data,
        name="cells",
        contrast_limits=(0, 4095),
        rgb=False,
        multiscale=False,
        scale=(0.5, 0.1, 0.1),
        translate=(0, 1, 2),
        units=("second", "micrometer", "micrometer"),
        axis_labels=("t", "y", "x"),
        **more,
    )


def references_to(viewer):
    """Refer weakly to the layers of a viewer and to their data."""
    return [weak_reference(la) for la in viewer.layers] + [
        weakref.ref(la.data) for la in viewer.layers
    ]


def assert_let_go(viewer, references):
    """Remove all layers, and see that nothing of them stays alive."""
    viewer.layers.clear()
    QApplication.processEvents()
    gc.collect()
    assert [ref() for ref in references if ref() is not None] == []


def place_of(plot, frame):
    """Where a frame lies in a plot, in pixels from the left."""
    return round(plot.panels[0].across(plot.width()).pixel(frame))
