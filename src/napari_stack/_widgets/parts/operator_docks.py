"""Opens docks by their titles, and that of an operator at a layer and with options."""

from typing import Any

import numpy as np

from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack.operators import CATALOGUE
from napari_stack.recipe import Step


def open_titled(viewer: Any, title: str) -> Any:
    """Open the dock of a title, or show the one that is open."""
    frame, dock = viewer.window.add_plugin_dock_widget("napari-stack", title)
    frame.raise_()  # it may be a tab behind another
    return dock


def open_dock(viewer: Any, step: Step, layer: Any = None) -> Any:
    """Open the dock of a step's operator, and show the step's options in it.

    Parameters
    ----------
    viewer : napari.Viewer
    step : Step
    layer : Image layer, optional
        The frames that it takes.

    Returns
    -------
    OperatorDock or None
        None for an operator of a package that has no dock in napari.
    """
    if step.operator not in CATALOGUE.own:
        return None
    dock = open_titled(viewer, CATALOGUE.own[step.operator].titled(step.operator))
    if layer is not None:
        dock.layer = layer
        if step.axis:
            dock.axis = step.axis
    dock.shares_options(None)  # with a step that it was opened for before
    dock.reset()
    with errors_shown():
        dock.set_options({n: v for n, v in step.options.items() if not isinstance(v, np.ndarray)})
    return dock
