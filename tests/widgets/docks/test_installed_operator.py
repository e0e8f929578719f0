"""The dock of an operator that an installed package brings."""

import numpy as np
import pytest

from napari_stack import _widgets
from support import packages
from support.docks import cells_layer, docked, ran


@pytest.fixture
def package(tmp_path):
    packages.install_example(tmp_path)
    with packages.installed(tmp_path):
        yield


def test_an_installed_operator_has_a_dock(package, viewer, qtbot, cells):
    source = cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.InvertDock)
    dock.set_options({"white": 4095.0})
    assert not dock.preview.box.isHidden()
    ran(dock, qtbot)
    made = viewer.layers[-1]
    assert made.name == "cells - invert"
    np.testing.assert_array_equal(np.asarray(made.data), 4095 - cells)
    np.testing.assert_allclose(made.scale, source.scale)
