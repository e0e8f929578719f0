"""The operators on napari Image layers, without Qt.

Every function takes a layer and gives finished layers; `viewer.add_layer` shows them. `prepare` is
the same in three parts, for work in a thread: ``job = prepare(...)``, ``job.compute(run)``,
``job.finish(computed)``. `to_layer` shows a stack. `apply_transforms` moves other layers, of
points, shapes and labels too, as a registered one was moved.
"""

from napari_stack.layers.apply_transforms import apply_transforms
from napari_stack.layers.compute_now import compute_now, is_lazy, is_made_here, prepare_compute
from napari_stack.layers.forecast import Forecast, forecast
from napari_stack.layers.functions import on_layers
from napari_stack.layers.job import Computed, Job, default_axis, prepare
from napari_stack.layers.preview import PREVIEWED, is_preview, keeping, preview, preview_layer
from napari_stack.layers.read_layer import leading_axes
from napari_stack.layers.surface import depth_surface
from napari_stack.layers.to_layer import show_limits, to_layer

register = on_layers("register")
balance = on_layers("balance")
correct_vignetting = on_layers("correct_vignetting")
correct_flat_field = on_layers("correct_flat_field")
correct_bleaching = on_layers("correct_bleaching")
find_hot_pixels = on_layers("find_hot_pixels")
repair_hot_pixels = on_layers("repair_hot_pixels")
combine = on_layers("combine")
sigma_clip = on_layers("sigma_clip")
moving_average = on_layers("moving_average")
focus_slabs = on_layers("focus_slabs")
focus_stack = on_layers("focus_stack")
denoise = on_layers("denoise")
sharpen = on_layers("sharpen")
transform_frames = on_layers("transform_frames")

__all__ = [
    "PREVIEWED",
    "Computed",
    "Forecast",
    "Job",
    "apply_transforms",
    "balance",
    "combine",
    "compute_now",
    "correct_bleaching",
    "correct_flat_field",
    "correct_vignetting",
    "default_axis",
    "denoise",
    "depth_surface",
    "find_hot_pixels",
    "focus_slabs",
    "focus_stack",
    "forecast",
    "is_lazy",
    "is_made_here",
    "is_preview",
    "keeping",
    "leading_axes",
    "moving_average",
    "prepare",
    "prepare_compute",
    "preview",
    "preview_layer",
    "register",
    "repair_hot_pixels",
    "sharpen",
    "show_limits",
    "sigma_clip",
    "to_layer",
    "transform_frames",
]
