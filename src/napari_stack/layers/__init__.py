"""The operators on napari Image layers, without Qt.

Every function takes a layer and gives finished layers; `viewer.add_layer` shows them. `prepare` is
the same in three parts, for work in a thread: ``job = prepare(...)``, ``job.compute(run)``,
``job.finish(computed)``. `to_layer` shows a stack, `to_layers` each of its channels.
`apply_transforms` moves other layers, of points, shapes and labels too, as a registered one was
moved.
"""

from collections.abc import Callable
from typing import Any

from napari_stack.layers.axis_names import default_axis
from napari_stack.layers.inspection.surface import depth_surface
from napari_stack.layers.jobs.compute_now import compute_now, is_lazy, is_made_here, prepare_compute
from napari_stack.layers.jobs.forecast import Forecast, forecast
from napari_stack.layers.jobs.functions import layer_function
from napari_stack.layers.jobs.job import Computed, Job, prepare
from napari_stack.layers.jobs.preview import keeping, preview, preview_layer
from napari_stack.layers.picked.point_layers import PointLayers
from napari_stack.layers.places.apply_transforms import apply_transforms
from napari_stack.layers.provenance import is_preview
from napari_stack.layers.stacks.channel_layers import channels_apart, to_layers
from napari_stack.layers.stacks.read_layer import leading_axes
from napari_stack.layers.stacks.to_layer import show_limits, to_layer
from napari_stack.operators import CATALOGUE

__all__ = [
    "Computed",
    "Forecast",
    "Job",
    "PointLayers",
    "apply_transforms",
    "channels_apart",
    "compute_now",
    "default_axis",
    "depth_surface",
    "forecast",
    "is_lazy",
    "is_made_here",
    "is_preview",
    "keeping",
    "leading_axes",
    "prepare",
    "prepare_compute",
    "preview",
    "preview_layer",
    "show_limits",
    "to_layer",
    "to_layers",
]
__all__ += CATALOGUE.own


def __getattr__(name: str) -> Callable[..., Any]:
    if name.startswith("_") or name not in CATALOGUE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return layer_function(name, CATALOGUE[name])


def __dir__() -> list[str]:
    return [*globals(), *CATALOGUE]
