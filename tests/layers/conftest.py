"""Layers with scale, units, axis labels, rotation and colours of their own."""

import numpy as np
import pytest
from napari.layers import Image
from napari.utils.triangulation_backend import TriangulationBackend, set_backend

from napari_stack import samples
from support.shapes import compile_no_shapes


@pytest.fixture(autouse=True)
def shapes_without_compiling(monkeypatch):
    """Napari compiles its triangulation for seconds, which pays for large shapes only.

    For each test, since a viewer sets what the settings say.
    """
    set_backend(TriangulationBackend.pure_python)
    compile_no_shapes(monkeypatch)


@pytest.fixture(scope="session")
def cells():
    """Five frames of cells that only shift, and the truth."""
    stack, truth = samples.drifting_cells(5, (96, 112), shift=6.0, rotation=0.0, scale=0.0)
    return np.asarray(stack), truth


@pytest.fixture
def timelapse(cells):
    """A (t, y, x) layer with everything that can be carried over."""
    return Image(
        cells[0],
        name="cells",
        scale=(0.5, 0.1, 0.1),
        translate=(1.0, 2.0, 3.0),
        rotate=20.0,
        shear=(0.0, 0.0, 0.1),
        affine=np.diag([1.0, 2.0, 2.0, 1.0]),
        units=("second", "micrometer", "micrometer"),
        axis_labels=("t", "y", "x"),
        colormap="green",
        blending="additive",
        contrast_limits=(100, 3000),
        gamma=0.8,
        interpolation2d="linear",
    )


@pytest.fixture(scope="session")
def hyper():
    """A small (t, c, z, y, x) hyperstack, and its truth."""
    stack, truth = samples.hyperstack(3, 4, (64, 80))
    return stack, truth


@pytest.fixture
def hyper_layer(hyper):
    """It as a layer."""
    stack, _ = hyper
    return Image(
        np.asarray(stack),
        name="hyper",
        rgb=False,
        scale=[axis.step for axis in stack.axes],
        units=[axis.unit for axis in stack.axes],
        axis_labels=[axis.name for axis in stack.axes],
    )
